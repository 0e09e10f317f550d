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

/// The changes since someone looked, in their order; none are kept until someone wants them.
#[derive(Debug)]
pub(crate) struct Changes<Id> {
    wanted: bool,
    happened: Vec<Change<Id>>,
}

impl<Id> Default for Changes<Id> {
    fn default() -> Self {
        Self {
            wanted: false,
            happened: Vec::new(),
        }
    }
}

impl<Id> Changes<Id> {
    /// Keeps changes from now on, for someone who takes them out after each step, or no longer.
    #[cfg_attr(not(test), expect(dead_code, reason = "the meta API is yet to come"))]
    pub(crate) fn want(&mut self, wanted: bool) {
        self.wanted = wanted;
        if !wanted {
            self.happened = Vec::new();
        }
    }

    pub(crate) fn record(&mut self, kind: ChangeKind, session: SessionId, id: Id) {
        if self.wanted {
            self.happened.push(Change { kind, session, id });
        }
    }

    /// Takes out what happened.
    #[cfg_attr(not(test), expect(dead_code, reason = "the meta API is yet to come"))]
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = Change<Id>> {
        self.happened.drain(..)
    }
}
