use std::{
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_core::Stream;
use spell_message::{Pattern, SessionId, SubscriptionId, Uri};
use spell_peer::CloseReason;
use tokio::sync::watch;

use super::{
    Event, Notice, SubscriptionEnd,
    gap::Break,
    handler::Progress,
    reader::Reader,
    role::{Command, Order},
};
use crate::{
    Handled, UnsubscribeError,
    error::Failure,
    queue::Losses,
    request::{Key, Reply, Requests},
};

/// A subscription. Dropping it unsubscribes in the background; [`unsubscribe`](Self::unsubscribe)
/// waits for it.
///
/// Without a handler it is a [`Stream`] of [`Event`]s, in the order the router sent them. With one
/// it is a `Subscription<Handled>`.
///
/// It outlives its session: after a reconnect it is made again with the same options, and the same
/// value goes on. Events that were published in between are missed, unless
/// [`backfill`](super::Subscribe::backfill) gets them; [`Event::gap`] or [`notices`](Self::notices)
/// tell where, and [`restored`](Self::restored) counts such gaps. The peer lives as long as one of its subscriptions does.
///
/// Events wait in a queue of its own, which is bounded by count and by bytes. When it is full,
/// events are lost as its [`Overflow`](crate::Overflow) says; [`Event::missed`] and
/// [`missed`](Self::missed) tell how many. A slow reader delays nobody else.
///
/// It ends when the router takes it away or cannot restore it, when its overflow policy says so,
/// and with the peer; [`end`](Self::end) and [`ended`](Self::ended) tell why.
///
/// # Examples
///
/// ```
/// # use spell_peer::PeerBuilder;
/// # use spell_roles::{Publisher, Session, Subscriber};
/// use spell_roles::prelude::*;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let router = spell_router::Router::local();
/// # let peer = PeerBuilder::new(Session::new("com.example.realm"));
/// # let peer = peer.role(Publisher::new()).role(Subscriber::new());
/// # let peer = peer.connect(router.connector()).await?;
/// let mut numbers = peer.subscribe("com.example.number").await?;
/// for number in 1..=3 {
///     let publish = peer.publish("com.example.number").arg(number);
///     publish.exclude_me(false).await?;
/// }
///
/// let mut sum = 0;
/// while sum < 6 {
///     let Some(event) = numbers.next().await else {
///         return Err(numbers.ended().await.into());
///     };
///     sum += event.value::<u32>()?;
/// }
/// assert_eq!(numbers.missed(), 0);
/// numbers.unsubscribe().await?;
/// # Ok(())
/// # }
/// ```
///
/// WAMP spec, "Subscribing and Unsubscribing".
#[derive(Debug)]
#[must_use = "dropping it unsubscribes"]
pub struct Subscription<S = Events> {
    link: Link,
    losses: Losses<Event, Box<Break>>,
    source: S,
}

/// The source of a subscription's [`Stream`].
#[derive(Debug)]
pub struct Events(Reader);

impl<S> Subscription<S> {
    /// What was subscribed to.
    pub fn pattern(&self) -> &Pattern {
        &self.link.pattern
    }

    /// The router's id for it, another one after each reconnect; `None` while there is no session,
    /// and at the end.
    ///
    /// Other subscriptions of this peer, and of others, may have the same.
    pub fn id(&self) -> Option<SubscriptionId> {
        self.link.status.borrow().id
    }

    /// How many events were lost so far because the queue was full.
    pub fn missed(&self) -> u64 {
        self.losses.count()
    }

    /// How often it was made again, after a connection was lost.
    pub fn restored(&self) -> u64 {
        self.link.status.borrow().sessions.saturating_sub(1)
    }

    /// Why it is over; `None` while it lives. Events that came before may still wait.
    pub fn end(&self) -> Option<SubscriptionEnd> {
        let is_gone = self.link.status.has_changed().is_err();
        let told = self.link.status.borrow().end.clone();
        told.or_else(|| is_gone.then(|| self.link.gone()))
    }

    /// Wait until it is over; gives why.
    ///
    /// # Cancel safety
    ///
    /// Waits only; dropping it changes nothing.
    pub async fn ended(&self) -> SubscriptionEnd {
        let mut status = self.link.status.clone();
        let ended = status.wait_for(|status| status.end.is_some()).await;
        let told = ended.ok().and_then(|status| status.end.clone());
        told.unwrap_or_else(|| self.link.gone())
    }

    /// Unsubscribe, and wait until the router confirms it. Events that wait are gone; a handler
    /// that works on one finishes it, and is not called again.
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
        let Self { link, source, .. } = self;
        drop(source);
        link.unsubscribe().await
    }
}

