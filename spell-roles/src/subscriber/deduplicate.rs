use std::{
    collections::{HashSet, VecDeque},
    future::poll_fn,
    mem,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use futures_core::Stream;
use spell_message::PublicationId;

use super::{Event, Gap};

/// Lets each publication pass once, for those who get it by several subscriptions.
///
/// A broker sends an event for each subscription that matches a topic, and again what it retained;
/// all events of one publication have its id. Nothing is filtered unless a filter is asked: put it
/// around a stream of events with [`deduplicate`](Self::deduplicate), or ask it in a handler with
/// [`admits`](Self::admits). Clones are one filter: give one to each subscription or task.
///
/// It remembers the last publications that it let pass, as many as it was made for, in less than
/// 48 bytes each. A publication that comes again after as many others passes again.
///
/// # Examples
///
/// ```
/// # use spell_peer::PeerBuilder;
/// # use spell_roles::{Publisher, Session, Subscriber};
/// use spell_roles::{PublicationFilter, prelude::*};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let router = spell_router::Router::local();
/// # let peer = PeerBuilder::new(Session::new("com.example.realm"));
/// # let peer = peer.role(Publisher::new()).role(Subscriber::new());
/// # let peer = peer.connect(router.connector()).await?;
/// let filter = PublicationFilter::new(1024);
/// let all = peer.subscribe("com.example.").prefix().await?;
/// let mut all = filter.deduplicate(all);
/// let prices = peer.subscribe("com.example.price").await?;
/// let mut prices = filter.deduplicate(prices);
///
/// for topic in ["com.example.price", "com.example.weather"] {
///     peer.publish(topic).exclude_me(false).await?;
/// }
/// assert_eq!(prices.next().await.ok_or("no event")?.topic(), "com.example.price");
/// assert_eq!(all.next().await.ok_or("no event")?.topic(), "com.example.weather");
/// # Ok(())
/// # }
/// ```
///
/// WAMP spec, "Pattern-based Subscriptions".
#[derive(Clone, Debug)]
pub struct PublicationFilter {
    count: usize,
    /// Locked for a look-up alone.
    passed: Arc<Mutex<Passed>>,
}

/// The publications that passed.
#[derive(Debug, Default)]
struct Passed {
    /// The one that passed first is the first to be forgotten.
    order: VecDeque<PublicationId>,
    known: HashSet<PublicationId>,
}

impl PublicationFilter {
    /// A filter that remembers the last `count` publications; with 0 it lets all pass.
    pub fn new(count: usize) -> Self {
        Self {
            count,
            passed: Arc::default(),
        }
    }

    /// Whether the publication is a new one, as far as it is remembered; from now on it is not.
    pub fn admits(&self, publication: PublicationId) -> bool {
        let mut passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        let Passed { order, known } = &mut *passed;
        if self.count == 0 {
            return true;
        }
        if known.contains(&publication) {
            return false;
        }
        if order.len() >= self.count
            && let Some(oldest) = order.pop_front()
        {
            known.remove(&oldest);
        }
        known.insert(publication);
        order.push_back(publication);
        true
    }

    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        let passed = self.passed.lock().unwrap();
        assert_eq!(passed.order.len(), passed.known.len());
        passed.order.len()
    }

    /// The events of a stream whose publication this filter lets pass: those of one
    /// [`Subscription`](super::Subscription), or of several that were merged into one stream.
    pub fn deduplicate<S: Stream<Item = Event>>(&self, events: S) -> Deduplicated<S> {
        Deduplicated {
            events,
            filter: self.clone(),
            missed: 0,
            gap: None,
        }
    }
}

/// A stream of events, without those whose publication passed its filter before. Made by
/// [`PublicationFilter::deduplicate`].
#[derive(Debug)]
pub struct Deduplicated<S> {
    events: S,
    filter: PublicationFilter,
    /// What the events that were left out told of lost ones.
    missed: u64,
    gap: Option<Gap>,
}

impl<S> Deduplicated<S> {
    /// The stream with all events.
    pub fn get_ref(&self) -> &S {
        &self.events
    }

    /// Take the stream with all events out.
    pub fn into_inner(self) -> S {
        self.events
    }
}

impl<S: Stream<Item = Event> + Unpin> Deduplicated<S> {
    /// The next event; `None` once the stream with all events is over.
    ///
    /// # Cancel safety
    ///
    /// No event is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Event> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl<S: Stream<Item = Event> + Unpin> Stream for Deduplicated<S> {
    type Item = Event;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        loop {
            let Some(mut event) = ready!(Pin::new(&mut self.events).poll_next(cx)) else {
                return Poll::Ready(None);
            };
            let missed = mem::take(&mut self.missed).saturating_add(event.missed());
            let gap = match (self.gap.take(), event.gap().cloned()) {
                (Some(earlier), Some(later)) => Some(earlier.merge(&later)),
                (earlier, later) => earlier.or(later),
            };
            if self.filter.admits(event.publication()) {
                event.set_missed(missed);
                event.set_gap(gap);
                return Poll::Ready(Some(event));
            }
            (self.missed, self.gap) = (missed, gap);
        }
    }
}
