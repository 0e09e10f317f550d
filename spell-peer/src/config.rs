use std::time::Duration;

use spell_message::RoleFeatures;
use spell_serializer::AnySerializer;
use spell_transport::KeepAlive;

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
    /// How long the router may be silent before it is asked whether it is there, and after how many
    /// unanswered questions the session ends with
    /// [`CloseReason::Unresponsive`](crate::CloseReason::Unresponsive); `None` never asks. Default:
    /// after 20 s and two, which is 60 s.
    ///
    /// While something comes in, nothing is asked. A question has to get past what waits in the
    /// buffers of the transport and of the system: on a line too slow to send that within the time
    /// for the answer, allow more.
    pub keep_alive: Option<KeepAlive>,
    /// How the router is asked. Default: [`Probe::Automatic`].
    pub probe: Probe,
    /// How many commands may wait for the driver before handles have to wait, which keep their
    /// arguments meanwhile: so fewer save little memory. Default: 1024.
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
            keep_alive: Some(KeepAlive::default()),
            probe: Probe::default(),
            command_capacity: 1024,
            outbox_soft_limit: 8 << 20,
            outbox_hard_limit: 32 << 20,
            close_timeout: Duration::from_secs(1),
        }
    }
}

/// How a peer asks a silent router whether it is still there.
///
/// The round trip is a request that every router answers and that has no effect: UNSUBSCRIBE for a
/// subscription that there cannot be, or UNREGISTER where there is no broker. No role gets to see
/// the answer. Unlike a ping it waits for its turn behind other requests, since their ids have no
/// gap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Probe {
    /// By what is known to work:
    ///
    /// * on a WebSocket by its pings;
    /// * on a RawSocket by its PINGs if the router is `spell-router`, as its WELCOME tells, else by a
    ///   round trip: Crossbar.io closes the connection on a PING;
    /// * in memory not at all, since there the end of the router shows at once;
    /// * on other transports by their pings if they say that these are
    ///   [answered](spell_transport::Pings::Answered), else by a round trip.
    #[default]
    Automatic,
    /// By the pings of the transport also where not every router answers them, for a router that is
    /// known to; by a round trip where there are none.
    Ping,
    /// By a round trip, on every transport.
    RoundTrip,
}