impl Subscription<Events> {
    pub(super) fn stream(link: Link, reader: Reader) -> Self {
        Self {
            link,
            losses: reader.losses(),
            source: Events(reader),
        }
    }

    /// Unsubscribe, and wait until the router confirms it, but take what it sent before that: all that
    /// waits can still be read, and then [`next`](Self::next) gives `None`.
    ///
    /// While another subscription of this peer has the same topic, the router is not asked, and what
    /// comes from now on is for the other one. What finds no room in the queue is lost as ever;
    /// [`Overflow::Wait`](crate::Overflow::Wait) does not pause the connection for it.
    ///
    /// # Errors
    ///
    /// Those of [`unsubscribe`](Self::unsubscribe); no more events come in any case.
    ///
    /// # Cancel safety
    ///
    /// Dropped early, it goes on in the background.
    ///
    /// ```
    /// # use spell_peer::PeerBuilder;
    /// # use spell_roles::{Publisher, Session, Subscriber};
    /// use spell_roles::prelude::*;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let router = spell_router::Router::local();
    /// # let peer = PeerBuilder::new(Session::new("com.example.realm"));
    /// # let peer = peer.role(Publisher::new()).role(Subscriber::new());
    /// # let peer = peer.connect(router.connector()).await?;
    /// let mut orders = peer.subscribe("com.example.order").await?;
    /// peer.publish("com.example.order").arg(7).exclude_me(false).await?;
    ///
    /// orders.drain().await?;
    /// assert_eq!(orders.next().await.ok_or("no order")?.value::<u32>()?, 7);
    /// assert!(orders.next().await.is_none());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn drain(&mut self) -> Result<(), UnsubscribeError> {
        self.link.drain().await
    }

    /// The next event; `None` once the subscription is over and all that waited was read.
    ///
    /// # Cancel safety
    ///
    /// No event is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Event> {
        poll_fn(|cx| self.source.0.poll_event(cx)).await
    }

    /// Wait for the next event, then take it and those that wait behind it, `limit` at most. Gives how
    /// many were put into `events`, behind what is there; 0 once the subscription is over and all
    /// that waited was read, or if `limit` is 0.
    ///
    /// For whoever handles events in batches, such as one that writes them to a database.
    ///
    /// # Cancel safety
    ///
    /// No event is lost when the future is dropped: it waits only before it takes the first.
    ///
    /// ```
    /// # use spell_peer::PeerBuilder;
    /// # use spell_roles::{Publisher, Session, Subscriber};
    /// use spell_roles::prelude::*;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let router = spell_router::Router::local();
    /// # let peer = PeerBuilder::new(Session::new("com.example.realm"));
    /// # let peer = peer.role(Publisher::new()).role(Subscriber::new());
    /// # let peer = peer.connect(router.connector()).await?;
    /// let mut readings = peer.subscribe("com.example.reading").await?;
    /// for reading in [3, 5, 8] {
    ///     peer.publish("com.example.reading").arg(reading).exclude_me(false).await?;
    /// }
    ///
    /// let (mut events, mut sum) = (Vec::new(), 0);
    /// while sum < 16 && readings.next_many(&mut events, 100).await > 0 {
    ///     for event in events.drain(..) {
    ///         sum += event.value::<u32>()?;
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn next_many(&mut self, events: &mut Vec<Event>, limit: usize) -> usize {
        poll_fn(|cx| self.source.0.poll_events(cx, events, limit)).await
    }

    /// The events, and between them the gaps that lost sessions leave, each as soon as the
    /// subscription is made again.
    ///
    /// ```
    /// # use spell_peer::PeerBuilder;
    /// # use spell_roles::{Publisher, Session, Subscriber};
    /// use spell_roles::{Notice, prelude::*};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let router = spell_router::Router::local();
    /// # let peer = PeerBuilder::new(Session::new("com.example.realm"));
    /// # let peer = peer.role(Publisher::new()).role(Subscriber::new());
    /// # let peer = peer.connect(router.connector()).await?;
    /// let mut prices = peer.subscribe("com.example.price").await?;
    /// # peer.publish("com.example.price").arg(3).exclude_me(false).await?;
    /// while let Some(notice) = prices.notices().next().await {
    ///     match notice {
    ///         Notice::Event(event) => println!("the price is {}", event.value::<u32>()?),
    ///         Notice::Gap(gap) => println!("ask for the price: {}", gap.cause()),
    ///         _ => {}
    ///     }
    /// #   break;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn notices(&mut self) -> Notices<'_> {
        Notices(&mut self.source.0)
    }
}

