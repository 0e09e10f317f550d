use std::time::Duration;

use spell_message::RoleFeatures;
use spell_serializer::AnySerializer;
use spell_transport::{Connector, KeepAlive};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    Commands, Endpoints, Engine, InitError, JoinError, NoRetry, Peer, PeerConfig, PeerState,
    RetryPolicy, Role, Supervisor,
    events::{EventSender, EventSource},
    peer::StateSender,
    tuple::Push,
};

/// Collects the roles and the settings of a peer.
///
/// The role that opens the session comes first; the others follow in the order in which messages
/// are offered to them.
#[derive(Debug)]
#[must_use = "a peer runs only once it is connected or built"]
pub struct PeerBuilder<R> {
    roles: R,
    config: PeerConfig,
    policy: Box<dyn RetryPolicy>,
    patient: bool,
}

impl<S: Role> PeerBuilder<(S,)> {
    /// Begin with the role that opens the session.
    pub fn new(session: S) -> Self {
        Self {
            roles: (session,),
            config: PeerConfig::default(),
            policy: Box::new(NoRetry),
            patient: false,
        }
    }
}

impl<R> PeerBuilder<R> {
    /// Add a role.
    pub fn role<T: Role>(self, role: T) -> PeerBuilder<R::Output>
    where
        R: Push<T>,
    {
        PeerBuilder {
            roles: self.roles.push(role),
            config: self.config,
            policy: self.policy,
            patient: self.patient,
        }
    }

    /// Offer these serializers, best first. Default: all that are compiled in.
    pub fn serializers(mut self, offers: impl IntoIterator<Item = AnySerializer>) -> Self {
        self.config.serializers = offers.into_iter().collect();
        self
    }

    /// Announce features beside those of the roles, or withdraw some.
    pub fn features(mut self, features: &RoleFeatures) -> Self {
        self.config.features.merge(features);
        self
    }

    /// How long dialling, handshake and joining may take together. Default: 10 s.
    pub fn join_timeout(mut self, limit: Duration) -> Self {
        self.config.join_timeout = limit;
        self
    }

    /// How long a request may wait for its answer; `None` waits for ever. Default: 30 s.
    pub fn request_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.config.request_timeout = limit.into();
        self
    }

    /// Ask a silent router whether it is still there, or never with `None`, and give it up if it
    /// does not answer. Default: after 20 s, and after 60 s. See [`PeerConfig::keep_alive`].
    ///
    /// ```
    /// use std::time::Duration;
    /// use spell_transport::KeepAlive;
    /// # use spell_peer::{PeerBuilder, Role};
    /// # fn example<R>(builder: PeerBuilder<R>) -> PeerBuilder<R> {
    /// builder.keep_alive(KeepAlive::within(Duration::from_secs(2)))
    /// # }
    /// ```
    pub fn keep_alive(mut self, keep_alive: impl Into<Option<KeepAlive>>) -> Self {
        self.config.keep_alive = keep_alive.into();
        self
    }

    /// Try again when a session is lost, as `policy` says, and when joining fails; but see
    /// [`wait_for_router`](Self::wait_for_router) for the first time. Default: [`NoRetry`].
    pub fn retry(mut self, policy: impl RetryPolicy) -> Self {
        self.policy = Box::new(policy);
        self
    }

    /// Let [`connect`](Self::connect) wait, as the retry policy says, for a router that is not there
    /// yet.
    ///
    /// Default: it fails when each router was tried once, as a wrong address would look the same.
    /// Only a router that says itself that it cannot serve just now, by an ABORT of a passing kind
    /// (`wamp.close.system_shutdown`, `wamp.error.unavailable`, `network_failure`, `timeout`, or
    /// `transient` as its nature), is waited for in any case.
    pub fn wait_for_router(mut self) -> Self {
        self.patient = true;
        self
    }

    /// Change any setting.
    pub fn configure(mut self, change: impl FnOnce(&mut PeerConfig)) -> Self {
        change(&mut self.config);
        self
    }
}

impl<R: Role> PeerBuilder<R>
where
    R::Command: Unpin,
{
    /// Join the session; the peer runs on the tokio runtime this is called on. Takes a connector, or
    /// [`Endpoints`], of which the first that lets it join is used.
    ///
    /// # Errors
    ///
    /// Why there is no session at the router tried last, unless told to
    /// [wait](Self::wait_for_router); then, why there was none when the retry policy gave up.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the attempt and leaves nothing behind.
    pub async fn connect<C: Connector>(
        self,
        endpoints: impl Into<Endpoints<C>>,
    ) -> Result<Peer<R>, JoinError> {
        let impatient = !self.patient;
        let (peer, mut supervisor) = self.build(endpoints)?;
        supervisor.impatient = impatient;
        tokio::spawn(supervisor.run());
        peer.joined().await?;
        Ok(peer)
    }

    /// The peer, and what runs it. Nothing is spawned; joining begins when the supervisor runs.
    ///
    /// Handles work at once: what needs a session fails, or is done when there is one. The retry
    /// policy counts from the first attempt on.
    ///
    /// # Errors
    ///
    /// A role cannot begin as it was configured, or there is no router in the list.
    pub fn build<C: Connector>(
        self,
        endpoints: impl Into<Endpoints<C>>,
    ) -> Result<(Peer<R>, Supervisor<R, C>), InitError> {
        let endpoints = endpoints.into();
        if endpoints.is_empty() {
            return Err(InitError::new("there is no router to join at"));
        }
        let (commands, inbox) = Commands::channel(&self.config);
        let (state, watch) = watch::channel(PeerState::connecting());
        let events = EventSource::default();
        let stop = CancellationToken::new();
        let engine = Engine::new(self.roles, self.config)?;
        let peer = Peer {
            handles: R::handle(commands),
            state: watch,
            counters: engine.counters().clone(),
            events: events.clone(),
            stop: stop.clone(),
        };
        let supervisor = Supervisor {
            engine,
            inbox,
            endpoints,
            policy: self.policy,
            impatient: false,
            state: StateSender {
                state,
                events: EventSender(events),
            },
            stop,
        };
        Ok((peer, supervisor))
    }
}
