use std::{error::Error, fmt, sync::Arc};

use serde::Serialize;
use spell_message::{Dict, IntoUri, InvalidUri, List, RequestId, Uri, Value, reason, to_value};
use spell_peer::{CloseReason, Closed, SendError};
use spell_serializer::{DecodeError, EncodeError};
use tracing::{debug, warn};

use super::Interruption;

/// How a handler fails: the ERROR that the caller gets.
///
/// ```
/// use spell_roles::InvocationError;
///
/// let error = InvocationError::new("com.example.error.odd").arg(3).kwarg("wanted", "even");
/// assert_eq!(error.to_string(), "com.example.error.odd");
/// ```
#[derive(Clone, Debug)]
#[must_use = "an error is told only when a handler gives it"]
pub struct InvocationError(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    uri: Result<Uri, InvalidUri>,
    args: List,
    kwargs: Dict,
}

impl InvocationError {
    /// An error with this name: one of your application, or one of [`spell_message::reason`].
    ///
    /// If it is no URI, the caller gets the ERROR of
    /// [`Register::error_uri`](crate::Register::error_uri), and a warning is logged.
    pub fn new(uri: impl IntoUri) -> Self {
        Self(Box::new(Inner {
            uri: uri.into_uri(),
            args: List::new(),
            kwargs: Dict::new(),
        }))
    }

    /// Ask the router to have another callee serve the call: `wamp.error.unavailable`.
    ///
    /// A router that re-routes asks those that share the procedure, in the order of its policy, and
    /// only if none of them is available is the caller told so. A registration whose queue is full
    /// answers this by itself.
    ///
    /// ```
    /// use spell_roles::InvocationError;
    ///
    /// let error = InvocationError::unavailable();
    /// assert_eq!(error.to_string(), "wamp.error.unavailable");
    /// ```
    ///
    /// WAMP spec, "Call Re-Routing".
    pub fn unavailable() -> Self {
        Self::new(reason::UNAVAILABLE)
    }

    /// Append one positional argument. One that has no form as a [`Value`] is replaced by a text
    /// that says so.
    pub fn arg(mut self, arg: impl Serialize) -> Self {
        self.0.args.push(to_lossy(&arg));
        self
    }

    /// Set one keyword argument, in the same way.
    pub fn kwarg(mut self, name: impl Into<String>, kwarg: impl Serialize) -> Self {
        self.0.kwargs.insert(name, to_lossy(&kwarg));
        self
    }

    /// Its name, unless that is no URI.
    pub fn uri(&self) -> Option<&Uri> {
        self.0.uri.as_ref().ok()
    }

    pub(super) fn into_parts(self) -> (Result<Uri, InvalidUri>, List, Dict) {
        (self.0.uri, self.0.args, self.0.kwargs)
    }
}

fn to_lossy(value: &impl Serialize) -> Value {
    to_value(value).unwrap_or_else(|error| Value::from(error.to_string()))
}

impl fmt::Display for InvocationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.uri {
            Ok(uri) => write!(f, "{uri}"),
            Err(error) => write!(f, "{error}"),
        }
    }
}

impl Error for InvocationError {}

/// The arguments are not those the procedure takes: `wamp.error.invalid_argument`.
impl From<DecodeError> for InvocationError {
    fn from(error: DecodeError) -> Self {
        let invalid = Self::new(reason::INVALID_ARGUMENT).arg(error.to_string());
        match error.source() {
            Some(source) => invalid.arg(source.to_string()),
            None => invalid,
        }
    }
}

/// The invocation is over, and this reaches nobody, unless the caller gave up in a mode that waits
/// for the answer.
impl From<Interruption> for InvocationError {
    fn from(interruption: Interruption) -> Self {
        let uri = match interruption {
            Interruption::TimedOut => reason::TIMEOUT,
            _ => reason::CANCELED,
        };
        Self::new(uri).arg(interruption.to_string())
    }
}

/// A progressive result could not be sent. What the caller gets says why, if it still waits.
impl From<AnswerError> for InvocationError {
    fn from(error: AnswerError) -> Self {
        let uri = match &error {
            AnswerError::Canceled | AnswerError::Stopped | AnswerError::Closed { .. } => {
                reason::CANCELED
            }
            AnswerError::Timeout => reason::TIMEOUT,
            AnswerError::TooLarge { .. } => reason::PAYLOAD_SIZE_EXCEEDED,
            _ => reason::RUNTIME_ERROR,
        };
        Self::new(uri).arg(error.to_string())
    }
}

