//! A connection to the router that can be cut, and be left for dead.

use std::{
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, ready},
};

use futures_util::{Sink, Stream};
use spell_transport::{
    ConnectError, Connector, LifeSign, Pings, Serialization, Transport, TransportError,
    TransportInfo,
    memory::{MemoryConnector, MemoryTransport},
};
use tokio::sync::watch;

type Frame = <MemoryTransport as Stream>::Item;
type Bytes = bytes::Bytes;

/// Dials the router as long as it is up.
#[derive(Clone)]
pub(crate) struct Line {
    dial: MemoryConnector,
    is_up: Arc<watch::Sender<bool>>,
    /// The router's view of sessions that this side lost: they are still there.
    stale: Arc<Mutex<Vec<MemoryTransport>>>,
}

impl Line {
    pub(crate) fn new(dial: MemoryConnector) -> Self {
        Self {
            dial,
            is_up: Arc::new(watch::Sender::new(true)),
            stale: Arc::default(),
        }
    }

    /// Lose the connection, and find no other. The router does not notice.
    pub(crate) fn cut(&self) {
        self.is_up.send_replace(false);
    }

    pub(crate) fn mend(&self) {
        self.is_up.send_replace(true);
    }

    /// The router notices at last; gives how many sessions it had kept.
    pub(crate) fn bury(&self) -> usize {
        let stale = std::mem::take(&mut *self.stale.lock().unwrap());
        stale.len()
    }
}

impl Connector for Line {
    type Transport = Cuttable;

    async fn connect(&mut self, offers: &[Serialization]) -> Result<Cuttable, ConnectError> {
        let mut is_up = self.is_up.subscribe();
        if !*is_up.borrow() {
            return Err(ConnectError::Closed);
        }
        Ok(Cuttable {
            inner: Some(self.dial.connect(offers).await?),
            cut: Box::pin(async move { _ = is_up.wait_for(|is_up| !is_up).await }),
            is_cut: false,
            stale: self.stale.clone(),
        })
    }
}

pub(crate) struct Cuttable {
    inner: Option<MemoryTransport>,
    cut: Pin<Box<dyn Future<Output = ()> + Send>>,
    is_cut: bool,
    stale: Arc<Mutex<Vec<MemoryTransport>>>,
}

impl Cuttable {
    fn inner(&mut self) -> Result<Pin<&mut MemoryTransport>, TransportError> {
        let inner = self.inner.as_mut().filter(|_| !self.is_cut);
        inner.map(Pin::new).ok_or(TransportError::Interrupted)
    }
}

impl Stream for Cuttable {
    type Item = Frame;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Frame>> {
        if !self.is_cut && self.cut.as_mut().poll(cx).is_ready() {
            self.is_cut = true;
        }
        match self.inner() {
            Ok(inner) => inner.poll_next(cx),
            Err(_) => Poll::Ready(None),
        }
    }
}

impl Sink<Bytes> for Cuttable {
    type Error = TransportError;

    fn poll_ready(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), TransportError>> {
        Poll::Ready(ready!(self.inner()?.poll_ready(cx)))
    }

    fn start_send(mut self: Pin<&mut Self>, frame: Bytes) -> Result<(), TransportError> {
        self.inner()?.start_send(frame)
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), TransportError>> {
        self.inner()?.poll_flush(cx)
    }

    fn poll_close(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), TransportError>> {
        self.inner()?.poll_close(cx)
    }
}

impl Transport for Cuttable {
    fn info(&self) -> &TransportInfo {
        self.inner.as_ref().unwrap().info()
    }

    fn pings(&self) -> Pings {
        self.inner.as_ref().map_or(Pings::None, Transport::pings)
    }

    fn ping(&mut self, number: u64) {
        if let Ok(mut inner) = self.inner() {
            inner.ping(number);
        }
    }

    fn life_sign(&mut self) -> LifeSign {
        self.inner()
            .map_or(LifeSign::None, |mut inner| inner.life_sign())
    }
}

impl Drop for Cuttable {
    fn drop(&mut self) {
        if self.is_cut {
            self.stale.lock().unwrap().extend(self.inner.take());
        }
    }
}
