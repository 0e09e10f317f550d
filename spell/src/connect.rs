use std::time::Duration;

use spell_message::{IntoUri, RoleFeatures};
use spell_peer::{InitError, JoinError, NoRetry, PeerBuilder, PeerConfig, RetryPolicy, Supervisor};
use spell_roles::{Callee, Caller, Publisher, Session, Subscriber, auth::Authenticator};
use spell_serializer::AnySerializer;
use spell_transport::{BoxConnector, ConnectorBuilder, KeepAlive, TcpOptions, UrlError};

use crate::{Client, client::ClientRoles};

/// Join a realm of the router at `url`, anonymously and with default settings.
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
pub async fn connect(url: impl AsRef<str>, realm: impl IntoUri) -> Result<Client, JoinError> {
    client(url, realm).connect().await
}

/// Begin a client of the router at `url`; set what differs from the defaults, and
/// [`connect`](ClientBuilder::connect).
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
pub fn client(url: impl AsRef<str>, realm: impl IntoUri) -> ClientBuilder {
    ClientBuilder {
        connector: ConnectorBuilder::new(url.as_ref()),
        session: Session::new(realm),
        config: PeerConfig::default(),
        policy: Box::<NoRetry>::default(),
    }
}

/// The settings of a [`Client`]; made by [`client`].
///
/// What is wrong with the URL or the realm is told by [`connect`](Self::connect) or
/// [`build`](Self::build).
#[derive(Debug)]
#[must_use = "a client is only made by `connect` or `build`"]
pub struct ClientBuilder {
    connector: Result<ConnectorBuilder, UrlError>,
    session: Session,
    config: PeerConfig,
    policy: Box<dyn RetryPolicy>,
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

    /// Try again when joining fails or a session is lost, as `policy` says. Default: the client
    /// ends with its first failure.
    pub fn retry(mut self, policy: impl RetryPolicy) -> Self {
        self.policy = Box::new(policy);
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
        self.connector(|connector| connector.tls_config(config))
    }

    /// Join the realm; the client runs on the tokio runtime this is called on.
    ///
    /// # Errors
    ///
    /// A URL or realm that is not valid is a [`JoinError::Init`]; otherwise why there is no session
    /// once the retry policy gave up.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the attempt and leaves nothing behind.
    pub async fn connect(self) -> Result<Client, JoinError> {
        let (peer, connector) = self.finish()?;
        peer.connect(connector).await
    }

    /// The client, and what runs it. Nothing is spawned; joining begins when the supervisor runs.
    ///
    /// # Errors
    ///
    /// A URL or realm that is not valid.
    pub fn build(self) -> Result<(Client, Supervisor<ClientRoles, BoxConnector>), InitError> {
        let (peer, connector) = self.finish()?;
        peer.build(connector)
    }

    fn connector(mut self, change: impl FnOnce(ConnectorBuilder) -> ConnectorBuilder) -> Self {
        self.connector = self.connector.map(change);
        self
    }

    fn finish(self) -> Result<(PeerBuilder<ClientRoles>, BoxConnector), InitError> {
        let connector = self.connector.and_then(ConnectorBuilder::build);
        let connector =
            connector.map_err(|error| InitError::because("the URL cannot be used", error))?;
        let peer = PeerBuilder::new(self.session)
            .role(Publisher::new())
            .role(Subscriber::new())
            .role(Caller::new())
            .role(Callee::new())
            .configure(|config| *config = self.config)
            .retry(self.policy);
        Ok((peer, connector))
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
        let builder = client("ws://router.example/?token=canary", "realm1")
            .authenticator(spell_roles::auth::Ticket::new("joe", "canary"));
        let shown = format!("{builder:?} {builder:#?}");
        assert!(!shown.contains("canary"), "{shown}");
    }
}
