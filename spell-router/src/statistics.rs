//! What the router counts.

use std::sync::atomic::{AtomicU64, Ordering};

/// What a router did since it was built, and what it did not do.
///
/// ```
/// use spell_router::Router;
///
/// let router = Router::local();
/// assert_eq!(router.statistics().sessions, 0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// Sessions that are joined now.
    pub sessions: u64,
    /// Sessions that joined since the beginning, those that left included.
    pub joined: u64,
    /// Clients that were turned away before they joined: by ABORT, since they were too
    /// slow, or since there were as many connections as may be.
    pub refused: u64,
    /// Sessions ended because they violated the protocol.
    pub violations: u64,
    /// Sessions that were killed: by the meta API, or by the program around the router.
    pub killed: u64,
    /// Sessions cut off because they did not read what waited for them.
    pub too_slow: u64,
    /// Sessions cut off because nothing came from their clients any more, not even an answer to a
    /// ping.
    pub unresponsive: u64,
    /// Events not delivered to one of their subscribers, as larger than it takes, or with arguments
    /// that its serialization cannot express.
    pub events_dropped: u64,
    /// Events that their publishers wanted retained, or that a history was to hold, and that were
    /// not kept, for there was no room.
    pub events_not_kept: u64,
}

/// The counters behind [`Statistics`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) sessions: Counter,
    pub(crate) joined: Counter,
    pub(crate) refused: Counter,
    pub(crate) violations: Counter,
    pub(crate) killed: Counter,
    pub(crate) too_slow: Counter,
    pub(crate) unresponsive: Counter,
    pub(crate) events_dropped: Counter,
    pub(crate) events_not_kept: Counter,
}

impl Counters {
    pub(crate) fn read(&self) -> Statistics {
        Statistics {
            sessions: self.sessions.read(),
            joined: self.joined.read(),
            refused: self.refused.read(),
            violations: self.violations.read(),
            killed: self.killed.read(),
            too_slow: self.too_slow.read(),
            unresponsive: self.unresponsive.read(),
            events_dropped: self.events_dropped.read(),
            events_not_kept: self.events_not_kept.read(),
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn up(&self) {
        self.add(1);
    }

    pub(crate) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn down(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
