//! What a peer counted, as anyone may see it.

use spell_message::message::Kind;

/// What a peer did since it was built, what waits now, and what it had to drop. Made by
/// [`Peer::statistics`](crate::Peer::statistics).
///
/// Counting costs the peer no lock. The figures are read one after another while it works, so that
/// one may be ahead of another by a message.
///
/// # Metrics
///
/// With the feature `metrics`, which is off by default, the figures go to the recorder of the crate
/// [`metrics`](https://docs.rs/metrics) as well, each with the label `realm`: the realm that the
/// peer is to join. Peers of one realm are summed up. Install the recorder before the peers connect.
///
/// | counter | counts |
/// |---|---|
/// | `spell_attempts_total` | [`attempts`](Self::attempts) |
/// | `spell_sessions_joined_total` | [`joined`](Self::joined) |
/// | `spell_sessions_lost_total` | [`lost`](Self::lost) |
/// | `spell_reconnects_total` | [`reconnects`](Self::reconnects) |
/// | `spell_messages_sent_total`, `spell_bytes_sent_total` | [`sent`](Self::sent), with the label `kind`: the name of the message, such as `CALL`, or `other` |
/// | `spell_messages_received_total`, `spell_bytes_received_total` | [`received`](Self::received), with the same |
/// | `spell_late_answers_total` | [`late_answers`](Self::late_answers) |
/// | `spell_events_dropped_total` | [`events_dropped`](Self::events_dropped) |
/// | `spell_results_dropped_total` | [`results_dropped`](Self::results_dropped) |
/// | `spell_invocations_refused_total` | [`invocations_refused`](Self::invocations_refused) |
/// | `spell_publications_lost_total` | [`publications_lost`](Self::publications_lost) |
///
/// | gauge | is |
/// |---|---|
/// | `spell_sessions` | how many sessions are joined now |
/// | `spell_pending_requests` | [`pending_requests`](Self::pending_requests) |
/// | `spell_outbox_bytes` | [`outbox_bytes`](Self::outbox_bytes) |
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// How often the router was dialled.
    pub attempts: u64,
    /// Sessions that were joined, the present one included.
    pub joined: u64,
    /// Sessions that ended otherwise than by the wish of this peer.
    pub lost: u64,
    /// What was handed to the transport.
    pub sent: Traffic,
    /// What came from the transport.
    pub received: Traffic,
    /// Requests that wait for the answer of the router now.
    pub pending_requests: u64,
    /// Bytes that wait for the transport now.
    pub outbox_bytes: u64,
    /// Answers that nobody waited for any more, and that were dropped.
    pub late_answers: u64,
    /// Events that were lost because the queue of their subscription was full.
    pub events_dropped: u64,
    /// Progressive results that were lost because the queue of their call was full.
    pub results_dropped: u64,
    /// Invocations that were answered with `wamp.error.unavailable`, since there were more than
    /// their registration takes.
    pub invocations_refused: u64,
    /// Publications without acknowledgement that were handed to a joined session, which ended before
    /// they were committed to the wire.
    pub publications_lost: u64,
}

impl Statistics {
    /// How often a session was joined after the first one.
    pub fn reconnects(&self) -> u64 {
        self.joined.saturating_sub(1)
    }
}

/// Messages and their bytes in one direction, by the kind of message.
///
/// Bytes are those of the serialized messages, without the framing of the transport.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traffic {
    pub(crate) kinds: [Volume; Kind::ALL.len()],
    pub(crate) other: Volume,
}

impl Traffic {
    /// The messages of one kind.
    pub fn of(&self, kind: Kind) -> Volume {
        self.kinds.get(kind.index()).copied().unwrap_or_default()
    }

    /// Messages of no kind that the specification knows, and frames that were no message.
    pub fn other(&self) -> Volume {
        self.other
    }

    /// All messages.
    pub fn total(&self) -> Volume {
        self.kinds.iter().fold(self.other, |sum, volume| Volume {
            messages: sum.messages.saturating_add(volume.messages),
            bytes: sum.bytes.saturating_add(volume.bytes),
        })
    }
}

impl Default for Traffic {
    fn default() -> Self {
        Self {
            kinds: [Volume::default(); Kind::ALL.len()],
            other: Volume::default(),
        }
    }
}

/// How many messages, and how many bytes they had together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Volume {
    /// How many.
    pub messages: u64,
    /// Their bytes.
    pub bytes: u64,
}
