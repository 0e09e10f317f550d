//! What a peer counts.

use std::{
    array,
    sync::atomic::{AtomicU64, Ordering},
};

use spell_message::message::Kind;

use crate::{
    CloseReason,
    statistics::{Statistics, Traffic, Volume},
};

/// What a role counts for the [`Statistics`] of its peer; see
/// [`Context::count`](crate::Context::count).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Count {
    /// For [`Statistics::late_answers`].
    LateAnswers,
    /// For [`Statistics::events_dropped`].
    EventsDropped,
    /// For [`Statistics::results_dropped`].
    ResultsDropped,
    /// For [`Statistics::invocations_refused`].
    InvocationsRefused,
    /// For [`Statistics::publications_lost`].
    PublicationsLost,
}

/// The counters behind [`Statistics`]. Only whoever runs the engine writes them.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    attempts: Counter,
    joined: Counter,
    lost: Counter,
    sent: Meter,
    received: Meter,
    pending_requests: Counter,
    outbox_bytes: Counter,
    late_answers: Counter,
    events_dropped: Counter,
    results_dropped: Counter,
    invocations_refused: Counter,
    publications_lost: Counter,
}

impl Counters {
    #[cfg(feature = "driver")]
    pub(crate) fn dialled(&self) {
        self.attempts.add(1);
    }

    pub(crate) fn joined(&self) {
        self.joined.add(1);
    }

    /// A session ended.
    pub(crate) fn ended(&self, reason: &CloseReason) {
        if !matches!(reason, CloseReason::Left | CloseReason::Stopped) {
            self.lost.add(1);
        }
    }

    pub(crate) fn sent(&self, kind: Option<Kind>, bytes: usize) {
        self.sent.add(kind, bytes);
    }

    pub(crate) fn received(&self, kind: Option<Kind>, bytes: usize) {
        self.received.add(kind, bytes);
    }

    pub(crate) fn count(&self, what: Count, how_many: u64) {
        let counter = match what {
            Count::LateAnswers => &self.late_answers,
            Count::EventsDropped => &self.events_dropped,
            Count::ResultsDropped => &self.results_dropped,
            Count::InvocationsRefused => &self.invocations_refused,
            Count::PublicationsLost => &self.publications_lost,
        };
        counter.add(how_many);
    }

    /// What waits now.
    pub(crate) fn waiting(&self, pending_requests: usize, outbox_bytes: usize) {
        self.pending_requests.set(pending_requests);
        self.outbox_bytes.set(outbox_bytes);
    }

    pub(crate) fn read(&self) -> Statistics {
        Statistics {
            attempts: self.attempts.read(),
            joined: self.joined.read(),
            lost: self.lost.read(),
            sent: self.sent.read(),
            received: self.received.read(),
            pending_requests: self.pending_requests.read(),
            outbox_bytes: self.outbox_bytes.read(),
            late_answers: self.late_answers.read(),
            events_dropped: self.events_dropped.read(),
            results_dropped: self.results_dropped.read(),
            invocations_refused: self.invocations_refused.read(),
            publications_lost: self.publications_lost.read(),
        }
    }
}

/// Counts the messages of one direction.
#[derive(Debug)]
struct Meter {
    kinds: [(Counter, Counter); Kind::ALL.len()],
    other: (Counter, Counter),
}

impl Meter {
    fn add(&self, kind: Option<Kind>, bytes: usize) {
        let known = kind.and_then(|kind| self.kinds.get(kind.index()));
        let (messages, total) = known.unwrap_or(&self.other);
        messages.add(1);
        total.add(wide(bytes));
    }

    fn read(&self) -> Traffic {
        let read = |(messages, bytes): &(Counter, Counter)| Volume {
            messages: messages.read(),
            bytes: bytes.read(),
        };
        Traffic {
            kinds: self.kinds.each_ref().map(read),
            other: read(&self.other),
        }
    }
}

impl Default for Meter {
    fn default() -> Self {
        Self {
            kinds: array::from_fn(|_| Default::default()),
            other: Default::default(),
        }
    }
}

/// A figure with one writer, which therefore needs no atomic addition, and any number of readers.
#[derive(Debug, Default)]
struct Counter(AtomicU64);

impl Counter {
    fn add(&self, count: u64) {
        let sum = self.read().wrapping_add(count);
        self.0.store(sum, Ordering::Relaxed);
    }

    fn set(&self, value: usize) {
        self.0.store(wide(value), Ordering::Relaxed);
    }

    fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

fn wide(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
