//! Two ends in one process.

use std::{
    collections::VecDeque,
    io, mem,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker, ready},
};

use bytes::Bytes;
use futures_core::Stream;
use futures_sink::Sink;
use spell_message::Serialization;
use tokio::sync::mpsc;

use crate::{
    AcceptError, ConnectError, Connector, Listener, Pings, Transport, TransportError, TransportInfo,
};

/// Two connected ends that carry messages of `serialization`.
///
/// Each direction holds at most 1024 messages and starts no further one once 1 MiB waits; then
/// `poll_ready` is pending until the other end reads. What was sent before an end was closed or
/// dropped still arrives.
///
/// ```
/// use bytes::Bytes;
/// use futures_util::{SinkExt, StreamExt};
/// use spell_transport::{Serialization, memory};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let (mut near, mut far) = memory::pair(Serialization::JSON);
/// near.send(Bytes::from_static(b"[1]")).await?;
/// near.close().await?;
/// assert_eq!(far.next().await.unwrap()?, "[1]");
/// assert!(far.next().await.is_none());
/// # Ok::<_, spell_transport::TransportError>(()) }).unwrap();
/// ```
pub fn pair(serialization: Serialization) -> (MemoryTransport, MemoryTransport) {
    let there = Arc::new(Lane::default());
    let back = Arc::new(Lane::default());
    let info = TransportInfo::new(serialization)
        .with_peer("memory")
        .confidential();
    let near = MemoryTransport {
        outgoing: Arc::clone(&there),
        incoming: Arc::clone(&back),
        info: info.clone(),
    };
    let far = MemoryTransport {
        outgoing: back,
        incoming: there,
        info,
    };
    (near, far)
}

/// A listener in this process that takes any of the `supported` serializations, and the connector
/// to reach it.
///
/// The first serialization that the connector offers and the listener supports is used.
/// At most 64 connections wait to be accepted; then dialling waits.
pub fn listener(
    supported: impl IntoIterator<Item = Serialization>,
) -> (MemoryConnector, MemoryListener) {
    let (sender, receiver) = mpsc::channel(BACKLOG);
    let connector = MemoryConnector {
        supported: supported.into_iter().collect(),
        listener: sender,
    };
    (connector, MemoryListener { receiver })
}

/// One end of a [`pair`].
///
/// Dropping it without closing it is an interruption: the other end gets
/// [`TransportError::Interrupted`] after what was sent before.
#[derive(Debug)]
pub struct MemoryTransport {
    outgoing: Arc<Lane>,
    incoming: Arc<Lane>,
    info: TransportInfo,
}

impl Transport for MemoryTransport {
    fn info(&self) -> &TransportInfo {
        &self.info
    }

    fn pings(&self) -> Pings {
        Pings::Needless
    }
}

impl Stream for MemoryTransport {
    type Item = Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled =
            (self.incoming).poll(cx.waker(), LaneState::poll_read, |lane| &mut lane.reader);
        let (item, writer) = ready!(polled);
        wake(writer);
        Poll::Ready(item)
    }
}

impl Sink<Bytes> for MemoryTransport {
    type Error = TransportError;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        self.outgoing
            .poll(cx.waker(), LaneState::poll_room, |lane| &mut lane.writer)
    }

    fn start_send(self: Pin<&mut Self>, message: Bytes) -> Result<(), TransportError> {
        let mut lane = self.outgoing.lock();
        lane.check_writable()?;
        lane.bytes = lane.bytes.saturating_add(message.len());
        lane.queue.push_back(message);
        let reader = lane.reader.take();
        drop(lane);
        wake(reader);
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        self.outgoing.finish(End::Closed);
        Poll::Ready(Ok(()))
    }
}

impl Drop for MemoryTransport {
    fn drop(&mut self) {
        self.outgoing.finish(End::Dropped);
        let mut lane = self.incoming.lock();
        lane.reader_gone = true;
        let unread = mem::take(&mut lane.queue);
        let writer = lane.writer.take();
        drop(lane);
        drop(unread);
        wake(writer);
    }
}

/// Reaches a [`MemoryListener`]; cheap to clone.
#[derive(Clone, Debug)]
pub struct MemoryConnector {
    supported: Arc<[Serialization]>,
    listener: mpsc::Sender<MemoryTransport>,
}

impl Connector for MemoryConnector {
    type Transport = MemoryTransport;

