//! What the realm tells of itself, to whom it interests.
//!
//! Nobody is excluded, not even the session that is the cause of an event. Subscriptions to these
//! topics are subscriptions like any other, so they are told of, too; that comes to an end, since no
//! event makes a subscription.
//!
//! WAMP spec, "Session Meta API", "Registration Meta API" and "Subscriptions Meta API".

use spell_message::{Dict, Format, SessionId, Value};

use super::{Principal, RealmState, static_uri};
use crate::{
    changes::{Change, ChangeKind},
    meta::{encoded, own_format},
    outgoing::Outputs,
};

impl RealmState {
    pub(super) fn tell_joined(
        &mut self,
        session: SessionId,
        principal: &Principal,
        out: &mut Outputs,
    ) {
        self.tell("wamp.session.on_join", out, |_| {
            vec![principal.details(session).into()]
        });
    }

    pub(super) fn tell_left(
        &mut self,
        session: SessionId,
        principal: &Principal,
        out: &mut Outputs,
    ) {
        self.tell("wamp.session.on_leave", out, |_| {
            vec![
                session.into(),
                principal.authid.as_str().into(),
                principal.authrole.as_str().into(),
            ]
        });
    }

    /// What became of registrations and subscriptions since the last time.
    pub(super) fn tell_changes(&mut self, out: &mut Outputs) {
        // Most messages change nothing.
        if let Some(registrations) = self.dealer.registrations.changes.take() {
            self.tell_each(registrations, registration, Self::registration_details, out);
        }
        if let Some(subscriptions) = self.broker.subscriptions.changes.take() {
            self.tell_each(subscriptions, subscription, Self::subscription_details, out);
        }
    }

    fn tell_each<I: Copy + Into<Value>>(
        &mut self,
        changes: Vec<Change<I>>,
        topic: fn(ChangeKind) -> &'static str,
        details: fn(&Self, I) -> Option<Dict>,
        out: &mut Outputs,
    ) {
        for Change { kind, session, id } in changes {
            self.tell(topic(kind), out, |realm| {
                let about = match kind {
                    ChangeKind::Created => details(realm, id).into(),
                    _ => id.into(),
                };
                vec![session.into(), about]
            });
        }
    }

    /// Tells those who subscribed to the topic and may look.
    fn tell(
        &mut self,
        topic: &'static str,
        out: &mut Outputs,
        arguments: impl FnOnce(&Self) -> Vec<Value>,
    ) {
        // Most of the time nobody is interested, and then it shall cost next to nothing.
        let Some(format) = self.listening_format(topic) else {
            return;
        };
        if let Ok(payload) = encoded(format, &arguments(self)) {
            let options = self.meta_api.options();
            self.publish_own(&static_uri(topic), &options, &payload, out);
        }
    }

    /// The format of someone who subscribed to the topic, or any if only its history is kept; `None`
    /// if nobody did.
    fn listening_format(&self, topic: &str) -> Option<Format> {
        let mut matching = self.broker.subscriptions.matching(topic).peekable();
        matching.peek()?;
        let subscriber = matching.find_map(|(_, shared)| shared.subscribers.first());
        let member = subscriber.and_then(|subscriber| self.members.get(subscriber));
        member.map_or_else(own_format, |member| Some(member.format))
    }
}

fn registration(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Created => "wamp.registration.on_create",
        ChangeKind::Added => "wamp.registration.on_register",
        ChangeKind::Removed => "wamp.registration.on_unregister",
        ChangeKind::Deleted => "wamp.registration.on_delete",
    }
}

fn subscription(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Created => "wamp.subscription.on_create",
        ChangeKind::Added => "wamp.subscription.on_subscribe",
        ChangeKind::Removed => "wamp.subscription.on_unsubscribe",
        ChangeKind::Deleted => "wamp.subscription.on_delete",
    }
}
