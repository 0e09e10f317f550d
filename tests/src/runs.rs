//! How often a test repeats itself, and with which chances.
//!
//! | variable | means |
//! |---|---|
//! | `SPELL_LONG` | set to anything, tests run as often as before a release |
//! | `SPELL_SEED` | the one seed to run with, as a failed test has named it |
//! | `SPELL_SEEDS` | as many seeds as this |

use std::{env, ops::Range};

/// `usual`, or `long` where `SPELL_LONG` is set.
pub fn count(usual: u64, long: u64) -> u64 {
    if env::var_os("SPELL_LONG").is_some() {
        long
    } else {
        usual
    }
}

/// The seeds to run with: as many as [`count`] says, unless `SPELL_SEED` or `SPELL_SEEDS` says otherwise.
pub fn seeds(usual: u64, long: u64) -> Range<u64> {
    if let Some(seed) = number("SPELL_SEED") {
        return seed..seed.saturating_add(1);
    }
    0..number("SPELL_SEEDS").unwrap_or_else(|| count(usual, long))
}

/// Runs a future for a seed, and names the seed where that panics.
pub async fn named<T>(seed: u64, run: impl Future<Output = T>) -> T {
    let _naming = Naming(seed);
    run.await
}

/// Names a seed where the thread panics.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "says all there is to say")]
pub struct Naming(pub u64);

impl Drop for Naming {
    fn drop(&mut self) {
        if std::thread::panicking() {
            crate::notice(&format!("FAILED with SPELL_SEED={}", self.0));
        }
    }
}

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok()?.parse().ok()
}
