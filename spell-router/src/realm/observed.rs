//! What an observer is told makes up what there is, whatever happens.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use spell_message::{
    MatchPolicy, Pattern, RegistrationId, SubscriptionId,
    message::{Register, Subscribe, Unregister, Unsubscribe},
    options::{InvocationPolicy, RegisterOptions, SubscribeOptions},
};
use spell_serializer::{Json, PayloadExt};

use super::{sequences::policy, *};
use crate::meta::{Farewell, Revocation, Victims};

/// What a session does, or what is done to it; numbers pick among the few names and ids there are.
#[derive(Clone, Debug)]
enum Action {
    Join,
    Leave,
    /// It sends what no client may send.
    Misbehave,
    Kill,
    /// All with its role are killed.
    KillRole,
    Subscribe(usize, MatchPolicy),
    Unsubscribe(u64),
    /// Perhaps by force.
    Register(usize, MatchPolicy, InvocationPolicy, bool),
    Unregister(u64),
    /// A registration is taken from it, or from all.
    RevokeRegistration(u64, bool),
    RevokeSubscription(u64, bool),
}

const NAMES: [&str; 4] = ["a", "a.b", "b.b", "wamp.session.on_leave"];
const OBSERVER: SessionId = SessionId::MAX;

fn action() -> impl Strategy<Value = Action> {
    let invoke = prop_oneof![
        Just(InvocationPolicy::Single),
        Just(InvocationPolicy::First),
        Just(InvocationPolicy::RoundRobin),
    ];
    let (name, id) = (0..NAMES.len(), 1..8_u64);
    prop_oneof![
        3 => Just(Action::Join),
        1 => Just(Action::Leave),
        1 => Just(Action::Misbehave),
        1 => Just(Action::Kill),
        1 => Just(Action::KillRole),
        6 => (name.clone(), policy()).prop_map(|(name, policy)| Action::Subscribe(name, policy)),
        2 => id.clone().prop_map(Action::Unsubscribe),
        6 => (name, policy(), invoke, any::<bool>()).prop_map(|(name, policy, invoke, force)| {
            Action::Register(name, policy, invoke, force)
        }),
        2 => id.clone().prop_map(Action::Unregister),
        1 => (id.clone(), any::<bool>())
            .prop_map(|(id, all)| Action::RevokeRegistration(id, all)),
        1 => (id, any::<bool>()).prop_map(|(id, all)| Action::RevokeSubscription(id, all)),
    ]
}

/// Who has which registrations or subscriptions.
type Shared = BTreeMap<u64, BTreeSet<u64>>;

/// What there is in a realm.
#[derive(Debug, Default, PartialEq, Eq)]
struct Picture {
    sessions: BTreeSet<u64>,
    registrations: Shared,
    subscriptions: Shared,
}

impl Picture {
    /// What there is.
    fn of(realm: &RealmState) -> Self {
        let policies = [
            MatchPolicy::Exact,
            MatchPolicy::Prefix,
            MatchPolicy::Wildcard,
        ];
        let registrations = &realm.dealer.registrations;
        let ids = policies.iter().flat_map(|it| registrations.of_policy(*it));
        let callees = |id: RegistrationId| {
            let callees = registrations.get(id).unwrap().callees();
            (id.get(), callees.map(SessionId::get).collect())
        };
        let subscriptions = &realm.broker.subscriptions;
        let topics = policies.iter().flat_map(|it| subscriptions.of_policy(*it));
        let subscribers = |id: SubscriptionId| {
            let subscribers = subscriptions.get(id).unwrap().subscribers.iter();
            (id.get(), subscribers.map(|id| id.get()).collect())
        };
        Self {
            sessions: realm.members.keys().map(|id| id.get()).collect(),
            registrations: ids.map(callees).collect(),
            subscriptions: topics.map(subscribers).collect(),
        }
    }

    /// Takes in what the observer is told.
    fn hear(&mut self, mut out: Outputs) {
        for (to, outgoing) in out.drain() {
            let Message::Event(event) = outgoing.into_message() else {
                continue;
            };
            if to != OBSERVER {
                continue;
            }
            let args: Vec<Value> = event.payload.parse_args().unwrap();
            let number = |index: usize| args.get(index).and_then(Value::as_u64).unwrap();
            let details = |index: usize, key| {
                let details = args.get(index).and_then(Value::as_dict).unwrap();
                details.get(key).and_then(Value::as_u64).unwrap()
            };
            let topic = event.details.topic().unwrap();
            match topic {
                "wamp.session.on_join" => {
                    assert!(self.sessions.insert(details(0, "session")), "joined twice");
                }
                "wamp.session.on_leave" => {
                    assert!(self.sessions.remove(&number(0)), "left twice");
                    let gone = number(0);
                    let mut shared = self
                        .registrations
                        .values()
                        .chain(self.subscriptions.values());
                    assert!(shared.all(|has| !has.contains(&gone)), "left too early");
                }
                _ => {
                    let shared = if topic.starts_with("wamp.registration.") {
                        &mut self.registrations
                    } else {
                        &mut self.subscriptions
                    };
                    match topic.rsplit('.').next().unwrap() {
                        "on_create" => {
                            let before = shared.insert(details(1, "id"), BTreeSet::new());
                            assert_eq!(before, None, "created twice");
                        }
                        "on_register" | "on_subscribe" => {
                            let sessions = shared.get_mut(&number(1)).expect("not created");
                            assert!(sessions.insert(number(0)), "added twice");
                        }
                        "on_unregister" | "on_unsubscribe" => {
                            let sessions = shared.get_mut(&number(1)).expect("not created");
                            assert!(sessions.remove(&number(0)), "removed twice");
                        }
                        _ => {
                            let last = shared.remove(&number(1));
                            assert_eq!(last, Some(BTreeSet::new()), "deleted too early");
                        }
                    }
                }
            }
        }
    }
}

