//! What a peer counted, as anyone may see it.

use spell_message::message::Kind;

/// What a peer did since it was built, what waits now, and what it had to drop. Made by
/// [`Peer::statistics`](crate::Peer::statistics).
///
/// Counting costs the peer no lock. The figures are read one after another while it works, so that
/// one may be ahead of another by a message.
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
