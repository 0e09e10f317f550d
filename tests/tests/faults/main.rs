//! What becomes of a client when the network or the router fails, over sockets.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it is surprised"
)]

mod joining;
mod pending;
mod place;
mod restarts;
mod silence;
mod slow;
mod stale;
mod turns;