/// The events and the gaps of a [`Subscription`], in order. Made by [`Subscription::notices`].
#[derive(Debug)]
pub struct Notices<'a>(&'a mut Reader);

impl Notices<'_> {
    /// The next event or gap; `None` once the subscription is over and all that waited was read.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Notice> {
        poll_fn(|cx| self.0.poll_notice(cx)).await
    }
}

impl Stream for Notices<'_> {
    type Item = Notice;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Notice>> {
        self.0.poll_notice(cx)
    }
}

impl Stream for Subscription<Events> {
    type Item = Event;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        self.source.0.poll_event(cx)
    }
}

impl Subscription<Handled> {
    pub(super) fn handled(link: Link, losses: Losses<Event, Box<Break>>) -> Self {
        Self {
            link,
            losses,
            source: Handled(()),
        }
    }

    /// On how many events the handler failed so far: it panicked, or their arguments were not of
    /// its type.
    pub fn failed(&self) -> u64 {
        self.link.progress.failed()
    }

    /// Unsubscribe, and wait until the router confirms it and the handler is done with all that it
    /// sent before that.
    ///
    /// While another subscription of this peer has the same topic, the router is not asked, and what
    /// comes from now on is for the other one.
    ///
    /// # Errors
    ///
    /// Those of [`unsubscribe`](Self::unsubscribe); no more events come in any case, but the handler
    /// is still done with those that came.
    ///
    /// # Cancel safety
    ///
    /// Dropped early, as by [`tokio::time::timeout`], it is as if the subscription was dropped: the
    /// handler finishes the event that it works on, and is not called again.
    pub async fn drain(self) -> Result<(), UnsubscribeError> {
        let drained = self.link.drain().await;
        self.link.progress.ended().await;
        drained
    }

    /// Let it go on as long as the peer lives. The peer then lives until it is stopped.
    pub fn detach(mut self) {
        self.link.progress.keep(self.link.requests.clone());
        self.link.is_detached = true;
    }
}

/// What ties a subscription to its role. Dropped, it unsubscribes.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) key: Key,
    pub(super) pattern: Pattern,
    pub(super) status: watch::Receiver<Status>,
    /// Of the handler, if there is one.
    pub(super) progress: Arc<Progress>,
    pub(super) requests: Arc<Requests<Command>>,
    pub(super) is_detached: bool,
}

impl Link {
    async fn drain(&self) -> Result<(), UnsubscribeError> {
        let key = self.key;
        self.ask(|reply| Command(Order::Drain { key, reply })).await
    }

    async fn unsubscribe(self) -> Result<(), UnsubscribeError> {
        self.progress.stop();
        let key = self.key;
        let unsubscribed = self.ask(|reply| Command(Order::Unsubscribe { key, reply }));
        unsubscribed.await
    }

    /// Ask the role to end it.
    async fn ask(&self, order: impl FnOnce(Reply<()>) -> Command) -> Result<(), UnsubscribeError> {
        let limit = self.requests.commands().request_timeout();
        match self.requests.ask(limit, order).await {
            // No session, no subscription.
            Ok(()) | Err(Failure::Closed { .. }) => Ok(()),
            Err(failure) => Err(failure.into()),
        }
    }

    /// Nobody told why it ended, so it was the role that went, and the peer with it.
    fn gone(&self) -> SubscriptionEnd {
        let end = self.requests.commands().end();
        SubscriptionEnd::Closed(end.unwrap_or(CloseReason::Panicked))
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if !self.is_detached {
            self.progress.stop();
            let release = Command(Order::Release(self.key));
            self.requests.commands().release(release);
        }
    }
}

/// What the role tells of a subscription beside its events.
#[derive(Debug, Default)]
pub(super) struct Status {
    /// The id in the session that there is.
    pub(super) id: Option<SubscriptionId>,
    /// The session in which it was made last, and its realm.
    pub(super) session: Option<(Uri, SessionId)>,
    /// In how many sessions it was made.
    pub(super) sessions: u64,
    pub(super) end: Option<SubscriptionEnd>,
}
