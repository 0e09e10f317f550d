//! Any sequence of messages, from sessions that come and go.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use spell_message::{
    Feature, MatchPolicy, Pattern, RegistrationId, RoleName, SubscriptionId,
    message::{Call, Cancel, Publish, Register, Subscribe, Unregister, Unsubscribe, Yield},
    options::{
        CallOptions, CancelMode, CancelOptions, PublishOptions, RegisterOptions, SubscribeOptions,
        YieldOptions,
    },
};

use super::*;

/// What a session does; numbers pick among the few sessions, names and ids there are.
#[derive(Clone, Debug)]
enum Action {
    Join { interruptible: bool },
    Leave,
    Subscribe(usize, MatchPolicy),
    Unsubscribe(u64),
    Publish(usize),
    Register(usize, MatchPolicy),
    Unregister(u64),
    Call(usize),
    Cancel(u64, Option<CancelMode>),
    Yield(u64),
    Fail(u64),
}

const NAMES: [&str; 4] = ["a", "a.b", "a.c", "b.b"];

pub(super) fn policy() -> impl Strategy<Value = MatchPolicy> {
    prop_oneof![
        Just(MatchPolicy::Exact),
        Just(MatchPolicy::Prefix),
        Just(MatchPolicy::Wildcard),
    ]
}

fn action() -> impl Strategy<Value = Action> {
    let mode = prop_oneof![
        Just(CancelMode::Skip),
        Just(CancelMode::Kill),
        Just(CancelMode::KillNoWait),
    ];
    let (name, id) = (0..NAMES.len(), 1..8_u64);
    prop_oneof![
        1 => any::<bool>().prop_map(|interruptible| Action::Join { interruptible }),
        1 => Just(Action::Leave),
        2 => (name.clone(), policy()).prop_map(|(name, policy)| Action::Subscribe(name, policy)),
        1 => id.clone().prop_map(Action::Unsubscribe),
        3 => name.clone().prop_map(Action::Publish),
        3 => (name.clone(), policy()).prop_map(|(name, policy)| Action::Register(name, policy)),
        1 => id.clone().prop_map(Action::Unregister),
        6 => name.prop_map(Action::Call),
        2 => (id.clone(), proptest::option::of(mode)).prop_map(|(id, mode)| Action::Cancel(id, mode)),
        4 => id.clone().prop_map(Action::Yield),
        1 => id.prop_map(Action::Fail),
    ]
}

/// What the sessions know, by what they were sent.
#[derive(Default)]
struct Clients {
    next_request: BTreeMap<SessionId, u64>,
    calls: BTreeSet<(SessionId, RequestId)>,
    invocations: BTreeMap<SessionId, u64>,
    subscribed: BTreeSet<(SessionId, SubscriptionId)>,
    registered: BTreeSet<(SessionId, RegistrationId)>,
}

impl Clients {
    /// Takes in what the router sent.
    fn receive(&mut self, mut out: Outputs) {
        for (to, outgoing) in out.drain() {
            assert!(self.next_request.contains_key(&to), "a message to who left");
            match outgoing.into_parts().0 {
                Message::Invocation(message) => {
                    let last = self.invocations.entry(to).or_default();
                    *last += 1;
                    assert_eq!(message.request.get(), *last, "a gap in the invocations");
                    let registration = (to, message.registration);
                    assert!(self.registered.contains(&registration), "not registered");
                }
                Message::Result(message) => {
                    assert!(self.calls.remove(&(to, message.request)), "not called");
                }
                Message::Error(message) if message.request_kind == RequestKind::Call => {
                    assert!(self.calls.remove(&(to, message.request)), "not called");
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
                    assert!(
                        message.request.get() <= self.invocations[&to],
                        "never invoked"
                    );
                }
                Message::Abort(message) => panic!("{message:?}"),
                _ => {}
            }
        }
    }

    /// Forgets a session, before the others learn of it.
    fn forget(&mut self, session: SessionId) {
        self.next_request.remove(&session);
        self.invocations.remove(&session);
        self.calls.retain(|(of, _)| *of != session);
        self.subscribed.retain(|(of, _)| *of != session);
        self.registered.retain(|(of, _)| *of != session);
    }

