//! Any sequence of messages, from sessions that come and go.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use proptest::prelude::*;
use spell_message::{
    Feature, MatchPolicy, Pattern, RegistrationId, RoleName, SubscriptionId,
    message::{Call, Cancel, Publish, Register, Subscribe, Unregister, Unsubscribe, Yield},
    options::{
        CallOptions, CancelMode, CancelOptions, InvocationPolicy, PublishOptions, RegisterOptions,
        SubscribeOptions, YieldOptions,
    },
};

use super::*;
use crate::{environment::Moment, outbound::lock};

/// What a session does; numbers pick among the few sessions, names and ids there are.
#[derive(Clone, Debug)]
enum Action {
    /// With some of [`FEATURES`], and a line that always carries what it gets, or may not.
    Join {
        features: Vec<bool>,
        certain: bool,
    },
    Leave,
    /// Time passes, in milliseconds.
    Pass(u64),
    Subscribe(usize, MatchPolicy),
    Unsubscribe(u64),
    Publish(usize),
    Register {
        name: usize,
        matching: MatchPolicy,
        policy: InvocationPolicy,
        forward_timeout: bool,
    },
    Unregister(u64),
    Call {
        name: usize,
        progress: bool,
        receive_progress: bool,
        timeout: u64,
    },
    /// Another part of the arguments of a call.
    GoOn {
        call: u64,
        progress: bool,
    },
    Cancel(u64, Option<CancelMode>),
    Yield {
        invocation: u64,
        progress: bool,
    },
    Fail(u64),
    Decline(u64),
}

const NAMES: [&str; 4] = ["a", "a.b", "a.c", "b.b"];

const CANCELING: usize = 0;
const RESULTS: usize = 1;
const PARTS: usize = 2;
const TIMEOUT: usize = 3;
const SENDS_PARTS: usize = 4;
const FEATURES: [(RoleName, Feature); 5] = [
    (RoleName::Callee, Feature::CallCanceling),
    (RoleName::Callee, Feature::ProgressiveCallResults),
    (RoleName::Callee, Feature::ProgressiveCallInvocations),
    (RoleName::Callee, Feature::CallTimeout),
    (RoleName::Caller, Feature::ProgressiveCallInvocations),
];

fn action() -> impl Strategy<Value = Action> {
    let matching = || {
        prop_oneof![
            Just(MatchPolicy::Exact),
            Just(MatchPolicy::Prefix),
            Just(MatchPolicy::Wildcard),
        ]
    };
    let policy = prop_oneof![
        1 => Just(InvocationPolicy::Single),
        3 => Just(InvocationPolicy::RoundRobin),
        1 => Just(InvocationPolicy::Random),
        1 => Just(InvocationPolicy::First),
        1 => Just(InvocationPolicy::Last),
    ];
    let mode = prop_oneof![
        Just(CancelMode::Skip),
        Just(CancelMode::Kill),
        Just(CancelMode::KillNoWait),
    ];
    let (name, id) = (0..NAMES.len(), 1..8_u64);
    let usually = || proptest::bool::weighted(0.8);
    let features = proptest::collection::vec(usually(), FEATURES.len());
    prop_oneof![
        2 => (features, any::<bool>())
            .prop_map(|(features, certain)| Action::Join { features, certain }),
        1 => Just(Action::Leave),
        1 => (0..60_u64).prop_map(Action::Pass),
        2 => (name.clone(), matching()).prop_map(|(name, policy)| Action::Subscribe(name, policy)),
        1 => id.clone().prop_map(Action::Unsubscribe),
        2 => name.clone().prop_map(Action::Publish),
        4 => (name.clone(), matching(), policy, any::<bool>()).prop_map(
            |(name, matching, policy, forward_timeout)| Action::Register {
                name,
                matching,
                policy,
                forward_timeout,
            }
        ),
        1 => id.clone().prop_map(Action::Unregister),
        6 => (name, any::<bool>(), any::<bool>(), 0..100_u64).prop_map(
            |(name, progress, receive_progress, timeout)| Action::Call {
                name,
                progress,
                receive_progress,
                timeout: timeout.saturating_sub(50),
            }
        ),
        3 => (id.clone(), usually())
            .prop_map(|(call, progress)| Action::GoOn { call, progress }),
        2 => (id.clone(), proptest::option::of(mode)).prop_map(|(id, mode)| Action::Cancel(id, mode)),
        5 => (id.clone(), any::<bool>())
            .prop_map(|(invocation, progress)| Action::Yield { invocation, progress }),
        1 => id.clone().prop_map(Action::Fail),
        3 => id.prop_map(Action::Decline),
    ]
}

