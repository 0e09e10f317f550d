use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_core::Stream;
use spell_message::{Feature, RoleName};

use super::{MetaDecodeError, MetaEvents, decode::Arguments};
use crate::{Event, Overflow, Subscribe, SubscribeError, Subscription, UnsubscribeError};

/// Makes an event out of its arguments.
type Read<T> = fn(&mut Arguments) -> Result<T, MetaDecodeError>;

/// A subscription to a meta topic in the making; `.await` makes it and gives the
/// [`MetaSubscription`]. Made by the methods of [`MetaEvents`].
///
/// Errors and cancel safety are those of [`Subscribe`].
#[derive(Debug)]
#[must_use = "a subscription is made only when it is awaited"]
pub struct MetaSubscribe<'a, T> {
    subscribe: Subscribe<'a>,
    topic: &'static str,
    read: Read<T>,
}

impl<'a> MetaEvents<'a> {
    /// A subscription that needs the feature of the router's role.
    pub(super) fn topic<T>(
        self,
        topic: &'static str,
        needs: (RoleName, Feature),
        read: Read<T>,
    ) -> MetaSubscribe<'a, T> {
        let subscribe = self.subscriber.subscribe(topic);
        MetaSubscribe {
            subscribe: if self.is_checked {
                subscribe.needs(needs)
            } else {
                subscribe
            },
            topic,
            read,
        }
    }
}

impl<'a, T> MetaSubscribe<'a, T> {
    /// How long it may take, from the `.await` to the answer.
    ///
    /// Default: [`PeerConfig::request_timeout`](spell_peer::PeerConfig::request_timeout).
    pub fn timeout(self, limit: Duration) -> Self {
        self.change(|subscribe| subscribe.timeout(limit))
    }

    /// Wait for ever.
    pub fn no_timeout(self) -> Self {
        self.change(Subscribe::no_timeout)
    }

    /// How many events may wait; see [`Subscribe::queue_count`].
    pub fn queue_count(self, count: usize) -> Self {
        self.change(|subscribe| subscribe.queue_count(count))
    }

    /// How many bytes all waiting events may have; see [`Subscribe::queue_bytes`].
    pub fn queue_bytes(self, bytes: usize) -> Self {
        self.change(|subscribe| subscribe.queue_bytes(bytes))
    }

    /// What becomes of events when the queue is full; see [`Subscribe::overflow`].
    pub fn overflow(self, overflow: Overflow) -> Self {
        self.change(|subscribe| subscribe.overflow(overflow))
    }

    /// Make the subscription: what `.await` does, without the box.
    pub async fn send(self) -> Result<MetaSubscription<T>, SubscribeError> {
        Ok(MetaSubscription {
            subscription: self.subscribe.send().await?,
            topic: self.topic,
            read: self.read,
        })
    }

    fn change(self, change: impl FnOnce(Subscribe<'a>) -> Subscribe<'a>) -> Self {
        Self {
            subscribe: change(self.subscribe),
            ..self
        }
    }
}

impl<'a, T: 'a> IntoFuture for MetaSubscribe<'a, T> {
    type Output = Result<MetaSubscription<T>, SubscribeError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

/// A subscription to a meta topic: a [`Stream`] of its events, typed. Dropping it unsubscribes in
/// the background; [`unsubscribe`](Self::unsubscribe) waits for it.
///
/// An event that is not what the specification says is an item with an error, and the stream goes
/// on. All else is as for a [`Subscription`], which it is made of.
#[derive(Debug)]
#[must_use = "dropping it unsubscribes"]
pub struct MetaSubscription<T> {
    subscription: Subscription,
    topic: &'static str,
    read: Read<T>,
}

impl<T> MetaSubscription<T> {
    /// The next event; `None` once the subscription is over and all that waited was read.
    ///
    /// # Cancel safety
    ///
    /// No event is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Result<T, MetaDecodeError>> {
        let event = self.subscription.next().await?;
        Some(self.read(&event))
    }

    /// The subscription itself: its id, what was missed, why it is over.
    pub fn subscription(&self) -> &Subscription {
        &self.subscription
    }

    /// Unsubscribe, and wait until the router confirms it; see [`Subscription::unsubscribe`].
    pub async fn unsubscribe(self) -> Result<(), UnsubscribeError> {
        self.subscription.unsubscribe().await
    }

    fn read(&self, event: &Event) -> Result<T, MetaDecodeError> {
        let mut arguments = Arguments::new(self.topic, event.payload())?;
        (self.read)(&mut arguments)
    }
}

impl<T> Stream for MetaSubscription<T> {
    type Item = Result<T, MetaDecodeError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let event = ready!(Pin::new(&mut self.subscription).poll_next(cx));
        Poll::Ready(event.map(|event| self.read(&event)))
    }
}
