use std::time::Duration;

use spell_message::{IntoUri, RoleFeatures};
use spell_peer::{
    Endpoints, InitError, JoinError, NoRetry, PeerBuilder, PeerConfig, RetryPolicy, Supervisor,
};
use spell_roles::{Callee, Caller, Outbox, Publisher, Session, Subscriber, auth::Authenticator};
use spell_serializer::AnySerializer;
use spell_transport::{BoxConnector, ConnectorBuilder, KeepAlive, TcpOptions, UrlError};

use crate::{Client, client::ClientRoles, urls::IntoUrls};

/// Join a realm of the router at `url`, or of the first of several that lets it, anonymously and with
/// default settings.
///
/// The forms of the URL are those of [`spell_transport::connector`]: `ws://`, `wss://`, `rs://`,
/// `rss://`, `unix:` and more, as far as their features are compiled in. For anything else than the
/// defaults there is [`client`].
///
/// # Errors
///
/// A URL or realm that is not valid is a [`JoinError::Init`]; otherwise why there is no session.
///
/// # Cancel safety
///
/// Dropping the future ends the attempt and leaves nothing behind.
///
/// # Examples
///
/// ```
/// # #[cfg(all(feature = "websocket", feature = "json"))]
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # use spell_router::Router;
/// use spell::prelude::*;
///
/// # let router = Router::local();
/// # let url = router.listen("ws://127.0.0.1:0").await.unwrap();
/// let client = spell::connect(&url, "realm1").await?;
/// println!("joined {}", client.joined().await?.realm());
/// client.leave().await?;
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
pub async fn connect<M>(url: impl IntoUrls<M>, realm: impl IntoUri) -> Result<Client, JoinError> {
    client(url, realm).connect().await
}

/// Begin a client of the router at `url`, or of one of several, best first; set what differs from
/// the defaults, and [`connect`](ClientBuilder::connect).
///
/// With several routers, another one is tried when one is not there, breaks, or shuts down; see
/// [`Endpoints`] for when and in which order.
///
/// # Examples
///
/// ```
/// # #[cfg(all(feature = "websocket", feature = "json"))]
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # use spell_router::{Realm, Router};
/// use std::time::Duration;
/// use spell::{Backoff, auth::Ticket, prelude::*, serializer::Json};
///
/// # let realm = Realm::new("realm1").refuse_anonymous().ticket("joe", "secret", "user");
/// # let router = Router::builder().realm(realm).build().unwrap();
/// # let url = router.listen("ws://127.0.0.1:0").await.unwrap();
/// let client = spell::client(&url, "realm1")
///     .authenticator(Ticket::new("joe", "secret"))
///     .serializers([Json::new()])
///     .retry(Backoff::new())
///     .request_timeout(Duration::from_secs(5))
///     .connect()
///     .await?;
/// assert_eq!(client.joined().await?.authid(), Some("joe"));
/// # client.leave().await?;
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
///
/// Two routers, the second for when the first is away:
///
/// ```
/// # #[cfg(all(feature = "websocket", feature = "json"))]
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # use spell_router::Router;
/// use spell::{Backoff, prelude::*};
///
/// # let router = Router::local();
/// # let spare = router.listen("ws://127.0.0.1:0").await.unwrap();
/// # let main = "ws://127.0.0.1:1";
/// let client = spell::client([main, &spare], "realm1")
///     .retry(Backoff::new())
///     .connect()
///     .await?;
/// println!("joined at {:?}", client.joined().await?.endpoint());
/// # client.leave().await?;
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
pub fn client<M>(url: impl IntoUrls<M>, realm: impl IntoUri) -> ClientBuilder {
    let urls = url.into_urls().into_iter();
    ClientBuilder {
        connectors: urls.map(|url| ConnectorBuilder::new(&url)).collect(),
        shuffle: false,
        session: Session::new(realm),
        config: PeerConfig::default(),
        publisher: Publisher::new(),
        policy: Box::<NoRetry>::default(),
        patient: false,
    }
}

/// The settings of a [`Client`]; made by [`client`].
///
/// What is wrong with the URL or the realm is told by [`connect`](Self::connect) or
/// [`build`](Self::build).
#[derive(Debug)]
#[must_use = "a client is only made by `connect` or `build`"]
pub struct ClientBuilder {
    connectors: Result<Vec<ConnectorBuilder>, UrlError>,
    shuffle: bool,
    session: Session,
    config: PeerConfig,
    publisher: Publisher,
    policy: Box<dyn RetryPolicy>,
    patient: bool,
}

