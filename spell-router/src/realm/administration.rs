//! What may be done to a realm from outside of it, or for a session that administers it.

use spell_message::{Pattern, RegistrationId, SubscriptionId};

use super::RealmState;
use crate::{administration::SessionDetails, meta::Revocation, outgoing::Outputs};

impl RealmState {
    pub(crate) fn sessions(&self) -> Vec<SessionDetails> {
        let members = self.members.iter();
        let sessions = members.map(|(session, member)| SessionDetails {
            id: *session,
            authid: member.principal.authid.clone(),
            authrole: member.principal.authrole.clone(),
            authmethod: member.principal.method.name(),
        });
        sessions.collect()
    }

    pub(crate) fn registration(&self, procedure: &Pattern) -> Option<RegistrationId> {
        self.dealer.registrations.lookup(procedure)
    }

    pub(crate) fn subscription(&self, topic: &Pattern) -> Option<SubscriptionId> {
        self.broker.subscriptions.lookup(topic)
    }

    /// `false` if there is no such registration, or not of that session.
    pub(crate) fn revoke_registration(
        &mut self,
        registration: RegistrationId,
        Revocation { session, reason }: &Revocation,
        out: &mut Outputs,
    ) -> bool {
        let (dealer, reason) = (&mut self.dealer, reason.as_deref());
        let revoked = match session {
            Some(callee) => dealer.revoke_from(*callee, registration, reason, out),
            None => dealer.revoke(registration, reason, out),
        };
        self.tell_changes(out);
        revoked
    }

    /// `false` if there is no such subscription, or not of that session.
    pub(crate) fn revoke_subscription(
        &mut self,
        subscription: SubscriptionId,
        Revocation { session, reason }: &Revocation,
        out: &mut Outputs,
    ) -> bool {
        let (broker, members) = (&mut self.broker, &self.members);
        let reason = reason.as_deref();
        let revoked = match session {
            Some(subscriber) => broker.revoke_from(*subscriber, subscription, reason, members, out),
            None => broker.revoke(subscription, reason, members, out),
        };
        self.tell_changes(out);
        revoked
    }
}
