use std::{
    collections::VecDeque,
    convert::Infallible,
    fmt, mem,
    sync::Arc,
    task::{Context, Poll, ready},
};

use super::{Overflow, Shared, Size, State, Waiting};

/// The user's end. Dropped, it closes the queue, and what waits is gone.
#[derive(Debug)]
pub(crate) struct Consumer<T, N = Infallible> {
    pub(super) shared: Arc<Shared<T, N>>,
    /// Boxed, as whatever holds a consumer is moved, and begun with the first poll.
    batch: Option<Box<Batch<T, N>>>,
    on_room: OnRoom,
}

/// What was taken out of the queue in one go; it waits until it is read.
#[derive(Debug)]
struct Batch<T, N> {
    waiting: VecDeque<Waiting<T, N>>,
    /// What is to be told before anything else that is not in it.
    note: Option<N>,
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
            batch: None,
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
        if self.batch.as_ref().is_none_or(|batch| batch.is_empty()) {
            ready!(self.poll_batch(cx));
        }
        let batch = self.batch.as_mut();
        Poll::Ready(batch.and_then(|batch| batch.next(&self.shared)))
    }

    /// The next item, if it was taken out already and nothing is to be told before it.
    #[inline]
    pub(crate) fn next_plain(&mut self) -> Option<T> {
        self.batch.as_mut()?.next_plain(&self.shared)
    }

    /// Takes out what waits; nothing, once the queue is closed and empty.
    #[expect(clippy::needless_pass_by_ref_mut, reason = "as polls have it")]
    fn poll_batch(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let batch = self.batch.get_or_insert_with(Box::default);
        let mut state = self.shared.lock();
        if batch.take(&self.shared, &mut state) {
            drop(state);
            self.tell_of_room();
            return Poll::Ready(());
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
        if batch.take(&self.shared, &mut state) {
            drop(state);
            self.tell_of_room();
            return Poll::Ready(());
        }
        let replaced = state.waker.replace(waker);
        drop(state);
        drop(replaced);
        Poll::Pending
    }

    /// What was taken out and waits.
    #[cfg(test)]
    pub(super) fn taken(&self) -> impl Iterator<Item = &Waiting<T, N>> {
        self.batch.iter().flat_map(|batch| &batch.waiting)
    }

    /// What tells of losses, wherever the consumer goes.
    pub(crate) fn losses(&self) -> Losses<T, N> {
        Losses(self.shared.clone())
    }
}

impl<T, N> Default for Batch<T, N> {
    fn default() -> Self {
        Self {
            waiting: VecDeque::new(),
            note: None,
            read: Size::default(),
        }
    }
}

impl<T, N> Batch<T, N> {
    fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.note.is_none()
    }

    /// Takes what is to be read next; `false` if there is nothing, and may be something later.
    fn take(&mut self, shared: &Shared<T, N>, state: &mut State<T, N>) -> bool {
        if shared.bounds.overflow.is_taken_at_once() {
            // The memory of the last batch is for what follows.
            mem::swap(&mut self.waiting, &mut state.waiting);
            state.taken = Size {
                count: self.waiting.len(),
                bytes: mem::take(&mut state.bytes),
            };
            self.read = Size::default();
            shared.read.set(self.read);
        } else if let Some(note) = state.waiting.front_mut().and_then(|next| next.note.take()) {
            // What it is before may still be displaced.
            self.note = Some(note);
        } else if let Some(next) = state.take() {
            // It is read at once, and takes no room any more.
            self.waiting.push_back(next);
        }
        if self.is_empty() {
            // What was noted last comes behind all items.
            self.note = state.note.take();
        }
        !self.is_empty() || state.is_closed
    }

    /// The next of what was taken out already.
    fn next(&mut self, shared: &Shared<T, N>) -> Option<Next<T, N>> {
        let Some(next) = self.waiting.front_mut() else {
            return self.note.take().map(Next::Note);
        };
        if let Some(note) = next.note.take() {
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

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;
    use crate::queue::{Bounds, Pushed, queue};

    #[test]
    fn what_the_reader_is_about_to_get_makes_room_already() {
        let (producer, mut consumer) = queue::<_, Infallible>(Bounds {
            count: 2,
            bytes: 2,
            overflow: Overflow::DropOldest,
        });
        assert!(matches!(producer.push('a', 1), Pushed::Queued));
        assert!(matches!(producer.push('b', 1), Pushed::Queued));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(consumer.poll_batch(&mut cx).is_ready());
        // It comes from another thread, just then.
        assert!(matches!(producer.push('c', 1), Pushed::Queued));
        assert_eq!(producer.len(), 2);
        for item in ['a', 'b', 'c'] {
            let taken = consumer.poll_next(&mut cx);
            assert!(matches!(taken, Poll::Ready(Some(taken)) if taken.item == item));
        }
        assert_eq!(producer.len(), 0);
    }
}
