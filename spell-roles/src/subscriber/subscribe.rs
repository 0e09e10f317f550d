use std::{pin::Pin, sync::Arc, time::Duration};

use spell_message::{
    Feature, MatchPolicy, Pattern, RoleName, Value,
    options::{InvalidOption, SubscribeOptions},
};
use tokio::sync::watch;

use super::{
    FromEvent, Gap, PendingSubscribe, Subscription,
    handler::{Handler, serve},
    prepared::Parts,
    reader::Reader,
    role::Command,
    subscription::{Link, Status},
    wanted::{Seen, Wanted},
};
use crate::{
    CallerHandle, Handled, Meta, SubscribeError,
    methods::limit_methods,
    passthru::Passthru,
    queue::{Bounds, Overflow, queue},
    request::Requests,
};

/// A subscription in the making; `.await` makes it and gives the [`Subscription`].
///
/// While the peer has no session it waits for one. Events that come right behind the router's
/// answer are not missed.
///
/// # Errors
///
/// What was given is checked when it is awaited: a bad topic or an invalid option ends it before
/// anything is sent. [`SubscribeError::Refused`] if the router refuses it,
/// [`SubscribeError::Unsupported`] if it did not announce what an option needs, such as to match
/// patterns; [`SubscribeError::Closed`] if the session ends before the answer came.
///
/// # Cancel safety
///
/// Dropped before it was committed, nothing is sent. Dropped later, it is unsubscribed as soon as
/// the answer comes.
///
/// # Examples
///
/// ```
/// # use spell_peer::PeerBuilder;
/// # use spell_roles::{Publisher, Session, Subscriber};
/// use spell_roles::prelude::*;
/// use spell_roles::Overflow;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let router = spell_router::Router::local();
/// # let peer = PeerBuilder::new(Session::new("com.example.realm"));
/// # let peer = peer.role(Publisher::new()).role(Subscriber::new());
/// # let peer = peer.connect(router.connector()).await?;
/// let prices = peer.subscribe("com.example.price.").prefix();
/// let mut prices = prices.overflow(Overflow::KeepLatest).await?;
///
/// let publish = || peer.publish("com.example.price.tea").exclude_me(false);
/// publish().arg(3).await?;
/// let price = prices.next().await.ok_or("no event")?;
/// assert_eq!(price.topic(), "com.example.price.tea");
/// assert_eq!(price.value::<u32>()?, 3);
/// # Ok(())
/// # }
/// ```
///
/// WAMP spec, "SUBSCRIBE" and "Pattern-based Subscriptions".
#[derive(Debug)]
#[must_use = "a subscription is made only when it is awaited"]
pub struct Subscribe<'a> {
    requests: &'a Arc<Requests<Command>>,
    topic: String,
    options: Result<SubscribeOptions, InvalidOption>,
    bounds: Bounds,
    limit: Option<Duration>,
    codec: Option<Passthru>,
    needs: Option<(RoleName, Feature)>,
    /// By whom the history is asked, and whether only where the router announced one.
    history: Option<(CallerHandle, bool)>,
}

impl<'a> Subscribe<'a> {
    pub(super) fn new(requests: &'a Arc<Requests<Command>>, topic: &str) -> Self {
        Self {
            requests,
            topic: topic.to_owned(),
            options: Ok(SubscribeOptions::new()),
            bounds: Bounds {
                count: DEFAULT_COUNT,
                bytes: DEFAULT_BYTES,
                overflow: Overflow::default(),
            },
            limit: requests.commands().request_timeout(),
            codec: None,
            needs: None,
            history: None,
        }
    }

    limit_methods!();

    /// Take all topics that begin with the text, character by character.
    pub fn prefix(self) -> Self {
        self.match_policy(MatchPolicy::Prefix)
    }

    /// Take all topics with as many components, where an empty one in the text stands for any.
    pub fn wildcard(self) -> Self {
        self.match_policy(MatchPolicy::Wildcard)
    }

    /// How topics are matched; default exactly. For another way, the broker must have announced
    /// `pattern_based_subscription`.
    pub fn match_policy(self, policy: MatchPolicy) -> Self {
        self.set(|options| options.set_match_policy(policy))
    }

    /// Whether the broker sends what it retained for the topic, as the first event; default no.
    /// For yes, the broker must have announced `event_retention`. Asked again after a reconnect.
    ///
    /// What was retained comes only to those who might have got it at first, and so not to the
    /// publisher itself unless that wanted it.
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
    /// let publish = peer.publish("com.example.price").arg(3).retain(true);
    /// publish.exclude_me(false).await?;
    ///
    /// let mut prices = peer.subscribe("com.example.price").get_retained(true).await?;
    /// let price = prices.next().await.ok_or("no event")?;
    /// assert!(price.is_retained());
    /// assert_eq!(price.value::<u32>()?, 3);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// WAMP spec, "Event Retention".
    pub fn get_retained(self, get_retained: bool) -> Self {
        self.set(|options| options.set_get_retained(get_retained))
    }

