//! Why a session ended, and what that means for what was under way.

use std::{
    error::Error,
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use spell_message::{
    RequestId, Uri,
    message::{Abort, Goodbye},
    reason,
};
use spell_serializer::{DecodeError, EncodeError};
use spell_transport::{ConnectError, TransportError};
use thiserror::Error;

/// Why a session, or an attempt to open one, ended. Cheap to clone.
///
/// `Display` prints one level; [`source`](Error::source) gives the cause.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum CloseReason {
    /// The peer left the realm by its own wish; both sides said GOODBYE, or the router did not
    /// answer in time.
    Left,
    /// The peer was stopped, or its last handle was dropped.
    Stopped,
    /// The router said GOODBYE.
    Goodbye(Arc<Goodbye>),
    /// The router sent ABORT: it refused the session, or ended it at once.
    Aborted(Arc<Abort>),
    /// The router violated the protocol; this peer sent ABORT.
    Violation(Arc<Violation>),
    /// The connection ended without a GOODBYE.
    Disconnected,
    /// The transport broke.
    Transport(Arc<TransportError>),
    /// The transport could not be opened.
    Connect(Arc<ConnectError>),
    /// No answer to the router's challenge could be given, or the router's own proof was wrong.
    Authentication(Arc<dyn Error + Send + Sync>),
    /// The peer's credentials could not be had just now; what gives them may work again later.
    CredentialsUnavailable(Arc<dyn Error + Send + Sync>),
    /// Dialling, the transport's handshake and joining together took longer than they may.
    JoinTimeout(Duration),
    /// Nothing came from the router any more, not even an answer to the question whether it is
    /// there: the connection is dead, or the router is. See
    /// [`PeerConfig::keep_alive`](crate::PeerConfig::keep_alive).
    #[non_exhaustive]
    Unresponsive {
        /// How long nothing came.
        silent_for: Duration,
    },
    /// The router stopped reading, and what waits for it outgrew the hard limit.
    Overflow,
    /// A role, or a task of one, panicked, or what drives the peer was dropped.
    Panicked,
}

impl CloseReason {
    /// The URI that the router, or this peer, gave; `None` when no message told.
    ///
    /// ```
    /// use spell_peer::CloseReason;
    ///
    /// assert_eq!(CloseReason::Disconnected.uri(), None);
    /// ```
    pub fn uri(&self) -> Option<&str> {
        match self {
            Self::Goodbye(message) => Some(message.reason.as_str()),
            Self::Aborted(message) => Some(message.reason.as_str()),
            Self::Violation(violation) => Some(violation.reason()),
            _ => None,
        }
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = |f: &mut fmt::Formatter<'_>, what, uri: &Uri, text: Option<&str>| {
            write!(f, "the router {what} ({uri})")?;
            // Texts come from outside: control characters must not reach a log.
            text.map_or(Ok(()), |text| write!(f, ": {}", text.escape_debug()))
        };
        match self {
            Self::Left => f.write_str("the peer left the realm"),
            Self::Stopped => f.write_str("the peer was stopped"),
            Self::Goodbye(m) => told(f, "said goodbye", &m.reason, m.details.message()),
            Self::Aborted(m) => told(f, "aborted", &m.reason, m.details.message()),
            Self::Violation(_) => f.write_str("the router violated the protocol"),
            Self::Disconnected => f.write_str("the connection ended without a goodbye"),
            Self::Transport(_) => f.write_str("the transport broke"),
            Self::Connect(_) => f.write_str("the transport could not be opened"),
            Self::Authentication(_) => f.write_str("authentication failed"),
            Self::CredentialsUnavailable(_) => f.write_str("the credentials could not be had"),
            Self::JoinTimeout(after) => write!(f, "the session was not joined within {after:?}"),
            Self::Unresponsive { silent_for } => {
                write!(f, "the router was silent for {silent_for:?}")
            }
            Self::Overflow => f.write_str("the router stopped reading"),
            Self::Panicked => f.write_str("a role panicked"),
        }
    }
}

impl Error for CloseReason {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Violation(error) => Some(error),
            Self::Transport(error) => Some(error),
            Self::Connect(error) => Some(error),
            Self::Authentication(error) | Self::CredentialsUnavailable(error) => Some(&**error),
            _ => None,
        }
    }
}

/// How a router violated the protocol.
///
/// WAMP spec, "Protocol Errors".
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Violation {
    /// A frame is not a message.
    #[error("a frame could not be decoded")]
    Decode(#[from] DecodeError),
    /// A message that may not come now.
    #[error("unexpected {message} {when}")]
    Unexpected {
        /// The name of the message.
        message: &'static str,
        /// When it came, such as `before the session was joined`.
        when: &'static str,
    },
    /// A message with a code that the specification does not assign and no role claimed.
    #[error("unknown message code {code}")]
    Unknown {
        /// The message code.
        code: u64,
    },
    /// A rule that a role keeps.
    #[error("{0}")]
    Rule(&'static str),
}

impl Violation {
    /// The URI for the ABORT that answers it.
    pub fn reason(&self) -> &'static str {
        reason::PROTOCOL_VIOLATION
    }
}

/// What became of a request whose answer did not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum Delivery {
    /// It was never sent: nothing happened, it is safe to try again.
    NotSent,
    /// It was handed to the transport: it may or may not have had its effect.
    OutcomeUnknown,
}

