//! Listening: the other end of dialling.

use std::{
    fmt, io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use async_trait::async_trait;

use crate::{AcceptError, BoxTransport, Transport};

/// Accepts connections and negotiates with each of them.
///
/// The two are apart: [`accept`](Self::accept) gives a connection as soon as it is there, and its
/// handshake is a future to be completed in a task of its own, so that one slow or silent
/// client keeps no other waiting.
///
/// ```
/// use spell_transport::{Connector, Listener, Serialization, Transport, memory};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let (mut dial, mut listener) = memory::listener([Serialization::JSON]);
/// let _client = dial.connect(&[Serialization::JSON]).await?;
/// let handshake = listener.accept().await?;
/// let transport = handshake.await?; // in a server: tokio::spawn it
/// assert_eq!(transport.info().serialization(), Serialization::JSON);
/// # Ok::<_, Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
pub trait Listener: Send + 'static {
    /// The transport each connection becomes.
    type Transport: Transport;
    /// The handshake with one client.
    type Handshake: Future<Output = Result<Self::Transport, AcceptError>> + Send + 'static;

    /// Waits for the next connection.
    ///
    /// # Errors
    ///
    /// An error concerns one connection, or passes, as when no file descriptor is free: the
    /// listener stays usable. Wait a moment before the next try, lest it spins.
    ///
    /// # Cancel safety
    ///
    /// Cancel-safe: no connection is lost when the future is dropped.
    fn accept(&mut self) -> impl Future<Output = io::Result<Self::Handshake>> + Send;
}

/// A handshake under way, boxed: the [`Listener::Handshake`] of this crate's listeners.
#[must_use = "a handshake does nothing unless it is awaited"]
pub struct Handshake<T>(Pin<Box<dyn Future<Output = Result<T, AcceptError>> + Send>>);

impl<T: Transport> Handshake<T> {
    /// Boxes a handshake.
    pub fn new(handshake: impl Future<Output = Result<T, AcceptError>> + Send + 'static) -> Self {
        Self(Box::pin(handshake))
    }

    /// Boxes a handshake that fails with [`AcceptError::Timeout`] when it takes longer than
    /// `limit` from when it is first polled. Needs a tokio runtime with its timer on.
    pub fn within(
        limit: Duration,
        handshake: impl Future<Output = Result<T, AcceptError>> + Send + 'static,
    ) -> Self {
        Self::new(async move {
            match tokio::time::timeout(limit, handshake).await {
                Ok(result) => result,
                Err(_elapsed) => Err(AcceptError::Timeout { limit }),
            }
        })
    }
}

impl<T> Future for Handshake<T> {
    type Output = Result<T, AcceptError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

impl<T> fmt::Debug for Handshake<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Handshake").finish_non_exhaustive()
    }
}

/// A listener chosen at run time, so that several kinds fit into one list.
pub struct BoxListener(Box<dyn DynListener>);

impl BoxListener {
    /// Boxes `listener`.
    pub fn new(listener: impl Listener) -> Self {
        Self(Box::new(listener))
    }
}

impl Listener for BoxListener {
    type Transport = BoxTransport;
    type Handshake = Handshake<BoxTransport>;

    async fn accept(&mut self) -> io::Result<Self::Handshake> {
        self.0.accept().await
    }
}

impl fmt::Debug for BoxListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BoxListener").finish_non_exhaustive()
    }
}

/// The object-safe twin of [`Listener`].
#[async_trait]
trait DynListener: Send {
    async fn accept(&mut self) -> io::Result<Handshake<BoxTransport>>;
}

#[async_trait]
impl<L: Listener> DynListener for L {
    async fn accept(&mut self) -> io::Result<Handshake<BoxTransport>> {
        let handshake = Listener::accept(self).await?;
        Ok(Handshake::new(async move {
            let transport = handshake.await?;
            let boxed: BoxTransport = Box::new(transport);
            Ok(boxed)
        }))
    }
}
