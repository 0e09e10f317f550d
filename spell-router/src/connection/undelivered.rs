//! Messages that a client cannot get.

use spell_message::{
    Message, Payload, RequestId,
    message::{ErrorMessage, RequestKind},
    options::ErrorDetails,
};

use super::{Connection, Ended, Phase, Progress};
use crate::{carrier::Undeliverable, realm::refusal};

impl<T> Connection<T> {
    pub(super) fn drop_event(&self, why: Undeliverable) {
        tracing::debug!(message = "EVENT", ?why, "message not delivered");
        self.shared.counters.events_dropped.up();
    }

    /// A message cannot be sent to this client: whoever waits for it learns so.
    pub(super) fn undelivered(&self, message: Message, why: Undeliverable) -> Progress {
        tracing::debug!(message = message.name(), ?why, "message not delivered");
        match message {
            Message::Invocation(message) => {
                if let Phase::Joined(membership) = &self.phase {
                    membership.undelivered(message.request, why);
                }
            }
            Message::Result(message) if message.details.progress() == Some(true) => {
                self.undelivered_progress(message.request, why);
            }
            Message::Result(message) => {
                let kind = RequestKind::Call;
                let explanation = Some(why.explanation());
                let error = refusal(kind, message.request, why.reason(), explanation);
                self.queue.push(error);
            }
            // The URI says most of it. That, and the details, are the callee's choice, so none of
            // them must cost the caller the session.
            Message::Error(message) if !message.details.is_empty() => {
                self.queue.push(ErrorMessage {
                    details: ErrorDetails::default(),
                    ..message
                });
            }
            Message::Error(message) if !message.payload.is_absent() => {
                self.queue.push(ErrorMessage {
                    payload: Payload::default(),
                    ..message
                });
            }
            Message::Error(message) if message.error != *why.reason() => {
                let (kind, request) = (message.request_kind, message.request);
                let explanation = Some(why.explanation());
                self.queue
                    .push(refusal(kind, request, why.reason(), explanation));
            }
            // Without these there is no session.
            _ => return Err(Ended),
        }
        Ok(())
    }

    /// A caller that cannot get a part of a result gets an error in place of what follows.
    fn undelivered_progress(&self, call: RequestId, why: Undeliverable) {
        if let Phase::Joined(membership) = &self.phase {
            membership.undelivered_progress(call, why);
            // Its last answer is in the queue: that, or the one it had already.
            if self.queue.withdraw(call) {
                let kind = RequestKind::Call;
                let explanation = Some(why.explanation());
                let error = refusal(kind, call, why.reason(), explanation);
                self.queue.push(error);
            }
        }
    }
}
