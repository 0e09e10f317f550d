use std::{fmt, ops::RangeInclusive};

/// Which message it is: codes, names, legal lengths and directions.
///
/// WAMP spec, "Message Codes and Direction".
///
/// ```
/// use spell_message::message::Kind;
///
/// assert_eq!(Kind::Event.code(), 36);
/// assert_eq!(Kind::from_code(36), Some(Kind::Event));
/// assert_eq!(Kind::from_code(7), None);
/// assert_eq!(Kind::Event.lengths(), 4..=6);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Kind {
    /// HELLO
    Hello,
    /// WELCOME
    Welcome,
    /// ABORT
    Abort,
    /// CHALLENGE
    Challenge,
    /// AUTHENTICATE
    Authenticate,
    /// GOODBYE
    Goodbye,
    /// ERROR
    Error,
    /// PUBLISH
    Publish,
    /// PUBLISHED
    Published,
    /// SUBSCRIBE
    Subscribe,
    /// SUBSCRIBED
    Subscribed,
    /// UNSUBSCRIBE
    Unsubscribe,
    /// UNSUBSCRIBED
    Unsubscribed,
    /// EVENT
    Event,
    /// CALL
    Call,
    /// CANCEL
    Cancel,
    /// RESULT
    Result,
    /// REGISTER
    Register,
    /// REGISTERED
    Registered,
    /// UNREGISTER
    Unregister,
    /// UNREGISTERED
    Unregistered,
    /// INVOCATION
    Invocation,
    /// INTERRUPT
    Interrupt,
    /// YIELD
    Yield,
    /// `EVENT_RECEIVED`, in the range of codes the specification leaves to extensions.
    EventReceived,
}

/// Who may send a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a session has two ends")]
pub enum Sender {
    /// Only a client.
    Client,
    /// Only a router.
    Router,
    /// Both.
    Both,
}

impl Kind {
    /// Every kind, by rising code.
    pub const ALL: [Self; 25] = [
        Self::Hello,
        Self::Welcome,
        Self::Abort,
        Self::Challenge,
        Self::Authenticate,
        Self::Goodbye,
        Self::Error,
        Self::Publish,
        Self::Published,
        Self::Subscribe,
        Self::Subscribed,
        Self::Unsubscribe,
        Self::Unsubscribed,
        Self::Event,
        Self::Call,
        Self::Cancel,
        Self::Result,
        Self::Register,
        Self::Registered,
        Self::Unregister,
        Self::Unregistered,
        Self::Invocation,
        Self::Interrupt,
        Self::Yield,
        Self::EventReceived,
    ];

