//! Where listeners get their streams of bytes from.

use std::{fmt, io, sync::Arc, time::Duration};

use spell_message::Serialization;
use tokio::io::{AsyncRead, AsyncWrite};
#[cfg(unix)]
use tokio::net::{UnixListener, UnixStream};

use crate::{AcceptError, Handshake, MaybeTls, Transport};

/// A source of streams of bytes to which clients connect.
///
/// [`TcpListener`](tokio::net::TcpListener) and [`UnixListener`] are ones; implement it to listen on something else.
///
/// ```
/// use std::io;
/// use spell_transport::{Incoming, Origin};
/// use tokio::{io::DuplexStream, sync::mpsc};
///
/// struct Pipes(mpsc::Receiver<DuplexStream>);
///
/// impl Incoming for Pipes {
///     type Io = DuplexStream;
///
///     async fn accept(&mut self) -> io::Result<(DuplexStream, Origin)> {
///         let pipe = self.0.recv().await.ok_or(io::ErrorKind::BrokenPipe)?;
///         Ok((pipe, Origin::new("pipe")))
///     }
/// }
/// ```
pub trait Incoming: Send + 'static {
    /// A stream of bytes to one client.
    type Io: AsyncRead + AsyncWrite + Send + Unpin + 'static;

    /// Waits for the next client.
    ///
    /// # Errors
    ///
    /// As those of [`Listener::accept`](crate::Listener::accept).
    ///
    /// # Cancel safety
    ///
    /// Must be cancel-safe: no client is lost when the future is dropped.
    fn accept(&mut self) -> impl Future<Output = io::Result<(Self::Io, Origin)>> + Send;
}

/// Unix sockets. Who may connect is a matter of the permissions of the socket's file.
#[cfg(unix)]
impl Incoming for UnixListener {
    type Io = UnixStream;

    async fn accept(&mut self) -> io::Result<(UnixStream, Origin)> {
        let (stream, _unnamed) = Self::accept(self).await?;
        Ok((stream, Origin::new("unix").confidential()))
    }
}

/// Where a client comes from.
#[derive(Clone, Debug)]
pub struct Origin {
    address: String,
    confidential: bool,
}

impl Origin {
    /// A client at `address`, for humans; others may read along.
    pub fn new(address: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            confidential: false,
        }
    }

    /// Says that nobody but the client can read along.
    #[must_use]
    pub fn confidential(mut self) -> Self {
        self.confidential = true;
        self
    }

    /// The client's address, for humans.
    pub fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn into_address(self) -> String {
        self.address
    }

    /// Whether nobody but the client can read along.
    pub fn is_confidential(&self) -> bool {
        self.confidential
    }
}

/// What all listeners over streams of bytes have in common.
pub(crate) struct Port<I> {
    incoming: I,
    supported: Arc<[Serialization]>,
    timeout: Duration,
    #[cfg(feature = "tls")]
    tls: Option<crate::tls::ServerTls>,
}

impl<I: Incoming> Port<I> {
    pub(crate) fn new(incoming: I, supported: impl IntoIterator<Item = Serialization>) -> Self {
        Self {
            incoming,
            supported: supported.into_iter().collect(),
            timeout: HANDSHAKE_TIMEOUT,
            #[cfg(feature = "tls")]
            tls: None,
        }
    }

    pub(crate) fn incoming(&self) -> &I {
        &self.incoming
    }

    pub(crate) fn set_timeout(&mut self, limit: Duration) {
        self.timeout = limit;
    }

    #[cfg(feature = "tls")]
    pub(crate) fn set_tls(&mut self, config: Arc<rustls::ServerConfig>) {
        self.tls = Some(crate::tls::ServerTls::new(config));
    }

    /// The next client, of whom `upgrade` makes a transport once TLS is done.
    ///
    /// Cancel-safe, as [`Incoming::accept`] is.
    pub(crate) async fn accept<T, F>(
        &mut self,
        upgrade: impl FnOnce(MaybeTls<I::Io>, Origin, Arc<[Serialization]>) -> F + Send + 'static,
    ) -> io::Result<Handshake<T>>
    where
        T: Transport,
        F: Future<Output = Result<T, AcceptError>> + Send,
    {
        let (io, origin) = self.incoming.accept().await?;
        let arrival = Arrival {
            io,
            origin,
            #[cfg(feature = "tls")]
            tls: self.tls.clone(),
        };
        let supported = Arc::clone(&self.supported);
        Ok(Handshake::within(self.timeout, async move {
            let (io, origin) = arrival.secure().await?;
            upgrade(io, origin, supported).await
        }))
    }
}

/// The methods that every listener with a [`Port`] has.
macro_rules! port_methods {
    () => {
        /// Sets how long TLS and the handshake of a client may take together; 10 s by default.
        #[must_use]
        pub fn handshake_timeout(mut self, limit: std::time::Duration) -> Self {
            self.port.set_timeout(limit);
            self
        }

        /// Speaks TLS with every client.
        #[cfg(feature = "tls")]
        #[must_use]
        pub fn tls(mut self, config: std::sync::Arc<rustls::ServerConfig>) -> Self {
            self.port.set_tls(config);
            self
        }

        /// What it accepts from, as to ask for its address.
        pub fn incoming(&self) -> &I {
            self.port.incoming()
        }
    };
}
pub(crate) use port_methods;

impl<I> fmt::Debug for Port<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Port")
            .field("supported", &self.supported)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// A client that has just connected.
struct Arrival<S> {
    io: S,
    origin: Origin,
    #[cfg(feature = "tls")]
    tls: Option<crate::tls::ServerTls>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Arrival<S> {
    /// Does the TLS handshake, if there is to be one.
    #[cfg_attr(
        not(feature = "tls"),
        expect(
            clippy::unused_async,
            reason = "there is nothing to wait for without TLS"
        )
    )]
    async fn secure(self) -> Result<(MaybeTls<S>, Origin), AcceptError> {
        #[cfg(feature = "tls")]
        if let Some(tls) = self.tls {
            let io = tls.accept(self.io).await?;
            return Ok((io, self.origin.confidential()));
        }
        Ok((MaybeTls::plain(self.io), self.origin))
    }
}

const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
