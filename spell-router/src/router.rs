//! The router and how it is built.

use std::{
    collections::{HashMap, hash_map::Entry},
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use spell_serializer::AnySerializer;
#[cfg(any(feature = "websocket", feature = "rawsocket"))]
use spell_transport::TcpOptions;
use spell_transport::{
    KeepAlive, Listener, Transport,
    memory::{self, MemoryConnector},
};
use tokio::time::timeout;

use crate::{
    BuildError, Realm,
    outbound::{QueueLimits, lock},
    quotas::{Quotas, Room},
    serve,
    settings::Access,
    shared::{Limits, Shared},
    statistics::Statistics,
};

/// A router inside a program: realms, a broker and a dealer for each.
///
/// Clones are handles to the same router. It runs in background tasks of the tokio runtime in
/// which it is told to listen or to serve; dropping the last clone ends them all at once, and
/// [`close`](Self::close) lets its sessions leave in an orderly way before.
///
/// # Panics
///
/// What starts a background task ([`listen`](Self::listen), [`serve`](Self::serve),
/// [`attach`](Self::attach), [`connector`](Self::connector)) panics outside of a tokio runtime.
///
/// # What is bounded
///
/// A client that does not read what waits for it never holds up another one: its queue is bounded
/// by count and by bytes, see [`RouterBuilder::queue_limits`], and when that is full it is cut off.
/// A client that does not establish its session in time is turned away, and so is one that comes
/// when there are as many connections as [`RouterBuilder::max_connections`] allows. How much a
/// session may have of what the router remembers is bounded by count; one more is refused with
/// [`LIMIT_EXCEEDED`](crate::LIMIT_EXCEEDED).
///
/// WAMP spec, "Peers and Roles", "Broker" and "Dealer".
#[derive(Clone)]
pub struct Router {
    owner: Arc<Owner>,
}

/// Ends the tasks when the last handle is gone.
struct Owner {
    shared: Arc<Shared>,
    memory: OnceLock<MemoryConnector>,
}

impl Router {
    /// Begins to build a router.
    pub fn builder() -> RouterBuilder {
        RouterBuilder::default()
    }

    /// A router for tests and examples: every realm is there when someone joins it, anyone may
    /// join, and everyone may do everything, see [`MetaApi`](crate::MetaApi).
    ///
    /// ```
    /// use spell_router::Router;
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let router = Router::local();
    /// let connector = router.connector(); // to be given to a client
    /// # let _ = connector;
    /// router.close().await;
    /// # });
    /// ```
    pub fn local() -> Self {
        let unlisted = Some(Access::trusting());
        Self::new(HashMap::new(), unlisted, &RouterBuilder::default())
    }

    fn new(
        realms: HashMap<spell_message::Uri, Access>,
        unlisted: Option<Access>,
        builder: &RouterBuilder,
    ) -> Self {
        let serializers = builder.serializers.clone();
        Self {
            owner: Arc::new(Owner {
                shared: Arc::new(Shared::new(realms, unlisted, serializers, builder.limits)),
                memory: OnceLock::new(),
            }),
        }
    }

    /// Serves the clients that `listener` accepts, in the background, until the router closes.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn serve(&self, listener: impl Listener) {
        let shared = Arc::clone(self.shared());
        serve::spawn(self.shared(), serve::accept(shared, listener));
    }

    /// Serves the client at the other end of an open transport, in the background.
    ///
    /// A transport whose serialization the router does not have is dropped, and so is one that
    /// comes when the router is closed or has [as many as it takes](RouterBuilder::max_connections).
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn attach(&self, transport: impl Transport) {
        serve::attach(self.shared(), transport);
    }

    /// Dials this router from inside the program, without sockets.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use futures_util::{SinkExt, StreamExt};
    /// use spell_router::Router;
    /// use spell_transport::{Connector, Serialization};
    ///
    /// # #[cfg(feature = "json")]
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let router = Router::local();
    /// let mut client = router.connector().connect(&[Serialization::JSON]).await?;
    /// client.send(Bytes::from(r#"[1,"realm1",{"roles":{"caller":{}}}]"#)).await?;
    /// let welcome = client.next().await.unwrap()?;
    /// assert!(welcome.starts_with(b"[2,"));
    /// # Ok::<_, Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    pub fn connector(&self) -> MemoryConnector {
        let connector = self.owner.memory.get_or_init(|| {
            let (connector, listener) = memory::listener(self.shared().serializations());
            self.serve(listener);
            connector
        });
        connector.clone()
    }

    /// The URLs it listens at, with their ports, in the order in which it was told to.
    pub fn addresses(&self) -> Vec<String> {
        lock(&self.shared().addresses).clone()
    }

    /// What the router counts.
    pub fn statistics(&self) -> Statistics {
        self.shared().counters.read()
    }

    /// Closes the router: it accepts nobody any more, tells each session GOODBYE with
    /// `wamp.close.system_shutdown`, waits for the answers and the connections to end, at most for
    /// the time of [`RouterBuilder::goodbye_timeout`] and two seconds more, and cuts what is left.
    ///
    /// Closing again does nothing more.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the router closing; call again to wait for the end of it.
    pub async fn close(&self) {
        let shared = self.shared();
        shared.closing.happen();
        shared.tasks.close();
        let longest = shared.limits.goodbye.saturating_add(GRACE);
        if timeout(longest, shared.tasks.wait()).await.is_err() {
            shared.force.happen();
            shared.tasks.wait().await;
        }
    }

    /// Waits until the router is closed, by [`close`](Self::close) or by dropping it; to keep a
    /// program running that is nothing but a router.
    ///
    /// # Cancel safety
    ///
    /// Cancel-safe: dropping the future changes nothing.
    pub async fn closed(&self) {
        self.shared().closing.wait().await;
        self.shared().tasks.wait().await;
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.owner.shared
    }
}

