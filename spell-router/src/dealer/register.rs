//! Registrations that come and go.

use spell_message::{
    RegistrationId, SessionId,
    message::{Register, Registered, RequestKind, Unregister, Unregistered},
    options::UnregisteredDetails,
    reason,
};

use super::{Dealer, party::Party};
use crate::{
    environment::Clock,
    outgoing::Outputs,
    quotas::LIMIT_EXCEEDED,
    realm::{Members, refusal},
};

impl Dealer {
    pub(crate) fn register(
        &mut self,
        from: SessionId,
        message: &Register,
        members: &Members,
        clock: &Clock,
        out: &mut Outputs,
    ) {
        let request = message.request;
        let mut refuse = |error, explanation| {
            let kind = RequestKind::Register;
            out.send(from, refusal(kind, request, error, explanation));
        };
        let pattern = &message.procedure;
        if pattern.as_str().split('.').next() == Some("wamp") {
            // WAMP spec, "URIs": applications must not define anything below `wamp`.
            return refuse(
                reason::INVALID_URI,
                Some("URIs below \"wamp\" are reserved"),
            );
        }
        let replaced = self.replaced(from, message, members);
        if replaced.is_none()
            && let Err((error, explanation)) = self.registrations.check(from, message)
        {
            return refuse(error, explanation);
        }
        if self.registrations.count(from) >= self.quotas.registrations {
            let explanation = "the session has as many registrations as it may";
            return refuse(LIMIT_EXCEEDED, Some(explanation));
        }
        if let Some(replaced) = replaced {
            self.revoke(replaced, Some("another session registered it anew"), out);
        }
        let registration = self.registrations.add(from, message, clock);
        out.send(
            from,
            Registered {
                request,
                registration,
            },
        );
    }

    /// The registration that is to give way to a new one, if the session wants that and may.
    fn replaced(
        &self,
        from: SessionId,
        message: &Register,
        members: &Members,
    ) -> Option<RegistrationId> {
        if message.options.force_reregister() != Some(true) {
            return None;
        }
        let replaced = self.registrations.lookup(&message.procedure)?;
        let asking = &members.get(&from)?.principal;
        let permits = |holder| {
            let holder = members.get(&holder);
            holder.is_some_and(|holder| self.reregistration.permits(asking, &holder.principal))
        };
        let mut holders = self.registrations.get(replaced)?.callees();
        let gives_way = holders.all(|holder| holder != from && permits(holder));
        gives_way.then_some(replaced)
    }

    /// Invocations under way go on: the callee answers them although it is registered no more.
    pub(crate) fn unregister(&mut self, from: SessionId, message: Unregister, out: &mut Outputs) {
        let Unregister {
            request,
            registration,
        } = message;
        if self.registrations.remove(from, registration) {
            out.send(from, Unregistered::Reply { request });
        } else {
            let kind = RequestKind::Unregister;
            out.send(
                from,
                refusal(kind, request, reason::NO_SUCH_REGISTRATION, None),
            );
        }
    }

    /// Takes a registration away from all its callees; `false` if there is none with this id.
    pub(crate) fn revoke(
        &mut self,
        registration: RegistrationId,
        reason: Option<&str>,
        out: &mut Outputs,
    ) -> bool {
        let Some(revoked) = self.registrations.get(registration) else {
            return false;
        };
        let callees: Vec<_> = revoked.callees().collect();
        for callee in callees {
            self.revoke_from(callee, registration, reason, out);
        }
        true
    }

    /// Takes a registration away from one of its callees, who is told if it announced that it
    /// understands; `false` if it is not registered. Invocations under way go on.
    ///
    /// WAMP spec, "Registration Revocation".
    pub(crate) fn revoke_from(
        &mut self,
        callee: SessionId,
        registration: RegistrationId,
        reason: Option<&str>,
        out: &mut Outputs,
    ) -> bool {
        let registered = self.registrations.remove(callee, registration);
        let party = self.parties.get(&callee);
        if registered && party.is_some_and(Party::learns_of_revocations) {
            let mut details = UnregisteredDetails::new();
            details.set_registration(registration);
            if let Some(reason) = reason {
                details.set_reason(reason);
            }
            out.send(callee, Unregistered::Revocation { details });
        }
        registered
    }
}
