use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

/// The room that a command takes which nobody waits for, until it is handled: it is to be kept in
/// that command. Given by [`Commands::hand_over`](crate::Commands::hand_over).
pub struct Ahead {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Ahead {
    pub(crate) fn new(budget: &Arc<Budget>, bytes: usize) -> Option<Self> {
        let before = budget.taken.fetch_add(bytes, Ordering::Relaxed);
        let ahead = Self {
            budget: budget.clone(),
            bytes,
        };
        // What is too much is given back when it is dropped.
        let queued = budget.queued.load(Ordering::Relaxed);
        let is_room = before.saturating_add(bytes).saturating_add(queued) <= budget.most;
        is_room.then_some(ahead)
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.budget.taken.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl fmt::Debug for Ahead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ahead")
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

/// How many bytes may wait in commands that nobody waits for, and behind them for the wire, and how
/// many do.
#[derive(Debug)]
pub(crate) struct Budget {
    most: usize,
    taken: AtomicUsize,
    /// What waits for the wire, as the driver saw it last.
    queued: AtomicUsize,
}

impl Budget {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most,
            taken: AtomicUsize::new(0),
            queued: AtomicUsize::new(0),
        }
    }

    pub(crate) fn set_queued(&self, bytes: usize) {
        self.queued.store(bytes, Ordering::Relaxed);
    }
}