/// What the sessions know, by what they were sent.
#[derive(Default)]
struct Clients {
    next_request: BTreeMap<SessionId, u64>,
    features: BTreeMap<SessionId, Vec<bool>>,
    /// The calls under way, and whether they asked for progress.
    calls: BTreeMap<(SessionId, RequestId), bool>,
    /// What was called by calls whose arguments are not complete, be they under way or over.
    incomplete: BTreeMap<(SessionId, RequestId), usize>,
    invocations: BTreeMap<SessionId, u64>,
    /// The invocations that get more arguments.
    expecting: BTreeSet<(SessionId, RequestId)>,
    interrupted: BTreeSet<(SessionId, RequestId)>,
    subscribed: BTreeSet<(SessionId, SubscriptionId)>,
    registered: BTreeSet<(SessionId, RegistrationId)>,
}

impl Clients {
    fn has(&self, session: SessionId, feature: usize) -> bool {
        self.features[&session][feature]
    }

    /// Takes in what the router sent.
    fn receive(&mut self, mut out: Outputs) {
        for (to, outgoing) in out.drain() {
            assert!(self.next_request.contains_key(&to), "a message to who left");
            match outgoing.into_parts().0 {
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
    fn forget(&mut self, session: SessionId) {
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

    /// The message of an action; `None` if the session cannot send it now.
    fn message(&mut self, from: SessionId, action: &Action) -> Option<Message> {
        let uri = |name: usize| Uri::new(NAMES[name]).unwrap();
        let pattern = |name: usize, policy| Pattern::new(NAMES[name], policy).unwrap();
        let invoked = self.invocations.get(&from).copied().unwrap_or_default();
        let next = self.next_request.get_mut(&from)?;
        let sends_parts = self.features[&from][SENDS_PARTS];
        let mut request = || {
            let id = RequestId::new(*next).unwrap();
            *next += 1;
            id
        };
        let payload = Payload::default();
        Some(match *action {
            Action::Subscribe(name, policy) => Message::Subscribe(Subscribe {
                request: request(),
                options: SubscribeOptions::new(),
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
                options: PublishOptions::new(),
                topic: uri(name),
                payload,
            }),
            Action::Register {
                name,
                matching,
                policy,
                forward_timeout,
            } => {
                let mut options = RegisterOptions::new();
                options.set_invoke(policy);
                options.set_forward_timeout(forward_timeout);
                Message::Register(Register {
                    request: request(),
                    options,
                    procedure: pattern(name, matching),
                })
            }
            Action::Unregister(id) => {
                let registration = RegistrationId::new(id).unwrap();
                self.registered.remove(&(from, registration));
                let request = request();
                Message::Unregister(Unregister {
                    request,
                    registration,
                })
            }
            Action::Call {
                name,
                progress,
                receive_progress,
                timeout,
            } => {
                let request = request();
                self.calls.insert((from, request), receive_progress);
                let mut options = CallOptions::new();
                options.set_receive_progress(receive_progress);
                options.set_timeout(timeout);
                if progress && sends_parts {
                    options.set_progress(true);
                    self.incomplete.insert((from, request), name);
                }
                Message::Call(Call {
                    request,
                    options,
                    procedure: uri(name),
                    payload,
                })
            }
            Action::GoOn { call, progress } => {
                let request = RequestId::new(call).unwrap();
                let name = *self.incomplete.get(&(from, request))?;
                if !progress {
                    self.incomplete.remove(&(from, request));
                }
                let mut options = CallOptions::new();
                options.set_progress(progress);
                Message::Call(Call {
                    request,
                    options,
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
            Action::Yield {
                invocation,
                progress,
            } if invocation <= invoked => {
                let mut options = YieldOptions::new();
                options.set_progress(progress);
                Message::Yield(Yield {
                    request: RequestId::new(invocation).unwrap(),
                    options,
                    payload,
                })
            }
            Action::Fail(id) if id <= invoked => {
                let request = RequestId::new(id).unwrap();
                let error = refusal(RequestKind::Invocation, request, reason::CANCELED, None);
                Message::Error(error)
            }
            Action::Decline(id) if id <= invoked => {
                let request = RequestId::new(id).unwrap();
                let error = refusal(RequestKind::Invocation, request, reason::UNAVAILABLE, None);
                Message::Error(error)
            }
            _ => return None,
        })
    }
}

/// A realm, its sessions, and the work that some of them do before they go on.
struct World {
    realm: RealmState,
    now: Arc<Mutex<Moment>>,
    clients: Clients,
    working: BTreeMap<SessionId, Box<Work>>,
}

impl World {
    fn new() -> Self {
        let Environment { random, clock } = Environment::real();
        let now = Arc::new(Mutex::new(clock()));
        let clock = Arc::clone(&now);
        let environment = Environment {
            random,
            clock: Box::new(move || *lock(&clock)),
        };
        Self {
            realm: RealmState::new(environment, Quotas::default()),
            now,
            clients: Clients::default(),
            working: BTreeMap::new(),
        }
    }

    fn act(&mut self, session: SessionId, action: &Action) {
        if let Action::Pass(time) = action {
            lock(&self.now).instant += Duration::from_millis(*time);
            return self.step(RealmState::expire);
        }
        let joined = self.clients.next_request.contains_key(&session);
        match action {
            Action::Join { features, certain } if !joined => self.join(session, features, *certain),
            Action::Leave if joined => {
                self.clients.forget(session);
                self.step(|realm, out| realm.leave(session, out));
                self.go_on(session);
            }
            // Whoever works does nothing else before, but others may.
            _ if self.working.contains_key(&session) => self.go_on(session),
            action => {
                if let Some(message) = self.clients.message(session, action) {
                    self.proceed(session, |realm, out| realm.handle(session, message, out));
                }
            }
        }
    }

    fn join(&mut self, session: SessionId, features: &[bool], certain: bool) {
        let principal = Principal {
            authid: String::new(),
            authrole: String::new(),
            method: Method::Anonymous,
            trustlevel: None,
        };
        let announced = FEATURES.iter().zip(features).filter(|(_, has)| **has);
        let announced = announced.fold(Announced::default(), |known, ((role, feature), _)| {
            known.with(*role, *feature)
        });
        let limit = (!certain).then_some(1_000);
        let line = Line::new(spell_serializer::Json::new().into(), limit);
        self.clients.next_request.insert(session, 1);
        self.clients.features.insert(session, features.to_vec());
        self.step(|realm, out| realm.join(session, principal, announced, line, out));
    }

    /// Finishes the work of a session.
    fn go_on(&mut self, session: SessionId) {
        if let Some(work) = self.working.remove(&session) {
            let finished = work.finish();
            self.proceed(session, |realm, out| realm.resume(session, finished, out));
        }
    }

    fn proceed(
        &mut self,
        session: SessionId,
        step: impl FnOnce(&mut RealmState, &mut Outputs) -> Handled,
    ) {
        let mut handled = Handled::Now(Flow::Open);
        self.step(|realm, out| handled = step(realm, out));
        match handled {
            Handled::Now(flow) => assert_eq!(flow, Flow::Open),
            Handled::After(work) => _ = self.working.insert(session, work),
        }
    }

    fn step(&mut self, step: impl FnOnce(&mut RealmState, &mut Outputs)) {
        let mut out = Outputs::default();
        step(&mut self.realm, &mut out);
        self.clients.receive(out);
    }
}

proptest! {
    /// Whatever well-behaved sessions do: ids have no gap, nobody gets what it did not ask for, a
    /// call is answered once and for all, no session is aborted, and in the end nothing is left.
    #[test]
    fn no_sequence_of_messages_breaks_a_promise_or_leaves_anything_behind(
        actions in proptest::collection::vec((1..5_u64, action()), 0..150),
    ) {
        let mut world = World::new();
        for (session, action) in &actions {
            world.act(SessionId::new(*session).unwrap(), action);
        }
        while let Some((session, _)) = world.working.first_key_value() {
            world.go_on(*session);
        }
        let idle = world.clients.calls.is_empty();
        prop_assert_eq!(world.realm.is_idle(), idle, "a call is forgotten");
        prop_assert!(!idle || world.realm.next_deadline().is_none());
        let sessions: Vec<_> = world.clients.next_request.keys().copied().collect();
        for session in sessions {
            world.act(session, &Action::Leave);
        }
        prop_assert!(world.clients.calls.is_empty());
        prop_assert!(world.realm.is_empty());
    }
}
