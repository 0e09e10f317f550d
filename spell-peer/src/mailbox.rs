//! The queue of commands between the handles of a peer and whoever runs it.

use std::{
    collections::VecDeque,
    mem,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
};

use tokio::sync::{Semaphore, SemaphorePermit, TryAcquireError};

use crate::{CloseReason, Closed};

/// The two ends of a queue with room for so many commands. An idle peer has one, so it takes memory
/// only for what is in it.
pub(crate) fn mailbox<C>(capacity: usize) -> (Sender<C>, Receiver<C>) {
    let shared = Arc::new(Shared {
        room: Semaphore::new(capacity.clamp(1, Semaphore::MAX_PERMITS)),
        senders: AtomicUsize::new(1),
        end: OnceLock::new(),
        lanes: Mutex::new(Lanes {
            commands: VecDeque::new(),
            released: VecDeque::new(),
            reader: None,
            is_closed: false,
        }),
    });
    let sender = Sender(shared.clone());
    let receiver = Receiver {
        shared,
        ahead: VecDeque::new(),
        places: 0,
    };
    (sender, receiver)
}

struct Shared<C> {
    /// A place for each command that may still be queued.
    room: Semaphore,
    senders: AtomicUsize,
    /// Why nothing more is taken.
    end: OnceLock<CloseReason>,
    /// Locked for a few instructions, and never while commands are dropped, or wakers woken or dropped.
    lanes: Mutex<Lanes<C>>,
}

struct Lanes<C> {
    commands: VecDeque<C>,
    /// What goes before others, and has no bound.
    released: VecDeque<C>,
    /// Who waits for more.
    reader: Option<Waker>,
    is_closed: bool,
}

impl<C> Lanes<C> {
    fn take_released(&mut self) -> Option<C> {
        let released = self.released.pop_front()?;
        self.forget_room();
        Some(released)
    }

    /// There may have been any number of them.
    fn forget_room(&mut self) {
        if self.released.is_empty() {
            self.released = VecDeque::new();
        }
    }
}

impl<C> Shared<C> {
    fn lanes(&self) -> MutexGuard<'_, Lanes<C>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Put something into a lane and wake the reader; gives it back when nothing is taken any more.
    fn put(&self, command: C, lane: fn(&mut Lanes<C>) -> &mut VecDeque<C>) -> Result<(), C> {
        let mut lanes = self.lanes();
        if lanes.is_closed {
            return Err(command);
        }
        lane(&mut lanes).push_back(command);
        let reader = lanes.reader.take();
        drop(lanes);
        if let Some(reader) = reader {
            reader.wake();
        }
        Ok(())
    }

    /// Wait for more, unless no more can come.
    fn wait(&self, mut lanes: MutexGuard<'_, Lanes<C>>, cx: &Context<'_>) -> Poll<()> {
        if lanes.is_closed || self.senders.load(Ordering::Acquire) == 0 {
            return Poll::Ready(());
        }
        let reader = lanes.reader.as_ref();
        if reader.is_none_or(|reader| !reader.will_wake(cx.waker())) {
            let replaced = lanes.reader.replace(cx.waker().clone());
            drop(lanes);
            drop(replaced);
        }
        Poll::Pending
    }

    /// What did not end by [`Receiver::close`] belonged to a driver that panicked.
    fn closed(&self) -> Closed {
        let reason = self.end.get().cloned().unwrap_or(CloseReason::Panicked);
        Closed { reason }
    }
}

/// Where commands are queued.
pub(crate) struct Sender<C>(Arc<Shared<C>>);

impl<C> Sender<C> {
    /// Queue a command if there is room, else get it back.
    pub(crate) fn try_send(&self, command: C) -> Result<Option<C>, Closed> {
        let Some(place) = self.place()? else {
            return Ok(Some(command));
        };
        place.forget();
        self.put(command)?;
        Ok(None)
    }

    /// Queue a command that is made, or not, once there is room; whether it was queued.
    pub(crate) fn try_send_with(
        &self,
        command: impl FnOnce() -> Option<C>,
    ) -> Result<bool, Closed> {
        let Some(place) = self.place()? else {
            return Ok(false);
        };
        let Some(command) = command() else {
            return Ok(false);
        };
        place.forget();
        self.put(command)?;
        Ok(true)
    }

