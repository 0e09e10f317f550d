//! A queue between the driver, which never waits, and one consumer in a user's task.
//!
//! Bounded by count and by bytes. What does not fit is decided at once, by the queue's [`Overflow`],
//! and counted: every item that was pushed is either taken, waits, or was lost.
//!
//! Between two items there may be a [`Note`], which is never lost: of several that nothing separates
//! any more, one is made.
//!
//! Where nothing that waits is displaced, the consumer takes all of it out in one go, so that not each
//! item takes the lock. Until it is read, it waits and takes room as before.

mod consumer;
mod overflow;
#[cfg(test)]
mod tests;

use std::{
    collections::VecDeque,
    convert::Infallible,
    mem,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::Waker,
};

use spell_peer::Count;

pub(crate) use consumer::{Consumer, Losses, Next, Taken};
pub use overflow::Overflow;

/// How much may wait in a queue, and what becomes of the rest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) count: usize,
    pub(crate) bytes: usize,
    pub(crate) overflow: Overflow,
}

/// What is told in its place between two items, however long it waits.
pub(crate) trait Note {
    /// Nothing is left between the two.
    fn and(self, later: Self) -> Self;
}

/// No notes.
impl Note for Infallible {
    fn and(self, _: Self) -> Self {
        match self {}
    }
}

/// The two ends of a queue.
pub(crate) fn queue<T, N>(bounds: Bounds) -> (Producer<T, N>, Consumer<T, N>) {
    let bounds = match bounds.overflow {
        Overflow::KeepLatest => Bounds { count: 1, ..bounds },
        _ => bounds,
    };
    let shared = Arc::new(Shared {
        bounds,
        state: Mutex::new(State {
            waiting: VecDeque::new(),
            bytes: 0,
            taken: Size::default(),
            lost: 0,
            counted: 0,
            lost_since: 0,
            note: None,
            is_closed: false,
            waker: None,
            is_awaited: false,
        }),
        read: Read::default(),
    });
    let producer = Producer(shared.clone());
    (producer, Consumer::new(shared))
}

/// The driver's end. Dropped, it closes the queue.
#[derive(Debug)]
pub(crate) struct Producer<T, N = Infallible>(Arc<Shared<T, N>>);

/// What became of an item that was pushed.
#[derive(Debug)]
#[must_use]
pub(crate) enum Pushed<T> {
    /// It waits for the consumer.
    Queued,
    /// It waits, and nothing more should be pushed before there is room, under [`Overflow::Wait`].
    Filled,
    /// It waits, and items that waited before are lost.
    Displaced,
    /// It is lost: there was no room, or the queue is closed.
    Refused(T),
}

/// What the role of a queue makes of what became of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Offered {
    /// Nothing has to be done.
    Taken,
    /// Nothing more should come before there is room.
    Filled,
    /// By [`Overflow::End`], that was all.
    Lagging,
}

impl<T, N: Note> Producer<T, N> {
    /// Queue an item that takes `bytes`. Never waits.
    ///
    /// An item larger than the whole queue is refused under any policy but [`Overflow::Wait`], which
    /// refuses nothing.
    #[inline]
    pub(crate) fn push(&self, item: T, bytes: usize) -> Pushed<T> {
        let bounds = &self.0.bounds;
        let mut displaced = Vec::new();
        let mut state = self.0.lock();
        if state.is_closed {
            return Pushed::Refused(item);
        }
        let waits = bounds.overflow == Overflow::Wait;
        if !waits && !self.0.has_room(&state, bytes) {
            let makes_room = matches!(bounds.overflow, Overflow::DropOldest | Overflow::KeepLatest);
            if !makes_room || bytes > bounds.bytes || bounds.count == 0 {
                state.lose();
                return Pushed::Refused(item);
            }
            displaced = self.0.make_room(&mut state, bytes);
        }
        let lost_before = mem::take(&mut state.lost_since);
        let note = state.note.take();
        state.bytes = state.bytes.saturating_add(bytes);
        state.waiting.push_back(Waiting {
            item,
            bytes,
            lost_before,
            note,
        });
        state.is_awaited = waits && state.is_full(bounds);
        let is_filled = state.is_awaited;
        let waker = state.waker.take();
        // Wakers and items may be of the user's making: never under the lock.
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        match displaced.is_empty() {
            true if is_filled => Pushed::Filled,
            true => Pushed::Queued,
            false => Pushed::Displaced,
        }
    }

