use std::collections::HashMap;

use spell_message::{
    Message, Payload, RequestId, Uri,
    message::{ErrorMessage, RequestKind, Yield},
    options::{ErrorDetails, YieldOptions},
    reason,
};
use spell_peer::{Context, SendError};
use tokio::sync::oneshot;

use super::{AnswerError, answer::Outcome, role::Command, wanted::Wanted};

/// Tells one invocation from all others of the peer, those of earlier sessions included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ticket {
    request: RequestId,
    serial: u64,
}

/// The invocations that are not answered yet.
#[derive(Debug, Default)]
pub(super) struct Running {
    invocations: HashMap<RequestId, Invoked>,
    /// How many invocations there were.
    count: u64,
    /// How many there were in earlier sessions.
    earlier: u64,
}

#[derive(Debug)]
struct Invoked {
    serial: u64,
    /// Tells the user that the caller gave up; `None` once it did.
    interrupt: Option<oneshot::Sender<()>>,
    error_uri: Uri,
}

impl Running {
    /// An invocation came. `None` if one with this id is under way.
    pub(super) fn begin(
        &mut self,
        request: RequestId,
        wanted: &Wanted,
    ) -> Option<(Ticket, oneshot::Receiver<()>)> {
        if self.invocations.contains_key(&request) {
            return None;
        }
        let serial = self.count;
        self.count = serial.wrapping_add(1);
        let (interrupt, interrupted) = oneshot::channel();
        let invoked = Invoked {
            serial,
            interrupt: Some(interrupt),
            error_uri: wanted.error_uri.clone(),
        };
        self.invocations.insert(request, invoked);
        Some((Ticket { request, serial }, interrupted))
    }

    /// The caller gave up. `is_over` if nobody wants an answer any more.
    pub(super) fn interrupt(&mut self, request: RequestId, is_over: bool) {
        let Some(invoked) = self.invocations.get_mut(&request) else {
            return;
        };
        if let Some(interrupt) = invoked.interrupt.take() {
            // The user may not be listening.
            let _ = interrupt.send(());
        }
        if is_over {
            self.invocations.remove(&request);
        }
    }

    /// Forget an invocation that was answered otherwise.
    pub(super) fn finish(&mut self, ticket: Ticket) {
        self.invocations.remove(&ticket.request);
    }

    /// The session ended: nothing can be answered any more.
    pub(super) fn clear(&mut self) {
        self.earlier = self.count;
        // Dropping the senders tells the users.
        self.invocations.clear();
    }

    /// Send the answer to an invocation. The caller gets one in any case: if the answer cannot be
    /// sent, an ERROR that says so.
    pub(super) fn answer(
        &mut self,
        ticket: Ticket,
        outcome: Outcome,
        cx: &mut Context<'_, Command>,
    ) -> Result<(), AnswerError> {
        let Ticket { request, serial } = ticket;
        let is_running = self.invocations.get(&request);
        let invoked = match is_running.filter(|invoked| invoked.serial == serial) {
            Some(_) => self.invocations.remove(&request),
            None => None,
        };
        let Some(invoked) = invoked else {
            if serial >= self.earlier && cx.session().is_some() {
                return Err(AnswerError::Canceled);
            }
            return Err(AnswerError::not_sent(SendError::NotJoined, cx.last_end()));
        };
        let message = match outcome {
            Outcome::Result(payload) => yielded(request, payload),
            Outcome::Error(uri, payload) => error(request, uri, payload),
            Outcome::TooLarge => {
                let sent = send_error(request, reason::PAYLOAD_SIZE_EXCEEDED, cx);
                return sent.map_err(|error| AnswerError::not_sent(error, cx.last_end()));
            }
            Outcome::Dropped if invoked.interrupt.is_none() => {
                let sent = send_error(request, reason::CANCELED, cx);
                return sent.map_err(|error| AnswerError::not_sent(error, cx.last_end()));
            }
            Outcome::Failed | Outcome::Dropped => {
                error(request, invoked.error_uri, Payload::default())
            }
        };
        let sent = cx.send(message);
        if let Err(error) = &sent {
            let uri = match error {
                SendError::TooLarge { .. } => reason::PAYLOAD_SIZE_EXCEEDED,
                _ => reason::RUNTIME_ERROR,
            };
            // The user is told the first error, which is the cause.
            let _ = send_error(request, uri, cx);
        }
        sent.map_err(|error| AnswerError::not_sent(error, cx.last_end()))
    }
}

/// Answer an invocation with an ERROR that has no arguments.
pub(super) fn send_error(
    request: RequestId,
    uri: &'static str,
    cx: &mut Context<'_, Command>,
) -> Result<(), SendError> {
    match Uri::new(uri) {
        Ok(uri) => cx.send(error(request, uri, Payload::default())),
        // These are constants of the specification.
        Err(_) => Ok(()),
    }
}

fn yielded(request: RequestId, payload: Payload) -> Message {
    Message::Yield(Yield {
        request,
        options: YieldOptions::new(),
        payload,
    })
}

fn error(request: RequestId, error: Uri, payload: Payload) -> Message {
    Message::Error(ErrorMessage {
        request_kind: RequestKind::Invocation,
        request,
        details: ErrorDetails::new(),
        error,
        payload,
    })
}
