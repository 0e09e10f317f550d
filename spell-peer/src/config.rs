use std::time::Duration;

use spell_message::RoleFeatures;
use spell_serializer::AnySerializer;

/// The settings of a peer, as its roles see them.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PeerConfig {
    /// The serializers to offer, best first. Default: all that are compiled in.
    pub serializers: Vec<AnySerializer>,
    /// Features to announce beside those of the roles, or to withdraw. Default: none.
    pub features: RoleFeatures,
    /// How long dialling, handshake and joining may take together. Default: 10 s.
    pub join_timeout: Duration,
    /// How long a request may wait for its answer; `None` waits for ever. Default: 30 s.
    pub request_timeout: Option<Duration>,
    /// How many commands may wait for the driver before handles have to wait. Default: 256.
    pub command_capacity: usize,
    /// How many bytes may wait for the wire before commands have to wait. Default: 8 MiB.
    pub outbox_soft_limit: usize,
    /// How many bytes may wait for the wire, behind them one more message of any size, before the
    /// session ends. Answers to the router may pass the soft limit, never this one. Default: 32 MiB.
    pub outbox_hard_limit: usize,
    /// How long the last messages and the closing of the transport may take. Default: 1 s.
    pub close_timeout: Duration,
}

impl Default for PeerConfig {
    fn default() -> Self {
        Self {
            serializers: AnySerializer::all(),
            features: RoleFeatures::new(),
            join_timeout: Duration::from_secs(10),
            request_timeout: Some(Duration::from_secs(30)),
            command_capacity: 256,
            outbox_soft_limit: 8 << 20,
            outbox_hard_limit: 32 << 20,
            close_timeout: Duration::from_secs(1),
        }
    }
}
