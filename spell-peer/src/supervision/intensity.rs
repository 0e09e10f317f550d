use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

/// How often children may be started anew before their supervision gives up. Default: 3 times
/// within 5 s.
///
/// It counts all children together, and only what ended for good: that a peer with a retry policy
/// joins again is not among it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intensity {
    restarts: usize,
    period: Duration,
}

impl Intensity {
    /// Up to so many restarts within any period of this length; one more is too much.
    pub fn new(restarts: usize, period: Duration) -> Self {
        Self { restarts, period }
    }
}

impl Default for Intensity {
    fn default() -> Self {
        Self::new(3, Duration::from_secs(5))
    }
}

/// When children were started anew.
#[derive(Debug)]
pub(super) struct Restarts {
    intensity: Intensity,
    recent: VecDeque<Instant>,
}

impl Restarts {
    pub(super) fn new(intensity: Intensity) -> Self {
        Self {
            intensity,
            recent: VecDeque::new(),
        }
    }

    /// There is to be one now; `false` if that is too much.
    pub(super) fn allow(&mut self, now: Instant) -> bool {
        let Intensity { restarts, period } = self.intensity;
        let is_over = |then: &Instant| now.duration_since(*then) > period;
        while self.recent.front().is_some_and(is_over) {
            self.recent.pop_front();
        }
        if self.recent.len() >= restarts {
            return false;
        }
        self.recent.push_back(now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restarts_are_counted_within_a_period_that_moves_on() {
        let mut restarts = Restarts::new(Intensity::new(2, Duration::from_secs(5)));
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        assert!(restarts.allow(at(0)));
        assert!(restarts.allow(at(3)));
        assert!(!restarts.allow(at(5)), "the third within five seconds");
        assert!(restarts.allow(at(6)), "the first is out of the period");
        assert!(!restarts.allow(at(7)));
    }

    #[test]
    fn none_may_be_allowed() {
        let mut restarts = Restarts::new(Intensity::new(0, Duration::from_secs(5)));
        assert!(!restarts.allow(Instant::now()));
    }
}
