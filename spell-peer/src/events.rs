//! The way of events from what runs a peer to whoever listens.

use std::{
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    task::{Context, Poll, Waker},
};

use futures_core::Stream;
use tokio::sync::watch;

use crate::{PeerEvent, RoundTripTime, event::EventQueue};

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
    round_trip: Option<RoundTripTime>,
    /// Made for the first who asks, as it is large.
    round_trips: Option<watch::Sender<Option<RoundTripTime>>>,
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

    /// How far away the router is, from now on.
    pub(crate) fn round_trips(&self) -> watch::Receiver<Option<RoundTripTime>> {
        let mut outlet = lock(&self.0);
        if let Some(round_trips) = &outlet.round_trips {
            return round_trips.subscribe();
        }
        let (sender, receiver) = watch::channel(outlet.round_trip);
        outlet.round_trips = Some(sender).filter(|_| !outlet.ended);
        receiver
    }
}

/// Sends the events of a peer; when it is dropped, they end.
pub(crate) struct EventSender(pub(crate) EventSource);

impl EventSender {
    pub(crate) fn send(&self, event: &PeerEvent) {
        self.change(|listener| listener.queue.push(event.clone()));
    }

    /// How far away the router is now.
    pub(crate) fn measured(&self, round_trip: Option<RoundTripTime>) {
        let round_trips = {
            let mut outlet = lock(&self.0.0);
            outlet.round_trip = round_trip;
            outlet.round_trips.clone()
        };
        // With no lock held, as it wakes.
        if let Some(round_trips) = round_trips {
            round_trips.send_replace(round_trip);
        }
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
        let round_trips = {
            let mut outlet = lock(&self.0.0);
            outlet.ended = true;
            outlet.round_trips.take()
        };
        drop(round_trips);
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn the_round_trip_is_told_to_who_asks_late_and_ends_with_the_peer() {
        let source = EventSource::default();
        let sender = EventSender(source.clone());
        let measured = |millis| Some(RoundTripTime::first(Duration::from_millis(millis)));
        sender.measured(measured(5));
        let mut early = source.round_trips();
        assert_eq!(*early.borrow_and_update(), measured(5));
        sender.measured(measured(7));
        early.changed().await.unwrap();
        assert_eq!(*early.borrow_and_update(), measured(7));
        assert_eq!(*source.round_trips().borrow(), measured(7));
        drop(sender);
        assert!(early.changed().await.is_err());
        let mut late = source.round_trips();
        assert_eq!(*late.borrow_and_update(), measured(7));
        assert!(late.changed().await.is_err());
    }
}
