//! A connector that lets a test hear what goes over its connections.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::{Sink, Stream};
use spell_transport::{
    ConnectError, Connector, LifeSign, Pings, Serialization, Transport, TransportError,
    TransportInfo,
};

/// What is heard.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_enums, reason = "the tests match on all of them")]
pub enum Heard<'a> {
    /// A connection was opened.
    Opened,
    /// The client handed this to its transport.
    Client(&'a Bytes),
    /// The router sent this.
    Router(&'a Bytes),
}

/// Lets `hear` hear all that goes over the connections that `connector` makes, on the client's side.
pub fn overhear<C: Connector>(
    connector: C,
    hear: impl Fn(Heard<'_>) + Send + Sync + 'static,
) -> Overhearing<C> {
    Overhearing {
        connector,
        hear: Arc::new(hear),
    }
}

type Hear = Arc<dyn Fn(Heard<'_>) + Send + Sync>;

/// Made by [`overhear`].
pub struct Overhearing<C> {
    connector: C,
    hear: Hear,
}

impl<C: Connector> Connector for Overhearing<C> {
    type Transport = Overheard<C::Transport>;

    async fn connect(&mut self, offers: &[Serialization]) -> Result<Self::Transport, ConnectError> {
        let transport = self.connector.connect(offers).await?;
        (self.hear)(Heard::Opened);
        Ok(Overheard {
            transport,
            hear: self.hear.clone(),
        })
    }
}

impl<C> fmt::Debug for Overhearing<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Overhearing").finish_non_exhaustive()
    }
}

/// A connection of an [`Overhearing`].
pub struct Overheard<T> {
    transport: T,
    hear: Hear,
}

impl<T: Transport> Transport for Overheard<T> {
    fn info(&self) -> &TransportInfo {
        self.transport.info()
    }

    fn pings(&self) -> Pings {
        self.transport.pings()
    }

    fn ping(&mut self, number: u64) {
        self.transport.ping(number);
    }

    fn life_sign(&mut self) -> LifeSign {
        self.transport.life_sign()
    }
}

impl<T: Transport> Stream for Overheard<T> {
    type Item = Result<Bytes, TransportError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = Pin::new(&mut self.transport).poll_next(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            (self.hear)(Heard::Router(frame));
        }
        polled
    }
}

impl<T: Transport> Sink<Bytes> for Overheard<T> {
    type Error = TransportError;

    fn poll_ready(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), TransportError>> {
        Pin::new(&mut self.transport).poll_ready(cx)
    }

    fn start_send(mut self: Pin<&mut Self>, frame: Bytes) -> Result<(), TransportError> {
        let said = frame.clone();
        Pin::new(&mut self.transport).start_send(frame)?;
        (self.hear)(Heard::Client(&said));
        Ok(())
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), TransportError>> {
        Pin::new(&mut self.transport).poll_flush(cx)
    }

    fn poll_close(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), TransportError>> {
        Pin::new(&mut self.transport).poll_close(cx)
    }
}

impl<T> fmt::Debug for Overheard<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Overheard").finish_non_exhaustive()
    }
}
