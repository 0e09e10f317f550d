use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    mem,
    time::Instant,
};

use spell_message::{
    RegistrationId, RequestId,
    message::{ErrorMessage, Registered, Unregister},
    options::UnregisteredDetails,
    reason,
};
use spell_peer::{CloseReason, Context, SendError, SessionEnd};
use tracing::debug;

use super::{
    RegistrationEnd,
    conflict::{Move, is_conflict},
    departures::Departures,
    role::Command,
    wanted::Wanted,
};
use crate::{
    error::Failure,
    id_map::IdMap,
    request::{Key, Reply},
};

/// What the user wants registered, and what of it the router has.
#[derive(Debug, Default)]
pub(super) struct Registrations {
    /// What is to be registered, in the order in which it was asked for.
    wanted: BTreeMap<Key, Wanted>,
    /// What is registered in this session.
    routes: IdMap<RegistrationId, Key>,
    registering: IdMap<RequestId, Key>,
    unregistering: IdMap<RequestId, Unregistering>,
    /// What is yet to be asked for in this session, in order.
    restoring: VecDeque<Key>,
    /// What another session has, and when to try again.
    contested: BTreeSet<(Instant, Key)>,
    departures: Departures,
    /// The peer is about to leave: nothing is to be registered any more.
    is_leaving: bool,
}

#[derive(Debug)]
struct Unregistering {
    key: Key,
    registration: RegistrationId,
    /// `None` if nobody waits.
    reply: Option<Reply<()>>,
}

impl Registrations {
    /// The user wants one more.
    pub(super) fn want(&mut self, wanted: Wanted, cx: &mut Context<'_, Command>) {
        // The order to release it came, and found nothing.
        if wanted.is_given_up() {
            return;
        }
        if self.is_leaving {
            return wanted.fail(Failure::no_session(Some(&CloseReason::Left)), cx);
        }
        let key = wanted.key();
        self.wanted.insert(key, wanted);
        if self.is_restoring() {
            self.restoring.push_back(key);
        } else if cx.session().is_some() {
            self.register(key, cx);
        }
    }

    /// A session began: all that is wanted is to be asked for.
    pub(super) fn join(&mut self) {
        self.restoring = self.wanted.keys().copied().collect();
    }

    /// Whether some of it is not asked for yet.
    pub(super) fn is_restoring(&self) -> bool {
        !self.restoring.is_empty()
    }

    /// Ask for the next of it.
    pub(super) fn restore(&mut self, cx: &mut Context<'_, Command>) {
        if let Some(key) = self.restoring.pop_front() {
            self.register(key, cx);
        }
    }

