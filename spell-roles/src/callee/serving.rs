//! How a registration has its invocations worked on.

use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::{
    runtime::{self, RuntimeFlavor},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::yield_now,
};

use super::Invocation;
use crate::queue::Consumer;

/// One of the places at work that a registration has; free again when it is dropped.
pub(super) type Place = OwnedSemaphorePermit;

/// Let `begin` begin the work on each invocation, `limit` at a time, until the queue ends. Those that
/// are too many stay in the queue, which has bounds.
///
/// Works run beside each other and on all threads of the runtime: each gets a task of its own.
/// Where there is one thread, none can run while another does; so there a work is begun right here,
/// and gets its task if it has to wait for something.
pub(super) fn serve<W>(
    mut invocations: Consumer<Invocation>,
    limit: usize,
    mut begin: impl FnMut(Invocation, Place) -> W + Send + 'static,
) where
    W: Future<Output = Place> + Send + 'static,
{
    let is_alone = runtime::Handle::current().runtime_flavor() == RuntimeFlavor::CurrentThread;
    let places = Arc::new(Semaphore::new(limit.clamp(1, Semaphore::MAX_PERMITS)));
    tokio::spawn(async move {
        let (mut free, mut spare) = (None, None);
        let mut in_a_row: u32 = 0;
        loop {
            let place = match free.take() {
                Some(place) => place,
                None => match places.clone().acquire_owned().await {
                    Ok(place) => place,
                    Err(_) => return,
                },
            };
            let Some(taken) = poll_fn(|cx| invocations.poll_next(cx)).await else {
                return;
            };
            // A work is moved often before it is done, so it is behind a box, which is used again
            // unless the last work took it along.
            let mut room = spare.take().unwrap_or_else(|| Box::pin(None));
            room.set(Some(begin(taken.item, place)));
            if is_alone {
                match poll_fn(|cx| Poll::Ready(caught(room.as_mut(), cx))).await {
                    Some(Poll::Pending) => give_task(room),
                    done => {
                        if let Some(Poll::Ready(place)) = done {
                            free = Some(place);
                        }
                        room.set(None);
                        spare = Some(room);
                    }
                }
                in_a_row = in_a_row.saturating_add(1);
                if in_a_row >= IN_A_ROW {
                    in_a_row = 0;
                    // A waker alone would let no timers and sockets have their turn.
                    yield_now().await;
                }
            } else {
                give_task(room);
            }
        }
    });
}

/// Where a work is.
type Room<W> = Pin<Box<Option<W>>>;

/// Let a work go on in a task of its own. A panic ends this task alone; the invocation, dropped by
/// it, answers for itself.
fn give_task<W: Future + Send + 'static>(mut room: Room<W>) {
    tokio::spawn(async move {
        if let Some(work) = room.as_mut().as_pin_mut() {
            work.await;
        }
    });
}

/// Poll a work. `None` if it panicked: then it is over, and the invocation, dropped by it, answered
/// for itself.
fn caught<W: Future>(work: Pin<&mut Option<W>>, cx: &mut Context<'_>) -> Option<Poll<W::Output>> {
    let work = work.as_pin_mut()?;
    match catch_unwind(AssertUnwindSafe(|| work.poll(cx))) {
        Ok(polled) => Some(polled),
        Err(panicked) => {
            // What it panicked with may panic as it is dropped.
            tokio::spawn(async move { drop(panicked) });
            None
        }
    }
}

/// How many works are begun before other tasks get a turn.
const IN_A_ROW: u32 = 32;
