//! A queue between the driver, which never waits, and one consumer in a user's task.
//!
//! Bounded by count and by bytes. What does not fit is decided at once, by the queue's [`Overflow`],
//! and counted: every item that was pushed is either taken, waits, or was lost.

use std::{
    collections::VecDeque,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

/// What becomes of an item when its queue is full.
///
/// Decided at once: the connection never waits for a slow consumer, and no other consumer does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Overflow {
    /// The item that comes is lost; what waits stays. The default of subscriptions.
    #[default]
    DropNewest,
    /// The items that have waited longest are lost, as many as it takes.
    DropOldest,
    /// Only the newest item waits: each one replaces the one before it, if that was not read yet.
    /// For values of which only the last counts. One item is the limit here, whatever the count.
    KeepLatest,
    /// The item that comes is lost, and the stream ends; what waits can still be read. The default
    /// of calls with progressive results.
    End,
}

/// How much may wait in a queue, and what becomes of the rest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) count: usize,
    pub(crate) bytes: usize,
    pub(crate) overflow: Overflow,
}

/// The two ends of a queue.
pub(crate) fn queue<T>(bounds: Bounds) -> (Producer<T>, Consumer<T>) {
    let bounds = match bounds.overflow {
        Overflow::KeepLatest => Bounds { count: 1, ..bounds },
        _ => bounds,
    };
    let shared = Arc::new(Shared {
        bounds,
        state: Mutex::new(State {
            waiting: VecDeque::new(),
            bytes: 0,
            lost: 0,
            lost_since: 0,
            is_closed: false,
            waker: None,
        }),
    });
    let producer = Producer(shared.clone());
    (producer, Consumer(shared))
}

/// The driver's end. Dropped, it closes the queue.
#[derive(Debug)]
pub(crate) struct Producer<T>(Arc<Shared<T>>);

/// What became of an item that was pushed.
#[derive(Debug)]
#[must_use]
pub(crate) enum Pushed<T> {
    /// It waits for the consumer.
    Queued,
    /// It waits, and as many items that waited before are lost.
    Displaced(u64),
    /// It is lost: there was no room, or the queue is closed.
    Refused(T),
}

impl<T> Producer<T> {
    /// Queue an item that takes `bytes`. Never waits.
    ///
    /// An item larger than the whole queue is refused under any policy.
    pub(crate) fn push(&self, item: T, bytes: usize) -> Pushed<T> {
        let bounds = &self.0.bounds;
        let mut displaced = Vec::new();
        let mut state = self.0.lock();
        if state.is_closed {
            return Pushed::Refused(item);
        }
        let makes_room = matches!(bounds.overflow, Overflow::DropOldest | Overflow::KeepLatest);
        let is_possible = bytes <= bounds.bytes && bounds.count > 0;
        if !is_possible || (!makes_room && !state.has_room(bytes, bounds)) {
            state.lose();
            return Pushed::Refused(item);
        }
        while !state.has_room(bytes, bounds) {
            let Some(oldest) = state.take() else { break };
            // The next to be read is the first to be told of what went before it.
            let lost = oldest.lost_before.saturating_add(1);
            match state.waiting.front_mut() {
                Some(next) => next.lost_before = next.lost_before.saturating_add(lost),
                None => state.lost_since = state.lost_since.saturating_add(lost),
            }
            state.lost = state.lost.saturating_add(1);
            displaced.push(oldest.item);
        }
        let lost_before = mem::take(&mut state.lost_since);
        state.bytes = state.bytes.saturating_add(bytes);
        state.waiting.push_back(Waiting {
            item,
            bytes,
            lost_before,
        });
        let waker = state.waker.take();
        // Wakers and items may be of the user's making: never under the lock.
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        match u64::try_from(displaced.len()).unwrap_or(u64::MAX) {
            0 => Pushed::Queued,
            count => Pushed::Displaced(count),
        }
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

impl<T> Drop for Producer<T> {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// The user's end. Dropped, it closes the queue, and what waits is gone.
#[derive(Debug)]
pub(crate) struct Consumer<T>(Arc<Shared<T>>);

/// An item that was taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Taken<T> {
    pub(crate) item: T,
    /// How many items were lost between the one taken before and this one.
    pub(crate) lost_before: u64,
}

impl<T> Consumer<T> {
    /// The next item; `None` once the queue is closed and empty.
    #[expect(
        clippy::needless_pass_by_ref_mut,
        reason = "there is room for one waker, so only one task may poll"
    )]
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Taken<T>>> {
        let mut state = self.0.lock();
        if let Some(poll) = state.poll() {
            return poll;
        }
        let waker = state.waker.as_ref();
        if waker.is_some_and(|waker| waker.will_wake(cx.waker())) {
            return Poll::Pending;
        }
        drop(state);
        let waker = cx.waker().clone();
        let mut state = self.0.lock();
        // An item may have come while the lock was open.
        if let Some(poll) = state.poll() {
            drop(state);
            return poll;
        }
        let replaced = state.waker.replace(waker);
        drop(state);
        drop(replaced);
        Poll::Pending
    }

