use std::pin::Pin;

use spell_message::{InvalidUri, Uri};
use spell_peer::SendError;
use spell_serializer::PayloadBuilder;

use super::{AnswerError, line::Responder};
use crate::{methods::argument_methods, passthru::SealedParts};

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
    pub(super) fn result(responder: Responder) -> Self {
        Self::new(responder, Kind::Result)
    }

    pub(super) fn error(responder: Responder, uri: Result<Uri, InvalidUri>) -> Self {
        Self::new(responder, Kind::Error(uri))
    }

    fn new(responder: Responder, kind: Kind) -> Self {
        Self {
            arguments: responder.line().arguments(),
            responder,
            kind,
        }
    }

    argument_methods!();

    /// Use these arguments.
    pub(super) fn with(mut self, fill: impl FnOnce(PayloadBuilder) -> PayloadBuilder) -> Self {
        self.arguments = fill(self.arguments);
        self
    }

    /// Send it: what `.await` does, without the box.
    pub async fn send(self) -> Result<(), AnswerError> {
        let (responder, outcome, error) = self.finish();
        let answered = responder.send(outcome).await;
        error.map_or(answered, Err)
    }

    /// Send it, and leave it to the role to log what goes wrong there.
    pub(super) async fn post(self) -> Result<(), AnswerError> {
        let (responder, outcome, error) = self.finish();
        let posted = responder.post(outcome).await;
        error.map_or(posted, Err)
    }

    /// What the role is told, and what the user is if it is not what was meant.
    fn finish(self) -> (Responder, Outcome, Option<AnswerError>) {
        let Self {
            responder,
            kind,
            arguments,
        } = self;
        let (outcome, error) = match (responder.line().encode(arguments), kind) {
            (Err(error), _) => {
                let outcome = match error {
                    SendError::TooLarge { .. } => Outcome::TooLarge,
                    _ => Outcome::Failed,
                };
                (outcome, Some(AnswerError::not_sent(error, None)))
            }
            (Ok(payload), Kind::Result) => (Outcome::Result(payload), None),
            (Ok(payload), Kind::Error(Ok(uri))) => (Outcome::Error(uri, payload), None),
            (Ok(_), Kind::Error(Err(error))) => (Outcome::Failed, Some(AnswerError::Uri(error))),
        };
        (responder, outcome, error)
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
    /// Not the end of it.
    Progress(SealedParts),
    Result(SealedParts),
    Error(Uri, SealedParts),
    /// The answer could not be made.
    Failed,
    /// The answer does not fit into a message.
    TooLarge,
    /// The user gave no answer.
    Dropped,
}
