//! Requests that may be made again when a session takes their answer with it.

use std::time::Duration;

use spell_peer::{CloseReason, Delivery};
use tokio::time::Instant;

use crate::{
    error::Failure,
    request::{Reply, Requests},
};

/// How often a request may be made, and how long all of it may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    pub(crate) attempts: u32,
    pub(crate) time: Duration,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            attempts: 3,
            time: Duration::from_secs(60),
        }
    }
}

impl<C: Send + 'static> Requests<C> {
    /// Make a request until it is answered, as far as the budget allows; each time it takes no
    /// longer than `limit`. What `command` makes must wait for a session if there is none; it is
    /// given how long it may take.
    ///
    /// Only the end of a session is a reason to try again. What became of all attempts together is
    /// told, not only of the last one.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives the request up.
    pub(crate) async fn repeat<T, O>(
        &self,
        budget: Budget,
        limit: Option<Duration>,
        mut command: impl FnMut(Reply<T, O>, Duration) -> C,
    ) -> Result<T, Failure> {
        let begin = Instant::now();
        let mut attempts = budget.attempts;
        let mut unknown = None;
        loop {
            let left = budget.time.saturating_sub(begin.elapsed());
            let left = limit.map_or(left, |limit| limit.min(left));
            let answer = self.ask(Some(left), |reply| command(reply, left)).await;
            attempts = attempts.saturating_sub(1);
            match answer {
                Err(Failure::Closed { reason, delivery })
                    if attempts > 0 && self.commands().end().is_none() =>
                {
                    if delivery == Delivery::OutcomeUnknown {
                        unknown = Some(reason);
                    }
                }
                Err(failure) => return Err(all_told(failure, unknown)),
                answer => return answer,
            }
        }
    }
}

/// The failure of the last attempt, after one before had ended for the reason `unknown` with an
/// unknown outcome.
fn all_told(failure: Failure, unknown: Option<CloseReason>) -> Failure {
    let Some(before) = unknown else {
        return failure;
    };
    let delivery = Delivery::OutcomeUnknown;
    match failure {
        // It was answered.
        Failure::Refused(_) => failure,
        Failure::Timeout(_) => Failure::Timeout(delivery),
        Failure::Closed { reason, .. } => Failure::Closed { reason, delivery },
        // These say that nothing was sent.
        _ => Failure::Closed {
            reason: before,
            delivery,
        },
    }
}

/// The methods that set the budget of what may be made again; `self.budget` is a [`Budget`].
macro_rules! budget_methods {
    () => {
        /// How many times it may be sent, at least once. Default: 3.
        pub fn attempts(mut self, attempts: u32) -> Self {
            self.budget.attempts = attempts;
            self
        }

        /// How long all attempts may take together, from the `.await` on, the waits for a session
        /// included. When the time is up, the attempt under way is given up. Default: 60 s.
        pub fn within(mut self, limit: std::time::Duration) -> Self {
            self.budget.time = limit;
            self
        }
    };
}

pub(crate) use budget_methods;
