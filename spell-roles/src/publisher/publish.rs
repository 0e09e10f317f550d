use std::{
    pin::Pin,
    sync::LazyLock,
    task::{Context, Poll, ready},
    time::Duration,
};

use spell_message::{
    InvalidUri, Payload, PublicationId, RequestId, RoleName, SessionId, Uri, Value,
    options::{InvalidOption, PublishOptions},
};
use spell_serializer::PayloadBuilder;

use super::{
    IdempotentPublish, Posted,
    answer::{Answer, Told},
    role::{Acknowledged, Command, Draft, Order, Publication, PublishedReply, needed},
};
use crate::{
    PublishError,
    error::Failure,
    methods::{argument_methods, limit_methods},
    passthru::{self, Passthru},
    repeat::Budget,
    request::Requests,
    started::{IdSlot, Started},
    weight::weight,
};

/// A publication in the making; `.await` sends it.
///
/// It is done when it was handed to the session that is joined, in its order among all that this task
/// asks for. Nothing more is ever known of it: if the broker refuses it, or the connection breaks in
/// that moment, nobody is told; what was not even committed to the wire then is
/// [counted](spell_peer::Statistics::publications_lost). Use [`acknowledge`](Self::acknowledge) to
/// know.
///
/// Where more can fail, because the broker must have announced what is asked of it or the message may
/// be too large for the router, it is done when it is committed to the wire. Who publishes faster
/// than the connection takes it waits.
///
/// # Errors
///
/// What was given is checked when it is awaited: a bad topic, arguments that cannot be encoded or
/// are too large, and an invalid option all end the publication before anything is sent. Without a
/// session it fails with [`PublishError::Closed`], and nothing is kept for later, unless the
/// publisher has an [`Outbox`](super::Outbox): then it waits there, and is done when it was sent, or
/// fails with [`PublishError::OutboxFull`] or [`PublishError::Expired`].
///
/// # Cancel safety
///
/// Dropped before it was handed over, or committed, a publication is never sent. Dropped later, it is
/// sent.
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
/// let mut hellos = peer.subscribe("com.example.hello").await?;
/// peer.publish("com.example.hello")
///     .args(("Hello", 42))
///     .exclude_me(false)
///     .await?;
///
/// let event = hellos.next().await.ok_or("no event")?;
/// assert_eq!(event.args::<(String, u8)>()?, ("Hello".to_owned(), 42));
/// # Ok(())
/// # }
/// ```
///
/// WAMP spec, "PUBLISH".
#[derive(Debug)]
#[must_use = "a publication is sent only when it is awaited"]
pub struct Publish<'a> {
    requests: &'a Requests<Command>,
    topic: Result<Uri, InvalidUri>,
    options: Result<PublishOptions, InvalidOption>,
    arguments: PayloadBuilder,
    limit: Option<Duration>,
    codec: Option<Passthru>,
}

