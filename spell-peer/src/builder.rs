use std::time::Duration;

use spell_message::RoleFeatures;
use spell_serializer::AnySerializer;
use spell_transport::Connector;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    Commands, Engine, InitError, JoinError, NoRetry, Peer, PeerConfig, PeerState, RetryPolicy,
    Role, Supervisor, peer::StateSender, tuple::Push,
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
}

impl<S: Role> PeerBuilder<(S,)> {
    /// Begin with the role that opens the session.
    pub fn new(session: S) -> Self {
        Self {
            roles: (session,),
            config: PeerConfig::default(),
            policy: Box::new(NoRetry),
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

    /// Try again when joining fails or a session is lost, as `policy` says. Default: the peer ends
    /// with its first failure.
    pub fn retry(mut self, policy: impl RetryPolicy) -> Self {
        self.policy = Box::new(policy);
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
    /// Join the session; the peer runs on the tokio runtime this is called on.
    ///
    /// # Errors
    ///
    /// Why there is no session, once the retry policy gave up; without a policy, at the first
    /// failure.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the attempt and leaves nothing behind.
    pub async fn connect<C: Connector>(self, connector: C) -> Result<Peer<R>, JoinError> {
        let (peer, supervisor) = self.build(connector)?;
        tokio::spawn(supervisor.run());
        peer.joined().await?;
        Ok(peer)
    }

    /// The peer, and what runs it. Nothing is spawned; joining begins when the supervisor runs.
    ///
    /// Handles work at once: what needs a session fails, or is done when there is one.
    pub fn build<C: Connector>(
        self,
        connector: C,
    ) -> Result<(Peer<R>, Supervisor<R, C>), InitError> {
        let (commands, inbox) = Commands::channel(&self.config);
        let (state, watch) = watch::channel(PeerState::Connecting { attempt: 0 });
        let stop = CancellationToken::new();
        let engine = Engine::new(self.roles, self.config)?;
        let peer = Peer {
            handles: R::handle(commands),
            state: watch,
            counters: engine.counters().clone(),
            stop: stop.clone(),
        };
        let supervisor = Supervisor {
            engine,
            inbox,
            connector,
            policy: self.policy,
            state: StateSender(state),
            stop,
        };
        Ok((peer, supervisor))
    }
}
