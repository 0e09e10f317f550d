use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use futures_core::Stream;
use spell_message::{Pattern, SubscriptionId};
use spell_peer::CloseReason;

use super::{Command, Event, Order};
use crate::{
    SubscribeError, UnsubscribeError,
    error::Failure,
    queue::Consumer,
    request::{Key, Requests},
};

/// A subscription: a stream of [`Event`]s, in the order the router sent them.
///
/// It outlives connections: when the peer joins again, the subscription is made again. Events that
/// were published in between are missed; [`restored`](Self::restored) counts such gaps.
///
/// Events wait in a queue of its own, bounded by count and bytes (see
/// [`Subscribe::queue`](super::Subscribe::queue)). When it is full, events are lost as its
/// [`Overflow`](crate::Overflow) says, which [`Event::missed`] and [`missed`](Self::missed) tell. A
/// slow reader delays nobody else.
///
/// The stream ends when the router takes the subscription away, cannot restore it, or the peer
/// ends; [`end`](Self::end) tells why. The peer lives as long as one of its subscriptions does.
///
/// Dropping it unsubscribes in the background; [`unsubscribe`](Self::unsubscribe) waits for it.
///
/// # Examples
///
/// ```
/// use spell_roles::SubscriberHandle;
///
/// async fn watch(subscriber: &SubscriberHandle) -> Result<(), Box<dyn std::error::Error>> {
///     let mut hellos = subscriber.subscribe("com.example.hello").await?;
///     while let Some(event) = hellos.next().await {
///         let (greeting, number): (String, u32) = event.args()?;
///         println!("{greeting} {number}");
///     }
///     hellos.end().map_or(Ok(()), |end| Err(end.into()))
/// }
/// ```
///
/// WAMP spec, "Subscribing and Unsubscribing".
#[derive(Debug)]
#[must_use = "dropping it unsubscribes"]
pub struct Subscription {
    link: Link,
    events: Consumer<Event>,
}

impl Subscription {
    pub(super) fn new(link: Link, events: Consumer<Event>) -> Self {
        Self { link, events }
    }

    /// The next event; `None` when the subscription ended and all that waited was read.
    ///
    /// # Cancel safety
    ///
    /// No event is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Event> {
        poll_fn(|cx| self.poll_event(cx)).await
    }

    /// Which topics it is for.
    pub fn pattern(&self) -> &Pattern {
        &self.link.pattern
    }

    /// The id that the router gave it; `None` while there is no session.
    ///
    /// Other subscriptions of this peer, and of others, may have the same.
    pub fn id(&self) -> Option<SubscriptionId> {
        self.link.status.id()
    }

    /// How many events were lost so far because the queue was full.
    pub fn missed(&self) -> u64 {
        self.events.lost()
    }

    /// How often it was made again, after a connection was lost.
    pub fn restored(&self) -> u64 {
        self.link.status.restored()
    }

    /// Why it ended; `None` while it lives. Events that came before may still wait.
    pub fn end(&self) -> Option<SubscriptionEnd> {
        self.link.end(self.events.is_closed())
    }

    /// Unsubscribe, and wait for the router to confirm. Events that wait are gone.
    ///
    /// Other subscriptions of this peer to the same topic stay, and then the router is not asked.
    ///
    /// # Errors
    ///
    /// [`UnsubscribeError::Refused`] or [`UnsubscribeError::Timeout`]; no more events come in any
    /// case. That the router does not know the subscription, or that there is no session any more,
    /// is none: it is gone.
    ///
    /// # Cancel safety
    ///
    /// When the future is dropped it unsubscribes all the same, in the background.
    pub async fn unsubscribe(self) -> Result<(), UnsubscribeError> {
        drop(self.events);
        self.link.unsubscribe().await
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        let taken = self.events.poll_next(cx);
        taken.map(|taken| taken.map(|taken| taken.item.after(taken.lost_before)))
    }
}

impl Stream for Subscription {
    type Item = Event;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        self.poll_event(cx)
    }
}

/// What ties a subscription to its role. Dropped, it unsubscribes.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) key: Key,
    pub(super) pattern: Pattern,
    pub(super) status: Arc<Status>,
    pub(super) requests: Arc<Requests<Command>>,
}

impl Link {
    pub(super) async fn unsubscribe(self) -> Result<(), UnsubscribeError> {
        let limit = self.requests.commands().request_timeout();
        let key = self.key;
        let order = |reply| Command(Order::Unsubscribe { key, reply });
        match self.requests.ask(limit, order).await {
            // No session, no subscription.
            Ok(()) | Err(Failure::Closed { .. }) => Ok(()),
            Err(failure) => Err(failure.into()),
        }
    }

    /// Why the subscription ended, if it did.
    pub(super) fn end(&self, is_closed: bool) -> Option<SubscriptionEnd> {
        let told = self.status.end.get().cloned();
        // Nobody told, so it was the role that went, and the peer with it.
        let gone = || {
            self.requests
                .commands()
                .end()
                .unwrap_or(CloseReason::Panicked)
        };
        told.or_else(|| is_closed.then(|| SubscriptionEnd::Closed(gone())))
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        let release = Command(Order::Release(self.key));
        self.requests.commands().release(release);
    }
}

/// What the role tells of a subscription beside its events.
#[derive(Debug, Default)]
pub(super) struct Status {
    /// The id now in force; 0 when there is none.
    id: AtomicU64,
    /// In how many sessions it was made.
    sessions: AtomicU64,
    end: OnceLock<SubscriptionEnd>,
}

impl Status {
    pub(super) fn subscribed(&self, id: SubscriptionId) {
        self.id.store(id.get(), Ordering::Relaxed);
        self.sessions.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn lost_session(&self) {
        self.id.store(0, Ordering::Relaxed);
    }

    /// Only the first reason counts.
    pub(super) fn ended(&self, end: SubscriptionEnd) {
        self.id.store(0, Ordering::Relaxed);
        let _ = self.end.set(end);
    }

    pub(super) fn id(&self) -> Option<SubscriptionId> {
        SubscriptionId::new(self.id.load(Ordering::Relaxed)).ok()
    }

    pub(super) fn restored(&self) -> u64 {
        self.sessions.load(Ordering::Relaxed).saturating_sub(1)
    }
}

/// Why a subscription ended without being asked to.
///
/// `Display` prints one level; [`source`](std::error::Error::source) gives the cause.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SubscriptionEnd {
    /// The router took it away. It may be asked for again.
    ///
    /// WAMP spec, "Subscription Revocation".
    #[non_exhaustive]
    Revoked {
        /// Why, in the router's words.
        reason: Option<String>,
    },
    /// After a connection was lost, it could not be made again.
    NotRestored(SubscribeError),
    /// Its queue was full, and its policy is [`Overflow::End`](crate::Overflow::End).
    Lagged,
    /// The peer ended.
    Closed(CloseReason),
}

impl fmt::Display for SubscriptionEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Revoked { reason: None } => f.write_str("the router revoked the subscription"),
            Self::Revoked {
                reason: Some(reason),
            } => {
                let reason = reason.escape_debug();
                write!(f, "the router revoked the subscription: {reason}")
            }
            Self::NotRestored(_) => f.write_str("the subscription could not be restored"),
            Self::Lagged => f.write_str("the queue of the subscription was full"),
            Self::Closed(_) => f.write_str("the peer ended"),
        }
    }
}

impl std::error::Error for SubscriptionEnd {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::NotRestored(error) => Some(error),
            Self::Closed(reason) => Some(reason),
            _ => None,
        }
    }
}