    /// What tells of losses, wherever the consumer goes.
    pub(crate) fn losses(&self) -> Losses<T> {
        Losses(self.0.clone())
    }
}

impl<T> Drop for Consumer<T> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.is_closed = true;
        state.bytes = 0;
        let waiting = mem::take(&mut state.waiting);
        drop(state);
        drop(waiting);
    }
}

/// Tells how many items were lost.
#[derive(Debug)]
pub(crate) struct Losses<T>(Arc<Shared<T>>);

impl<T> Losses<T> {
    /// How many so far.
    pub(crate) fn count(&self) -> u64 {
        self.0.lock().lost
    }
}

#[derive(Debug)]
struct Shared<T> {
    bounds: Bounds,
    /// Held for a few moves only, and never while user code runs.
    state: Mutex<State<T>>,
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
struct State<T> {
    waiting: VecDeque<Waiting<T>>,
    /// What `waiting` takes.
    bytes: usize,
    /// How many items were lost so far.
    lost: u64,
    /// How many of them were lost after the last one that waits.
    lost_since: u64,
    is_closed: bool,
    waker: Option<Waker>,
}

#[derive(Debug)]
struct Waiting<T> {
    item: T,
    bytes: usize,
    lost_before: u64,
}

impl<T> State<T> {
    fn has_room(&self, bytes: usize, bounds: &Bounds) -> bool {
        self.waiting.len() < bounds.count && self.bytes.saturating_add(bytes) <= bounds.bytes
    }

    fn take(&mut self) -> Option<Waiting<T>> {
        let oldest = self.waiting.pop_front()?;
        self.bytes = self.bytes.saturating_sub(oldest.bytes);
        Some(oldest)
    }

    fn lose(&mut self) {
        self.lost = self.lost.saturating_add(1);
        self.lost_since = self.lost_since.saturating_add(1);
    }

