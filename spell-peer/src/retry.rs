use std::{fmt, time::Duration};

use async_trait::async_trait;
use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

use crate::CloseReason;

/// Decides whether, and when, a peer tries again to join its realm: after a failed attempt, the
/// first included, and after the loss of a session.
///
/// Async and object-safe: it may ask a directory. It runs beside the peer's work, never on the
/// path of a message. What the peer wished itself ([`CloseReason::Left`],
/// [`CloseReason::Stopped`]) is never asked.
#[async_trait]
pub trait RetryPolicy: fmt::Debug + Send + 'static {
    /// How long to wait before the next attempt; `None` gives up.
    async fn retry(&mut self, reason: &CloseReason) -> Option<Duration>;

    /// A session was joined, and lasted for this long until now.
    fn lasted(&mut self, _session: Duration) {}
}

/// A policy chosen at run time.
#[async_trait]
impl<P: RetryPolicy + ?Sized> RetryPolicy for Box<P> {
    async fn retry(&mut self, reason: &CloseReason) -> Option<Duration> {
        (**self).retry(reason).await
    }

    fn lasted(&mut self, session: Duration) {
        (**self).lasted(session);
    }
}

/// Never tries again: the peer ends with its first failure. The default.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "says all there is to say")]
pub struct NoRetry;

#[async_trait]
impl RetryPolicy for NoRetry {
    async fn retry(&mut self, _: &CloseReason) -> Option<Duration> {
        None
    }
}

/// Tries again after delays that double, with full jitter.
///
/// Delays are drawn between nothing and 1 s, 2 s, 4 s … up to 30 s, without end unless
/// [`attempts`](Self::attempts) bounds them. A session that lasted 10 s resets the delay and the
/// count. Gives up at once where trying again cannot help ([`CloseReason::is_final`]).
///
/// ```
/// use std::time::Duration;
/// use spell_peer::Backoff;
///
/// // As the Elixir original: the first attempt and four more, one second apart.
/// let policy = Backoff::constant(Duration::from_secs(1)).attempts(4);
/// # let _ = policy;
/// ```
#[derive(Debug)]
pub struct Backoff {
    first: Duration,
    max: Duration,
    jitter: bool,
    attempts: Option<usize>,
    stable: Duration,
    delays: Option<ExponentialBackoff>,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(1),
            max: Duration::from_secs(30),
            jitter: true,
            attempts: None,
            stable: Duration::from_secs(10),
            delays: None,
        }
    }
}

impl Backoff {
    /// The default delays.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same delay each time, without jitter.
    pub fn constant(delay: Duration) -> Self {
        Self {
            first: delay,
            max: delay,
            jitter: false,
            ..Self::default()
        }
    }

    /// The first delay. Default: 1 s.
    #[must_use]
    pub fn first(mut self, delay: Duration) -> Self {
        self.first = delay;
        self
    }

    /// The longest delay. Default: 30 s.
    #[must_use]
    pub fn max(mut self, delay: Duration) -> Self {
        self.max = delay;
        self
    }

    /// How many times in a row it tries again before it gives up. Default: no limit.
    #[must_use]
    pub fn attempts(mut self, attempts: usize) -> Self {
        self.attempts = Some(attempts);
        self
    }

    /// How long a session must last to reset the delay. Default: 10 s.
    #[must_use]
    pub fn stable(mut self, session: Duration) -> Self {
        self.stable = session;
        self
    }

    /// The upper ends of the delays; the jitter is drawn below them.
    fn delays(&self) -> ExponentialBackoff {
        let builder = ExponentialBuilder::new()
            .with_min_delay(self.first)
            .with_max_delay(self.max.max(self.first))
            .with_factor(2.0);
        match self.attempts {
            Some(attempts) => builder.with_max_times(attempts),
            None => builder.without_max_times(),
        }
        .build()
    }
}

#[async_trait]
impl RetryPolicy for Backoff {
    async fn retry(&mut self, reason: &CloseReason) -> Option<Duration> {
        if reason.is_final() {
            return None;
        }
        if self.delays.is_none() {
            self.delays = Some(self.delays());
        }
        let delay = self.delays.as_mut()?.next()?;
        Some(if self.jitter {
            delay.mul_f64(fastrand::f64())
        } else {
            delay
        })
    }

    fn lasted(&mut self, session: Duration) {
        if session >= self.stable {
            self.delays = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn delays(policy: &mut Backoff, n: usize) -> Vec<Option<Duration>> {
        let mut delays = Vec::new();
        for _ in 0..n {
            delays.push(policy.retry(&CloseReason::Disconnected).await);
        }
        delays
    }

    #[tokio::test]
    async fn delays_double_up_to_the_cap_below_which_they_are_drawn() {
        for _ in 0..100 {
            let mut policy = Backoff::new();
            let caps = [1, 2, 4, 8, 16, 30, 30].map(Duration::from_secs);
            for (delay, cap) in delays(&mut policy, 7).await.into_iter().zip(caps) {
                assert!(delay.unwrap() <= cap);
            }
        }
    }

    #[tokio::test]
    async fn attempts_are_bounded_and_counted_anew_after_a_stable_session() {
        let second = Some(Duration::from_secs(1));
        let mut policy = Backoff::constant(Duration::from_secs(1)).attempts(2);
        assert_eq!(delays(&mut policy, 3).await, [second, second, None]);
        policy.lasted(Duration::from_secs(9));
        assert_eq!(delays(&mut policy, 1).await, [None]);
        policy.lasted(Duration::from_secs(10));
        assert_eq!(delays(&mut policy, 1).await, [second]);
    }

    #[tokio::test]
    async fn final_reasons_are_not_retried() {
        let mut policy = Backoff::new();
        assert_eq!(policy.retry(&CloseReason::Left).await, None);
    }
}