/// The methods that set the options of PUBLISH; `self.options` is a `Result` of them.
macro_rules! option_methods {
    () => {
        /// Whether this session itself gets no event, should it have subscribed to the topic;
        /// default yes. For no, the broker must have announced `publisher_exclusion`.
        ///
        /// WAMP spec, "Publisher Exclusion".
        pub fn exclude_me(self, exclude_me: bool) -> Self {
            self.set(|options| options.set_exclude_me(exclude_me))
        }

        /// Sessions that get no event; default none.
        ///
        /// The broker must have announced `subscriber_blackwhite_listing` for this, as for the
        /// other lists of receivers. An event goes to those who are on each list of eligible ones
        /// that is given, and on none of those excluded.
        ///
        /// WAMP spec, "Subscriber Black- and Whitelisting".
        pub fn exclude(self, sessions: impl IntoIterator<Item = SessionId>) -> Self {
            self.set(|options| options.set_exclude(sessions))
        }

        /// `authid`s whose sessions get no event; default none. See [`exclude`](Self::exclude).
        ///
        /// WAMP spec, "Subscriber Black- and Whitelisting".
        pub fn exclude_authid<T: Into<String>>(self, authids: impl IntoIterator<Item = T>) -> Self {
            self.set(|options| options.set_exclude_authid(authids))
        }

        /// `authrole`s whose sessions get no event; default none. See [`exclude`](Self::exclude).
        ///
        /// WAMP spec, "Subscriber Black- and Whitelisting".
        pub fn exclude_authrole<T: Into<String>>(
            self,
            authroles: impl IntoIterator<Item = T>,
        ) -> Self {
            self.set(|options| options.set_exclude_authrole(authroles))
        }

        /// The only sessions that may get the event; default all. An empty list means nobody. See
        /// [`exclude`](Self::exclude).
        ///
        /// WAMP spec, "Subscriber Black- and Whitelisting".
        pub fn eligible(self, sessions: impl IntoIterator<Item = SessionId>) -> Self {
            self.set(|options| options.set_eligible(sessions))
        }

        /// The only `authid`s whose sessions may get the event; default all. An empty list means
        /// nobody. See [`exclude`](Self::exclude).
        ///
        /// WAMP spec, "Subscriber Black- and Whitelisting".
        pub fn eligible_authid<T: Into<String>>(
            self,
            authids: impl IntoIterator<Item = T>,
        ) -> Self {
            self.set(|options| options.set_eligible_authid(authids))
        }

        /// The only `authrole`s whose sessions may get the event; default all. An empty list means
        /// nobody. See [`exclude`](Self::exclude).
        ///
        /// WAMP spec, "Subscriber Black- and Whitelisting".
        pub fn eligible_authrole<T: Into<String>>(
            self,
            authroles: impl IntoIterator<Item = T>,
        ) -> Self {
            self.set(|options| options.set_eligible_authrole(authroles))
        }

        /// Whether subscribers may learn who publishes; default no. For yes, the broker must have
        /// announced `publisher_identification`; it may refuse, which only
        /// [`acknowledge`](Publish::acknowledge) makes known.
        ///
        /// WAMP spec, "Publisher Identification".
        pub fn disclose_me(self, disclose_me: bool) -> Self {
            self.set(|options| options.set_disclose_me(disclose_me))
        }

        /// Whether the broker keeps the event for those who subscribe later and ask for it; default
        /// no. For yes, the broker must have announced `event_retention`; it may decline silently.
        ///
        /// WAMP spec, "Event Retention".
        pub fn retain(self, retain: bool) -> Self {
            self.set(|options| options.set_retain(retain))
        }

        /// The key of the resource that the event is about, by which a broker spreads events over
        /// sharded subscriptions. It is only carried: a broker that knows no shards ignores it.
        ///
        /// WAMP spec, "Sharded Subscription".
        pub fn rkey(self, rkey: impl Into<String>) -> Self {
            self.set(|options| options.set_rkey(rkey))
        }

        /// Seal the arguments by this codec, so that the broker does not look into them; it must have
        /// announced `payload_passthru_mode` for this. Subscribers without a codec get what was
        /// sealed. What cannot be sealed is [`PublishError::Encode`].
        ///
        /// See [`passthru`](crate::passthru).
        ///
        /// WAMP spec, "Payload Passthru Mode".
        pub fn passthru(mut self, codec: impl Into<Passthru>) -> Self {
            self.codec = Some(codec.into());
            self
        }

        /// Where the publication belongs in a distributed trace, as in the HTTP header of that
        /// name: `00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01`. Subscribers read it by
        /// [`Event::traceparent`](crate::Event::traceparent).
        ///
        /// Not in the specification: it goes as the option `_traceparent`, which routers such as
        /// Bondy, and the one of this library, hand on; others may not.
        ///
        /// W3C, "Trace Context".
        pub fn traceparent(mut self, text: impl Into<String>) -> Self {
            self.options = self.options.and_then(|mut options| {
                options.set_traceparent(text)?;
                Ok(options)
            });
            self
        }

        /// What the systems of a trace add to its [`traceparent`](Self::traceparent), as in the
        /// HTTP header of that name; goes as the option `_tracestate`.
        ///
        /// W3C, "Trace Context".
        pub fn tracestate(mut self, text: impl Into<String>) -> Self {
            self.options = self.options.and_then(|mut options| {
                options.set_tracestate(text)?;
                Ok(options)
            });
            self
        }

        /// Set one option of PUBLISH: one that has no method here, or an extension of the router.
        pub fn option(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
            self.options = self.options.and_then(|mut options| {
                options.set(key, value)?;
                Ok(options)
            });
            self
        }

        /// Replace all options of PUBLISH.
        pub fn options(mut self, options: PublishOptions) -> Self {
            self.options = Ok(options);
            self
        }

        fn set(mut self, set: impl FnOnce(&mut PublishOptions) -> &mut PublishOptions) -> Self {
            if let Ok(options) = &mut self.options {
                set(options);
            }
            self
        }
    };
}

impl<'a> Publish<'a> {
    pub(super) fn new(requests: &'a Requests<Command>, topic: Result<Uri, InvalidUri>) -> Self {
        Self {
            requests,
            topic,
            options: Ok(PublishOptions::new()),
            arguments: requests.arguments(),
            limit: requests.commands().request_timeout(),
            codec: None,
        }
    }

    argument_methods!();
    option_methods!();
    limit_methods!();