    /// Tell the consumer something between what was pushed and what will be.
    pub(crate) fn note(&self, note: N) {
        let mut state = self.0.lock();
        if state.is_closed {
            return;
        }
        let note = match state.note.take() {
            Some(earlier) => earlier.and(note),
            None => note,
        };
        state.note = Some(note);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T, N> Producer<T, N> {
    /// How many items wait.
    pub(crate) fn len(&self) -> usize {
        self.0.size(&self.0.lock()).count
    }

    /// How many items were lost so far.
    pub(crate) fn lost(&self) -> u64 {
        self.0.lock().lost
    }

    /// Count for the peer what was lost since this was called last.
    pub(crate) fn count_lost<C: Send + 'static>(
        &self,
        what: Count,
        cx: &mut spell_peer::Context<'_, C>,
    ) {
        let mut state = self.0.lock();
        let lost = state.lost;
        let counted = mem::replace(&mut state.counted, lost);
        drop(state);
        cx.count(what, lost.saturating_sub(counted));
    }

    /// Whether nobody will take what is pushed.
    pub(crate) fn is_closed(&self) -> bool {
        self.0.lock().is_closed
    }

    /// No more items: the consumer gets what waits, then the end.
    pub(crate) fn close(&self) {
        self.0.close();
    }
}

/// A note comes before what is noted, if anything is.
fn append<N: Note>(earlier: N, noted: &mut Option<N>) {
    *noted = Some(match noted.take() {
        Some(later) => earlier.and(later),
        None => earlier,
    });
}

impl<T, N> Drop for Producer<T, N> {
    fn drop(&mut self) {
        self.0.close();
    }
}

#[derive(Debug)]
struct Shared<T, N> {
    bounds: Bounds,
    /// Held for a few moves only, and never while user code runs.
    state: Mutex<State<T, N>>,
    /// How much the consumer read of what it took out in one go.
    read: Read,
}

impl<T, N> Shared<T, N> {
    fn lock(&self) -> MutexGuard<'_, State<T, N>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What waits, be it that the consumer took it out already.
    fn size(&self, state: &State<T, N>) -> Size {
        let Size { count, bytes } = state.taken;
        let (count, bytes) = (
            count.saturating_sub(self.read.count.load(Ordering::Relaxed)),
            bytes.saturating_sub(self.read.bytes.load(Ordering::Relaxed)),
        );
        Size {
            count: count.saturating_add(state.waiting.len()),
            bytes: bytes.saturating_add(state.bytes),
        }
    }

    fn has_room(&self, state: &State<T, N>, bytes: usize) -> bool {
        let size = self.size(state);
        size.count < self.bounds.count && size.bytes.saturating_add(bytes) <= self.bounds.bytes
    }

    /// Loses what has waited longest, as much as it takes.
    fn make_room(&self, state: &mut State<T, N>, bytes: usize) -> Vec<T>
    where
        N: Note,
    {
        let mut displaced = Vec::new();
        while !self.has_room(state, bytes) {
            let Some(oldest) = state.take() else { break };
            // The next to be read is the first to be told of what went before it.
            let lost = oldest.lost_before.saturating_add(1);
            match state.waiting.front_mut() {
                Some(next) => next.lost_before = next.lost_before.saturating_add(lost),
                None => state.lost_since = state.lost_since.saturating_add(lost),
            }
            if let Some(note) = oldest.note {
                match state.waiting.front_mut() {
                    Some(next) => append(note, &mut next.note),
                    None => append(note, &mut state.note),
                }
            }
            state.lost = state.lost.saturating_add(1);
            displaced.push(oldest.item);
        }
        displaced
    }

    fn close(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

#[derive(Debug)]
struct State<T, N> {
    waiting: VecDeque<Waiting<T, N>>,
    /// What `waiting` takes.
    bytes: usize,
    /// What the consumer took out of it in one go.
    taken: Size,
    /// How many items were lost so far.
    lost: u64,
    /// How many of them the peer was told of.
    counted: u64,
    /// How many of them were lost after the last one that waits.
    lost_since: u64,
    /// What comes after the last one that waits.
    note: Option<N>,
    is_closed: bool,
    waker: Option<Waker>,
    /// Whether the producer is to be told when there is room.
    is_awaited: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Size {
    count: usize,
    bytes: usize,
}

/// Written by the consumer alone, and begun anew under the lock.
#[derive(Debug, Default)]
struct Read {
    count: AtomicUsize,
    bytes: AtomicUsize,
}

impl Read {
    fn set(&self, size: Size) {
        self.count.store(size.count, Ordering::Relaxed);
        self.bytes.store(size.bytes, Ordering::Relaxed);
    }
}

#[derive(Debug)]
struct Waiting<T, N> {
    item: T,
    bytes: usize,
    lost_before: u64,
    /// What comes before it.
    note: Option<N>,
}

impl<T, N> State<T, N> {
    /// Whether a queue that loses nothing takes no more.
    fn is_full(&self, bounds: &Bounds) -> bool {
        let is_busy = !self.is_closed && !self.waiting.is_empty();
        is_busy && (self.waiting.len() >= bounds.count || self.bytes >= bounds.bytes)
    }

    fn take(&mut self) -> Option<Waiting<T, N>> {
        let oldest = self.waiting.pop_front()?;
        self.bytes = self.bytes.saturating_sub(oldest.bytes);
        Some(oldest)
    }

    fn lose(&mut self) {
        self.lost = self.lost.saturating_add(1);
        self.lost_since = self.lost_since.saturating_add(1);
    }
}
