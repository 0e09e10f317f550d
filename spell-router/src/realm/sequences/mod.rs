//! Any sequence of messages, from sessions that come and go.

mod action;
mod clients;
mod message;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use proptest::prelude::*;

pub(super) use self::action::policy;
use self::{
    action::{Action, FEATURES, action},
    clients::Clients,
};
use super::*;
use crate::{environment::Moment, outbound::lock};

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
