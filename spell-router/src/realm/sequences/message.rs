//! The messages of well-behaved sessions.

use spell_message::{
    Pattern, RegistrationId, SubscriptionId,
    message::{Call, Cancel, Publish, Register, Subscribe, Unregister, Unsubscribe, Yield},
    options::{
        CallOptions, CancelOptions, PublishOptions, RegisterOptions, SubscribeOptions, YieldOptions,
    },
    reason,
};

use super::{super::*, action::*, clients::Clients};

impl Clients {
    /// The message of an action; `None` if the session cannot send it now.
    pub(super) fn message(&mut self, from: SessionId, action: &Action) -> Option<Message> {
        let pattern = |name: usize, policy| Pattern::new(NAMES[name], policy).unwrap();
        Some(match *action {
            Action::Subscribe(name, policy) => Message::Subscribe(Subscribe {
                request: self.request(from)?,
                options: subscribe_options(),
                topic: pattern(name, policy),
            }),
            Action::Unsubscribe(id) => {
                let subscription = SubscriptionId::new(id).unwrap();
                self.subscribed.remove(&(from, subscription));
                let request = self.request(from)?;
                Message::Unsubscribe(Unsubscribe {
                    request,
                    subscription,
                })
            }
            Action::Publish(name) => Message::Publish(Publish {
                request: self.request(from)?,
                options: publish_options(),
                topic: uri(name),
                payload: Payload::default(),
            }),
            Action::Register {
                name,
                policy,
                invoke,
                forward_timeout,
            } => {
                let mut options = RegisterOptions::new();
                options.set_invoke(invoke);
                options.set_forward_timeout(forward_timeout);
                Message::Register(Register {
                    request: self.request(from)?,
                    options,
                    procedure: pattern(name, policy),
                })
            }
            Action::Unregister(id) => {
                let registration = RegistrationId::new(id).unwrap();
                self.registered.remove(&(from, registration));
                let request = self.request(from)?;
                Message::Unregister(Unregister {
                    request,
                    registration,
                })
            }
            Action::Call { .. } | Action::GoOn { .. } | Action::Cancel(..) => {
                return self.of_caller(from, action);
            }
            Action::Yield { .. } | Action::Fail(_) | Action::Decline(_) => {
                return self.of_callee(from, action);
            }
            Action::Join { .. } | Action::Leave | Action::Pass(_) => return None,
        })
    }

    fn of_caller(&mut self, from: SessionId, action: &Action) -> Option<Message> {
        let mut options = CallOptions::new();
        let (request, name) = match *action {
            Action::Call {
                name,
                progress,
                receive_progress,
                timeout,
            } => {
                let request = self.request(from)?;
                self.calls.insert((from, request), receive_progress);
                options.set_receive_progress(receive_progress);
                options.set_timeout(timeout);
                if progress && self.features[&from][SENDS_PARTS] {
                    options.set_progress(true);
                    self.incomplete.insert((from, request), name);
                }
                (request, name)
            }
            Action::GoOn { call, progress } => {
                let request = RequestId::new(call).unwrap();
                let name = *self.incomplete.get(&(from, request))?;
                if !progress {
                    self.incomplete.remove(&(from, request));
                }
                options.set_progress(progress);
                (request, name)
            }
            Action::Cancel(id, mode) if self.next_request.contains_key(&from) => {
                let mut options = CancelOptions::new();
                if let Some(mode) = mode {
                    options.set_mode(mode);
                }
                let request = RequestId::new(id).unwrap();
                return Some(Message::Cancel(Cancel { request, options }));
            }
            _ => return None,
        };
        Some(Message::Call(Call {
            request,
            options,
            procedure: uri(name),
            payload: Payload::default(),
        }))
    }

    fn of_callee(&self, from: SessionId, action: &Action) -> Option<Message> {
        let (Action::Yield { invocation, .. }
        | Action::Fail(invocation)
        | Action::Decline(invocation)) = *action
        else {
            return None;
        };
        let invoked = self.invocations.get(&from)?;
        let request = RequestId::new(invocation).ok();
        let request = request.filter(|request| request.get() <= *invoked)?;
        let kind = RequestKind::Invocation;
        Some(match *action {
            Action::Fail(_) => refusal(kind, request, reason::CANCELED, None).into(),
            Action::Decline(_) => refusal(kind, request, reason::UNAVAILABLE, None).into(),
            _ => {
                let mut options = YieldOptions::new();
                options.set_progress(matches!(action, Action::Yield { progress: true, .. }));
                Message::Yield(Yield {
                    request,
                    options,
                    payload: Payload::default(),
                })
            }
        })
    }

    /// The id of the next request of a session; `None` if there is no such session.
    fn request(&mut self, from: SessionId) -> Option<RequestId> {
        let next = self.next_request.get_mut(&from)?;
        let id = RequestId::new(*next).unwrap();
        *next += 1;
        Some(id)
    }
}

fn uri(name: usize) -> Uri {
    Uri::new(NAMES[name]).unwrap()
}

/// Every event is retained, and whoever subscribes gets what was.
fn publish_options() -> PublishOptions {
    let mut options = PublishOptions::new();
    options.set_retain(true);
    options
}

fn subscribe_options() -> SubscribeOptions {
    let mut options = SubscribeOptions::new();
    options.set_get_retained(true);
    options
}
