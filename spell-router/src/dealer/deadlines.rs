//! When calls are given up.

use std::{collections::BTreeSet, time::Instant};

use spell_message::{RequestId, SessionId};

/// The deadlines of all calls that the dealer watches over: one for each.
#[derive(Debug, Default)]
pub(super) struct Deadlines(BTreeSet<(Instant, SessionId, RequestId)>);

impl Deadlines {
    pub(super) fn insert(&mut self, deadline: Instant, caller: SessionId, call: RequestId) {
        self.0.insert((deadline, caller, call));
    }

    pub(super) fn remove(&mut self, deadline: Instant, caller: SessionId, call: RequestId) {
        self.0.remove(&(deadline, caller, call));
    }

    /// The first one.
    pub(super) fn next(&self) -> Option<Instant> {
        self.0.first().map(|(deadline, ..)| *deadline)
    }

    /// Takes out the first one if it has passed, and gives its call.
    pub(super) fn pop(&mut self, now: Instant) -> Option<(SessionId, RequestId)> {
        let passed = self.next().is_some_and(|deadline| deadline <= now);
        let (_, caller, call) = passed.then(|| self.0.pop_first()).flatten()?;
        Some((caller, call))
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
