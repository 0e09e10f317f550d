use crate::{Payload, RequestId, Uri, message::Kind, options::ErrorDetails};

/// ERROR: a request failed.
///
/// WAMP spec, "ERROR".
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "fixed by the specification")]
pub struct ErrorMessage {
    /// What kind of request failed.
    pub request_kind: RequestKind,
    /// The request that failed.
    pub request: RequestId,
    /// What implementations add.
    pub details: ErrorDetails,
    /// What went wrong.
    pub error: Uri,
    /// What the router or the callee wants to add.
    pub payload: Payload,
}

/// The requests that an ERROR can answer.
///
/// WAMP spec, "ERROR" (`REQUEST.Type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "fixed by the specification")]
pub enum RequestKind {
    /// PUBLISH, when it asked to be acknowledged.
    Publish,
    /// SUBSCRIBE
    Subscribe,
    /// UNSUBSCRIBE
    Unsubscribe,
    /// CALL
    Call,
    /// REGISTER
    Register,
    /// UNREGISTER
    Unregister,
    /// INVOCATION: only a callee sends this one, only a dealer gets it.
    Invocation,
}

impl RequestKind {
    /// The kind of the message that failed.
    pub const fn kind(self) -> Kind {
        match self {
            Self::Publish => Kind::Publish,
            Self::Subscribe => Kind::Subscribe,
            Self::Unsubscribe => Kind::Unsubscribe,
            Self::Call => Kind::Call,
            Self::Register => Kind::Register,
            Self::Unregister => Kind::Unregister,
            Self::Invocation => Kind::Invocation,
        }
    }

    /// The code of the message that failed.
    pub const fn code(self) -> u64 {
        self.kind().code()
    }

    /// The request with this code; `None` for a message that an ERROR cannot answer.
    pub const fn from_code(code: u64) -> Option<Self> {
        Some(match code {
            16 => Self::Publish,
            32 => Self::Subscribe,
            34 => Self::Unsubscribe,
            48 => Self::Call,
            64 => Self::Register,
            66 => Self::Unregister,
            68 => Self::Invocation,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_failed_requests_lead_back() {
        let kinds: Vec<_> = (0..1024).filter_map(RequestKind::from_code).collect();
        assert_eq!(kinds.len(), 7);
        assert!(
            kinds
                .iter()
                .all(|kind| RequestKind::from_code(kind.code()) == Some(*kind))
        );
    }
}