    /// The next item, or the end; `None` if the consumer has to wait.
    fn poll(&mut self) -> Option<Poll<Option<Taken<T>>>> {
        match self.take() {
            Some(Waiting {
                item, lost_before, ..
            }) => Some(Poll::Ready(Some(Taken { item, lost_before }))),
            None => self.is_closed.then_some(Poll::Ready(None)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, task::Wake};

    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn bounds(count: usize, bytes: usize, overflow: Overflow) -> Bounds {
        Bounds {
            count,
            bytes,
            overflow,
        }
    }

    /// What can be taken now: items, each with what was lost before it.
    fn drain<T>(consumer: &mut Consumer<T>) -> Vec<(T, u64)> {
        let mut cx = Context::from_waker(Waker::noop());
        let mut taken = Vec::new();
        while let Poll::Ready(Some(Taken { item, lost_before })) = consumer.poll_next(&mut cx) {
            taken.push((item, lost_before));
        }
        taken
    }

    fn fill(overflow: Overflow, count: usize, items: u8) -> (Vec<(u8, u64)>, u64) {
        let (producer, mut consumer) = queue(bounds(count, 1000, overflow));
        for item in 0..items {
            let _ = producer.push(item, 1);
        }
        (drain(&mut consumer), consumer.losses().count())
    }

    #[test]
    fn a_full_queue_does_what_its_policy_says() {
        let (taken, lost) = fill(Overflow::DropNewest, 2, 5);
        assert_eq!((taken, lost), (vec![(0, 0), (1, 0)], 3));
        let (taken, lost) = fill(Overflow::DropOldest, 2, 5);
        assert_eq!((taken, lost), (vec![(3, 3), (4, 0)], 3));
        let (taken, lost) = fill(Overflow::KeepLatest, 9, 5);
        assert_eq!((taken, lost), (vec![(4, 4)], 4));
        let (taken, lost) = fill(Overflow::End, 2, 3);
        assert_eq!((taken, lost), (vec![(0, 0), (1, 0)], 1));
    }

    #[test]
    fn a_loss_is_told_with_the_next_item() {
        let (producer, mut consumer) = queue(bounds(1, 1000, Overflow::DropNewest));
        for item in 0..4 {
            let _ = producer.push(item, 1);
        }
        assert_eq!(drain(&mut consumer), [(0, 0)]);
        assert!(matches!(producer.push(4, 1), Pushed::Queued));
        assert_eq!(drain(&mut consumer), [(4, 3)]);
    }

    #[test]
    fn bytes_are_a_bound_of_their_own() {
        let (producer, mut consumer) = queue(bounds(100, 10, Overflow::DropNewest));
        assert!(matches!(producer.push('a', 6), Pushed::Queued));
        assert!(matches!(producer.push('b', 5), Pushed::Refused('b')));
        assert!(matches!(producer.push('c', 4), Pushed::Queued));
        assert_eq!(drain(&mut consumer), [('a', 0), ('c', 1)]);
        assert!(
            matches!(producer.push('d', 10), Pushed::Queued),
            "all room is back"
        );
    }

    #[test]
    fn a_large_item_displaces_as_many_as_it_takes() {
        let (producer, mut consumer) = queue(bounds(100, 10, Overflow::DropOldest));
        for item in ['a', 'b', 'c'] {
            assert!(matches!(producer.push(item, 3), Pushed::Queued));
        }
        assert!(matches!(producer.push('d', 7), Pushed::Displaced(2)));
        assert_eq!(drain(&mut consumer), [('c', 2), ('d', 0)]);
    }

    #[test]
    fn an_item_larger_than_the_queue_displaces_nothing() {
        for overflow in [Overflow::DropOldest, Overflow::KeepLatest] {
            let (producer, mut consumer) = queue(bounds(100, 10, overflow));
            assert!(matches!(producer.push('a', 3), Pushed::Queued));
            assert!(matches!(producer.push('b', 11), Pushed::Refused('b')));
            assert_eq!(
                (drain(&mut consumer), consumer.losses().count()),
                (vec![('a', 0)], 1)
            );
        }
    }

    #[test]
    fn a_closed_queue_gives_what_waits_then_ends() {
        let (producer, mut consumer) = queue(bounds(9, 9, Overflow::DropNewest));
        let _ = producer.push(1, 1);
        producer.close();
        assert!(matches!(producer.push(2, 1), Pushed::Refused(2)));
        assert_eq!(drain(&mut consumer), [(1, 0)]);
        let mut cx = Context::from_waker(Waker::noop());
        assert_eq!(consumer.poll_next(&mut cx), Poll::Ready(None));
    }

    #[test]
    fn a_queue_without_a_consumer_keeps_nothing() {
        let (producer, consumer) = queue(bounds(9, 9, Overflow::DropOldest));
        let item = Arc::new(());
        let _ = producer.push(item.clone(), 1);
        drop(consumer);
        assert!(matches!(producer.push(item.clone(), 1), Pushed::Refused(_)));
        assert_eq!(Arc::strong_count(&item), 1);
    }

    #[tokio::test]
    async fn the_consumer_is_woken_by_an_item_and_by_the_end() {
        let (producer, mut consumer) = queue(bounds(9, 9, Overflow::DropNewest));
        let reader = tokio::spawn(async move {
            let mut taken = Vec::new();
            while let Some(next) = poll_fn(|cx| consumer.poll_next(cx)).await {
                taken.push(next.item);
            }
            taken
        });
        for item in 0..3 {
            tokio::task::yield_now().await;
            let _ = producer.push(item, 1);
        }
        tokio::task::yield_now().await;
        drop(producer);
        assert_eq!(reader.await.unwrap(), [0, 1, 2]);
    }

    /// A waker that reads the queue: it would hang if it were called under the lock.
    struct Nosy(Arc<Shared<u8>>);

    impl Wake for Nosy {
        fn wake(self: Arc<Self>) {
            assert!(self.0.state.try_lock().is_ok());
        }
    }

    #[test]
    fn user_code_never_runs_under_the_lock() {
        let (producer, mut consumer) = queue(bounds(9, 9, Overflow::DropNewest));
        let waker = Waker::from(Arc::new(Nosy(consumer.0.clone())));
        let mut cx = Context::from_waker(&waker);
        assert!(consumer.poll_next(&mut cx).is_pending());
        let _ = producer.push(1, 1);
        assert!(consumer.poll_next(&mut cx).is_ready());
        assert!(consumer.poll_next(&mut cx).is_pending());
        producer.close();
    }

    #[derive(Clone, Debug)]
    enum Step {
        Push(usize),
        Take,
    }

    proptest! {
        #[test]
        fn what_was_sent_was_got_waits_or_was_lost(
            overflow in prop_oneof![
                Just(Overflow::DropNewest),
                Just(Overflow::DropOldest),
                Just(Overflow::KeepLatest),
            ],
            count in 0_usize..5,
            bytes in 0_usize..30,
            steps in vec(prop_oneof![(0_usize..20).prop_map(Step::Push), Just(Step::Take)], 0..100),
        ) {
            let (producer, mut consumer) = queue(bounds(count, bytes, overflow));
            let most = if overflow == Overflow::KeepLatest { 1 } else { count };
            let mut cx = Context::from_waker(Waker::noop());
            let (mut sent, mut refused, mut displaced) = (0_u64, 0_u64, 0_u64);
            let mut got = Vec::new();
            let mut told = 0;
            let mut take = |consumer: &mut Consumer<u64>| match consumer.poll_next(&mut cx) {
                Poll::Ready(Some(Taken { item, lost_before })) => {
                    told += lost_before;
                    // What was told is exactly the hole between two items.
                    let expected = got.last().map_or(item, |last| item - last - 1);
                    assert_eq!(lost_before, expected);
                    got.push(item);
                    true
                }
                _ => false,
            };
            for step in steps {
                match step {
                    Step::Push(size) => {
                        match producer.push(sent, size) {
                            Pushed::Queued => {}
                            Pushed::Displaced(count) => displaced += count,
                            Pushed::Refused(_) => refused += 1,
                        }
                        sent += 1;
                    }
                    Step::Take => _ = take(&mut consumer),
                }
                let state = consumer.0.lock();
                prop_assert!(state.waiting.len() <= most);
                prop_assert!(state.bytes <= bytes);
                let held: usize = state.waiting.iter().map(|waiting| waiting.bytes).sum();
                prop_assert_eq!(held, state.bytes);
            }
            while take(&mut consumer) {}
            let got = u64::try_from(got.len()).unwrap();
            prop_assert_eq!(sent, got + refused + displaced);
            prop_assert_eq!(consumer.losses().count(), refused + displaced);
            let since = consumer.0.lock().lost_since;
            prop_assert_eq!(consumer.losses().count(), told + since);
        }
    }
}