    /// When to try again what another session has.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.contested.first().map(|(at, _)| *at)
    }

    /// Try again what it is time for.
    pub(super) fn retry(&mut self, cx: &mut Context<'_, Command>) {
        while self.deadline().is_some_and(|at| at <= cx.now()) {
            if let Some((_, key)) = self.contested.pop_first() {
                self.register(key, cx);
            }
        }
    }

    /// The one that the router means by this id.
    pub(super) fn find(&self, registration: RegistrationId) -> Option<&Wanted> {
        self.wanted.get(self.routes.get(&registration)?)
    }

    /// Ask for what is wanted. It stays wanted unless that fails.
    fn register(&mut self, key: Key, cx: &mut Context<'_, Command>) {
        if self.is_leaving {
            return;
        }
        let Some(wanted) = self.wanted.get_mut(&key) else {
            return;
        };
        if self.departures.hold(key, &wanted.procedure) {
            return;
        }
        if !wanted.commit() {
            self.wanted.remove(&key);
            return;
        }
        if let Some(failure) = wanted.unsupported(cx) {
            return self.fail(key, failure, cx);
        }
        match cx.request(|request| wanted.message(request)) {
            Ok(request) => {
                wanted.asked(request);
                self.registering.insert(request, key);
            }
            // The session is ending; there may be another one.
            Err(SendError::NotJoined) => wanted.revert(),
            Err(error) => {
                let failure = Failure::not_committed(error, cx);
                self.fail(key, failure, cx);
            }
        }
    }

    /// It cannot be registered: tell the user, whether for the first time or after a reconnect.
    fn fail(&mut self, key: Key, failure: Failure, cx: &mut Context<'_, Command>) {
        if let Some(wanted) = self.wanted.remove(&key) {
            wanted.fail(failure, cx);
        }
    }

    pub(super) fn registered(&mut self, message: Registered, cx: &mut Context<'_, Command>) {
        let registration = message.registration;
        let Some(key) = self.registering.remove(&message.request) else {
            return;
        };
        let is_taken = self.routes.contains_key(&registration);
        match self.wanted.get_mut(&key) {
            // The callees of a shared registration have one id, and invocations name nothing else.
            Some(_) if is_taken => {
                if let Some(wanted) = self.wanted.remove(&key) {
                    wanted.fail_as_taken(cx);
                }
            }
            Some(wanted) => {
                // The next frame may be an INVOCATION of it.
                self.routes.insert(registration, key);
                wanted.registered(registration);
                if self.is_leaving {
                    self.withdraw(key, registration, None, cx);
                }
            }
            // Given up meanwhile, and the user has another one of the same id.
            None if is_taken => self.departed(key, cx),
            None => self.withdraw(key, registration, None, cx),
        }
    }

    /// The router refused it.
    pub(super) fn not_registered(&mut self, error: ErrorMessage, cx: &mut Context<'_, Command>) {
        let Some(key) = self.registering.remove(&error.request) else {
            return;
        };
        let next = match self.wanted.get_mut(&key) {
            Some(wanted) if is_conflict(&error.error) => wanted.contest(cx.now()),
            _ => Move::GiveUp,
        };
        match next {
            Move::TryAt(at) => _ = self.contested.insert((at, key)),
            Move::Force => self.register(key, cx),
            Move::GiveUp => {
                self.fail(key, error.into(), cx);
                self.departed(key, cx);
            }
        }
    }

    /// Send UNREGISTER.
    fn withdraw(
        &mut self,
        key: Key,
        registration: RegistrationId,
        reply: Option<Reply<()>>,
        cx: &mut Context<'_, Command>,
    ) {
        if reply.as_ref().is_some_and(|reply| !reply.commit()) {
            return;
        }
        let message = |request| {
            Unregister {
                request,
                registration,
            }
            .into()
        };
        match (cx.request(message), reply) {
            (Ok(request), reply) => {
                let unregistering = Unregistering {
                    key,
                    registration,
                    reply,
                };
                self.unregistering.insert(request, unregistering);
            }
            (Err(error), Some(reply)) => reply.send(Err(Failure::not_committed(error, cx))),
            // Without a session there is nothing to unregister.
            (Err(error), None) => {
                debug!(%registration, %error, "could not be unregistered");
                self.departed(key, cx);
            }
        }
    }

    /// The router has it no more: ask for what waited for that.
    fn departed(&mut self, key: Key, cx: &mut Context<'_, Command>) {
        for held in self.departures.finish(key) {
            self.register(held, cx);
        }
    }

    /// The user asked to unregister, and waits.
    pub(super) fn unregister(&mut self, key: Key, reply: Reply<()>, cx: &mut Context<'_, Command>) {
        if let Some(registration) = self.wanted.get(&key).and_then(Wanted::registration) {
            return self.withdraw(key, registration, Some(reply), cx);
        }
        // Not registered in this session: it is only to be forgotten.
        self.end(key, RegistrationEnd::Unregistered);
        reply.send(Ok(()));
    }

    /// It is to be drained: it goes, and nobody waits for that alone.
    pub(super) fn drain(&mut self, key: Key, cx: &mut Context<'_, Command>) {
        let registration = self.wanted.get(&key).and_then(Wanted::registration);
        match registration.filter(|_| cx.is_joined()) {
            Some(registration) if !self.is_unregistering(key) => {
                self.withdraw(key, registration, None, cx);
            }
            Some(_) => {}
            // Not registered in this session: it is only to be forgotten.
            None => self.end(key, RegistrationEnd::Unregistered),
        }
    }

    /// The peer is about to leave: all go.
    pub(super) fn leave(&mut self, cx: &mut Context<'_, Command>) {
        self.is_leaving = true;
        self.restoring.clear();
        self.contested.clear();
        let registered: Vec<_> = self.routes.iter().map(|(id, key)| (*id, *key)).collect();
        for (registration, key) in registered {
            if !self.is_unregistering(key) {
                self.withdraw(key, registration, None, cx);
            }
        }
    }

    /// Whether the user wants it, or the router has it.
    pub(super) fn has(&self, key: Key) -> bool {
        self.wanted.contains_key(&key)
    }

    /// Whether the router answered all that it was asked.
    pub(super) fn is_settled(&self) -> bool {
        self.registering.is_empty() && self.unregistering.is_empty()
    }

    fn is_unregistering(&self, key: Key) -> bool {
        self.unregistering.values().any(|other| other.key == key)
    }

    /// The user let go of it, or gave up waiting for it.
    pub(super) fn release(&mut self, key: Key, cx: &mut Context<'_, Command>) {
        let Some(wanted) = self.forget(key) else {
            return;
        };
        let Some(registration) = wanted.registration() else {
            if wanted.is_asked {
                self.departures.begin(key, &wanted.procedure);
            } else {
                self.departures.forget(key, &wanted.procedure);
            }
            return;
        };
        self.routes.remove(&registration);
        if !self.is_unregistering(key) {
            self.withdraw(key, registration, None, cx);
        }
    }

    pub(super) fn unregistered(&mut self, request: RequestId, cx: &mut Context<'_, Command>) {
        let Some(unregistering) = self.unregistering.remove(&request) else {
            return;
        };
        self.departed(unregistering.key, cx);
        self.end(unregistering.key, RegistrationEnd::Unregistered);
        if let Some(reply) = unregistering.reply {
            reply.send(Ok(()));
        }
    }

    /// The router refused to unregister it. Gives which one it was and why, unless someone was told.
    pub(super) fn not_unregistered(
        &mut self,
        error: ErrorMessage,
        cx: &mut Context<'_, Command>,
    ) -> Option<(Key, Failure)> {
        let unregistering = self.unregistering.remove(&error.request)?;
        self.departed(unregistering.key, cx);
        let is_gone = error.error == reason::NO_SUCH_REGISTRATION;
        if is_gone {
            self.end(unregistering.key, RegistrationEnd::Unregistered);
        }
        if let Some(reply) = unregistering.reply {
            // It is gone, as was wished.
            reply.send(if is_gone { Ok(()) } else { Err(error.into()) });
            return None;
        }
        let (registration, uri) = (unregistering.registration, &error.error);
        debug!(%registration, %uri, "could not be unregistered");
        (!is_gone).then(|| (unregistering.key, error.into()))
    }

    /// It is wanted no more.
    fn forget(&mut self, key: Key) -> Option<Wanted> {
        self.contested.retain(|(_, other)| *other != key);
        self.wanted.remove(&key)
    }

    /// It is over: nothing more will come.
    fn end(&mut self, key: Key, end: RegistrationEnd) {
        let Some(wanted) = self.forget(key) else {
            return;
        };
        if let Some(registration) = wanted.registration() {
            self.routes.remove(&registration);
        }
        wanted.end(end);
    }

    pub(super) fn revoked(&mut self, details: &UnregisteredDetails) {
        let registration = details.registration();
        let Some(key) = registration.and_then(|id| self.routes.get(&id).copied()) else {
            return;
        };
        let reason = details.reason().map(Into::into);
        self.end(key, RegistrationEnd::Revoked { reason });
    }

    /// How many requests are under way.
    pub(super) fn pending(&self) -> usize {
        self.registering
            .len()
            .saturating_add(self.unregistering.len())
    }

    /// The session ended. What is wanted stays so.
    pub(super) fn close(&mut self, end: &SessionEnd) {
        self.routes.clear();
        self.departures.clear();
        self.is_leaving = false;
        self.contested.clear();
        for (request, key) in mem::take(&mut self.registering) {
            // Who waits for the first answer is told; what was registered once is asked for again.
            let wanted = self.wanted.get_mut(&key);
            if let Some(reply) = wanted.and_then(|wanted| wanted.reply.take()) {
                self.wanted.remove(&key);
                reply.send(Err(Failure::Closed {
                    reason: end.reason().clone(),
                    delivery: end.delivery(request),
                }));
            }
        }
        for unregistering in mem::take(&mut self.unregistering).into_values() {
            // It ended with the session, as was wished.
            self.end(unregistering.key, RegistrationEnd::Unregistered);
            if let Some(reply) = unregistering.reply {
                reply.send(Ok(()));
            }
        }
        for wanted in self.wanted.values_mut() {
            wanted.session_ended();
        }
    }
}
