//! A queue between the driver, which never waits, and one consumer in a user's task.
//!
//! Bounded by count and by bytes. What does not fit is decided at once, by the queue's [`Overflow`],
//! and counted: every item that was pushed is either taken, waits, or was lost.
//!
//! Between two items there may be a [`Note`], which is never lost: of several that nothing separates
//! any more, one is made.

use std::{
    collections::VecDeque,
    convert::Infallible,
    fmt, mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use spell_peer::Count;

/// What becomes of an item when its queue is full.
///
/// Decided at once: but for [`Wait`](Self::Wait), the connection never waits for a slow consumer,
/// and no other consumer does.
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
    /// Nothing is lost: while the queue is full, nothing more is read from the whole connection.
    ///
    /// That delays all that the router sends this peer, other events, results and invocations among
    /// it; the peer goes on to send. In the end the router feels it: it buffers, drops what is for
    /// this peer, or ends the session of a client that does not read or answer its pings. Reading
    /// goes on as soon as there is room, or who reads the queue is dropped.
    ///
    /// Who reads such a queue must not wait there for an answer of the router on the same peer, such
    /// as that of a call or of an acknowledged publication: it could wait behind what is not read,
    /// until its time is up. Ask in another task, or on another peer.
    ///
    /// The queue holds one item more than its bytes allow, rather than lose it.
    Wait,
}

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
            lost: 0,
            counted: 0,
            lost_since: 0,
            note: None,
            is_closed: false,
            waker: None,
            is_awaited: false,
        }),
    });
    let producer = Producer(shared.clone());
    let consumer = Consumer {
        shared,
        on_room: OnRoom(None),
    };
    (producer, consumer)
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
    pub(crate) fn push(&self, item: T, bytes: usize) -> Pushed<T> {
        let bounds = &self.0.bounds;
        let mut displaced = Vec::new();
        let mut state = self.0.lock();
        if state.is_closed {
            return Pushed::Refused(item);
        }
        let waits = bounds.overflow == Overflow::Wait;
        let makes_room = matches!(bounds.overflow, Overflow::DropOldest | Overflow::KeepLatest);
        let is_possible = bytes <= bounds.bytes && bounds.count > 0;
        if !waits && (!is_possible || (!makes_room && !state.has_room(bytes, bounds))) {
            state.lose();
            return Pushed::Refused(item);
        }
        while makes_room && !state.has_room(bytes, bounds) {
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
        self.0.lock().waiting.len()
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

/// The user's end. Dropped, it closes the queue, and what waits is gone.
#[derive(Debug)]
pub(crate) struct Consumer<T, N = Infallible> {
    shared: Arc<Shared<T, N>>,
    on_room: OnRoom,
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
    /// Call this each time there is room again in a queue that was [filled](Pushed::Filled), and
    /// when nobody is there any more who would take an item.
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
        let taken = self.poll_state(cx);
        if taken.is_ready() {
            self.tell_of_room();
        }
        taken
    }

    #[expect(
        clippy::needless_pass_by_ref_mut,
        reason = "there is room for one waker, so only one task may poll"
    )]
    fn poll_state(&mut self, cx: &mut Context<'_>) -> Poll<Option<Next<T, N>>> {
        let mut state = self.shared.lock();
        if let Some(poll) = state.poll() {
            return poll;
        }
        let waker = state.waker.as_ref();
        if waker.is_some_and(|waker| waker.will_wake(cx.waker())) {
            return Poll::Pending;
        }
        drop(state);
        let waker = cx.waker().clone();
        let mut state = self.shared.lock();
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
    pub(crate) fn losses(&self) -> Losses<T, N> {
        Losses(self.shared.clone())
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

#[derive(Debug)]
struct Shared<T, N> {
    bounds: Bounds,
    /// Held for a few moves only, and never while user code runs.
    state: Mutex<State<T, N>>,
}

impl<T, N> Shared<T, N> {
    fn lock(&self) -> MutexGuard<'_, State<T, N>> {
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
struct State<T, N> {
    waiting: VecDeque<Waiting<T, N>>,
    /// What `waiting` takes.
    bytes: usize,
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

    fn has_room(&self, bytes: usize, bounds: &Bounds) -> bool {
        self.waiting.len() < bounds.count && self.bytes.saturating_add(bytes) <= bounds.bytes
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

    /// The next item, or the end; `None` if the consumer has to wait.
    fn poll(&mut self) -> Option<Poll<Option<Next<T, N>>>> {
        let noted = match self.waiting.front_mut() {
            Some(next) => next.note.take(),
            None => self.note.take(),
        };
        if let Some(note) = noted {
            return Some(Poll::Ready(Some(Next::Note(note))));
        }
        match self.take() {
            Some(Waiting {
                item, lost_before, ..
            }) => Some(Poll::Ready(Some(Next::Item(Taken { item, lost_before })))),
            None => self.is_closed.then_some(Poll::Ready(None)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::poll_fn,
        sync::atomic::{AtomicBool, AtomicU64, Ordering},
        task::Wake,
    };

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
        let (producer, mut consumer) = queue::<_, Infallible>(bounds(count, 1000, overflow));
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
        let (taken, lost) = fill(Overflow::Wait, 1, 2);
        assert_eq!((taken, lost), (vec![(0, 0), (1, 0)], 0));
    }

    #[test]
    fn a_queue_that_waits_tells_when_it_is_filled_and_when_there_is_room() {
        let told = Arc::new(AtomicU64::new(0));
        let tell = told.clone();
        let (producer, mut consumer) = queue::<_, Infallible>(bounds(2, 10, Overflow::Wait));
        consumer.on_room(move || _ = tell.fetch_add(1, Ordering::Relaxed));
        let told = || told.load(Ordering::Relaxed);
        assert!(matches!(producer.push('a', 1), Pushed::Queued));
        assert_eq!(drain(&mut consumer).len(), 1);
        assert_eq!(told(), 0, "nobody waits for it");
        assert!(matches!(producer.push('b', 1), Pushed::Queued));
        assert!(matches!(producer.push('c', 1), Pushed::Filled));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(consumer.poll_next(&mut cx).is_ready());
        assert!(consumer.poll_next(&mut cx).is_ready());
        assert_eq!(told(), 1, "once is enough");
        // Too large for the queue, and not lost.
        assert!(matches!(producer.push('d', 11), Pushed::Filled));
        drop(consumer);
        assert_eq!(told(), 2, "nobody is there to make room");
        assert!(matches!(producer.push('e', 1), Pushed::Refused('e')));
    }

    #[test]
    fn a_queue_without_any_room_that_waits_takes_one_at_a_time() {
        for (count, bytes) in [(0, 10), (10, 0), (0, 0)] {
            let (producer, mut consumer) = queue(bounds(count, bytes, Overflow::Wait));
            for item in ['a', 'b'] {
                assert!(matches!(producer.push(item, 1), Pushed::Filled));
                assert_eq!(drain(&mut consumer), [(item, 0)]);
            }
        }
    }

    #[test]
    fn a_loss_is_told_with_the_next_item() {
        let (producer, mut consumer) =
            queue::<_, Infallible>(bounds(1, 1000, Overflow::DropNewest));
        for item in 0..4 {
            let _ = producer.push(item, 1);
        }
        assert_eq!(drain(&mut consumer), [(0, 0)]);
        assert!(matches!(producer.push(4, 1), Pushed::Queued));
        assert_eq!(drain(&mut consumer), [(4, 3)]);
    }

    #[test]
    fn bytes_are_a_bound_of_their_own() {
        let (producer, mut consumer) =
            queue::<_, Infallible>(bounds(100, 10, Overflow::DropNewest));
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
        let (producer, mut consumer) =
            queue::<_, Infallible>(bounds(100, 10, Overflow::DropOldest));
        for item in ['a', 'b', 'c'] {
            assert!(matches!(producer.push(item, 3), Pushed::Queued));
        }
        assert!(matches!(producer.push('d', 7), Pushed::Displaced));
        assert_eq!(drain(&mut consumer), [('c', 2), ('d', 0)]);
    }

    #[test]
    fn an_item_larger_than_the_queue_displaces_nothing() {
        for overflow in [Overflow::DropOldest, Overflow::KeepLatest] {
            let (producer, mut consumer) = queue::<_, Infallible>(bounds(100, 10, overflow));
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
        let (producer, mut consumer) = queue::<_, Infallible>(bounds(9, 9, Overflow::DropNewest));
        let _ = producer.push(1, 1);
        producer.close();
        assert!(matches!(producer.push(2, 1), Pushed::Refused(2)));
        assert_eq!(drain(&mut consumer), [(1, 0)]);
        let mut cx = Context::from_waker(Waker::noop());
        assert_eq!(consumer.poll_next(&mut cx), Poll::Ready(None));
    }

    #[test]
    fn a_queue_without_a_consumer_keeps_nothing() {
        let (producer, consumer) = queue::<_, Infallible>(bounds(9, 9, Overflow::DropOldest));
        let item = Arc::new(());
        let _ = producer.push(item.clone(), 1);
        drop(consumer);
        assert!(matches!(producer.push(item.clone(), 1), Pushed::Refused(_)));
        assert_eq!(Arc::strong_count(&item), 1);
    }

    #[tokio::test]
    async fn the_consumer_is_woken_by_an_item_and_by_the_end() {
        let (producer, mut consumer) = queue::<_, Infallible>(bounds(9, 9, Overflow::DropNewest));
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
    struct Nosy(Arc<Shared<u8, Infallible>>);

    impl Wake for Nosy {
        fn wake(self: Arc<Self>) {
            assert!(self.0.state.try_lock().is_ok());
        }
    }

    #[test]
    fn user_code_never_runs_under_the_lock() {
        let (producer, mut consumer) = queue::<_, Infallible>(bounds(9, 9, Overflow::DropNewest));
        let waker = Waker::from(Arc::new(Nosy(consumer.shared.clone())));
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
                Just(Overflow::Wait),
            ],
            count in 0_usize..5,
            bytes in 0_usize..30,
            steps in vec(prop_oneof![(0_usize..20).prop_map(Step::Push), Just(Step::Take)], 0..100),
        ) {
            let (producer, mut consumer) = queue::<_, Infallible>(bounds(count, bytes, overflow));
            let waits = overflow == Overflow::Wait;
            let most = match overflow {
                Overflow::KeepLatest => 1,
                Overflow::Wait => count.max(1),
                _ => count,
            };
            let is_filled = Arc::new(AtomicBool::new(false));
            let resume = is_filled.clone();
            consumer.on_room(move || resume.store(false, Ordering::Relaxed));
            let mut cx = Context::from_waker(Waker::noop());
            let (mut sent, mut refused) = (0_u64, 0_u64);
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
                    Step::Push(_) if is_filled.load(Ordering::Relaxed) => {}
                    Step::Push(size) => {
                        match producer.push(sent, size) {
                            Pushed::Queued => {}
                            Pushed::Filled => is_filled.store(true, Ordering::Relaxed),
                            Pushed::Displaced => prop_assert!(!matches!(
                                overflow,
                                Overflow::DropNewest | Overflow::Wait
                            )),
                            Pushed::Refused(_) => refused += 1,
                        }
                        sent += 1;
                    }
                    Step::Take => _ = take(&mut consumer),
                }
                let state = consumer.shared.lock();
                prop_assert!(state.waiting.len() <= most);
                // The last one may be one too large.
                let over = if waits { 20 } else { 0 };
                prop_assert!(state.bytes <= bytes + over);
                prop_assert!(!waits || is_filled.load(Ordering::Relaxed) == state.is_full(&consumer.shared.bounds));
                let held: usize = state.waiting.iter().map(|waiting| waiting.bytes).sum();
                prop_assert_eq!(held, state.bytes);
            }
            while take(&mut consumer) {}
            let got = u64::try_from(got.len()).unwrap();
            let lost = consumer.losses().count();
            prop_assert_eq!(sent, got + lost);
            prop_assert!(refused <= lost && !(waits && lost > 0));
            let since = consumer.shared.lock().lost_since;
            prop_assert_eq!(consumer.losses().count(), told + since);
        }

        #[test]
        fn a_note_is_told_once_and_in_its_place(
            overflow in prop_oneof![
                Just(Overflow::DropNewest),
                Just(Overflow::DropOldest),
                Just(Overflow::KeepLatest),
                Just(Overflow::Wait),
            ],
            count in 1_usize..4,
            steps in vec(0_u8..3, 0..60),
        ) {
            let (producer, mut consumer) = queue::<u64, Places>(bounds(count, 1000, overflow));
            let mut cx = Context::from_waker(Waker::noop());
            let (mut sent, mut noted, mut told) = (0, 0, 0);
            let mut last = None;
            let end = [2].repeat(steps.len());
            for step in steps.into_iter().chain(end) {
                match step {
                    0 => {
                        let _ = producer.push(sent, 1);
                        sent += 1;
                    }
                    1 => {
                        producer.note(Places(vec![sent]));
                        noted += 1;
                    }
                    _ => match consumer.poll_noted(&mut cx) {
                        Poll::Ready(Some(Next::Item(taken))) => {
                            prop_assert!(last < Some(taken.item));
                            last = Some(taken.item);
                        }
                        Poll::Ready(Some(Next::Note(Places(places)))) => {
                            told += places.len();
                            prop_assert!(places.is_sorted());
                            prop_assert!(last < places.first().copied());
                            // The next item is one that came behind all of them.
                            last = places.last().and_then(|place| place.checked_sub(1)).max(last);
                        }
                        _ => {}
                    },
                }
            }
            prop_assert_eq!(told, noted);
        }
    }

    /// How many items had come.
    #[derive(Debug)]
    struct Places(Vec<u64>);

    impl Note for Places {
        fn and(mut self, later: Self) -> Self {
            self.0.extend(later.0);
            self
        }
    }
}