    /// Ask the broker to answer: the publication is then done when the broker took it, and gives
    /// its id; a refusal is an error.
    pub fn acknowledge(self) -> AcknowledgedPublish<'a> {
        AcknowledgedPublish {
            requests: self.requests,
            topic: self.topic,
            options: self.options,
            arguments: self.arguments,
            limit: self.limit,
            codec: self.codec,
        }
    }

    /// Send it: what `.await` does, without the box.
    pub async fn send(self) -> Result<(), PublishError> {
        let (requests, limit) = (self.requests, self.limit);
        let Some(draft) = self.unacknowledged()?.hand_over(requests).await? else {
            return Ok(());
        };
        let sent = requests.ask(limit, |reply| draft.command(Answer::WhenSent(reply)));
        Ok(sent.await??)
    }

    /// Send it, or leave it in the [`Outbox`](super::Outbox) if there is no session, without waiting
    /// for one; tells which of the two.
    ///
    /// # Errors
    ///
    /// As for `.await`; without an outbox, too. What is left in the outbox and fails there is only
    /// counted: see [`PublisherHandle::outbox`](super::PublisherHandle::outbox).
    ///
    /// # Cancel safety
    ///
    /// Dropped before it was sent or put into the outbox, a publication is never sent. Dropped
    /// later, it is.
    pub async fn post(self) -> Result<Posted, PublishError> {
        let (requests, limit) = (self.requests, self.limit);
        let Some(draft) = self.unacknowledged()?.hand_over(requests).await? else {
            return Ok(Posted::Sent);
        };
        let posted = requests.ask(limit, |reply| draft.command(Answer::WhenPosted(reply)));
        Ok(posted.await??)
    }

    /// A publication that the broker does not answer.
    fn unacknowledged(self) -> Result<Draft, PublishError> {
        // An answer that nobody waits for is not asked for.
        let mut options = self.options?;
        if options.acknowledge() == Some(true) {
            options.set_acknowledge(false);
        }
        Draft::new(
            self.requests,
            self.topic?,
            options,
            self.arguments,
            self.codec.as_ref(),
        )
    }
}

impl<'a> IntoFuture for Publish<'a> {
    type Output = Result<(), PublishError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

/// A publication in the making that the broker is to answer; `.await` sends it and gives its id.
///
/// # Errors
///
/// As for [`Publish`], and [`PublishError::Refused`] when the broker refuses it. When the session
/// ends, or the time is up, before the answer came, the error tells whether it was sent.
///
/// # Cancel safety
///
/// Dropped before it was committed, a publication is never sent. Dropped later, it is sent, and the
/// answer is dropped.
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
/// let mut hellos = peer.subscribe("com.example.hello").await?;
/// let publication = peer
///     .publish("com.example.hello")
///     .exclude_me(false)
///     .acknowledge()
///     .await?;
///
/// let event = hellos.next().await.ok_or("no event")?;
/// assert_eq!(event.publication(), publication);
/// # Ok(())
/// # }
/// ```
///
/// WAMP spec, "PUBLISH" and "PUBLISHED".
#[derive(Debug)]
#[must_use = "a publication is sent only when it is awaited"]
pub struct AcknowledgedPublish<'a> {
    requests: &'a Requests<Command>,
    topic: Result<Uri, InvalidUri>,
    options: Result<PublishOptions, InvalidOption>,
    arguments: PayloadBuilder,
    limit: Option<Duration>,
    codec: Option<Passthru>,
}

impl<'a> AcknowledgedPublish<'a> {
    argument_methods!();
    option_methods!();
    limit_methods!();

    /// Allow that it is sent again when the session ends before the answer came, as it does no harm
    /// to publish it twice; `.await` the returned builder to send it. Default: a publication is sent
    /// once.
    pub fn idempotent(self) -> IdempotentPublish<'a> {
        IdempotentPublish::new(self)
    }

    /// Send it and wait for the answer: what `.await` does, without the box.
    pub async fn send(self) -> Result<PublicationId, PublishError> {
        let (requests, limit) = (self.requests, self.limit);
        let draft = self.draft()?;
        let (reply, mut waiting) = requests.open();
        Ok(waiting
            .ask(limit, draft.acknowledged(reply, None))
            .await??)
    }

    /// Send it, and again when sessions end, and wait for the answer.
    pub(super) async fn repeat(self, budget: Budget) -> Result<PublicationId, PublishError> {
        let (requests, limit) = (self.requests, self.limit);
        let mut draft = self.draft()?;
        draft.waits = true;
        let published = requests.repeat(budget, limit, |reply, _| {
            draft.clone().acknowledged(reply, None)
        });
        Ok(published.await??)
    }

    /// Send it, and wait only until it has its id. The answer can be waited for later.
    ///
    /// # Errors
    ///
    /// What kept the publication from being sent.
    ///
    /// # Cancel safety
    ///
    /// As for the publication itself.
    pub async fn start(self) -> Result<PendingPublish, PublishError> {
        let (requests, limit) = (self.requests, self.limit);
        let draft = self.draft()?;
        let started = requests.start(limit, |reply, id| draft.acknowledged(reply, Some(id)));
        Ok(PendingPublish(started.await?))
    }

    fn draft(self) -> Result<Draft, PublishError> {
        let mut options = self.options?;
        if options.as_dict().is_empty() {
            options = ACKNOWLEDGE.clone();
        } else {
            options.set_acknowledge(true);
        }
        Draft::new(
            self.requests,
            self.topic?,
            options,
            self.arguments,
            self.codec.as_ref(),
        )
    }
}

