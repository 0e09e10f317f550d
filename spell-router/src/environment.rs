//! What the routing core takes from outside.

use std::time::{Instant, SystemTime};

use crate::ids::{RandomBits, random_bits};

/// Randomness and time, which the routing core never fetches itself, so that tests choose them.
pub(crate) struct Environment {
    pub(crate) random: RandomBits,
    pub(crate) clock: Clock,
}

/// Tells the time.
pub(crate) type Clock = Box<dyn Fn() -> Moment + Send>;

/// A moment by two clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// For deadlines: it never goes backwards.
    pub(crate) instant: Instant,
    /// For people: what the calendar says.
    pub(crate) system: SystemTime,
}

impl Environment {
    /// The random numbers of the operating system, and its time. Deadlines go by the clock of the
    /// runtime, which tests can stop.
    pub(crate) fn real() -> Self {
        Self {
            random: random_bits(),
            clock: Box::new(|| Moment {
                instant: tokio::time::Instant::now().into_std(),
                system: SystemTime::now(),
            }),
        }
    }
}