    /// The key of this node, by which a broker spreads events over sharded subscriptions. It is
    /// only carried: a broker that knows no shards ignores it.
    ///
    /// WAMP spec, "Sharded Subscription".
    pub fn nkey(self, nkey: impl Into<String>) -> Self {
        self.set(|options| options.set_nkey(nkey))
    }

    /// Set one option of SUBSCRIBE: one that has no method here, or an extension of the router.
    pub fn option(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.options = self.options.and_then(|mut options| {
            options.set(key, value)?;
            Ok(options)
        });
        self
    }

    /// Replace all options of SUBSCRIBE, the match policy among them.
    pub fn options(mut self, options: SubscribeOptions) -> Self {
        self.options = Ok(options);
        self
    }

    fn set(mut self, set: impl FnOnce(&mut SubscribeOptions) -> &mut SubscribeOptions) -> Self {
        if let Ok(options) = &mut self.options {
            set(options);
        }
        self
    }

    /// Subscribe only if the router announced this feature of one of its roles.
    pub(crate) fn needs(mut self, needs: (RoleName, Feature)) -> Self {
        self.needs = Some(needs);
        self
    }

    /// How many events may wait to be read; what becomes of more, [`overflow`](Self::overflow)
    /// says. Default: 1024.
    pub fn queue_count(mut self, count: usize) -> Self {
        self.bounds.count = count;
        self
    }

    /// How many bytes all waiting events may have, details and arguments counted; what becomes of
    /// more, [`overflow`](Self::overflow) says. An event that alone has more is lost. Default: 16 MiB.
    pub fn queue_bytes(mut self, bytes: usize) -> Self {
        self.bounds.bytes = bytes;
        self
    }

