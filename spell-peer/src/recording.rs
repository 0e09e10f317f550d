//! The figures of [`Statistics`] for the recorder that the program installed.
//!
//! Several peers may have the same labels, so that what a figure rose by is recorded, never its
//! value: the recorder has the sum of all.

use std::{collections::HashMap, fmt};

use ::metrics::{Counter, Gauge, Label, SharedString};
use spell_message::message::Kind;

use crate::{Statistics, Volume};

/// What was recorded of one peer. Dropped, it takes back what was waiting.
pub(crate) struct Recording {
    realm: SharedString,
    plain: [Sum; PLAIN.len()],
    sent: Traffic,
    received: Traffic,
    levels: [Level; LEVELS.len()],
}

/// Messages and bytes of each kind that there was: a peer has few kinds of its own, and an idle one
/// takes no memory for the others.
type Traffic = HashMap<&'static str, (Sum, Sum)>;

type Read = fn(&Statistics) -> u64;

const PLAIN: [(&str, Read); 9] = [
    ("spell_attempts_total", |now| now.attempts),
    ("spell_sessions_joined_total", |now| now.joined),
    ("spell_sessions_lost_total", |now| now.lost),
    ("spell_reconnects_total", Statistics::reconnects),
    ("spell_late_answers_total", |now| now.late_answers),
    ("spell_events_dropped_total", |now| now.events_dropped),
    ("spell_results_dropped_total", |now| now.results_dropped),
    ("spell_invocations_refused_total", |now| {
        now.invocations_refused
    }),
    ("spell_publications_lost_total", |now| now.publications_lost),
];

const LEVELS: [&str; 3] = [
    "spell_sessions",
    "spell_pending_requests",
    "spell_outbox_bytes",
];

impl Recording {
    /// Of a peer that joins this realm.
    pub(crate) fn new(realm: &str) -> Self {
        Self {
            realm: realm.to_owned().into(),
            plain: Default::default(),
            sent: Traffic::new(),
            received: Traffic::new(),
            levels: Default::default(),
        }
    }

    /// Record what changed.
    pub(crate) fn record(&mut self, now: &Statistics, is_joined: bool) {
        let realm = || Label::new("realm", self.realm.clone());
        for (sum, (name, read)) in self.plain.iter_mut().zip(PLAIN) {
            sum.rise(read(now), || metrics::counter!(name, vec![realm()]));
        }
        let directions = [
            (&mut self.sent, &now.sent, SENT),
            (&mut self.received, &now.received, RECEIVED),
        ];
        for (sums, traffic, [messages, bytes]) in directions {
            let kinds = Kind::ALL.map(|kind| (traffic.of(kind), kind.name()));
            let all = kinds.into_iter().chain([(traffic.other(), "other")]);
            for (volume, kind) in all.filter(|(volume, _)| volume.messages > 0) {
                let labels = || vec![realm(), Label::from_static_parts("kind", kind)];
                let Volume {
                    messages: m,
                    bytes: b,
                } = volume;
                let sums = sums.entry(kind).or_default();
                sums.0.rise(m, || metrics::counter!(messages, labels()));
                sums.1.rise(b, || metrics::counter!(bytes, labels()));
            }
        }
        let waiting = [u64::from(is_joined), now.pending_requests, now.outbox_bytes];
        for ((level, name), value) in self.levels.iter_mut().zip(LEVELS).zip(waiting) {
            level.set(value, || metrics::gauge!(name, vec![realm()]));
        }
    }
}

const SENT: [&str; 2] = ["spell_messages_sent_total", "spell_bytes_sent_total"];
const RECEIVED: [&str; 2] = [
    "spell_messages_received_total",
    "spell_bytes_received_total",
];

impl Drop for Recording {
    fn drop(&mut self) {
        for level in &mut self.levels {
            level.set(0, Gauge::noop);
        }
    }
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recording")
            .field("realm", &self.realm)
            .finish_non_exhaustive()
    }
}

/// A counter of the recorder, asked for when it first rises.
#[derive(Default)]
struct Sum {
    recorded: u64,
    counter: Option<Counter>,
}

impl Sum {
    fn rise(&mut self, now: u64, counter: impl FnOnce() -> Counter) {
        let by = now.wrapping_sub(self.recorded);
        if by > 0 {
            self.recorded = now;
            self.counter.get_or_insert_with(counter).increment(by);
        }
    }
}

/// A gauge of the recorder, asked for when it first moves.
#[derive(Default)]
struct Level {
    recorded: u32,
    gauge: Option<Gauge>,
}

impl Level {
    fn set(&mut self, now: u64, gauge: impl FnOnce() -> Gauge) {
        let now = u32::try_from(now).unwrap_or(u32::MAX);
        let by = f64::from(now) - f64::from(self.recorded);
        if now != self.recorded {
            self.recorded = now;
            self.gauge.get_or_insert_with(gauge).increment(by);
        }
    }
}