impl fmt::Debug for Router {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Router")
            .field("statistics", &self.statistics())
            .finish_non_exhaustive()
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.shared.closing.happen();
        self.shared.force.happen();
        self.shared.tasks.close();
    }
}

/// Builds a [`Router`].
///
/// ```
/// use spell_router::{Realm, Router};
///
/// let router = Router::builder()
///     .realm("com.example.public")
///     .realm(Realm::new("com.example.private").refuse_anonymous().ticket("joe", "secret", "user"))
///     .build()?;
/// # let _ = router;
/// # Ok::<(), spell_router::BuildError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build` or `start`"]
pub struct RouterBuilder {
    realms: Vec<Realm>,
    auto_realms: bool,
    serializers: Vec<AnySerializer>,
    limits: Limits,
    #[cfg(any(feature = "websocket", feature = "rawsocket"))]
    pub(crate) addresses: Vec<String>,
}

impl Default for RouterBuilder {
    fn default() -> Self {
        Self {
            realms: Vec::new(),
            auto_realms: false,
            serializers: AnySerializer::all(),
            limits: Limits {
                queue: QueueLimits {
                    messages: 65_536,
                    bytes: 64 << 20,
                },
                message: 16 << 20,
                handshake: Duration::from_secs(10),
                goodbye: Duration::from_secs(2),
                // Clients of ours ask earlier, and know then how far away the router is.
                keep_alive: Some(KeepAlive::every(Duration::from_secs(30))),
                #[cfg(any(feature = "websocket", feature = "rawsocket"))]
                tcp: TcpOptions::new(),
                connections: 65_536,
                quotas: Quotas::default(),
            },
            #[cfg(any(feature = "websocket", feature = "rawsocket"))]
            addresses: Vec::new(),
        }
    }
}

impl RouterBuilder {
    /// Adds a realm: its name, or a [`Realm`] that says who may join.
    pub fn realm(mut self, realm: impl Into<Realm>) -> Self {
        self.realms.push(realm.into());
        self
    }

    /// Lets every realm be there when someone joins it; anyone may join those that are not added by
    /// [`realm`](Self::realm).
    ///
    /// Without it, joining a realm that was not added fails with `wamp.error.no_such_realm`.
    pub fn auto_realms(mut self) -> Self {
        self.auto_realms = true;
        self
    }

    /// Sets the serializers that clients may choose from; by default all that are compiled in.
    pub fn serializers(mut self, serializers: impl IntoIterator<Item = AnySerializer>) -> Self {
        self.serializers = serializers.into_iter().collect();
        self
    }

    /// Sets how much may wait for one session to read it: by default 65536 messages and 64 MiB.
    ///
    /// A session for which more would have to wait is cut off, and counted in
    /// [`Statistics::too_slow`]. One message may always wait, however large. While half as much
    /// waits, nothing is read from that session, so that none is cut off for the answers to its
    /// own requests.
    pub fn queue_limits(mut self, messages: usize, bytes: usize) -> Self {
        self.limits.queue = QueueLimits { messages, bytes };
        self
    }

    /// Sets the size in bytes of the largest message to take from a client, and to send to a
    /// WebSocket client, which does not say what it takes; 16 MiB by default, and at most that for
    /// RawSocket.
    ///
    /// A client that sends a larger one is cut off. It concerns [`Router::listen`] and the
    /// messages of other listeners are as large as these allow.
    pub fn max_message_size(mut self, bytes: usize) -> Self {
        self.limits.message = bytes;
        self
    }

