//! Who is registered for what.

use std::collections::HashSet;

use spell_message::{
    MatchPolicy, Pattern, RegistrationId, SessionId, message::Register, options::InvocationPolicy,
    reason,
};

use super::{Refusal, registration::Registration};
use crate::{
    changes::{ChangeKind, Changes},
    environment::Moment,
    id_map::IdMap,
    ids::RouterIds,
    pattern::PatternIndex,
};

/// The registrations of one realm, found by id, by pattern, by procedure and by session.
///
/// Sessions that register the same pattern share one registration and its id, if all of them want
/// to, and in the same way.
#[derive(Debug, Default)]
pub(crate) struct Registrations {
    by_id: IdMap<RegistrationId, Registration>,
    by_pattern: PatternIndex<RegistrationId>,
    by_session: IdMap<SessionId, HashSet<RegistrationId>>,
    ids: RouterIds,
    pub(crate) changes: Changes<RegistrationId>,
}

impl Registrations {
    pub(crate) fn get(&self, id: RegistrationId) -> Option<&Registration> {
        self.by_id.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: RegistrationId) -> Option<&mut Registration> {
        self.by_id.get_mut(&id)
    }

    /// The registration of the procedure's best match.
    pub(crate) fn best(&self, procedure: &str) -> Option<RegistrationId> {
        self.by_pattern.best(procedure).copied()
    }

    /// How many registrations a session has.
    pub(super) fn count(&self, session: SessionId) -> usize {
        self.by_session.get(&session).map_or(0, HashSet::len)
    }

    /// Why a session may not register this; `Ok` if it may.
    ///
    /// Not even for a shared registration may it register twice: it could neither tell whose an
    /// invocation is, nor end one of the two.
    ///
    /// WAMP spec, "Shared Registration".
    pub(super) fn check(&self, session: SessionId, message: &Register) -> Result<(), Refusal> {
        let known = self.by_pattern.get(&message.procedure);
        let Some(registration) = known.and_then(|id| self.get(*id)) else {
            return Ok(());
        };
        let explanation = if registration.policy == InvocationPolicy::Single {
            None
        } else if registration.policy != policy(message) {
            Some("its callees share it by another policy")
        } else if registration.has(session) {
            Some("the session is one of its callees already")
        } else {
            return Ok(());
        };
        Err((reason::PROCEDURE_ALREADY_EXISTS, explanation))
    }

    /// Registers a session, which [may](Self::check).
    pub(super) fn add(
        &mut self,
        session: SessionId,
        message: &Register,
        now: impl FnOnce() -> Moment,
    ) -> RegistrationId {
        let pattern = &message.procedure;
        let known = self.by_pattern.get(pattern).copied();
        let id = known.unwrap_or_else(|| {
            let id = self.ids.next_registration();
            self.by_pattern.insert(pattern, id);
            self.changes.record(ChangeKind::Created, session, id);
            id
        });
        let registration = self.by_id.entry(id);
        let registration = registration
            .or_insert_with(|| Registration::new(pattern.clone(), policy(message), now()));
        registration.add(session, &message.options);
        self.by_session.entry(session).or_default().insert(id);
        self.changes.record(ChangeKind::Added, session, id);
        id
    }

    /// Unregisters a session; `false` if it is not registered.
    pub(super) fn remove(&mut self, session: SessionId, id: RegistrationId) -> bool {
        let Some(own) = self.by_session.get_mut(&session) else {
            return false;
        };
        let registered = own.remove(&id);
        if own.is_empty() {
            self.by_session.remove(&session);
        }
        if registered {
            self.remove_callee(id, session);
        }
        registered
    }

    /// Unregisters a session from everything.
    pub(super) fn remove_session(&mut self, session: SessionId) {
        for id in self.by_session.remove(&session).unwrap_or_default() {
            self.remove_callee(id, session);
        }
    }

    fn remove_callee(&mut self, id: RegistrationId, session: SessionId) {
        let Some(registration) = self.by_id.get_mut(&id) else {
            return;
        };
        registration.remove(session);
        self.changes.record(ChangeKind::Removed, session, id);
        if registration.callees().len() == 0 {
            self.by_pattern.remove(&registration.pattern);
            self.by_id.remove(&id);
            self.changes.record(ChangeKind::Deleted, session, id);
        }
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.by_id.is_empty() && self.by_pattern.is_empty() && self.by_session.is_empty()
    }
}

/// For those who ask about registrations.
impl Registrations {
    /// The registration of this very pattern.
    pub(crate) fn lookup(&self, pattern: &Pattern) -> Option<RegistrationId> {
        self.by_pattern.get(pattern).copied()
    }

    /// The registrations of patterns of this kind, the oldest first.
    pub(crate) fn of_policy(&self, policy: MatchPolicy) -> Vec<RegistrationId> {
        let all = self.by_id.iter();
        let such = all.filter(|(_, registration)| registration.pattern.policy() == policy);
        let mut ids: Vec<_> = such.map(|(id, _)| *id).collect();
        ids.sort_unstable();
        ids
    }
}

fn policy(message: &Register) -> InvocationPolicy {
    message.options.invoke().unwrap_or_default()
}
