use std::{
    future::poll_fn,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    task::{Context, Poll, Wake},
    thread,
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
    let (producer, mut consumer) = queue::<_, Infallible>(bounds(1, 1000, Overflow::DropNewest));
    for item in 0..4 {
        let _ = producer.push(item, 1);
    }
    assert_eq!(drain(&mut consumer), [(0, 0)]);
    assert!(matches!(producer.push(4, 1), Pushed::Queued));
    assert_eq!(drain(&mut consumer), [(4, 3)]);
}

#[test]
fn bytes_are_a_bound_of_their_own() {
    let (producer, mut consumer) = queue::<_, Infallible>(bounds(100, 10, Overflow::DropNewest));
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
    let (producer, mut consumer) = queue::<_, Infallible>(bounds(100, 10, Overflow::DropOldest));
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

#[test]
fn what_is_taken_out_in_one_go_waits_until_it_is_read() {
    for overflow in [Overflow::DropNewest, Overflow::End] {
        let (producer, mut consumer) = queue::<_, Infallible>(bounds(4, 10, overflow));
        let mut cx = Context::from_waker(Waker::noop());
        for item in 0..3 {
            assert!(matches!(producer.push(item, 2), Pushed::Queued));
        }
        assert!(consumer.poll_next(&mut cx).is_ready());
        assert_eq!(consumer.taken().count(), 2, "one lock for all");
        assert_eq!(producer.len(), 2);
        assert!(matches!(producer.push(3, 2), Pushed::Queued));
        assert!(
            matches!(producer.push(4, 5), Pushed::Refused(4)),
            "too many bytes"
        );
        assert!(matches!(producer.push(5, 2), Pushed::Queued));
        assert!(
            matches!(producer.push(6, 1), Pushed::Refused(6)),
            "too many"
        );
        assert!(consumer.poll_next(&mut cx).is_ready());
        assert!(matches!(producer.push(7, 4), Pushed::Queued));
        assert_eq!(drain(&mut consumer), [(2, 0), (3, 0), (5, 1), (7, 1)]);
        assert_eq!(producer.len(), 0);
    }
}

#[test]
fn two_threads_lose_nothing_but_what_is_counted() {
    const ITEMS: u64 = 20_000;
    let (producer, mut consumer) = queue::<_, Infallible>(bounds(8, 1000, Overflow::DropNewest));
    let reader = thread::spawn(move || {
        let mut cx = Context::from_waker(Waker::noop());
        let (mut next, mut lost) = (0, 0);
        loop {
            match consumer.poll_next(&mut cx) {
                Poll::Ready(Some(taken)) => {
                    assert_eq!(taken.item, next + taken.lost_before);
                    next = taken.item + 1;
                    lost += taken.lost_before;
                }
                Poll::Ready(None) => return (next, lost, consumer.losses().count()),
                Poll::Pending => thread::yield_now(),
            }
        }
    });
    for item in 0..ITEMS {
        let _ = producer.push(item, 1);
        assert!(producer.len() <= 8);
    }
    let lost = producer.lost();
    drop(producer);
    let (next, told, counted) = reader.join().unwrap();
    assert_eq!((lost, told + (ITEMS - next)), (counted, counted));
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
            Just(Overflow::End),
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
                            Overflow::DropNewest | Overflow::End | Overflow::Wait
                        )),
                        Pushed::Refused(_) => refused += 1,
                    }
                    sent += 1;
                }
                Step::Take => _ = take(&mut consumer),
            }
            let state = consumer.shared.lock();
            let size = consumer.shared.size(&state);
            prop_assert!(size.count <= most);
            // The last one may be one too large.
            let over = if waits { 20 } else { 0 };
            prop_assert!(size.bytes <= bytes + over);
            prop_assert!(!waits || is_filled.load(Ordering::Relaxed) == state.is_full(&consumer.shared.bounds));
            let held = state.waiting.iter().chain(consumer.taken());
            let (count, bytes) = held.fold((0, 0), |(count, bytes), waiting| {
                (count + 1, bytes + waiting.bytes)
            });
            prop_assert_eq!((count, bytes), (size.count, size.bytes));
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
            Just(Overflow::End),
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
