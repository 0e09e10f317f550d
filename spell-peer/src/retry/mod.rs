use std::{fmt, time::Duration};

use async_trait::async_trait;
use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use tokio::time::Instant;

use crate::{CloseReason, Remedy};

/// Decides whether, and when, a peer tries again to join its realm.
///
/// It says of each end [what helps](Self::remedy), and is [asked](Self::retry) for a delay once no
/// router is left that was not tried; with one router, that is after each failed attempt, and after
/// the loss of a session. See [`Endpoints`](crate::Endpoints).
///
/// Async and object-safe: it may ask a directory. It runs beside the peer's work, never on the
/// path of a message. What the peer wished itself ([`CloseReason::Left`],
/// [`CloseReason::Stopped`]) is never asked.
#[async_trait]
pub trait RetryPolicy: fmt::Debug + Send + 'static {
    /// How long to wait before the next attempt; `None` gives up.
    async fn retry(&mut self, reason: &CloseReason) -> Option<Duration>;

    /// What helps against an end. Default: [`CloseReason::remedy`].
    fn remedy(&self, reason: &CloseReason) -> Remedy {
        reason.remedy()
    }

    /// A session was joined, and lasted for this long until now. Gives whether it was stable: only
    /// then all routers may be tried again without a wait. Default: if it lasted 10 s.
    fn lasted(&mut self, session: Duration) -> bool {
        session >= STABLE
    }
}

/// How long a session must last to count as stable, unless a policy says otherwise.
const STABLE: Duration = Duration::from_secs(10);

/// A policy chosen at run time.
#[async_trait]
impl<P: RetryPolicy + ?Sized> RetryPolicy for Box<P> {
    async fn retry(&mut self, reason: &CloseReason) -> Option<Duration> {
        (**self).retry(reason).await
    }

    fn remedy(&self, reason: &CloseReason) -> Remedy {
        (**self).remedy(reason)
    }

    fn lasted(&mut self, session: Duration) -> bool {
        (**self).lasted(session)
    }
}

/// Never waits to try again: the peer ends when it cannot join, or lost, its router; of several,
/// when it was at each. The default.
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
/// [`attempts`](Self::attempts) or a [`budget`](Self::budget) bounds them. A session that lasted
/// 10 s resets the delay, the count and the budget. Gives up at once where trying again cannot help
/// ([`CloseReason::remedy`]), unless told [otherwise](Self::on).
///
/// ```
/// use std::time::Duration;
/// use spell_peer::Backoff;
///
/// // As the Elixir original: the first attempt and four more, one second apart.
/// let policy = Backoff::constant(Duration::from_secs(1)).attempts(4);
///
/// // For a service: give up, and be restarted, after 10 minutes without a session that holds; come
/// // back though an operator kills the session.
/// use spell_peer::Remedy;
/// let service = Backoff::new()
///     .budget(Duration::from_secs(600))
///     .on("wamp.close.killed", Remedy::Retry);
/// # let _ = (policy, service);
/// ```
#[derive(Debug)]
pub struct Backoff {
    first: Duration,
    max: Duration,
    jitter: bool,
    attempts: Option<usize>,
    budget: Option<Duration>,
    stable: Duration,
    remedies: Vec<(String, Remedy)>,
    row: Option<Row>,
}

/// Failures in a row, without a stable session between.
#[derive(Debug)]
struct Row {
    began: Instant,
    delays: ExponentialBackoff,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(1),
            max: Duration::from_secs(30),
            jitter: true,
            attempts: None,
            budget: None,
            stable: STABLE,
            remedies: Vec::new(),
            row: None,
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

    /// The first delay; with jitter, the time within which the first attempts of all peers are
    /// spread out. Default: 1 s, which is kind to one peer. Where thousands share a router that can
    /// serve only so many joins in a second, take that time for all of them: `Backoff::new().first(max)`,
    /// with 30 s, has them come back evenly from the first second on.
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

    /// How many times in a row it tries again before it gives up; of several routers, how many
    /// rounds. Default: no limit.
    #[must_use]
    pub fn attempts(mut self, attempts: usize) -> Self {
        self.attempts = Some(attempts);
        self
    }

    /// How long it tries, from the first failure in a row, before it gives up; the last attempt is
    /// made when this time is over. Sessions that do not last count too. Default: no limit.
    #[must_use]
    pub fn budget(mut self, time: Duration) -> Self {
        self.budget = Some(time);
        self
    }

    /// Treat an end that tells this URI differently than [`CloseReason::remedy`] does.
    #[must_use]
    pub fn on(mut self, uri: impl Into<String>, remedy: Remedy) -> Self {
        self.remedies.push((uri.into(), remedy));
        self
    }

    /// How long a session must last to reset delay, count and budget. Default: 10 s.
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

    /// The next delay; `None` gives up.
    fn next(&mut self, now: Instant) -> Option<Duration> {
        if self.row.is_none() {
            let (began, delays) = (now, self.delays());
            self.row = Some(Row { began, delays });
        }
        let row = self.row.as_mut()?;
        let delay = row.delays.next()?;
        let delay = if self.jitter {
            delay.mul_f64(fastrand::f64())
        } else {
            delay
        };
        let Some(budget) = self.budget else {
            return Some(delay);
        };
        let left = budget.checked_sub(now.duration_since(row.began))?;
        (!left.is_zero()).then(|| delay.min(left))
    }
}

#[async_trait]
impl RetryPolicy for Backoff {
    async fn retry(&mut self, reason: &CloseReason) -> Option<Duration> {
        match self.remedy(reason) {
            Remedy::Nothing => None,
            Remedy::Retry | Remedy::Elsewhere => self.next(Instant::now()),
        }
    }

    fn remedy(&self, reason: &CloseReason) -> Remedy {
        let told = self.remedies.iter().rev();
        let told = reason
            .uri()
            .and_then(|uri| told.into_iter().find(|(known, _)| known == uri));
        told.map_or_else(|| reason.remedy(), |(_, remedy)| *remedy)
    }

    fn lasted(&mut self, session: Duration) -> bool {
        let stable = session >= self.stable;
        if stable {
            self.row = None;
        }
        stable
    }
}

#[cfg(test)]
mod tests;
