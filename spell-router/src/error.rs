//! What can go wrong.

use std::io;

use spell_message::{
    InvalidUri, RequestId, Uri,
    message::{Abort, RequestKind},
    reason,
};
use spell_serializer::DecodeError;

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
    #[error("{0}, which the client did not announce")]
    Unannounced(&'static str),
    #[error("CALL {0} again, whose arguments are complete")]
    CompleteCall(RequestId),
    #[error("CALL {0} again, for another procedure")]
    OtherProcedure(RequestId),
    #[error("HELLO announces no role of a client")]
    NoRoles,
    #[error(
        "a frame of {size} bytes, where {limit} are the most before the session is established"
    )]
    LargeOpening { size: usize, limit: usize },
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

/// The error and what is behind it, in one line.
pub(crate) fn describe(error: &DecodeError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
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

/// Why a router cannot listen at a URL.
///
/// The URL itself is not in it, for people put secrets into URLs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListenError {
    /// The URL cannot be used.
    #[error("not a URL to listen at: {reason}")]
    Url {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The scheme is none that the router knows.
    #[error("unknown URL scheme {scheme:?}")]
    UnknownScheme {
        /// The beginning of the scheme.
        scheme: String,
    },
    /// The scheme needs a feature of this crate that is not compiled in.
    #[error("the URL scheme {scheme:?} needs the feature `{feature}`")]
    MissingFeature {
        /// The scheme.
        scheme: &'static str,
        /// The feature.
        feature: &'static str,
    },
    /// The scheme is one with TLS, which needs a certificate: use `listen_tls`.
    #[error("the URL scheme {scheme:?} needs a certificate: use `listen_tls`")]
    NeedsCertificate {
        /// The scheme.
        scheme: &'static str,
    },
    /// A certificate was given, but the scheme is one without TLS.
    #[error("the URL scheme {scheme:?} is one without TLS")]
    NotTls {
        /// The scheme.
        scheme: &'static str,
    },
    /// The router is closed.
    #[error("the router is closed")]
    Closed,
    /// The address cannot be had.
    #[error("cannot listen at {address}")]
    Bind {
        /// The address.
        address: String,
        /// Why.
        source: io::Error,
    },
}

/// Why a router could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// It could not be built.
    #[error("the router cannot be built")]
    Build(#[from] BuildError),
    /// It cannot listen at one of its URLs.
    #[error("the router cannot listen")]
    Listen(#[from] ListenError),
}