    /// What becomes of events when the queue is full; default [`Overflow::DropNewest`].
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.bounds.overflow = overflow;
        self
    }

    /// After a reconnect, get what was published without a session, as far as the broker has it. It
    /// comes after the events that came before, and before newer ones, which wait in the queue
    /// meanwhile; each publication comes once.
    ///
    /// A broker that announced `event_history` is asked for what follows the last event that was
    /// seen (`wamp.subscription.get_events`); if there was none yet, for what was published since
    /// the subscription was made, by this machine's clock. [`Gap::is_filled`](super::Gap::is_filled)
    /// tells whether the history still had that last event. Of a broker without a history that
    /// announced `event_retention`, what it retained is asked, as with
    /// [`get_retained`](Self::get_retained), and left out if it was seen. With neither, or if the
    /// router refuses, there is the [`Gap`](super::Gap) alone.
    ///
    /// Together with [`Overflow::Wait`] let another peer ask: on the same one the answer of the
    /// history may wait behind events that are not read, until its time is up.
    ///
    /// ```
    /// # use spell_peer::PeerBuilder;
    /// # use spell_roles::{Caller, Session, Subscriber};
    /// use spell_roles::prelude::*;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let router = spell_router::Router::local();
    /// # let peer = PeerBuilder::new(Session::new("com.example.realm"));
    /// # let peer = peer.role(Caller::new()).role(Subscriber::new());
    /// # let peer = peer.connect(router.connector()).await?;
    /// let orders = peer.subscribe("com.example.order").backfill(peer.meta()).await?;
    /// # drop(orders);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// WAMP spec, "Event History" and "Event Retention".
    pub fn backfill(mut self, meta: Meta<'_>) -> Self {
        self.history = Some((meta.caller.clone(), meta.is_checked));
        self
    }

    /// Open the arguments of events that come sealed, by this codec, when they are read. Events that
    /// are not sealed are taken if the codec takes such.
    ///
    /// What cannot be opened gives its error when its arguments are read, and the subscription goes
    /// on; [`Event::payload`](super::Event::payload) then is as it came. A handler is not called
    /// with such an event, unless it takes an [`Event`](super::Event); it is logged and counted
    /// ([`Subscription::failed`]). See [`passthru`](crate::passthru).
    ///
    /// WAMP spec, "Payload Passthru Mode".
    pub fn passthru(mut self, codec: impl Into<Passthru>) -> Self {
        self.codec = Some(codec.into());
        self
    }

    /// Hand events to an async closure, in a task of its own, one after another in their order.
    ///
    /// See [`FromEvent`] for what it can be called with. An event on which it panics is logged and
    /// counted ([`Subscription::failed`]), and it is called with the next one.
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
    /// let (seen, mut see) = tokio::sync::mpsc::channel(8);
    /// let hellos = peer
    ///     .subscribe("com.example.hello")
    ///     .handler(move |(greeting, number): (String, u32)| {
    ///         let seen = seen.clone();
    ///         async move {
    ///             seen.send(format!("{greeting} {number}")).await.ok();
    ///         }
    ///     })
    ///     .await?;
    ///
    /// let publish = peer.publish("com.example.hello").args(("Hello", 42));
    /// publish.exclude_me(false).await?;
    /// assert_eq!(see.recv().await.as_deref(), Some("Hello 42"));
    /// hellos.unsubscribe().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// The future it gives must be awaited on a tokio runtime.
    pub fn handler<F, T, Fut>(self, handler: F) -> SubscribeHandler<'a>
    where
        F: FnMut(T) -> Fut + Send + 'static,
        T: FromEvent,
        Fut: Future<Output = ()> + Send + 'static,
    {
        SubscribeHandler {
            subscribe: self,
            handler: Handler::new(handler),
        }
    }

    /// Make the subscription: what `.await` does, without the box.
    pub async fn send(self) -> Result<Subscription, SubscribeError> {
        let (link, reader) = self.subscribe().await?;
        Ok(Subscription::stream(link, reader))
    }

    async fn subscribe(self) -> Result<(Link, Reader), SubscribeError> {
        let (requests, limit) = (self.requests, self.limit);
        let (parts, wanted) = self.parts()?;
        let key = requests.ask(limit, |reply| wanted.command(reply, None));
        let key = key.await?;
        Ok(parts.link(key))
    }

    /// Send SUBSCRIBE, and wait only until it has its id. The answer can be waited for later.
    ///
    /// # Errors
    ///
    /// What kept it from being sent.
    ///
    /// # Cancel safety
    ///
    /// As for the subscription itself.
    pub async fn start(self) -> Result<PendingSubscribe, SubscribeError> {
        let (requests, limit) = (self.requests, self.limit);
        let (parts, wanted) = self.parts()?;
        let started = requests.start(limit, |reply, slot| wanted.command(reply, Some(slot)));
        Ok(PendingSubscribe::new(started.await?, parts))
    }

    /// All that can fail because of the user; what the subscription and what its role keeps.
    fn parts(self) -> Result<(Parts, Wanted), SubscribeError> {
        let options = self.options?;
        let pattern = Pattern::new(self.topic, options.match_policy().unwrap_or_default())?;
        let (producer, events) = queue(self.bounds);
        let (sender, status) = watch::channel(Status::default());
        let parts = Parts {
            pattern: pattern.clone(),
            status,
            events,
            requests: self.requests.clone(),
            codec: self.codec,
            history: self.history,
            queue: self.bounds.count,
        };
        let wanted = Wanted {
            pattern,
            options,
            needs: self.needs,
            overflow: self.bounds.overflow,
            backfills: parts.history.is_some(),
            events: producer,
            status: sender,
            reply: None,
            started: None,
            is_lagging: false,
            seen: Seen::default(),
        };
        Ok((parts, wanted))
    }
}

const DEFAULT_COUNT: usize = 1024;
const DEFAULT_BYTES: usize = 16 << 20;

impl<'a> IntoFuture for Subscribe<'a> {
    type Output = Result<Subscription, SubscribeError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

/// A subscription with a handler, in the making; `.await` makes it.
///
/// Cancel safety and errors are those of [`Subscribe`].
#[derive(Debug)]
#[must_use = "a subscription is made only when it is awaited"]
pub struct SubscribeHandler<'a> {
    subscribe: Subscribe<'a>,
    handler: Handler,
}

impl SubscribeHandler<'_> {
    /// Call this where a lost session leaves a gap between events, in the handler's task. Without
    /// it, a handler that takes an [`Event`](super::Event) sees it with the next one
    /// ([`Event::gap`](super::Event::gap)).
    pub fn on_gap(mut self, tell: impl FnMut(Gap) + Send + 'static) -> Self {
        self.handler = self.handler.on_gap(tell);
        self
    }

    /// Make the subscription: what `.await` does, without the box.
    pub async fn send(self) -> Result<Subscription<Handled>, SubscribeError> {
        let (link, reader) = self.subscribe.subscribe().await?;
        let losses = reader.losses();
        let (progress, status) = (link.progress.clone(), link.status.clone());
        serve(reader, self.handler, progress, status);
        Ok(Subscription::handled(link, losses))
    }
}

impl<'a> IntoFuture for SubscribeHandler<'a> {
    type Output = Result<Subscription<Handled>, SubscribeError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}
