//! The ids and the URIs of requests.

use spell_message::{Message, RequestId, SessionId, message::RequestKind, reason};

use super::{Flow, RealmState, refusal};
use crate::{error::Violation, outgoing::Outputs};

/// What a CALL is by its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallId {
    /// A new call.
    New,
    /// Another part of the arguments of a call that there is, or was.
    Used,
}

impl RealmState {
    /// WAMP spec, "IDs": the requests of a client are numbered 1, 2, 3 and so on, all kinds
    /// together; a gap or a repetition is a violation.
    pub(super) fn count(&mut self, from: SessionId, request: RequestId) -> Result<(), Violation> {
        let Some(member) = self.members.get_mut(&from) else {
            return Ok(());
        };
        let expected = member.requests.next();
        if request != expected {
            return Err(Violation::RequestId {
                expected,
                found: request,
            });
        }
        member.requests.advance();
        Ok(())
    }

    /// As [`count`](Self::count), but for an id that was used: with it, a caller that announced so
    /// sends another part of the arguments of a call.
    ///
    /// WAMP spec, "Verification of CALL Request IDs".
    pub(super) fn count_call(
        &mut self,
        from: SessionId,
        request: RequestId,
    ) -> Result<CallId, Violation> {
        match self.count(from, request) {
            Ok(()) => Ok(CallId::New),
            Err(Violation::RequestId { expected, found })
                if found < expected && self.dealer.may_go_on(from) =>
            {
                Ok(CallId::Used)
            }
            Err(violation) => Err(violation),
        }
    }

    /// A request with an invalid URI: it fails, and the session lives.
    ///
    /// `answer` says what to answer; without it, as for a publication that is not acknowledged,
    /// only the id counts. WAMP spec, "URIs".
    pub(crate) fn refuse_uri(
        &mut self,
        from: SessionId,
        answer: Option<RequestKind>,
        request: RequestId,
        explanation: &str,
        out: &mut Outputs,
    ) -> Flow {
        if !self.members.contains_key(&from) {
            return Flow::Open;
        }
        let result = if answer == Some(RequestKind::Invocation) {
            let why = "the callee answered with an invalid URI";
            self.dealer
                .fail(from, request, reason::INVALID_URI, why, out)
        } else {
            self.refuse_request(from, answer, request, explanation, out)
        };
        self.conclude(from, result, out)
    }

    /// A request whose URI is too long fails as one whose URI is invalid does.
    pub(super) fn refuse_long_uri(
        &mut self,
        from: SessionId,
        message: &Message,
        out: &mut Outputs,
    ) -> Result<(), Violation> {
        let (answer, request) = match message {
            Message::Error(message) => {
                let why = "the URI of the callee's error is too long";
                let (callee, invocation) = (from, message.request);
                return self
                    .dealer
                    .fail(callee, invocation, reason::INVALID_URI, why, out);
            }
            Message::Publish(message) => {
                let acknowledged = message.options.acknowledge() == Some(true);
                let answer = acknowledged.then_some(RequestKind::Publish);
                (answer, message.request)
            }
            Message::Subscribe(message) => (Some(RequestKind::Subscribe), message.request),
            Message::Register(message) => (Some(RequestKind::Register), message.request),
            Message::Call(message) => (Some(RequestKind::Call), message.request),
            _ => return Ok(()),
        };
        let explanation = "the URI is longer than this router takes";
        self.refuse_request(from, answer, request, explanation, out)
    }

    /// A request whose URI cannot be: its id counts, and it fails if it is to be answered.
    fn refuse_request(
        &mut self,
        from: SessionId,
        answer: Option<RequestKind>,
        request: RequestId,
        explanation: &str,
        out: &mut Outputs,
    ) -> Result<(), Violation> {
        if answer == Some(RequestKind::Call) {
            if self.count_call(from, request)? == CallId::Used {
                return self.dealer.refuse_part(from, request);
            }
        } else {
            self.count(from, request)?;
        }
        if let Some(kind) = answer {
            let error = refusal(kind, request, reason::INVALID_URI, Some(explanation));
            out.send(from, error);
        }
        Ok(())
    }
}

/// Whether the URI of a message is longer than it may be.
pub(super) fn has_long_uri(message: &Message) -> bool {
    requested_uri(message).is_some_and(|uri| uri.len() > LONGEST_URI)
}

/// The URI of a message that a client may send.
fn requested_uri(message: &Message) -> Option<&str> {
    match message {
        Message::Publish(message) => Some(&message.topic),
        Message::Subscribe(message) => Some(message.topic.as_str()),
        Message::Register(message) => Some(message.procedure.as_str()),
        Message::Call(message) => Some(&message.procedure),
        Message::Error(message) if message.request_kind == RequestKind::Invocation => {
            Some(&message.error)
        }
        _ => None,
    }
}

/// The longest URI that a request may carry, in bytes: the router remembers and repeats it.
pub(crate) const LONGEST_URI: usize = 8 << 10;
