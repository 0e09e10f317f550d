//! What waits to be sent to one session.

use std::{
    collections::VecDeque,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU8, Ordering},
    },
    task::Waker,
};

use spell_message::RequestId;

use crate::outgoing::Outgoing;

/// The queue of one session, between the tasks that route to it and the one that writes.
///
/// Whoever puts something in never waits. When the session does not read and the queue is full,
/// the queue is dropped whole and stays shut: the session has lost messages it counts on, such as
/// answers, so it cannot go on.
#[derive(Debug)]
pub(crate) struct Outbound {
    queue: Mutex<Queue>,
    limits: QueueLimits,
    /// What of the queue can be seen without the lock; changed only with it.
    standing: AtomicU8,
    /// Whether the writer is to be woken. It becomes true with the lock, once nothing waits.
    asleep: AtomicBool,
}

/// How much may wait for one session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QueueLimits {
    pub(crate) messages: usize,
    pub(crate) bytes: usize,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Outgoing>,
    bytes: usize,
    overflowed: bool,
    /// Whether GOODBYE was put in, after which there is nothing to say.
    finished: bool,
    writer: Option<Waker>,
}

impl Outbound {
    pub(crate) fn new(limits: QueueLimits) -> Self {
        Self {
            queue: Mutex::default(),
            limits,
            standing: AtomicU8::new(0),
            asleep: AtomicBool::new(false),
        }
    }

    /// Puts a message in, and wakes the writer. One message always has room, however large; none
    /// follows GOODBYE.
    pub(crate) fn push(&self, message: impl Into<Outgoing>) {
        let message = message.into();
        let mut queue = lock(&self.queue);
        if queue.overflowed || queue.finished {
            return;
        }
        queue.finished = message.is_goodbye();
        let bytes = queue.bytes.saturating_add(message.size());
        let first = queue.waiting.is_empty();
        let full = queue.waiting.len() >= self.limits.messages || bytes > self.limits.bytes;
        if full && !first {
            queue.overflowed = true;
            queue.waiting = VecDeque::new();
        } else {
            queue.waiting.push_back(message);
            queue.bytes = bytes;
        }
        self.show(&queue);
        if (first || queue.overflowed || queue.finished) && self.asleep.load(Ordering::Relaxed) {
            // Only with the lock does it become true, so that nobody else wakes the writer too.
            self.asleep.store(false, Ordering::Relaxed);
            if let Some(writer) = queue.writer.clone() {
                drop(queue);
                writer.wake();
            }
        }
    }

    /// Takes the next message out.
    pub(crate) fn pop(&self) -> Option<Outgoing> {
        let mut queue = lock(&self.queue);
        let message = queue.waiting.pop_front()?;
        queue.bytes = queue.bytes.saturating_sub(message.size());
        self.show(&queue);
        Some(message)
    }

    /// Takes out what waits of the answers to a call; `false` if it is nothing.
    ///
    /// It looks at all that waits, so it is for what rarely happens.
    pub(crate) fn withdraw(&self, call: RequestId) -> bool {
        let mut queue = lock(&self.queue);
        let mut withdrawn = 0;
        queue.waiting.retain(|waiting| {
            let answers = waiting.answers(call);
            if answers {
                withdrawn = waiting.size().saturating_add(withdrawn);
            }
            !answers
        });
        queue.bytes = queue.bytes.saturating_sub(withdrawn);
        self.show(&queue);
        withdrawn > 0
    }

    /// The writer looks after its queue, until it [rests](Self::rest): it need not be woken.
    pub(crate) fn attend(&self) {
        self.asleep.store(false, Ordering::Relaxed);
    }

    /// Lets the writer be woken when something waits, when the queue overflows, and when GOODBYE is
    /// put in; `false` if there is something to look at already.
    ///
    /// What waits is `known` where the writer waits for its client to take it.
    pub(crate) fn rest(&self, writer: &Waker, known: bool) -> bool {
        let mut queue = lock(&self.queue);
        let known_writer = queue.writer.as_ref();
        if !known_writer.is_some_and(|known| known.will_wake(writer)) {
            queue.writer = Some(writer.clone());
        }
        let rests = known || queue.waiting.is_empty();
        self.asleep.store(rests, Ordering::Relaxed);
        rests
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        !self.stands(WAITING)
    }