impl ClientBuilder {
    /// Offer an authentication method; several are offered in the order they are added. Default:
    /// the session is anonymous. See [`auth`](crate::auth).
    pub fn authenticator(self, authenticator: impl Authenticator) -> Self {
        self.session(|session| session.authenticator(authenticator))
    }

    /// Change any setting of the [`Session`].
    ///
    /// ```
    /// # #[cfg(feature = "websocket")]
    /// let builder = spell::client("ws://router.example", "realm1")
    ///     .session(|session| session.agent("example/1.0"));
    /// ```
    pub fn session(mut self, change: impl FnOnce(Session) -> Session) -> Self {
        self.session = change(self.session);
        self
    }

    /// Offer these serializers, best first. Default: all that are compiled in.
    pub fn serializers<S: Into<AnySerializer>>(self, offers: impl IntoIterator<Item = S>) -> Self {
        let offers = offers.into_iter().map(Into::into).collect();
        self.configure(|config| config.serializers = offers)
    }

    /// Try again when a session is lost, as `policy` says, and when joining fails; but see
    /// [`wait_for_router`](Self::wait_for_router) for the first time. Default: the client ends when
    /// it cannot join, or lost, its router; of several, when it was at each.
    pub fn retry(mut self, policy: impl RetryPolicy) -> Self {
        self.policy = Box::new(policy);
        self
    }

    /// Keep publications while there is no session, as far as the [`Outbox`] has room, and send them
    /// in order in the next one. Default: without a session they fail at once.
    ///
    /// ```
    /// # #[cfg(feature = "websocket")] {
    /// use std::time::Duration;
    /// use spell::{Backoff, Outbox};
    ///
    /// // Up to 1000 publications, of 1 MiB together, for 5 minutes.
    /// let builder = spell::client("ws://router.example", "realm1")
    ///     .retry(Backoff::new())
    ///     .outbox(Outbox::new(1000, 1 << 20, Duration::from_secs(300)));
    /// # }
    /// ```
    pub fn outbox(mut self, outbox: Outbox) -> Self {
        self.publisher = self.publisher.outbox(outbox);
        self
    }

    /// Let [`connect`](Self::connect) wait, as the retry policy says, for a router that is not there
    /// yet. Default: it fails when each router was tried once; see
    /// [`PeerBuilder::wait_for_router`].
    pub fn wait_for_router(mut self) -> Self {
        self.patient = true;
        self
    }

    /// Try several routers in a random order, so that many clients spread over them. Default: the
    /// order they are given in.
    pub fn shuffle(mut self) -> Self {
        self.shuffle = true;
        self
    }

    /// How long dialling, handshake and joining may take together. Default: 10 s.
    pub fn join_timeout(self, limit: Duration) -> Self {
        self.configure(|config| config.join_timeout = limit)
    }

    /// How long a request may wait for its answer; `None` waits for ever. Default: 30 s.
    pub fn request_timeout(self, limit: impl Into<Option<Duration>>) -> Self {
        let limit = limit.into();
        self.configure(|config| config.request_timeout = limit)
    }

    /// Ask a silent router whether it is still there, or never with `None`, and give it up if it
    /// does not answer. Default: after 20 s, and after 60 s. See [`PeerConfig::keep_alive`].
    ///
    /// ```
    /// use std::time::Duration;
    /// use spell::transport::KeepAlive;
    ///
    /// # #[cfg(feature = "websocket")]
    /// let builder = spell::client("ws://router.example", "realm1")
    ///     .keep_alive(KeepAlive::within(Duration::from_secs(2)));
    /// ```
    pub fn keep_alive(self, keep_alive: impl Into<Option<KeepAlive>>) -> Self {
        let keep_alive = keep_alive.into();
        self.configure(|config| config.keep_alive = keep_alive)
    }

    /// Announce features beside those of the roles, or withdraw some.
    pub fn features(self, features: &RoleFeatures) -> Self {
        self.configure(|config| config.features.merge(features))
    }

