use std::sync::Arc;

use serde::de::DeserializeOwned;
use spell_message::{
    IntoUri, Pattern, Payload, RegistrationId, RequestId, SessionId, message,
    options::InvocationDetails,
};
use spell_peer::SendError;
use spell_serializer::{DecodeError, PayloadBuilder, PayloadExt};
use tokio::sync::oneshot;

use super::{
    Answer, AnswerError,
    answer::Outcome,
    role::{Command, NewAnswer, Order},
    running::Ticket,
};
use crate::request::Requests;

/// A call of a procedure that this peer registered. Consumed by its answer.
///
/// Dropped unanswered, by a panic too, it is answered with an ERROR: `wamp.error.canceled` if the
/// caller gave up, otherwise the one of [`Register::error_uri`](super::Register::error_uri).
///
/// WAMP spec, "INVOCATION".
#[derive(Debug)]
#[must_use = "an invocation that is dropped is answered with an error"]
pub struct Invocation {
    info: InvocationInfo,
    responder: Responder,
    interrupted: oneshot::Receiver<()>,
}

impl Invocation {
    pub(super) fn new(
        message: message::Invocation,
        registered: &Pattern,
        responder: Responder,
        interrupted: oneshot::Receiver<()>,
    ) -> Self {
        Self {
            info: InvocationInfo {
                request: message.request,
                registration: message.registration,
                registered: registered.clone(),
                details: message.details,
                payload: message.payload,
            },
            responder,
            interrupted,
        }
    }

    /// What is called, by whom, and with which arguments.
    pub fn info(&self) -> &InvocationInfo {
        &self.info
    }

    /// The procedure that was called; see [`InvocationInfo::procedure`].
    pub fn procedure(&self) -> &str {
        self.info.procedure()
    }

    /// The positional arguments; see [`InvocationInfo::args`].
    pub fn args<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        self.info.args()
    }

    /// The keyword arguments; see [`InvocationInfo::kwargs`].
    pub fn kwargs<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        self.info.kwargs()
    }

    /// Answer with a result: `invocation.respond().arg(5).await?`.
    pub fn respond(self) -> Answer {
        Answer::result(self.responder)
    }

    /// Answer with an error: `invocation.error("com.example.error.odd").arg("why").await?`.
    ///
    /// Any URI will do; those of [`spell_message::reason`] have a meaning of their own.
    pub fn error(self, uri: impl IntoUri) -> Answer {
        Answer::error(self.responder, uri.into_uri())
    }

    /// Wait until the answer is not wanted any more: the caller gave up, or the session ended.
    ///
    /// # Cancel safety
    ///
    /// Waits only; dropping it changes nothing.
    pub async fn interrupted(&mut self) {
        // An error means the end of the session. Asked again, it is known already.
        if !self.interrupted.is_terminated() {
            let _ = (&mut self.interrupted).await;
        }
    }

    pub(super) fn into_parts(self) -> (InvocationInfo, Responder, oneshot::Receiver<()>) {
        (self.info, self.responder, self.interrupted)
    }

    /// Someone else answers.
    pub(super) fn forget(mut self) {
        self.responder.is_answered = true;
    }
}

/// What is called, by whom, and with which arguments.
///
/// WAMP spec, "INVOCATION".
#[derive(Clone, Debug)]
pub struct InvocationInfo {
    request: RequestId,
    registration: RegistrationId,
    registered: Pattern,
    details: InvocationDetails,
    payload: Payload,
}

impl InvocationInfo {
    /// The procedure that was called. For a registration of a pattern the router names it;
    /// otherwise it is what was registered.
    pub fn procedure(&self) -> &str {
        let named = self.details.procedure();
        named.unwrap_or_else(|| self.registered.as_str())
    }

    /// The session of the caller, if it is disclosed.
    pub fn caller(&self) -> Option<SessionId> {
        self.details.caller()
    }

    /// All that the router tells of the call.
    pub fn details(&self) -> &InvocationDetails {
        &self.details
    }

    /// The positional arguments, as a tuple, a list, or a struct read in order.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Args`] if they are not of this type.
    pub fn args<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        self.payload.parse_args()
    }

    /// The keyword arguments, as a struct or a map.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Kwargs`] if they are not of this type.
    pub fn kwargs<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        self.payload.parse_kwargs()
    }

    /// The arguments, undecoded.
    pub fn payload(&self) -> &Payload {
        &self.payload
    }

    /// The id of the INVOCATION, by which the messages about it are known.
    pub fn id(&self) -> RequestId {
        self.request
    }

    /// The registration it came by.
    pub fn registration(&self) -> RegistrationId {
        self.registration
    }
}

/// The right to answer one invocation. Dropped, it answers that there was no answer.
#[derive(Debug)]
pub(super) struct Responder {
    ticket: Ticket,
    requests: Arc<Requests<Command>>,
    is_answered: bool,
}

impl Responder {
    pub(super) fn new(ticket: Ticket, requests: Arc<Requests<Command>>) -> Self {
        Self {
            ticket,
            requests,
            is_answered: false,
        }
    }

    pub(super) fn arguments(&self) -> PayloadBuilder {
        self.requests.arguments()
    }

    pub(super) fn encode(&self, arguments: PayloadBuilder) -> Result<Payload, SendError> {
        self.requests.encode(arguments)
    }

    /// Queue the answer; gives the way to ask why nobody replied.
    pub(super) async fn send(
        mut self,
        outcome: Outcome,
        reply: oneshot::Sender<Result<(), AnswerError>>,
    ) -> Result<Arc<Requests<Command>>, AnswerError> {
        let answer = self.command(outcome, Some(reply));
        let sent = self.requests.commands().send(answer).await;
        self.is_answered = true;
        sent?;
        Ok(self.requests.clone())
    }

    fn command(
        &self,
        outcome: Outcome,
        reply: Option<oneshot::Sender<Result<(), AnswerError>>>,
    ) -> Command {
        Command(Order::Answer(Box::new(NewAnswer {
            ticket: self.ticket,
            outcome,
            reply,
        })))
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        if !self.is_answered {
            let command = self.command(Outcome::Dropped, None);
            self.requests.commands().release(command);
        }
    }
}