    /// Queue a command once there is room.
    pub(crate) async fn send(&self, command: C) -> Result<(), Closed> {
        let place = self.0.room.acquire().await;
        place.map_err(|_| self.0.closed())?.forget();
        self.put(command)
    }

    /// Queue a command before others, whether or not there is room.
    pub(crate) fn release(&self, command: C) {
        // The peer being gone, there is nothing to release.
        let _ = self.0.put(command, |lanes| &mut lanes.released);
    }

    /// Why nothing is taken any more; `None` while something is.
    pub(crate) fn end(&self) -> Option<CloseReason> {
        self.0.end.get().cloned()
    }

    fn place(&self) -> Result<Option<SemaphorePermit<'_>>, Closed> {
        match self.0.room.try_acquire() {
            Ok(place) => Ok(Some(place)),
            Err(TryAcquireError::NoPermits) => Ok(None),
            Err(TryAcquireError::Closed) => Err(self.0.closed()),
        }
    }

    fn put(&self, command: C) -> Result<(), Closed> {
        let put = self.0.put(command, |lanes| &mut lanes.commands);
        put.map_err(|_| self.0.closed())
    }
}

impl<C> Clone for Sender<C> {
    fn clone(&self) -> Self {
        self.0.senders.fetch_add(1, Ordering::Relaxed);
        Self(self.0.clone())
    }
}

impl<C> Drop for Sender<C> {
    fn drop(&mut self) {
        if self.0.senders.fetch_sub(1, Ordering::AcqRel) == 1
            && let Some(reader) = { self.0.lanes().reader.take() }
        {
            reader.wake();
        }
    }
}

/// Where commands are taken.
pub(crate) struct Receiver<C> {
    shared: Arc<Shared<C>>,
    /// Taken out of their lane in one go.
    ahead: VecDeque<C>,
    /// The places of these, which others get once all are given out.
    places: usize,
}

impl<C> Receiver<C> {
    /// Take what was released, up to `limit` commands. `Ready` with how many; `Ready(0)` when there
    /// is none and no sender is left, or it is closed.
    pub(crate) fn poll_released(
        &self,
        cx: &Context<'_>,
        batch: &mut Vec<C>,
        limit: usize,
    ) -> Poll<usize> {
        let mut lanes = self.shared.lanes();
        if lanes.released.is_empty() {
            return self.shared.wait(lanes, cx).map(|()| 0);
        }
        let count = lanes.released.len().min(limit);
        batch.extend(lanes.released.drain(..count));
        lanes.forget_room();
        Poll::Ready(count)
    }

    /// The next command that was sent; `None` when no sender is left, or it is closed and empty.
    pub(crate) fn poll_command(&mut self, cx: &Context<'_>) -> Poll<Option<C>> {
        if self.ahead.is_empty() {
            let mut lanes = self.shared.lanes();
            if lanes.commands.is_empty() {
                return self.shared.wait(lanes, cx).map(|()| None);
            }
            let taken = lanes.commands.len().min(AHEAD);
            if taken < lanes.commands.len() {
                self.ahead.extend(lanes.commands.drain(..taken));
            } else {
                mem::swap(&mut self.ahead, &mut lanes.commands);
                if lanes.commands.capacity() > KEPT {
                    lanes.commands = VecDeque::new();
                }
            }
            self.places = taken;
        }
        Poll::Ready(self.take_ahead())
    }

    /// The next of either kind, released ones first; `None` when no sender is left, or it is closed
    /// and empty.
    pub(crate) fn poll_next(&mut self, cx: &Context<'_>) -> Poll<Option<C>> {
        let mut lanes = self.shared.lanes();
        if let Some(released) = lanes.take_released() {
            return Poll::Ready(Some(released));
        }
        if self.ahead.is_empty() && lanes.commands.is_empty() {
            return self.shared.wait(lanes, cx).map(|()| None);
        }
        drop(lanes);
        self.poll_command(cx)
    }

    /// A command that is queued already, released ones first.
    pub(crate) fn try_next(&mut self) -> Option<C> {
        let mut lanes = self.shared.lanes();
        if let Some(released) = lanes.take_released() {
            return Some(released);
        }
        if !self.ahead.is_empty() {
            drop(lanes);
            return self.take_ahead();
        }
        let command = lanes.commands.pop_front()?;
        drop(lanes);
        self.shared.room.add_permits(1);
        Some(command)
    }