impl<'a> IntoFuture for AcknowledgedPublish<'a> {
    type Output = Result<PublicationId, PublishError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

/// A publication that was sent; the future of its answer. Made by [`AcknowledgedPublish::start`].
///
/// The publication's time limit goes on running.
///
/// # Cancel safety
///
/// Dropping it drops the answer; the publication was sent.
#[derive(Debug)]
#[must_use = "a future does nothing unless it is awaited"]
pub struct PendingPublish(Started<Told<PublicationId>, Command, Acknowledged>);

impl PendingPublish {
    /// The id of the PUBLISH, by which the messages about it are known.
    pub fn id(&self) -> RequestId {
        self.0.id()
    }
}

impl Future for PendingPublish {
    type Output = Result<PublicationId, PublishError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = ready!(Pin::new(&mut self.0).poll(cx));
        Poll::Ready(Ok(answer??))
    }
}

impl Draft {
    fn new(
        requests: &Requests<Command>,
        topic: Uri,
        mut options: PublishOptions,
        arguments: PayloadBuilder,
        codec: Option<&Passthru>,
    ) -> Result<Self, PublishError> {
        let sealed_for = codec.map(|codec| (codec, topic.as_str()));
        let payload = requests.finish(arguments, sealed_for, &mut options)?;
        Ok(Self {
            topic,
            options,
            payload,
            waits: false,
        })
    }

    /// Hand it to the session that is joined without waiting until it is committed, if nothing can
    /// go wrong in between but the end of the session; else it is given back.
    ///
    /// # Cancel safety
    ///
    /// Dropped while it waits for its turn, it was not handed over.
    async fn hand_over(self, requests: &Requests<Command>) -> Result<Option<Self>, Failure> {
        // Who publishes without pause waits for nothing else, so others would not get their turn.
        tokio::task::consume_budget().await;
        let commands = requests.commands();
        let wire = commands.wire();
        if !wire.is_joined_to(RoleName::Broker) || !self.is_plain() {
            return Ok(Some(self));
        }
        let bytes = self.weight();
        if bytes > wire.max_send() {
            return Ok(Some(self));
        }
        let mut draft = Some(self);
        let handed = commands.hand_over(RoleName::Broker, bytes, |ahead| {
            Some(draft.take()?.command(Answer::Ahead(ahead)))
        });
        handed.map_err(Failure::closed)?;
        Ok(draft)
    }

    /// Whether every broker takes its options.
    fn is_plain(&self) -> bool {
        let dict = self.options.as_dict();
        dict.is_empty() || (!passthru::is_sealed(dict) && needed(&self.options).next().is_none())
    }

    /// About how much memory it takes, which is more than its message has bytes: what is around the
    /// arguments is text that may have to be escaped.
    fn weight(&self) -> usize {
        let around = weight(self.options.as_dict(), &Payload::default());
        let around = around.saturating_add(self.topic.as_str().len());
        around
            .saturating_mul(ESCAPED)
            .saturating_add(self.payload.len())
    }

    fn command(self, answer: Answer) -> Command {
        Command(Order::Publish(Box::new(Publication {
            draft: self,
            answer,
        })))
    }

    fn acknowledged(self, reply: PublishedReply, id: Option<IdSlot>) -> Command {
        reply.keep(Acknowledged { draft: self, id });
        Command(Order::Acknowledged(reply))
    }
}

/// The options of most publications that are acknowledged, made once.
static ACKNOWLEDGE: LazyLock<PublishOptions> = LazyLock::new(|| {
    let mut options = PublishOptions::new();
    options.set_acknowledge(true);
    options
});

/// The most bytes that one of a text takes in a message: `\u0000`.
const ESCAPED: usize = 6;
