//! Clients and a router on a network that exists in memory and in a time of its own, and what must be true of all that
//! happened, whatever that network did.
//!
//! Each run has a seed that decides the delay of each message, when which connection is cut or silent, when it may be
//! dialled again, and what the clients do. All of it is one thread with tokio's clock stopped, so that seconds take
//! nothing and a seed can be looked at again: `SPELL_SEED=7 cargo test -p spell-tests --test simulation`. What differs
//! then is what the router draws itself, ids and the order in which it looks at a map.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it is surprised"
)]

mod history;
mod member;
mod network;
mod sockets;
mod world;

use std::{
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use spell_tests::runs::{named, seeds};

/// With `SPELL_LONG` 100 000 seeds.
#[test]
fn what_a_client_was_told_is_true_whatever_the_network_does() {
    let seeds = seeds(2_000, 100_000);
    let next = AtomicU64::new(seeds.start);
    let total = Mutex::new([0; 5]);
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    let tally = run(seed);
                    let mut total = total.lock().unwrap();
                    *total = std::array::from_fn(|kind| total[kind] + tally[kind]);
                }
            });
        }
    });
    let total = total.into_inner().unwrap();
    if seeds.end - seeds.start > 100 {
        // A network that does nothing shows nothing.
        assert!(total.iter().all(|count| *count > 0), "{total:?}");
    }
}

fn run(seed: u64) -> [u64; 5] {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(named(seed, world::run(seed)))
}