    /// The place of the kind in [`ALL`](Self::ALL).
    #[expect(
        clippy::as_conversions,
        reason = "the variants are those of `ALL`, in its order"
    )]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The kind with this code; `None` when the specification assigns the code to no message.
    pub const fn from_code(code: u64) -> Option<Self> {
        Some(match code {
            1 => Self::Hello,
            2 => Self::Welcome,
            3 => Self::Abort,
            4 => Self::Challenge,
            5 => Self::Authenticate,
            6 => Self::Goodbye,
            8 => Self::Error,
            16 => Self::Publish,
            17 => Self::Published,
            32 => Self::Subscribe,
            33 => Self::Subscribed,
            34 => Self::Unsubscribe,
            35 => Self::Unsubscribed,
            36 => Self::Event,
            48 => Self::Call,
            49 => Self::Cancel,
            50 => Self::Result,
            64 => Self::Register,
            65 => Self::Registered,
            66 => Self::Unregister,
            67 => Self::Unregistered,
            68 => Self::Invocation,
            69 => Self::Interrupt,
            70 => Self::Yield,
            337 => Self::EventReceived,
            _ => return None,
        })
    }

    /// The message code.
    pub const fn code(self) -> u64 {
        match self {
            Self::Hello => 1,
            Self::Welcome => 2,
            Self::Abort => 3,
            Self::Challenge => 4,
            Self::Authenticate => 5,
            Self::Goodbye => 6,
            Self::Error => 8,
            Self::Publish => 16,
            Self::Published => 17,
            Self::Subscribe => 32,
            Self::Subscribed => 33,
            Self::Unsubscribe => 34,
            Self::Unsubscribed => 35,
            Self::Event => 36,
            Self::Call => 48,
            Self::Cancel => 49,
            Self::Result => 50,
            Self::Register => 64,
            Self::Registered => 65,
            Self::Unregister => 66,
            Self::Unregistered => 67,
            Self::Invocation => 68,
            Self::Interrupt => 69,
            Self::Yield => 70,
            Self::EventReceived => 337,
        }
    }

    /// The name as the specification writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hello => "HELLO",
            Self::Welcome => "WELCOME",
            Self::Abort => "ABORT",
            Self::Challenge => "CHALLENGE",
            Self::Authenticate => "AUTHENTICATE",
            Self::Goodbye => "GOODBYE",
            Self::Error => "ERROR",
            Self::Publish => "PUBLISH",
            Self::Published => "PUBLISHED",
            Self::Subscribe => "SUBSCRIBE",
            Self::Subscribed => "SUBSCRIBED",
            Self::Unsubscribe => "UNSUBSCRIBE",
            Self::Unsubscribed => "UNSUBSCRIBED",
            Self::Event => "EVENT",
            Self::Call => "CALL",
            Self::Cancel => "CANCEL",
            Self::Result => "RESULT",
            Self::Register => "REGISTER",
            Self::Registered => "REGISTERED",
            Self::Unregister => "UNREGISTER",
            Self::Unregistered => "UNREGISTERED",
            Self::Invocation => "INVOCATION",
            Self::Interrupt => "INTERRUPT",
            Self::Yield => "YIELD",
            Self::EventReceived => "EVENT_RECEIVED",
        }
    }

    /// How many elements the message may have on the wire, its code included.
    ///
    /// The longer form of UNSUBSCRIBED and UNREGISTERED is the notice of a revocation, and legal
    /// only with request id 0.
    pub const fn lengths(self) -> RangeInclusive<usize> {
        match self {
            Self::EventReceived => 2..=2,
            Self::Unsubscribed | Self::Unregistered => 2..=3,
            Self::Hello
            | Self::Welcome
            | Self::Challenge
            | Self::Authenticate
            | Self::Goodbye
            | Self::Published
            | Self::Subscribed
            | Self::Unsubscribe
            | Self::Cancel
            | Self::Registered
            | Self::Unregister
            | Self::Interrupt => 3..=3,
            Self::Abort | Self::Result | Self::Yield => 3..=5,
            Self::Subscribe | Self::Register => 4..=4,
            Self::Publish | Self::Event | Self::Call | Self::Invocation => 4..=6,
            Self::Error => 5..=7,
        }
    }

    /// Who may send it.
    pub const fn sender(self) -> Sender {
        match self {
            Self::Abort | Self::Goodbye | Self::Error => Sender::Both,
            Self::Hello
            | Self::Authenticate
            | Self::Publish
            | Self::Subscribe
            | Self::Unsubscribe
            | Self::EventReceived
            | Self::Call
            | Self::Cancel
            | Self::Register
            | Self::Unregister
            | Self::Yield => Sender::Client,
            Self::Welcome
            | Self::Challenge
            | Self::Published
            | Self::Subscribed
            | Self::Unsubscribed
            | Self::Event
            | Self::Result
            | Self::Registered
            | Self::Unregistered
            | Self::Invocation
            | Self::Interrupt => Sender::Router,
        }
    }
}

/// The name as the specification writes it.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_specification_and_lead_back() {
        assert_eq!(Kind::ALL.len(), 25);
        for (index, kind) in Kind::ALL.into_iter().enumerate() {
            assert_eq!(kind.index(), index);
            assert_eq!(Kind::from_code(kind.code()), Some(kind), "{kind}");
        }
        assert!(Kind::ALL.is_sorted_by_key(|kind| kind.code()));
        let assigned = (0..2000).filter(|code| Kind::from_code(*code).is_some());
        assert_eq!(assigned.count(), 25);
    }
}
