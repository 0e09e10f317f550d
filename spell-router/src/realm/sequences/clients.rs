//! What sessions know and expect.

use std::collections::{BTreeMap, BTreeSet};

use spell_message::{RegistrationId, SubscriptionId, reason};

use super::{super::*, action::*};

/// What the sessions know, by what they were sent.
#[derive(Default)]
pub(super) struct Clients {
    pub(super) next_request: BTreeMap<SessionId, u64>,
    pub(super) features: BTreeMap<SessionId, Vec<bool>>,
    /// The calls under way, and whether they asked for progress.
    pub(super) calls: BTreeMap<(SessionId, RequestId), bool>,
    /// What was called by calls whose arguments are not complete, be they under way or over.
    pub(super) incomplete: BTreeMap<(SessionId, RequestId), usize>,
    pub(super) invocations: BTreeMap<SessionId, u64>,
    /// The invocations that get more arguments.
    pub(super) expecting: BTreeSet<(SessionId, RequestId)>,
    pub(super) interrupted: BTreeSet<(SessionId, RequestId)>,
    pub(super) subscribed: BTreeSet<(SessionId, SubscriptionId)>,
    pub(super) registered: BTreeSet<(SessionId, RegistrationId)>,
}

impl Clients {
    fn has(&self, session: SessionId, feature: usize) -> bool {
        self.features[&session][feature]
    }

    /// Takes in what the router sent.
    pub(super) fn receive(&mut self, mut out: Outputs) {
        for (to, outgoing) in out.drain() {
            assert!(self.next_request.contains_key(&to), "a message to who left");
            match outgoing.into_message() {
                Message::Invocation(message) => {
                    let key = (to, message.request);
                    let last = self.invocations.entry(to).or_default();
                    if message.request.get() > *last {
                        *last += 1;
                        assert_eq!(message.request.get(), *last, "a gap in the invocations");
                        let registration = (to, message.registration);
                        assert!(self.registered.contains(&registration), "not registered");
                    } else {
                        assert!(self.expecting.remove(&key), "a part too many");
                        assert!(
                            !self.interrupted.contains(&key),
                            "a part for what is to stop"
                        );
                    }
                    let details = &message.details;
                    let interruptible = self.has(to, CANCELING);
                    if details.progress() == Some(true) {
                        assert!(interruptible && self.has(to, PARTS));
                        self.expecting.insert(key);
                    }
                    if details.receive_progress() == Some(true) {
                        assert!(interruptible && self.has(to, RESULTS));
                    }
                    assert!(details.timeout().is_none() || self.has(to, TIMEOUT));
                }
                Message::Result(message) if message.details.progress() == Some(true) => {
                    let asked = self.calls.get(&(to, message.request));
                    assert_eq!(asked, Some(&true), "progress after the end, or unasked");
                }
                Message::Result(message) => {
                    let call = (to, message.request);
                    assert!(self.calls.remove(&call).is_some(), "not called");
                }
                Message::Error(message) if message.request_kind == RequestKind::Call => {
                    let call = (to, message.request);
                    assert!(self.calls.remove(&call).is_some(), "not called");
                    assert_ne!(message.error, *reason::UNAVAILABLE);
                }
                Message::Event(message) => {
                    let subscription = (to, message.subscription);
                    assert!(self.subscribed.contains(&subscription), "not subscribed");
                }
                Message::Subscribed(message) => {
                    self.subscribed.insert((to, message.subscription));
                }
                Message::Registered(message) => {
                    self.registered.insert((to, message.registration));
                }
                Message::Interrupt(message) => {
                    assert!(self.has(to, CANCELING));
                    let invoked = self.invocations[&to];
                    assert!(message.request.get() <= invoked, "never invoked");
                    let invocation = (to, message.request);
                    assert!(self.interrupted.insert(invocation), "interrupted twice");
                }
                Message::Abort(message) => panic!("{message:?}"),
                _ => {}
            }
        }
    }

    /// Forgets a session, before the others learn of it.
    pub(super) fn forget(&mut self, session: SessionId) {
        self.next_request.remove(&session);
        self.features.remove(&session);
        self.invocations.remove(&session);
        self.calls.retain(|(of, _), _| *of != session);
        self.incomplete.retain(|(of, _), _| *of != session);
        self.expecting.retain(|(of, _)| *of != session);
        self.interrupted.retain(|(of, _)| *of != session);
        self.subscribed.retain(|(of, _)| *of != session);
        self.registered.retain(|(of, _)| *of != session);
    }
}
