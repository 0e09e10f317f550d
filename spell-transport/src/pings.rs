//! What transports tell of whether the other side is there.

/// Whether a transport has pings of its own, and whether they may be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pings {
    /// It has none; who wants to know whether the other side is there must send a message that is
    /// answered.
    #[default]
    None,
    /// It has none and needs none: the other side cannot be gone unnoticed, as in memory.
    Needless,
    /// It has some, but there are other sides that do not answer, or close the connection instead.
    /// To be used only where the other side is known.
    Risky,
    /// It has some, and every other side answers.
    Answered,
}

/// What a transport heard of the other side, beside messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "transports of others give them")]
pub enum LifeSign {
    /// Nothing.
    #[default]
    None,
    /// Something came in: a part of a message, a ping.
    Heard,
    /// The answer to the ping with this number came in.
    Pong(u64),
}

/// The pings that this side sends, and what is heard of them.
#[cfg(any(feature = "websocket", feature = "rawsocket"))]
#[derive(Debug, Default)]
pub(crate) struct OwnPings {
    /// One may be in the write buffer, which is then flushed before a message goes in.
    pub(crate) waiting: bool,
    /// The number of the last pong.
    answered: Option<u64>,
}

#[cfg(any(feature = "websocket", feature = "rawsocket"))]
impl OwnPings {
    /// The payload of the ping with this number.
    pub(crate) fn payload(number: u64) -> bytes::Bytes {
        bytes::Bytes::copy_from_slice(&number.to_be_bytes())
    }

    /// A pong came in; one with such a payload that no ping of ours had is no answer.
    pub(crate) fn answer(&mut self, pong: &[u8]) {
        if let Ok(number) = pong.try_into() {
            self.answered = Some(u64::from_be_bytes(number));
        }
    }

    /// What was heard since this was asked last.
    pub(crate) fn take_sign(&mut self, heard: bool) -> LifeSign {
        match self.answered.take() {
            Some(number) => LifeSign::Pong(number),
            None if heard => LifeSign::Heard,
            None => LifeSign::None,
        }
    }
}
