//! How much memory sessions and messages take, and that none of it stays behind.
//!
//! Counted by a global allocator, so these tests are a program of their own and take turns.
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test stops where it is surprised"
)]

mod growth;
mod messages;
mod sessions;

use std::sync::{Mutex, MutexGuard, PoisonError};

use peak_alloc::PeakAlloc;

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// How many bytes are allocated now.
fn heap() -> usize {
    HEAP.current_usage()
}

/// As long as this is held no other test of this program allocates much.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A runtime without threads of its own.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(future)
}