    async fn connect(&mut self, offers: &[Serialization]) -> Result<MemoryTransport, ConnectError> {
        if offers.is_empty() {
            return Err(ConnectError::NothingToOffer);
        }
        let serialization = offers
            .iter()
            .find(|offer| self.supported.contains(offer))
            .ok_or(ConnectError::UnsupportedSerialization)?;
        let (near, far) = pair(*serialization);
        match self.listener.send(far).await {
            Ok(()) => Ok(near),
            Err(_gone) => Err(ConnectError::Dial {
                address: "memory".to_owned(),
                source: io::ErrorKind::ConnectionRefused.into(),
            }),
        }
    }
}

/// Accepts what a [`MemoryConnector`] dials; made by [`listener`].
#[derive(Debug)]
pub struct MemoryListener {
    receiver: mpsc::Receiver<MemoryTransport>,
}

impl Listener for MemoryListener {
    type Transport = MemoryTransport;
    type Handshake = std::future::Ready<Result<MemoryTransport, AcceptError>>;

    /// Waits forever when no connector is left: nobody can dial, but a listener does not end.
    async fn accept(&mut self) -> io::Result<Self::Handshake> {
        match self.receiver.recv().await {
            Some(transport) => Ok(std::future::ready(Ok(transport))),
            None => std::future::pending().await,
        }
    }
}

type Item = Result<Bytes, TransportError>;

/// One direction of a pair.
///
/// A lock, although one task polls each end: the two ends are two tasks. It is held for a few
/// instructions, and never while a waker or a message is called or dropped: these may be of the
/// user's making, and reach for either end.
#[derive(Debug, Default)]
struct Lane(Mutex<LaneState>);

#[derive(Debug, Default)]
struct LaneState {
    queue: VecDeque<Bytes>,
    bytes: usize,
    /// Set by the writing end.
    end: Option<End>,
    /// Set by the reading end.
    reader_gone: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

#[derive(Clone, Copy, Debug)]
enum End {
    Closed,
    Dropped,
}

impl Lane {
    fn lock(&self) -> MutexGuard<'_, LaneState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Polls the state, and leaves the waker in its place when that is pending.
    fn poll<T>(
        &self,
        waker: &Waker,
        poll: fn(&mut LaneState) -> Poll<T>,
        place: fn(&mut LaneState) -> &mut Option<Waker>,
    ) -> Poll<T> {
        let mut lane = self.lock();
        let item = poll(&mut lane);
        let left = place(&mut lane).as_ref();
        if item.is_ready() || left.is_some_and(|left| left.will_wake(waker)) {
            return item;
        }
        drop(lane);
        let waker = waker.clone();
        let mut lane = self.lock();
        // The other end may have been at work while the lock was open.
        let item = poll(&mut lane);
        let needless = match &item {
            Poll::Ready(_) => Some(waker),
            Poll::Pending => place(&mut lane).replace(waker),
        };
        drop(lane);
        drop(needless);
        item
    }

    /// The first end counts: a drop after a close is no interruption.
    fn finish(&self, end: End) {
        let mut lane = self.lock();
        lane.end.get_or_insert(end);
        let reader = lane.reader.take();
        drop(lane);
        wake(reader);
    }
}

impl LaneState {
    fn check_writable(&self) -> Result<(), TransportError> {
        if self.end.is_some() {
            return Err(TransportError::AlreadyClosed);
        }
        if self.reader_gone {
            return Err(TransportError::Interrupted);
        }
        Ok(())
    }

    fn poll_room(&mut self) -> Poll<Result<(), TransportError>> {
        self.check_writable()?;
        if self.queue.len() < MAX_MESSAGES && self.bytes < MAX_BYTES {
            return Poll::Ready(Ok(()));
        }
        Poll::Pending
    }

    /// The next message or the end, and the writer to be woken.
    fn poll_read(&mut self) -> Poll<(Option<Item>, Option<Waker>)> {
        if let Some(message) = self.queue.pop_front() {
            self.bytes = self.bytes.saturating_sub(message.len());
            return Poll::Ready((Some(Ok(message)), self.writer.take()));
        }
        match self.end {
            Some(End::Closed) => Poll::Ready((None, None)),
            Some(End::Dropped) => {
                self.end = Some(End::Closed);
                Poll::Ready((Some(Err(TransportError::Interrupted)), None))
            }
            None => Poll::Pending,
        }
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// Connections that wait to be accepted.
const BACKLOG: usize = 64;
/// Messages that wait in one direction.
const MAX_MESSAGES: usize = 1024;
/// Bytes from which on no further message starts, in one direction.
const MAX_BYTES: usize = 1024 * 1024;

#[cfg(test)]
mod tests;
