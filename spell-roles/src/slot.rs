//! What the two sides of one request share, in one allocation: which of them was first, the answer,
//! and before that the order, if it is too large for a command.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU8, Ordering},
    },
    task::{Context, Poll, Waker},
};

use spell_peer::Delivery;

/// Where the answer of a request is put by its role, and awaited by one task; `O` is the order.
#[derive(Debug)]
pub(crate) struct Slot<A, O = ()> {
    /// Whether the request was committed or given up, whichever came first.
    state: AtomicU8,
    /// Whether the answer was put, or will never be.
    is_settled: AtomicBool,
    /// Held for a few moves only, and never while a waker runs, which may be of the user's making.
    held: Mutex<Held<A, O>>,
}

#[derive(Debug)]
struct Held<A, O> {
    order: Option<O>,
    answer: Option<A>,
    waker: Option<Waker>,
}

impl<A, O> Slot<A, O> {
    pub(crate) fn new() -> Self {
        Self {
            state: AtomicU8::new(QUEUED),
            is_settled: AtomicBool::new(false),
            held: Mutex::new(Held {
                order: None,
                answer: None,
                waker: None,
            }),
        }
    }

    /// The request is about to be sent; `false` if it was given up.
    pub(crate) fn commit(&self) -> bool {
        let (success, failure) = (Ordering::AcqRel, Ordering::Acquire);
        let before = self
            .state
            .compare_exchange(QUEUED, COMMITTED, success, failure);
        before.is_ok()
    }

    /// The request was not sent after all.
    pub(crate) fn revert(&self) {
        let (success, failure) = (Ordering::AcqRel, Ordering::Acquire);
        // Given up stays given up.
        let _ = self
            .state
            .compare_exchange(COMMITTED, QUEUED, success, failure);
    }

    /// Nobody wants the answer any more; tells what became of the request.
    pub(crate) fn give_up(&self) -> Delivery {
        match self.state.swap(GIVEN_UP, Ordering::AcqRel) {
            COMMITTED => Delivery::OutcomeUnknown,
            _ => Delivery::NotSent,
        }
    }

    pub(crate) fn is_given_up(&self) -> bool {
        self.state.load(Ordering::Acquire) == GIVEN_UP
    }

    /// Keep what the role is to do, until it takes it. The first one stays.
    pub(crate) fn keep(&self, order: O) {
        let mut held = self.lock();
        if held.order.is_none() {
            held.order = Some(order);
        }
    }

    /// What the role is to do, if it was not taken yet.
    pub(crate) fn take_order(&self) -> Option<O> {
        self.lock().order.take()
    }

    /// Put the answer. Only the first one counts.
    pub(crate) fn put(&self, answer: A) {
        let mut held = self.lock();
        if !self.is_settled.load(Ordering::Relaxed) {
            held.answer = Some(answer);
            self.settle(held);
        }
    }

    /// Nobody can give an answer any more. One that was put stays.
    pub(crate) fn close(&self) {
        if self.is_settled.load(Ordering::Acquire) {
            return;
        }
        let held = self.lock();
        if !self.is_settled.load(Ordering::Relaxed) {
            self.settle(held);
        }
    }