    /// Sets how many connections there may be at a time, those included whose session is not
    /// established yet; 65536 by default.
    ///
    /// One more is closed at once, and counted in [`Statistics::refused`].
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.limits.connections = connections;
        self
    }

    /// Sets how many subscriptions a session may have at a time; 65536 by default.
    ///
    /// SUBSCRIBE for one more fails with [`LIMIT_EXCEEDED`](crate::LIMIT_EXCEEDED).
    pub fn max_subscriptions(mut self, subscriptions: usize) -> Self {
        self.limits.quotas.subscriptions = subscriptions;
        self
    }

    /// Sets how many registrations a session may have at a time; 65536 by default.
    ///
    /// REGISTER for one more fails with [`LIMIT_EXCEEDED`](crate::LIMIT_EXCEEDED).
    pub fn max_registrations(mut self, registrations: usize) -> Self {
        self.limits.quotas.registrations = registrations;
        self
    }

    /// Sets how many calls of a session may wait for their result at a time; 65536 by default.
    ///
    /// One more fails with [`LIMIT_EXCEEDED`](crate::LIMIT_EXCEEDED).
    pub fn max_calls(mut self, calls: usize) -> Self {
        self.limits.quotas.calls = calls;
        self
    }

    /// Sets how many invocations a session may have to answer at a time; 65536 by default.
    ///
    /// A call that would be one more fails with [`LIMIT_EXCEEDED`](crate::LIMIT_EXCEEDED).
    pub fn max_invocations(mut self, invocations: usize) -> Self {
        self.limits.quotas.invocations = invocations;
        self
    }

    /// Sets how many testaments a session may have at a time, and how many bytes they may take
    /// together; 1024 and 1 MiB by default.
    ///
    /// One more fails with [`LIMIT_EXCEEDED`](crate::LIMIT_EXCEEDED).
    pub fn max_testaments(mut self, testaments: usize, bytes: usize) -> Self {
        self.limits.quotas.testaments = Room {
            events: testaments,
            bytes,
        };
        self
    }

    /// Sets how many events each realm retains, and how much memory they may take: by default 10000
    /// and 16 MiB.
    ///
    /// One more is not retained, although it is published, and counted in
    /// [`Statistics::events_not_kept`]. A realm that is [added](Self::realm) retains them until the
    /// router is gone, any other one until its last session leaves. A subscriber to many topics at once gets what is retained of
    /// all of them at once, so this should be less than [`queue_limits`](Self::queue_limits).
    pub fn retention_limits(mut self, events: usize, bytes: usize) -> Self {
        self.limits.quotas.retained = Room { events, bytes };
        self
    }

    /// Sets how long a client may take from the connection to the established session: by default
    /// 10 s for the handshake of the transport, and as long for that of the session.
    pub fn handshake_timeout(mut self, limit: Duration) -> Self {
        self.limits.handshake = limit;
        self
    }

    /// Sets how long to wait for a client's answer to GOODBYE; 2 s by default.
    pub fn goodbye_timeout(mut self, limit: Duration) -> Self {
        self.limits.goodbye = limit;
        self
    }

    /// Sets when a silent client is pinged, and when it is cut off for not answering, or turns that
    /// off by `None`; by default after 30 s, and after 90 s.
    ///
    /// It concerns clients on a WebSocket and on transports whose pings are
    /// [answered](spell_transport::Pings::Answered); RawSocket clients are never pinged, since some
    /// close the connection then, and are left to [TCP](Self::tcp). Whether something came in is
    /// looked at once in an interval, so it may take one more. Who is cut off is counted in
    /// [`Statistics::unresponsive`].
    pub fn keep_alive(mut self, keep_alive: impl Into<Option<KeepAlive>>) -> Self {
        self.limits.keep_alive = keep_alive.into();
        self
    }

    /// Sets what the system does for the TCP connections of clients; by default it finds out that a
    /// host is gone within a minute. It concerns [`Router::listen`].
    #[cfg(any(feature = "websocket", feature = "rawsocket"))]
    pub fn tcp(mut self, options: TcpOptions) -> Self {
        self.limits.tcp = options;
        self
    }

    /// Builds the router. It serves nobody until it is told whom, by [`Router::listen`],
    /// [`Router::serve`], [`Router::attach`] or [`Router::connector`].
    ///
    /// # Errors
    ///
    /// [`BuildError`] if the name of a realm is no URI, or given twice.
    pub fn build(mut self) -> Result<Router, BuildError> {
        let mut realms = HashMap::new();
        for realm in std::mem::take(&mut self.realms) {
            let (name, access) = realm.into_parts().map_err(BuildError::RealmName)?;
            match realms.entry(name) {
                Entry::Vacant(vacant) => _ = vacant.insert(access),
                Entry::Occupied(twice) => {
                    return Err(BuildError::RealmTwice(twice.key().clone()));
                }
            }
        }
        let unlisted = self.auto_realms.then(Access::default);
        Ok(Router::new(realms, unlisted, &self))
    }
}

/// How long closed connections may take to end.
const GRACE: Duration = Duration::from_secs(2);