impl fmt::Display for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotSent => "it was not sent",
            Self::OutcomeUnknown => "its outcome is unknown",
        })
    }
}

/// The end of a session, as roles are told it.
#[derive(Clone, Debug)]
pub struct SessionEnd {
    reason: CloseReason,
    last_sent: Option<RequestId>,
    at: Instant,
}

impl SessionEnd {
    pub(crate) fn new(reason: CloseReason, last_sent: Option<RequestId>, at: Instant) -> Self {
        Self {
            reason,
            last_sent,
            at,
        }
    }

    /// When, by the time that the engine was given last. A connection may have been dead for a while
    /// before that was noticed.
    pub fn at(&self) -> Instant {
        self.at
    }

    /// Why.
    pub fn reason(&self) -> &CloseReason {
        &self.reason
    }

    /// What became of this session's request with this id.
    ///
    /// Request ids are sequential, so one number decides: up to the last one that was handed to
    /// the transport, the outcome is unknown.
    pub fn delivery(&self, request: RequestId) -> Delivery {
        match self.last_sent {
            Some(last) if request <= last => Delivery::OutcomeUnknown,
            _ => Delivery::NotSent,
        }
    }
}

/// A message could not be committed to the wire. Nothing was sent, and no request id was spent.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SendError {
    /// No session is joined.
    #[error("no session is joined")]
    NotJoined,
    /// The message could not be encoded.
    #[error("the message could not be encoded")]
    Encode(#[from] EncodeError),
    /// The message is larger than the router takes.
    #[error("the message has {size} bytes, the router takes {limit}")]
    TooLarge {
        /// The size of the encoded message, in bytes.
        size: usize,
        /// What the router takes, in bytes.
        limit: usize,
    },
}

/// The peer is gone: it ended, and will not come back.
#[derive(Clone, Debug, Error)]
#[error("the peer is closed")]
#[expect(clippy::exhaustive_structs, reason = "says all there is to say")]
pub struct Closed {
    /// Why.
    #[source]
    pub reason: CloseReason,
}

/// A session could not be joined.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum JoinError {
    /// A role could not begin.
    #[error("a role could not begin")]
    Init(#[from] InitError),
    /// The transport could not be opened.
    #[error("the transport could not be opened")]
    Connect(#[source] Arc<ConnectError>),
    /// The router refused the session.
    #[error("the router refused the session ({})", .0.reason)]
    Refused(Arc<Abort>),
    /// Dialling, the transport's handshake and joining together took longer than they may.
    #[error("the session was not joined within {0:?}")]
    Timeout(Duration),
    /// The connection ended otherwise before the session was joined.
    #[error("the connection ended before the session was joined")]
    Closed(#[source] CloseReason),
}

impl From<CloseReason> for JoinError {
    fn from(reason: CloseReason) -> Self {
        match reason {
            CloseReason::Connect(error) => Self::Connect(error),
            CloseReason::Aborted(message) => Self::Refused(message),
            CloseReason::JoinTimeout(after) => Self::Timeout(after),
            other => Self::Closed(other),
        }
    }
}

/// A role cannot begin as it was configured.
#[derive(Clone, Debug, Error)]
#[error("{message}")]
pub struct InitError {
    message: String,
    #[source]
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl InitError {
    /// What is wrong.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            source: None,
        }
    }

    /// What is wrong, and its cause.
    pub fn because(message: impl Into<String>, source: impl Error + Send + Sync + 'static) -> Self {
        Self {
            message: message.into(),
            source: Some(Arc::new(source)),
        }
    }
}

#[cfg(test)]
mod tests {
    use spell_message::{Payload, options::AbortDetails};

    use super::*;

    #[test]
    fn the_last_sent_id_decides_what_became_of_a_request() {
        let id = |n| RequestId::new(n).unwrap();
        let end = SessionEnd::new(CloseReason::Disconnected, Some(id(2)), Instant::now());
        assert_eq!(end.delivery(id(2)), Delivery::OutcomeUnknown);
        assert_eq!(end.delivery(id(3)), Delivery::NotSent);
        let end = SessionEnd::new(CloseReason::Disconnected, None, Instant::now());
        assert_eq!(end.delivery(id(1)), Delivery::NotSent);
    }

    #[test]
    fn texts_of_the_router_are_escaped() {
        let mut message = Abort {
            details: AbortDetails::new(),
            reason: Uri::new("com.example.no").unwrap(),
            payload: Payload::default(),
        };
        message.details.set_message("two\nlines");
        let text = CloseReason::Aborted(Arc::new(message)).to_string();
        assert_eq!(text, r"the router aborted (com.example.no): two\nlines");
    }
}
