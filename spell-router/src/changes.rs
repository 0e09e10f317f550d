//! What becomes of subscriptions and registrations, for whoever tells others of it.

use spell_message::SessionId;

/// What became of a subscription or a registration, which this id names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Change<Id> {
    pub(crate) kind: ChangeKind,
    /// Who was added or removed: the first of all where it was created, the last where it is gone.
    pub(crate) session: SessionId,
    pub(crate) id: Id,
}

/// WAMP spec, "Subscription Meta API" and "Registration Meta API".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChangeKind {
    /// It is there since the session asked for it, which then is `Added` to it.
    Created,
    /// The session subscribed or registered.
    Added,
    /// The session unsubscribed or unregistered, left, or lost what was revoked.
    Removed,
    /// It is gone, since that session, which was `Removed`, was the last one.
    Deleted,
}

/// The changes since someone looked, in their order.
#[derive(Debug)]
pub(crate) struct Changes<Id>(Vec<Change<Id>>);

impl<Id> Changes<Id> {
    pub(crate) fn record(&mut self, kind: ChangeKind, session: SessionId, id: Id) {
        self.0.push(Change { kind, session, id });
    }

    /// Takes out what happened, if anything did, which whoever drives the realm does after each step.
    pub(crate) fn take(&mut self) -> Option<Vec<Change<Id>>> {
        (!self.0.is_empty()).then(|| std::mem::take(&mut self.0))
    }
}

impl<Id> Default for Changes<Id> {
    fn default() -> Self {
        Self(Vec::new())
    }
}
