//! The way of events from what runs a peer to whoever listens.

use std::{
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    task::{Context, Poll, Waker},
};

use futures_core::Stream;

use crate::{PeerEvent, event::EventQueue};

/// What happens to a peer from here on, as a stream; made by [`Peer::events`](crate::Peer::events).
///
/// Ends after [`PeerEvent::Closed`]. Who reads too slowly loses the oldest of more than 64 events,
/// and is told how many by [`PeerEvent::Lagged`]; the peer never waits for a reader. Does not keep
/// the peer alive.
pub struct PeerEvents(Arc<Mutex<Listener>>);

#[derive(Default)]
struct Listener {
    queue: EventQueue,
    waker: Option<Waker>,
    ended: bool,
}

impl PeerEvents {
    /// The next event; `None` after the last.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no event.
    pub async fn next(&mut self) -> Option<PeerEvent> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl Stream for PeerEvents {
    type Item = PeerEvent;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<PeerEvent>> {
        let mut listener = lock(&self.0);
        match listener.queue.pop() {
            Some(event) => Poll::Ready(Some(event)),
            None if listener.ended => Poll::Ready(None),
            None => {
                listener.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl fmt::Debug for PeerEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PeerEvents").finish_non_exhaustive()
    }
}

/// Where events are listened to. Costs nothing until somebody does.
#[derive(Clone, Default)]
pub(crate) struct EventSource(Arc<Mutex<Outlet>>);

#[derive(Default)]
struct Outlet {
    listeners: Vec<Weak<Mutex<Listener>>>,
    ended: bool,
}

impl EventSource {
    pub(crate) fn listen(&self) -> PeerEvents {
        let mut outlet = lock(&self.0);
        let listener = Listener {
            ended: outlet.ended,
            ..Listener::default()
        };
        let listener = Arc::new(Mutex::new(listener));
        outlet.listeners.push(Arc::downgrade(&listener));
        PeerEvents(listener)
    }
}

/// Sends the events of a peer; when it is dropped, they end.
pub(crate) struct EventSender(pub(crate) EventSource);

impl EventSender {
    pub(crate) fn send(&self, event: &PeerEvent) {
        self.change(|listener| listener.queue.push(event.clone()));
    }

    /// Change all listeners, and wake them with no lock held.
    fn change(&self, change: impl Fn(&mut Listener)) {
        let mut wakers = Vec::new();
        lock(&self.0.0).listeners.retain(|listener| {
            let listener = listener.upgrade();
            if let Some(listener) = &listener {
                let mut listener = lock(listener);
                change(&mut listener);
                wakers.extend(listener.waker.take());
            }
            listener.is_some()
        });
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl Drop for EventSender {
    fn drop(&mut self) {
        lock(&self.0.0).ended = true;
        self.change(|listener| listener.ended = true);
    }
}

/// Held for a few instructions.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for EventSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EventSender").finish_non_exhaustive()
    }
}