    fn take_ahead(&mut self) -> Option<C> {
        let command = self.ahead.pop_front();
        if self.ahead.is_empty() {
            if self.ahead.capacity() > KEPT {
                self.ahead = VecDeque::new();
            }
            self.shared.room.add_permits(mem::take(&mut self.places));
        }
        command
    }

    /// Take nothing more: who sends gets `end` from now on. What is queued can still be taken.
    pub(crate) fn close(&self, end: CloseReason) {
        // Only the first reason counts.
        let _ = self.shared.end.set(end);
        self.shut();
    }

    fn shut(&self) {
        self.shared.lanes().is_closed = true;
        self.shared.room.close();
    }
}

impl<C> Drop for Receiver<C> {
    fn drop(&mut self) {
        self.shut();
        let mut lanes = self.shared.lanes();
        let left = (
            mem::take(&mut lanes.commands),
            mem::take(&mut lanes.released),
        );
        // What waits for an answer is told with no lock held.
        drop(lanes);
        drop(left);
    }
}

/// How many commands are taken out of their lane in one go.
const AHEAD: usize = 64;

/// The room for commands that is kept while there are none.
const KEPT: usize = 64;

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, pin::pin, task::Wake};

    use super::*;

    fn cx() -> Context<'static> {
        Context::from_waker(Waker::noop())
    }

    #[test]
    fn what_is_sent_after_the_end_is_refused_and_what_was_before_can_be_taken() {
        let (sender, mut receiver) = mailbox(4);
        sender.try_send(1).unwrap();
        receiver.close(CloseReason::Left);
        assert!(matches!(
            sender.try_send(2),
            Err(Closed {
                reason: CloseReason::Left
            })
        ));
        sender.release(3);
        assert_eq!(receiver.poll_command(&cx()), Poll::Ready(Some(1)));
        assert_eq!(receiver.poll_command(&cx()), Poll::Ready(None));
        assert_eq!(receiver.try_next(), None);
    }

    #[test]
    fn a_command_that_is_made_when_the_end_comes_is_refused() {
        let (sender, mut receiver) = mailbox(4);
        let sent = sender.try_send_with(|| {
            receiver.close(CloseReason::Left);
            Some(1)
        });
        assert!(matches!(sent, Err(Closed { .. })));
        assert_eq!(receiver.try_next(), None);
    }

    #[test]
    fn a_full_queue_takes_what_waits_in_order_and_nothing_that_was_given_up() {
        let (sender, mut receiver) = mailbox(1);
        assert_eq!(sender.try_send(1).unwrap(), None);
        assert_eq!(sender.try_send(2).unwrap(), Some(2));
        assert!(!sender.try_send_with(|| Some(9)).unwrap());
        let mut second = pin!(sender.send(2));
        let mut third = Box::pin(sender.send(3));
        let mut fourth = pin!(sender.send(4));
        assert!(second.as_mut().poll(&mut cx()).is_pending());
        assert!(third.as_mut().poll(&mut cx()).is_pending());
        assert!(fourth.as_mut().poll(&mut cx()).is_pending());
        drop(third);
        assert_eq!(receiver.poll_command(&cx()), Poll::Ready(Some(1)));
        assert!(fourth.as_mut().poll(&mut cx()).is_pending());
        assert!(second.as_mut().poll(&mut cx()).is_ready());
        assert_eq!(receiver.poll_command(&cx()), Poll::Ready(Some(2)));
        assert!(fourth.as_mut().poll(&mut cx()).is_ready());
        assert_eq!(receiver.try_next(), Some(4));
    }

    #[test]
    fn a_command_that_is_not_made_takes_no_place() {
        let (sender, _receiver) = mailbox(1);
        assert!(!sender.try_send_with(|| None::<u8>).unwrap());
        assert_eq!(sender.try_send(1).unwrap(), None);
    }

    #[test]
    fn a_large_burst_comes_in_order_and_leaves_no_memory() {
        let (sender, mut receiver) = mailbox(1000);
        for command in 0..1000 {
            sender.try_send(command).unwrap();
        }
        for command in 0..1000 {
            assert_eq!(receiver.poll_command(&cx()), Poll::Ready(Some(command)));
        }
        for command in 0..1000 {
            sender.release(command);
        }
        for command in 0..1000 {
            assert_eq!(receiver.poll_next(&cx()), Poll::Ready(Some(command)));
        }
        assert!(receiver.poll_command(&cx()).is_pending());
        let kept = receiver.shared.lanes().commands.capacity() + receiver.ahead.capacity();
        assert!(kept <= 2 * KEPT, "{kept}");
        assert_eq!(receiver.shared.lanes().released.capacity(), 0);
    }

    #[test]
    fn what_is_taken_ahead_keeps_its_place_until_it_is_given_out() {
        let (sender, mut receiver) = mailbox(3);
        for command in 0..3 {
            assert_eq!(sender.try_send(command).unwrap(), None);
        }
        assert_eq!(receiver.poll_command(&cx()), Poll::Ready(Some(0)));
        assert_eq!(sender.try_send(3).unwrap(), Some(3), "two still wait");
        assert_eq!(receiver.try_next(), Some(1));
        assert_eq!(receiver.poll_next(&cx()), Poll::Ready(Some(2)));
        for command in 3..6 {
            assert_eq!(sender.try_send(command).unwrap(), None);
        }
        assert_eq!(sender.try_send(6).unwrap(), Some(6));
    }

    #[test]
    fn a_full_queue_has_places_again_before_all_of_it_is_given_out() {
        let (sender, mut receiver) = mailbox(AHEAD + 1);
        for command in 0..=AHEAD {
            assert_eq!(sender.try_send(command).unwrap(), None);
        }
        for command in 0..AHEAD {
            assert_eq!(receiver.poll_command(&cx()), Poll::Ready(Some(command)));
        }
        assert_eq!(sender.try_send(0).unwrap(), None);
        assert_eq!(receiver.poll_command(&cx()), Poll::Ready(Some(AHEAD)));
    }

    /// A waker that takes the lock when it is woken or dropped: it would hang under it.
    struct Nosy(Arc<Shared<u8>>, Arc<AtomicUsize>);

    impl Nosy {
        fn look(&self) {
            if self.0.lanes.try_lock().is_ok() {
                self.1.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    impl Wake for Nosy {
        fn wake(self: Arc<Self>) {
            self.look();
        }
    }

    impl Drop for Nosy {
        fn drop(&mut self) {
            self.look();
        }
    }

    #[test]
    fn no_waker_is_woken_or_dropped_under_the_lock() {
        let (sender, mut receiver) = mailbox(4);
        let free = Arc::new(AtomicUsize::new(0));
        let wait = |receiver: &mut Receiver<u8>| {
            let waker = Waker::from(Arc::new(Nosy(receiver.shared.clone(), free.clone())));
            assert!(
                receiver
                    .poll_next(&Context::from_waker(&waker))
                    .is_pending()
            );
        };
        let free = || free.load(Ordering::Relaxed);
        wait(&mut receiver);
        wait(&mut receiver);
        assert_eq!(free(), 1, "the first one was replaced");
        sender.try_send(1).unwrap();
        assert_eq!(free(), 3, "the second one was woken, and dropped");
        assert_eq!(receiver.try_next(), Some(1));
        wait(&mut receiver);
        drop(sender);
        assert_eq!(free(), 5);
    }

    #[tokio::test]
    async fn the_reader_is_woken_by_each_kind_of_news() {
        let (sender, mut receiver) = mailbox(4);
        let next = async |receiver: &mut Receiver<u8>| poll_fn(|cx| receiver.poll_next(cx)).await;
        let (taken, ()) = tokio::join!(next(&mut receiver), async {
            sender.try_send(1).unwrap();
        });
        assert_eq!(taken, Some(1));
        let (taken, ()) = tokio::join!(next(&mut receiver), async { sender.release(2) });
        assert_eq!(taken, Some(2));
        let (taken, ()) = tokio::join!(next(&mut receiver), async {
            drop((sender.clone(), sender));
        });
        assert_eq!(taken, None);
    }

    #[test]
    fn a_receiver_that_is_gone_drops_what_it_was_sent_and_refuses_the_rest() {
        let (sender, receiver) = mailbox(4);
        let command = Arc::new(());
        sender.try_send(command.clone()).unwrap();
        sender.release(command.clone());
        drop(receiver);
        assert_eq!(Arc::strong_count(&command), 1);
        assert!(matches!(
            sender.try_send(command),
            Err(Closed {
                reason: CloseReason::Panicked
            })
        ));
    }
}