/// Why an answer, or a progressive result, did not reach the router.
///
/// `Display` prints one level; [`source`](Error::source) gives the cause.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AnswerError {
    /// The session of the invocation is over; it was discarded.
    #[non_exhaustive]
    Closed {
        /// Why the session ended.
        reason: CloseReason,
    },
    /// The caller gave up, and nobody waits for it; it was discarded.
    Canceled,
    /// The invocation took too long, and the caller got an ERROR `wamp.error.timeout`; it was
    /// discarded.
    Timeout,
    /// More parts of the arguments came than could wait, and the caller got an ERROR
    /// `wamp.error.canceled`; it was discarded.
    Overflow,
    /// The time was up in which a peer that leaves, or a registration that is drained, may finish
    /// its work, and the caller got an ERROR `wamp.error.canceled`; it was discarded.
    Stopped,
    /// The invocation is answered already; the progressive result was discarded.
    Answered,
    /// The arguments could not be encoded. Instead of an answer the caller got an ERROR, instead of
    /// a progressive result nothing.
    Encode(Arc<EncodeError>),
    /// It is larger than the router takes. Instead of an answer the caller got an ERROR
    /// `wamp.error.payload_size_exceeded`, instead of a progressive result nothing.
    #[non_exhaustive]
    TooLarge {
        /// The size in bytes: of the message, or of its arguments if they are too many.
        size: usize,
        /// What the router takes, in bytes.
        limit: usize,
    },
    /// The error's name is no URI. The caller got another ERROR instead.
    Uri(InvalidUri),
}

impl AnswerError {
    /// The invocation is over; `last_end` says why there is no session, if that is the reason.
    pub(super) fn over(cause: Option<Interruption>, last_end: Option<&CloseReason>) -> Self {
        match cause {
            Some(Interruption::Canceled { .. }) => Self::Canceled,
            Some(Interruption::TimedOut) => Self::Timeout,
            Some(Interruption::Overflow) => Self::Overflow,
            Some(Interruption::Stopped) => Self::Stopped,
            Some(Interruption::Answered) => Self::Answered,
            Some(Interruption::Closed) | None => Self::not_sent(SendError::NotJoined, last_end),
        }
    }

    /// Tell people of an answer that nobody else is told of.
    pub(super) fn log(&self, id: RequestId) {
        match self {
            Self::Canceled
            | Self::Timeout
            | Self::Overflow
            | Self::Stopped
            | Self::Answered
            | Self::Closed { .. } => {
                debug!(%id, error = %self, "nobody waits for the answer to an invocation");
            }
            Self::Encode(_) | Self::TooLarge { .. } | Self::Uri(_) => {
                let source = self.source().map(ToString::to_string);
                warn!(%id, error = %self, source, "the answer to an invocation was not sent");
            }
        }
    }

    /// It was not sent; `last_end` says why there is no session, if that is the reason.
    pub(super) fn not_sent(error: SendError, last_end: Option<&CloseReason>) -> Self {
        match error {
            SendError::Encode(error) => Self::Encode(Arc::new(error)),
            SendError::TooLarge { size, limit } => Self::TooLarge { size, limit },
            _ => Self::Closed {
                reason: last_end.cloned().unwrap_or(CloseReason::Disconnected),
            },
        }
    }
}

impl fmt::Display for AnswerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed { .. } => f.write_str("the session of the invocation is over"),
            Self::Canceled => f.write_str("the caller gave up"),
            Self::Timeout => f.write_str("the invocation took too long"),
            Self::Overflow => f.write_str("more parts of the arguments came than could wait"),
            Self::Stopped => f.write_str("the peer stopped serving"),
            Self::Answered => f.write_str("the invocation is answered already"),
            Self::Encode(_) => f.write_str("the answer could not be encoded"),
            Self::TooLarge { size, limit } => {
                write!(f, "the answer has {size} bytes, the router takes {limit}")
            }
            Self::Uri(_) => f.write_str("the name of the error is not valid"),
        }
    }
}

impl Error for AnswerError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Closed { reason } => Some(reason),
            Self::Encode(error) => Some(&**error),
            Self::Uri(error) => Some(error),
            _ => None,
        }
    }
}

impl From<Closed> for AnswerError {
    fn from(closed: Closed) -> Self {
        Self::Closed {
            reason: closed.reason,
        }
    }
}

const _: () = assert!(size_of::<AnswerError>() <= 32);