/// Lets a session join, every other one with the same role.
fn join(realm: &mut RealmState, session: SessionId, out: &mut Outputs) {
    let principal = Principal {
        authid: "joe".to_owned(),
        authrole: format!("role{}", session.get() % 2),
        method: Method::Anonymous,
        trustlevel: None,
    };
    let line = Line::new(Json::new().into(), None);
    realm.join(session, principal, Announced::default(), line, out);
}

/// The message of an action, if it is one.
fn message(action: &Action, request: RequestId) -> Option<Message> {
    let pattern = |name: usize, policy| Pattern::new(NAMES[name], policy).unwrap();
    Some(match *action {
        Action::Misbehave => Message::Unregister(Unregister {
            request: RequestId::MAX,
            registration: RegistrationId::MIN,
        }),
        Action::Subscribe(name, policy) => Message::Subscribe(Subscribe {
            request,
            options: SubscribeOptions::new(),
            topic: pattern(name, policy),
        }),
        Action::Unsubscribe(id) => Message::Unsubscribe(Unsubscribe {
            request,
            subscription: SubscriptionId::new(id).unwrap(),
        }),
        Action::Register(name, policy, invoke, force) => {
            let mut options = RegisterOptions::new();
            options.set_invoke(invoke).set_force_reregister(force);
            Message::Register(Register {
                request,
                options,
                procedure: pattern(name, policy),
            })
        }
        Action::Unregister(id) => Message::Unregister(Unregister {
            request,
            registration: RegistrationId::new(id).unwrap(),
        }),
        _ => return None,
    })
}

proptest! {
    #[test]
    fn what_an_observer_is_told_makes_up_what_there_is(
        actions in proptest::collection::vec((1..5_u64, action()), 0..100),
    ) {
        let mut realm = RealmState::new(Environment::real(), Quotas::default())
            .with_reregistration(Reregistration::Everyone);
        join(&mut realm, OBSERVER, &mut Outputs::default());
        let mut picture = Picture::of(&realm);
        let mut out = Outputs::default();
        let everything = Message::Subscribe(Subscribe {
            request: RequestId::MIN,
            options: SubscribeOptions::new(),
            topic: Pattern::prefix("wamp.").unwrap(),
        });
        prop_assert!(matches!(
            realm.handle(OBSERVER, everything, &mut out),
            Handled::Now(Flow::Open)
        ));
        picture.hear(out);
        for (session, action) in &actions {
            let session = SessionId::new(*session).unwrap();
            let mut out = Outputs::default();
            let next = realm.members.get(&session).map(|member| member.requests.next());
            match (next, action) {
                (None, Action::Join) => join(&mut realm, session, &mut out),
                (_, Action::Leave) => realm.leave(session, &mut out),
                (_, Action::Kill) => {
                    let victim = Victims::Session(session);
                    realm.kill(&victim, None, &Farewell::new(), &mut out);
                }
                (_, Action::KillRole) => {
                    let victims = Victims::Authrole(format!("role{}", session.get() % 2));
                    realm.kill(&victims, Some(OBSERVER), &Farewell::new(), &mut out);
                }
                (_, Action::RevokeRegistration(id, all)) => {
                    let id = RegistrationId::new(*id).unwrap();
                    let revocation = Revocation { session: (!all).then_some(session), reason: None };
                    realm.revoke_registration(id, &revocation, &mut out);
                }
                // The first one is the observer's.
                (_, Action::RevokeSubscription(id, all)) if *id > 1 => {
                    let id = SubscriptionId::new(*id).unwrap();
                    let revocation = Revocation { session: (!all).then_some(session), reason: None };
                    realm.revoke_subscription(id, &revocation, &mut out);
                }
                (Some(request), action) => if let Some(message) = message(action, request) {
                    let handled = realm.handle(session, message, &mut out);
                    prop_assert!(matches!(handled, Handled::Now(_)));
                },
                _ => {}
            }
            picture.hear(out);
            prop_assert_eq!(&picture, &Picture::of(&realm), "after {:?}", action);
        }
    }
}