    fn settle(&self, mut held: MutexGuard<'_, Held<A, O>>) {
        let waker = held.waker.take();
        self.is_settled.store(true, Ordering::Release);
        drop(held);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// The answer, if it was put and not taken.
    pub(crate) fn take(&self) -> Option<A> {
        self.lock().answer.take()
    }

    /// Wait for the answer; `None` if there is none, or it was taken. There is one waker: that of the
    /// last poll.
    pub(crate) fn poll(&self, cx: &Context<'_>) -> Poll<Option<A>> {
        if self.is_settled.load(Ordering::Acquire) {
            return Poll::Ready(self.take());
        }
        // Both outside the lock: what is cloned, and what it replaces.
        let waker = cx.waker().clone();
        let mut held = self.lock();
        if self.is_settled.load(Ordering::Relaxed) {
            return Poll::Ready(held.answer.take());
        }
        let replaced = held.waker.replace(waker);
        drop(held);
        drop(replaced);
        Poll::Pending
    }

    fn lock(&self) -> MutexGuard<'_, Held<A, O>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const QUEUED: u8 = 0;
const COMMITTED: u8 = 1;
const GIVEN_UP: u8 = 2;

#[cfg(test)]
mod tests {
    use std::{
        sync::{Arc, atomic::AtomicUsize},
        task::Wake,
        thread,
    };

    use super::*;

    #[derive(Debug, Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn poll<A>(slot: &Slot<A>, woken: &Arc<Woken>) -> Poll<Option<A>> {
        let waker = Waker::from(woken.clone());
        slot.poll(&Context::from_waker(&waker))
    }

    #[test]
    fn a_request_is_committed_or_given_up_and_the_first_counts() {
        let slot = Slot::<u8>::new();
        assert!(slot.commit());
        assert!(!slot.commit(), "it is committed already");
        assert_eq!(slot.give_up(), Delivery::OutcomeUnknown);
        slot.revert();
        assert!(slot.is_given_up() && !slot.commit());
        let slot = Slot::<u8>::new();
        assert_eq!(slot.give_up(), Delivery::NotSent);
        assert!(!slot.commit());
    }

    #[test]
    fn a_request_that_was_not_sent_after_all_can_be_committed_again() {
        let slot = Slot::<u8>::new();
        assert!(slot.commit());
        slot.revert();
        assert!(slot.commit());
        slot.revert();
        assert_eq!(slot.give_up(), Delivery::NotSent);
    }

    #[test]
    fn the_answer_wakes_who_polled_last_and_is_given_once() {
        let slot = Slot::<u8>::new();
        let (first, last) = (Arc::default(), Arc::default());
        assert!(poll(&slot, &first).is_pending());
        assert!(poll(&slot, &last).is_pending());
        slot.put(7);
        slot.put(8);
        slot.close();
        let woken = [&first, &last].map(|woken| woken.0.load(Ordering::Relaxed));
        assert_eq!(woken, [0, 1]);
        assert_eq!(poll(&slot, &last), Poll::Ready(Some(7)));
        assert_eq!(poll(&slot, &last), Poll::Ready(None));
        assert_eq!(slot.take(), None);
    }

    #[test]
    fn an_answer_can_be_taken_without_waiting_for_it() {
        let slot = Slot::<u8>::new();
        assert_eq!(slot.take(), None);
        slot.put(7);
        assert_eq!(slot.take(), Some(7));
        assert_eq!(slot.take(), None);
    }

    #[test]
    fn a_slot_without_an_answerer_wakes_and_says_so() {
        let slot = Slot::<u8>::new();
        let woken = Arc::default();
        assert!(poll(&slot, &woken).is_pending());
        slot.close();
        assert_eq!(woken.0.load(Ordering::Relaxed), 1);
        assert_eq!(poll(&slot, &woken), Poll::Ready(None));
    }

    #[test]
    fn an_order_is_taken_once() {
        let slot = Slot::<u8, &str>::new();
        assert_eq!(slot.take_order(), None);
        slot.keep("first");
        slot.keep("second");
        slot.put(7);
        assert_eq!(slot.take_order(), Some("first"));
        assert_eq!(slot.take_order(), None);
        assert_eq!(slot.take(), Some(7));
    }

    #[test]
    fn the_answer_of_another_thread_is_never_missed() {
        struct Unpark(thread::Thread);

        impl Wake for Unpark {
            fn wake(self: Arc<Self>) {
                self.0.unpark();
            }
        }

        for number in 0..1000 {
            let slot = Arc::new(Slot::<u32>::new());
            let answering = slot.clone();
            let answerer = thread::spawn(move || answering.put(number));
            let waker = Waker::from(Arc::new(Unpark(thread::current())));
            let answer = loop {
                match slot.poll(&Context::from_waker(&waker)) {
                    Poll::Ready(answer) => break answer,
                    Poll::Pending => thread::park(),
                }
            };
            assert_eq!(answer, Some(number));
            answerer.join().unwrap();
        }
    }
}