    /// Whether more than half of what may wait does.
    pub(crate) fn is_crowded(&self) -> bool {
        self.stands(CROWDED)
    }

    /// Whether GOODBYE was put in.
    pub(crate) fn is_finished(&self) -> bool {
        self.stands(FINISHED)
    }

    /// Whether the queue was full once.
    pub(crate) fn overflowed(&self) -> bool {
        self.stands(OVERFLOWED)
    }

    fn stands(&self, so: u8) -> bool {
        self.standing.load(Ordering::Acquire) & so != 0
    }

    /// Lets those see it who do not lock.
    fn show(&self, queue: &Queue) {
        let limits = &self.limits;
        let crowded = queue.waiting.len() > limits.messages / 2 || queue.bytes > limits.bytes / 2;
        let bit = |is_so, bit| if is_so { bit } else { 0 };
        let standing = bit(!queue.waiting.is_empty(), WAITING)
            | bit(crowded, CROWDED)
            | bit(queue.finished, FINISHED)
            | bit(queue.overflowed, OVERFLOWED);
        self.standing.store(standing, Ordering::Release);
    }
}

const WAITING: u8 = 1;
const CROWDED: u8 = 2;
const FINISHED: u8 = 4;
const OVERFLOWED: u8 = 8;

/// Locks, whatever happened to another holder: each holder leaves consistent state behind at every
/// point where it could panic.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use spell_message::{
        RequestId,
        message::{Goodbye, Published},
        options::GoodbyeDetails,
        reason,
    };

    use super::*;
    use crate::{realm::static_uri, wakes::Wakes};

    fn outbound() -> Outbound {
        Outbound::new(QueueLimits {
            messages: 10,
            bytes: 10_000,
        })
    }

    fn published() -> Published {
        Published {
            request: RequestId::MIN,
            publication: spell_message::PublicationId::MIN,
        }
    }

    fn goodbye() -> Goodbye {
        Goodbye {
            details: GoodbyeDetails::new(),
            reason: static_uri(reason::KILLED),
        }
    }

    #[test]
    fn nothing_follows_goodbye() {
        let queue = outbound();
        queue.push(published());
        assert!(!queue.is_finished());
        queue.push(goodbye());
        queue.push(published());
        queue.push(goodbye());
        assert!(queue.is_finished());
        assert_eq!(std::iter::from_fn(|| queue.pop()).count(), 2);
    }

    #[test]
    fn goodbye_wakes_a_writer_that_waits_for_a_slow_client() {
        let queue = outbound();
        queue.push(published());
        let wakes = Wakes::default();
        assert!(!queue.rest(&wakes.waker(), false));
        assert!(queue.rest(&wakes.waker(), true));
        queue.push(published());
        assert_eq!(wakes.count(), 0);
        queue.push(goodbye());
        assert_eq!(wakes.count(), 1);
    }

    #[test]
    fn a_writer_is_woken_once_and_only_while_it_rests() {
        let queue = outbound();
        let wakes = Wakes::default();
        queue.push(published());
        queue.pop();
        assert!(queue.rest(&wakes.waker(), false));
        assert_eq!(wakes.count(), 0);
        queue.push(published());
        queue.push(published());
        assert_eq!(wakes.count(), 1);
        while queue.pop().is_some() {}
        queue.push(published());
        queue.pop();
        assert_eq!(wakes.count(), 1, "it has not looked yet");
        assert!(queue.rest(&wakes.waker(), false));
        queue.attend();
        queue.push(published());
        assert_eq!(wakes.count(), 1, "it looks");
        assert!(
            !queue.rest(&wakes.waker(), false),
            "there is something to look at"
        );
        queue.pop();
        assert!(queue.rest(&wakes.waker(), false));
        queue.push(published());
        assert_eq!(wakes.count(), 2);
    }

    #[test]
    fn what_can_be_seen_without_the_lock_is_what_there_is() {
        let queue = outbound();
        assert!(queue.is_empty() && !queue.is_crowded());
        for _ in 0..6 {
            queue.push(published());
        }
        assert!(!queue.is_empty() && queue.is_crowded() && !queue.overflowed());
        queue.pop();
        assert!(!queue.is_empty() && !queue.is_crowded());
        for _ in 0..6 {
            queue.push(published());
        }
        assert!(queue.overflowed() && queue.is_empty());
    }
}
