use spell_message::{
    Message, Payload, Uri,
    message::{ErrorMessage, Kind, RequestKind, Sender},
    options::ErrorDetails,
    reason,
};

use super::Core;
use crate::Violation;

impl Core {
    /// A message that no role claimed.
    pub(crate) fn judge(&mut self, message: &Message) {
        match message {
            // WAMP spec, "Protocol Errors": what is not listed there is tolerated. A caller waits
            // for this one, so it is answered.
            Message::Invocation(invocation) if self.session.is_some() => {
                if let Ok(error) = Uri::new(reason::NO_SUCH_PROCEDURE) {
                    let answer = ErrorMessage {
                        request_kind: RequestKind::Invocation,
                        request: invocation.request,
                        details: ErrorDetails::new(),
                        error,
                        payload: Payload::default(),
                    };
                    let _ = self.outbox.send(&mut answer.into());
                }
            }
            Message::Unknown(unknown) => {
                let code = unknown.code;
                self.violation(Violation::Unknown { code });
            }
            known => match (known.kind(), self.session.is_some()) {
                (Some(kind), true) if is_tolerated(kind) => {}
                (_, joined) => self.violation(Violation::Unexpected {
                    message: known.name(),
                    when: if joined {
                        "in a session"
                    } else {
                        "before the session was joined"
                    },
                }),
            },
        }
    }
}

/// What a router may send in a session though nobody here waits for it.
fn is_tolerated(kind: Kind) -> bool {
    let session = matches!(kind, Kind::Welcome | Kind::Challenge);
    kind.sender() != Sender::Client && !session
}
