use std::{
    collections::VecDeque,
    convert::Infallible,
    fmt, mem,
    sync::Arc,
    task::{Context, Poll},
};

use super::{Overflow, Shared, Size, State, Waiting};

/// The user's end. Dropped, it closes the queue, and what waits is gone.
#[derive(Debug)]
pub(crate) struct Consumer<T, N = Infallible> {
    pub(super) shared: Arc<Shared<T, N>>,
    batch: Batch<T, N>,
    on_room: OnRoom,
}

/// What was taken out of the queue in one go; it waits until it is read.
#[derive(Debug)]
struct Batch<T, N> {
    waiting: VecDeque<Waiting<T, N>>,
    /// How much of it was read.
    read: Size,
}

/// How the producer is told that there is room.
struct OnRoom(Option<Box<dyn Fn() + Send + Sync>>);

impl fmt::Debug for OnRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnRoom").finish_non_exhaustive()
    }
}

/// An item that was taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Taken<T> {
    pub(crate) item: T,
    /// How many items were lost between the one taken before and this one.
    pub(crate) lost_before: u64,
}

/// What a queue with notes gives.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next<T, N> {
    Item(Taken<T>),
    Note(N),
}

impl<T> Consumer<T> {
    /// The next item; `None` once the queue is closed and empty.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Taken<T>>> {
        self.poll_noted(cx).map(|next| match next? {
            Next::Item(taken) => Some(taken),
            Next::Note(never) => match never {},
        })
    }
}

impl<T, N> Consumer<T, N> {
    pub(super) fn new(shared: Arc<Shared<T, N>>) -> Self {
        Self {
            shared,
            batch: Batch {
                waiting: VecDeque::new(),
                read: Size::default(),
            },
            on_room: OnRoom(None),
        }
    }

    /// Call this each time there is room again in a queue that was [filled](super::Pushed::Filled),
    /// and when nobody is there any more who would take an item.
    pub(crate) fn on_room(&mut self, tell: impl Fn() + Send + Sync + 'static) {
        self.on_room = OnRoom(Some(Box::new(tell)));
    }

    /// Let the producer know, if it was told that the queue is filled and it is no more.
    fn tell_of_room(&self) {
        let (OnRoom(Some(tell)), Overflow::Wait) = (&self.on_room, self.shared.bounds.overflow)
        else {
            return;
        };
        let mut state = self.shared.lock();
        if state.is_awaited && !state.is_full(&self.shared.bounds) {
            state.is_awaited = false;
            drop(state);
            tell();
        }
    }

    /// The next item or note; `None` once the queue is closed and empty.
    pub(crate) fn poll_noted(&mut self, cx: &mut Context<'_>) -> Poll<Option<Next<T, N>>> {
        if let Some(next) = self.batch.next(&self.shared) {
            return Poll::Ready(Some(next));
        }
        let next = self.poll_state(cx);
        if next.is_ready() {
            self.tell_of_room();
        }
        next
    }

    /// The next item, if it was taken out already and nothing is to be told before it.
    #[inline]
    pub(crate) fn next_plain(&mut self) -> Option<T> {
        self.batch.next_plain(&self.shared)
    }

    #[expect(clippy::needless_pass_by_ref_mut, reason = "as polls have it")]
    fn poll_state(&mut self, cx: &mut Context<'_>) -> Poll<Option<Next<T, N>>> {
        let mut state = self.shared.lock();
        if let Some(poll) = self.batch.poll(&self.shared, &mut state) {
            return poll;
        }
        let waker = state.waker.as_ref();
        if waker.is_some_and(|waker| waker.will_wake(cx.waker())) {
            return Poll::Pending;
        }
        drop(state);
        // There is room for one, so only one task may poll.
        let waker = cx.waker().clone();
        let mut state = self.shared.lock();
        // An item may have come while the lock was open.
        if let Some(poll) = self.batch.poll(&self.shared, &mut state) {
            drop(state);
            return poll;
        }
        let replaced = state.waker.replace(waker);
        drop(state);
        drop(replaced);
        Poll::Pending
    }

    /// What was taken out and waits.
    #[cfg(test)]
    pub(super) fn taken(&self) -> impl Iterator<Item = &Waiting<T, N>> {
        self.batch.waiting.iter()
    }

    /// What tells of losses, wherever the consumer goes.
    pub(crate) fn losses(&self) -> Losses<T, N> {
        Losses(self.shared.clone())
    }
}

impl<T, N> Batch<T, N> {
    /// The next of what was taken out already.
    fn next(&mut self, shared: &Shared<T, N>) -> Option<Next<T, N>> {
        if let Some(note) = self.waiting.front_mut()?.note.take() {
            return Some(Next::Note(note));
        }
        let next = self.waiting.pop_front()?;
        self.count(next.bytes, shared);
        Some(Next::Item(next.into()))
    }

    #[inline]
    fn next_plain(&mut self, shared: &Shared<T, N>) -> Option<T> {
        let next = self.waiting.front()?;
        if next.lost_before > 0 || next.note.is_some() {
            return None;
        }
        let next = self.waiting.pop_front()?;
        self.count(next.bytes, shared);
        Some(next.item)
    }

    /// An item of so many bytes was read.
    fn count(&mut self, bytes: usize, shared: &Shared<T, N>) {
        self.read.count = self.read.count.saturating_add(1);
        self.read.bytes = self.read.bytes.saturating_add(bytes);
        shared.read.set(self.read);
    }

    /// The next item or note, or the end; `None` if the consumer has to wait.
    fn poll(
        &mut self,
        shared: &Shared<T, N>,
        state: &mut State<T, N>,
    ) -> Option<Poll<Option<Next<T, N>>>> {
        let next = if shared.bounds.overflow.is_taken_at_once() {
            self.take(shared, state);
            self.next(shared)
        } else {
            state.next()
        };
        // What was noted last comes behind all items.
        let next = next.or_else(|| state.note.take().map(Next::Note));
        (next.is_some() || state.is_closed).then_some(Poll::Ready(next))
    }

    /// All that waits, and the memory of the last batch for what follows.
    fn take(&mut self, shared: &Shared<T, N>, state: &mut State<T, N>) {
        mem::swap(&mut self.waiting, &mut state.waiting);
        state.taken = Size {
            count: self.waiting.len(),
            bytes: mem::take(&mut state.bytes),
        };
        self.read = Size::default();
        shared.read.set(self.read);
    }
}

impl<T, N> From<Waiting<T, N>> for Taken<T> {
    fn from(waiting: Waiting<T, N>) -> Self {
        Self {
            item: waiting.item,
            lost_before: waiting.lost_before,
        }
    }
}

impl<T, N> Drop for Consumer<T, N> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.is_closed = true;
        state.bytes = 0;
        let dropped = (mem::take(&mut state.waiting), state.note.take());
        drop(state);
        drop(dropped);
        self.tell_of_room();
    }
}

/// Tells how many items were lost.
#[derive(Debug)]
pub(crate) struct Losses<T, N = Infallible>(Arc<Shared<T, N>>);

impl<T, N> Losses<T, N> {
    /// How many so far.
    pub(crate) fn count(&self) -> u64 {
        self.0.lock().lost
    }
}
