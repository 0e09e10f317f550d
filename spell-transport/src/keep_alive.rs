//! When a silent other side is asked whether it is there, and when it is given up.

use std::time::{Duration, Instant};

/// How long the other side of a connection may be silent before it is asked whether it is still
/// there, and how often it may leave that unanswered.
///
/// Anything that comes in counts as an answer, nothing that goes out does: a connection that died
/// without a word takes what is written to it for a long time.
///
/// The default is to ask after 20 s of silence, and to give up after two unanswered questions, which
/// is after 60 s.
///
/// ```
/// use std::time::Duration;
/// use spell_transport::KeepAlive;
///
/// assert_eq!(KeepAlive::default().limit(), Duration::from_secs(60));
/// let quick = KeepAlive::within(Duration::from_secs(2));
/// assert!(quick.limit() <= Duration::from_secs(2));
/// let patient = KeepAlive::every(Duration::from_secs(60)).misses(4);
/// assert_eq!(patient.limit(), Duration::from_secs(300));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeepAlive {
    interval: Duration,
    misses: u32,
}

impl KeepAlive {
    /// Ask after this much silence, and again after each such interval. It is at least 1 ms.
    pub fn every(interval: Duration) -> Self {
        Self {
            interval: interval.max(SHORTEST),
            ..Self::default()
        }
    }

    /// Notice the loss within this time: ask after a third of it, and again after the second.
    pub fn within(limit: Duration) -> Self {
        let thirds = Self::default().misses.saturating_add(1);
        let third = limit.checked_div(thirds).unwrap_or(limit);
        // Each timer may be late by what timers count in.
        Self::every(third.saturating_sub(SHORTEST))
    }

    /// How many questions in a row may stay unanswered, each for an interval, before the other side
    /// is given up. Default: 2; at least 1.
    #[must_use]
    pub fn misses(mut self, misses: u32) -> Self {
        self.misses = misses.max(1);
        self
    }

    /// After how much silence the other side is given up.
    pub fn limit(&self) -> Duration {
        let intervals = self.misses.saturating_add(1);
        self.interval.saturating_mul(intervals)
    }
}

impl Default for KeepAlive {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(20),
            misses: 2,
        }
    }
}

/// Watches over one connection as [`KeepAlive`] says, without IO and without a clock.
///
/// Its deadline does not move when something comes in; that is found out when it has passed. So a
/// busy connection costs one timer in an interval.
///
/// ```
/// use std::time::{Duration, Instant};
/// use spell_transport::{KeepAlive, Liveness, Verdict};
///
/// let begin = Instant::now();
/// let second = |n| begin + Duration::from_secs(n);
/// let mut liveness = Liveness::new(KeepAlive::every(Duration::from_secs(1)).misses(1), begin);
/// assert_eq!(liveness.deadline(), Some(second(1)));
/// assert_eq!(liveness.check(second(1)), Verdict::Ask);
/// assert_eq!(liveness.check(second(2)), Verdict::Lost { silent_for: Duration::from_secs(2) });
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Liveness {
    settings: KeepAlive,
    heard: Instant,
    /// How often it was asked since.
    asked: u32,
    /// `None` where the clock does not reach.
    deadline: Option<Instant>,
}

impl Liveness {
    /// Watch from now on.
    pub fn new(settings: KeepAlive, now: Instant) -> Self {
        Self {
            settings,
            heard: now,
            asked: 0,
            deadline: now.checked_add(settings.interval),
        }
    }

    /// Something came in.
    pub fn heard(&mut self, now: Instant) {
        self.heard = now;
        self.asked = 0;
    }