    /// Change any setting of the peer.
    pub fn configure(mut self, change: impl FnOnce(&mut PeerConfig)) -> Self {
        change(&mut self.config);
        self
    }

    /// The size in bytes of the largest message to take. Default: 16 MiB. RawSocket uses the next
    /// lower power of two.
    pub fn max_message_size(self, bytes: usize) -> Self {
        self.connector(|connector| connector.max_message_size(bytes))
    }

    /// What the system does for a TCP connection. Without effect on a Unix socket.
    pub fn tcp(self, options: TcpOptions) -> Self {
        self.connector(|connector| connector.tcp(options))
    }

    /// The TLS configuration, for certificates and trust of one's own. Without effect on a URL
    /// without TLS. Default: the trust of the operating system.
    #[cfg(feature = "tls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
    pub fn tls_config(self, config: std::sync::Arc<spell_transport::rustls::ClientConfig>) -> Self {
        self.connector(move |connector| connector.tls_config(config.clone()))
    }

    /// Join the realm; the client runs on the tokio runtime this is called on.
    ///
    /// # Errors
    ///
    /// A URL or realm that is not valid is a [`JoinError::Init`]; otherwise why there is no session
    /// at the router tried last, or, when told to [wait](Self::wait_for_router), when the retry
    /// policy gave up.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the attempt and leaves nothing behind.
    pub async fn connect(self) -> Result<Client, JoinError> {
        let (peer, endpoints) = self.finish()?;
        peer.connect(endpoints).await
    }

    /// The client, and what runs it. Nothing is spawned; joining begins when the supervisor runs.
    ///
    /// # Errors
    ///
    /// A URL or realm that is not valid.
    pub fn build(self) -> Result<(Client, Supervisor<ClientRoles, BoxConnector>), InitError> {
        let (peer, endpoints) = self.finish()?;
        peer.build(endpoints)
    }

    fn connector(mut self, change: impl Fn(ConnectorBuilder) -> ConnectorBuilder) -> Self {
        let change = |connectors: Vec<_>| connectors.into_iter().map(change).collect();
        self.connectors = self.connectors.map(change);
        self
    }

    fn finish(self) -> Result<(PeerBuilder<ClientRoles>, Endpoints<BoxConnector>), InitError> {
        let build = |connectors: Vec<_>| {
            let connectors = connectors.into_iter().map(ConnectorBuilder::build);
            connectors.collect::<Result<Vec<_>, _>>()
        };
        let connectors = self.connectors.and_then(build);
        let connectors =
            connectors.map_err(|error| InitError::because("the URL cannot be used", error))?;
        let mut endpoints = Endpoints::new(connectors);
        if self.shuffle {
            endpoints = endpoints.shuffle();
        }
        let mut peer = PeerBuilder::new(self.session)
            .role(self.publisher)
            .role(Subscriber::new())
            .role(Caller::new())
            .role(Callee::new())
            .configure(|config| *config = self.config)
            .retry(self.policy);
        if self.patient {
            peer = peer.wait_for_router();
        }
        Ok((peer, endpoints))
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;

    #[tokio::test]
    async fn a_url_that_is_none_is_an_error_of_connect() {
        let error = connect("http://router.example", "realm1")
            .await
            .unwrap_err();
        assert!(matches!(error, JoinError::Init(_)), "{error}");
        let error = error.source().unwrap();
        assert_eq!(error.to_string(), "the URL cannot be used");
        assert!(error.source().is_some());
    }

    #[tokio::test]
    async fn a_realm_that_is_none_is_an_error_of_connect() {
        let error = connect("ws://127.0.0.1:1", "a realm").await.unwrap_err();
        assert!(matches!(error, JoinError::Init(_)), "{error}");
    }

    #[test]
    fn no_secret_shows_in_the_settings() {
        let urls = [
            "ws://router.example/?token=canary",
            "ws://localhost/canary?canary",
        ];
        let builder =
            client(urls, "realm1").authenticator(spell_roles::auth::Ticket::new("joe", "canary"));
        let shown = format!("{builder:?} {builder:#?}");
        assert!(!shown.contains("canary"), "{shown}");
        let (_, endpoints) = builder.finish().unwrap();
        let shown = format!("{endpoints:?}");
        assert_eq!(shown, r#"["ws://router.example:80", "ws://localhost:80"]"#);
    }
}