    /// The message of an action; `None` if the session cannot send it now.
    fn message(&mut self, from: SessionId, action: &Action) -> Option<Message> {
        let uri = |name: usize| Uri::new(NAMES[name]).unwrap();
        let pattern = |name: usize, policy| Pattern::new(NAMES[name], policy).unwrap();
        let invoked = self.invocations.get(&from).copied().unwrap_or_default();
        let next = self.next_request.get_mut(&from)?;
        let mut request = || {
            let id = RequestId::new(*next).unwrap();
            *next += 1;
            id
        };
        let payload = Payload::default();
        Some(match *action {
            Action::Subscribe(name, policy) => Message::Subscribe(Subscribe {
                request: request(),
                options: subscribe_options(),
                topic: pattern(name, policy),
            }),
            Action::Unsubscribe(id) => {
                let subscription = SubscriptionId::new(id).unwrap();
                self.subscribed.remove(&(from, subscription));
                let request = request();
                Message::Unsubscribe(Unsubscribe {
                    request,
                    subscription,
                })
            }
            Action::Publish(name) => Message::Publish(Publish {
                request: request(),
                options: publish_options(),
                topic: uri(name),
                payload,
            }),
            Action::Register(name, policy) => Message::Register(Register {
                request: request(),
                options: RegisterOptions::new(),
                procedure: pattern(name, policy),
            }),
            Action::Unregister(id) => {
                let registration = RegistrationId::new(id).unwrap();
                self.registered.remove(&(from, registration));
                let request = request();
                Message::Unregister(Unregister {
                    request,
                    registration,
                })
            }
            Action::Call(name) => {
                let request = request();
                self.calls.insert((from, request));
                Message::Call(Call {
                    request,
                    options: CallOptions::new(),
                    procedure: uri(name),
                    payload,
                })
            }
            Action::Cancel(id, mode) => {
                let mut options = CancelOptions::new();
                if let Some(mode) = mode {
                    options.set_mode(mode);
                }
                let request = RequestId::new(id).unwrap();
                Message::Cancel(Cancel { request, options })
            }
            Action::Yield(id) if id <= invoked => Message::Yield(Yield {
                request: RequestId::new(id).unwrap(),
                options: YieldOptions::new(),
                payload,
            }),
            Action::Fail(id) if id <= invoked => {
                let request = RequestId::new(id).unwrap();
                let error = refusal(RequestKind::Invocation, request, reason::CANCELED, None);
                Message::Error(error)
            }
            _ => return None,
        })
    }
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

proptest! {
    /// Whatever well-behaved sessions do: ids have no gap, nobody gets what it did not ask for, a
    /// call is answered once, no session is aborted, and in the end nothing is left.
    #[test]
    fn no_sequence_of_messages_breaks_a_promise_or_leaves_anything_behind(
        actions in proptest::collection::vec((1..4_u64, action()), 0..100),
    ) {
        let mut realm = RealmState::new(Environment::real(), Quotas::default());
        let mut clients = Clients::default();
        let everything = Line::new(spell_serializer::Json::new().into(), None);
        for (session, action) in &actions {
            let session = SessionId::new(*session).unwrap();
            let mut out = Outputs::default();
            let joined = clients.next_request.contains_key(&session);
            match action {
                Action::Join { interruptible } if !joined => {
                    let principal = Principal {
                        authid: String::new(),
                        authrole: String::new(),
                        method: Method::Anonymous,
                        trustlevel: None,
                    };
                    let announced = if *interruptible {
                        Announced::default().with(RoleName::Callee, Feature::CallCanceling)
                    } else {
                        Announced::default()
                    };
                    realm.join(session, principal, announced, everything.clone(), &mut out);
                    clients.next_request.insert(session, 1);
                }
                Action::Leave if joined => {
                    clients.forget(session);
                    realm.leave(session, &mut out);
                }
                action => if let Some(message) = clients.message(session, action) {
                    let handled = realm.handle(session, message, &mut out);
                    prop_assert!(matches!(handled, Handled::Now(Flow::Open)));
                },
            }
            clients.receive(out);
        }
        prop_assert_eq!(realm.is_idle(), clients.calls.is_empty(), "a call is forgotten");
        let sessions: Vec<_> = clients.next_request.keys().copied().collect();
        for session in sessions {
            let mut out = Outputs::default();
            clients.forget(session);
            realm.leave(session, &mut out);
            clients.receive(out);
        }
        prop_assert!(clients.calls.is_empty());
        prop_assert!(realm.is_empty());
    }
}
