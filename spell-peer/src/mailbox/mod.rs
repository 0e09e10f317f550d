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
mod tests;
