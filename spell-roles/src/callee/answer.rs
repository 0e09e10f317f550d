use std::{error::Error, fmt, pin::Pin, sync::Arc};

use spell_message::{InvalidUri, Payload, Uri};
use spell_peer::{CloseReason, Closed, SendError};
use spell_serializer::{EncodeError, PayloadBuilder};
use tokio::sync::oneshot;

use super::invocation::Responder;
use crate::{error::Failure, request::argument_methods};

/// The answer to an invocation, in the making; `.await` sends it.
///
/// Made by [`Invocation::respond`](super::Invocation::respond) and
/// [`Invocation::error`](super::Invocation::error). Whatever goes wrong, the caller gets an answer:
/// if this one cannot be sent, an ERROR that says so.
///
/// # Cancel safety
///
/// Dropped before the answer was queued, the invocation counts as dropped unanswered. Dropped
/// later, the answer is sent.
///
/// WAMP spec, "YIELD" and "ERROR".
#[derive(Debug)]
#[must_use = "an answer is sent only when it is awaited"]
pub struct Answer {
    responder: Responder,
    kind: Kind,
    arguments: PayloadBuilder,
}

#[derive(Debug)]
enum Kind {
    Result,
    Error(Result<Uri, InvalidUri>),
}

impl Answer {
    pub(crate) fn result(responder: Responder) -> Self {
        Self::new(responder, Kind::Result)
    }

    pub(crate) fn error(responder: Responder, uri: Result<Uri, InvalidUri>) -> Self {
        Self::new(responder, Kind::Error(uri))
    }

    fn new(responder: Responder, kind: Kind) -> Self {
        Self {
            arguments: responder.arguments(),
            responder,
            kind,
        }
    }

    argument_methods!();

    /// Use these arguments.
    pub(crate) fn with(mut self, fill: impl FnOnce(PayloadBuilder) -> PayloadBuilder) -> Self {
        self.arguments = fill(self.arguments);
        self
    }

    /// Send it: what `.await` does, without the box.
    pub async fn send(self) -> Result<(), AnswerError> {
        let Self {
            responder,
            kind,
            arguments,
        } = self;
        let (outcome, error) = match (responder.finish(arguments), kind) {
            (Err(failure), _) => {
                let error = AnswerError::from(failure);
                let outcome = match error {
                    AnswerError::TooLarge { .. } => Outcome::TooLarge,
                    _ => Outcome::Failed,
                };
                (outcome, Some(error))
            }
            (Ok(payload), Kind::Result) => (Outcome::Result(payload), None),
            (Ok(payload), Kind::Error(Ok(uri))) => (Outcome::Error(uri, payload), None),
            (Ok(_), Kind::Error(Err(error))) => (Outcome::Failed, Some(AnswerError::Uri(error))),
        };
        let (reply, answered) = oneshot::channel();
        let requests = responder.send(outcome, reply).await?;
        let answered = answered.await.unwrap_or_else(|_| {
            let end = requests.commands().end();
            let reason = end.unwrap_or(CloseReason::Panicked);
            Err(AnswerError::Closed { reason })
        });
        error.map_or(answered, Err)
    }
}

impl IntoFuture for Answer {
    type Output = Result<(), AnswerError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

/// What an invocation is answered with.
#[derive(Debug)]
pub(super) enum Outcome {
    Result(Payload),
    Error(Uri, Payload),
    /// The answer could not be made.
    Failed,
    /// The answer does not fit into a message.
    TooLarge,
    /// The user gave no answer.
    Dropped,
}

/// Why an answer did not reach the router.
///
/// `Display` prints one level; [`source`](Error::source) gives the cause.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AnswerError {
    /// The session of the invocation is over; the answer was discarded.
    #[non_exhaustive]
    Closed {
        /// Why the session ended.
        reason: CloseReason,
    },
    /// The caller gave up, and nobody waits for an answer; it was discarded.
    Canceled,
    /// The arguments could not be encoded. The caller got an ERROR instead.
    Encode(Arc<EncodeError>),
    /// The answer is larger than the router takes. The caller got an ERROR
    /// `wamp.error.payload_size_exceeded` instead.
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

impl fmt::Display for AnswerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed { .. } => f.write_str("the session of the invocation is over"),
            Self::Canceled => f.write_str("the caller gave up"),
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
            Self::Canceled | Self::TooLarge { .. } => None,
        }
    }
}

impl From<Failure> for AnswerError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Encode(error) => Self::Encode(error),
            Failure::TooLarge { size, limit } => Self::TooLarge { size, limit },
            Failure::Closed { reason, .. } => Self::Closed { reason },
            // Only requests end so.
            Failure::Refused(_) | Failure::Timeout(_) | Failure::Unsupported { .. } => {
                Self::Canceled
            }
        }
    }
}

impl From<SendError> for AnswerError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Encode(error) => Self::Encode(Arc::new(error)),
            SendError::TooLarge { size, limit } => Self::TooLarge { size, limit },
            _ => Self::Closed {
                reason: CloseReason::Disconnected,
            },
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
