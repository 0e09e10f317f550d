//! What can go wrong.

use spell_message::{
    InvalidUri, RequestId, Uri,
    message::{Abort, RequestKind},
    reason,
};

use crate::realm::abort;

/// How a client broke the protocol, after which its session is over.
///
/// WAMP spec, "Protocol Errors".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Violation {
    #[error("request id {found} where {expected} was next")]
    RequestId {
        expected: RequestId,
        found: RequestId,
    },
    #[error("{0} is not to be sent by a client in this state")]
    Unexpected(&'static str),
    #[error("a message with the unknown code {0}")]
    UnknownMessage(u64),
    #[error("ERROR for a {}, where only one for an INVOCATION can be", .0.kind())]
    ErrorFor(RequestKind),
    #[error("an answer to the invocation {0}, which never was")]
    UnknownInvocation(RequestId),
    #[error("{0}, which this router did not announce")]
    NotAnnounced(&'static str),
    #[error("HELLO announces no role of a client")]
    NoRoles,
    #[error("{0}")]
    Undecodable(String),
    #[error("{0}")]
    Transport(String),
}

impl Violation {
    pub(crate) fn abort(&self) -> Abort {
        abort(reason::PROTOCOL_VIOLATION, self.to_string())
    }
}

/// Why a router could not be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The name of a realm is no URI.
    #[error("the name of a realm is not valid")]
    RealmName(#[source] InvalidUri),
    /// Two realms have the same name.
    #[error("the realm {0} is there twice")]
    RealmTwice(Uri),
}