    /// When [`check`](Self::check) is to be called next.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// The deadline passed, or not yet. Tell before what came in until now.
    pub fn check(&mut self, now: Instant) -> Verdict {
        if self.deadline.is_none_or(|deadline| now < deadline) {
            return Verdict::Wait;
        }
        if self.asked == 0 {
            let next = self.heard.checked_add(self.settings.interval);
            if next.is_none_or(|next| now < next) {
                self.deadline = next;
                return Verdict::Wait;
            }
        } else if self.asked >= self.settings.misses {
            return Verdict::Lost {
                silent_for: now.saturating_duration_since(self.heard),
            };
        }
        self.asked = self.asked.saturating_add(1);
        // From now on, not from when it should have been asked: this side may have been asleep.
        self.deadline = now.checked_add(self.settings.interval);
        Verdict::Ask
    }
}

/// What [`Liveness`] makes of the silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "one must act on each")]
pub enum Verdict {
    /// Nothing is to be done until the deadline.
    Wait,
    /// Ask the other side whether it is there.
    Ask,
    /// It did not answer: take the connection for dead.
    Lost {
        /// How long nothing came in.
        silent_for: Duration,
    },
}

/// What timers count in.
const SHORTEST: Duration = Duration::from_millis(1);

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    struct Bench {
        liveness: Liveness,
        begin: Instant,
    }

    impl Bench {
        fn new(settings: KeepAlive) -> Self {
            let begin = Instant::now();
            Self {
                liveness: Liveness::new(settings, begin),
                begin,
            }
        }

        fn at(&self, millis: u64) -> Instant {
            self.begin + Duration::from_millis(millis)
        }

        fn check(&mut self, millis: u64) -> Verdict {
            self.liveness.check(self.at(millis))
        }

        fn deadline(&self) -> u128 {
            let deadline = self.liveness.deadline().unwrap();
            deadline.duration_since(self.begin).as_millis()
        }
    }

    #[test]
    fn silence_is_noticed_after_an_interval_for_each_question_and_one_more() {
        let mut bench = Bench::new(KeepAlive::default());
        assert_eq!(bench.check(19_999), Verdict::Wait);
        assert_eq!(bench.check(20_000), Verdict::Ask);
        assert_eq!(bench.check(20_000), Verdict::Wait);
        assert_eq!(bench.check(40_000), Verdict::Ask);
        let silent_for = Duration::from_secs(60);
        assert_eq!(bench.check(60_000), Verdict::Lost { silent_for });
    }

    #[test]
    fn the_deadline_does_not_move_when_something_comes_in() {
        let mut bench = Bench::new(KeepAlive::every(SECOND));
        for millis in (100..=900).step_by(100) {
            bench.liveness.heard(bench.at(millis));
            assert_eq!(bench.deadline(), 1000);
        }
        assert_eq!(bench.check(1000), Verdict::Wait);
        assert_eq!(bench.deadline(), 1900);
    }

    #[test]
    fn whatever_comes_in_after_a_question_answers_it() {
        let mut bench = Bench::new(KeepAlive::every(SECOND).misses(1));
        assert_eq!(bench.check(1000), Verdict::Ask);
        bench.liveness.heard(bench.at(1500));
        assert_eq!(bench.check(2000), Verdict::Wait);
        assert_eq!(bench.check(2500), Verdict::Ask);
        let silent_for = 2 * SECOND;
        assert_eq!(bench.check(3500), Verdict::Lost { silent_for });
    }

    #[test]
    fn a_side_that_was_asleep_leaves_the_other_its_time_to_answer() {
        let mut bench = Bench::new(KeepAlive::every(SECOND).misses(1));
        assert_eq!(bench.check(600_000), Verdict::Ask);
        assert_eq!(bench.check(600_999), Verdict::Wait);
        assert!(matches!(bench.check(601_000), Verdict::Lost { .. }));
    }

    #[test]
    fn extreme_settings_do_no_harm() {
        let mut bench = Bench::new(KeepAlive::every(Duration::MAX).misses(u32::MAX));
        assert_eq!(bench.liveness.deadline(), None);
        assert_eq!(bench.check(1), Verdict::Wait);
        let shortest = KeepAlive::within(Duration::ZERO).misses(0);
        assert_eq!(shortest, KeepAlive::every(SHORTEST).misses(1));
    }
}
