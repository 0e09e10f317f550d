//! What waits to be sent to one session.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU8, Ordering},
    },
    task::Waker,
};

use spell_message::{
    Dict, Message, Payload, RequestId, SessionId, Uri, Value,
    message::{Invocation, RequestKind},
};

use crate::fan_out::SharedEvent;

/// A message on its way to a session, not yet encoded.
#[derive(Clone, Debug)]
pub(crate) enum Outgoing {
    /// For this session only. It is moved from hand to hand, hence the box.
    Own(Box<Own>),
    /// For all who get the same.
    Event(Arc<SharedEvent>),
}

/// A message for one session.
#[derive(Clone, Debug)]
pub(crate) struct Own {
    message: Message,
    /// The procedure that the details are to name. It becomes part of them only when they are
    /// encoded.
    procedure: Option<Uri>,
    size: usize,
}

impl<M: Into<Message>> From<M> for Outgoing {
    fn from(message: M) -> Self {
        Self::own(message.into(), None)
    }
}

impl Outgoing {
    pub(crate) fn invocation(invocation: Invocation, procedure: Option<Uri>) -> Self {
        Self::own(invocation.into(), procedure)
    }

    fn own(message: Message, procedure: Option<Uri>) -> Self {
        let size = size(&message, procedure.as_ref());
        Self::Own(Box::new(Own {
            message,
            procedure,
            size,
        }))
    }

    /// The message, with all that it is to name in it.
    pub(crate) fn into_message(self) -> Message {
        match self {
            Self::Own(own) => own.into_message(),
            Self::Event(event) => event.message(),
        }
    }

    /// Whether it is an answer to this call.
    fn answers(&self, call: RequestId) -> bool {
        match self.message() {
            Some(Message::Result(message)) => message.request == call,
            Some(Message::Error(message)) => {
                message.request_kind == RequestKind::Call && message.request == call
            }
            _ => false,
        }
    }

    fn is_goodbye(&self) -> bool {
        matches!(self.message(), Some(Message::Goodbye(_)))
    }

    fn message(&self) -> Option<&Message> {
        match self {
            Self::Own(own) => Some(&own.message),
            Self::Event(_) => None,
        }
    }

    /// About how much memory it takes while it waits. Most of it is the payload, which several
    /// sessions may share; each counts it whole. So does all else that clients choose.
    fn size(&self) -> usize {
        match self {
            Self::Own(own) => own.size,
            Self::Event(event) => event.size().saturating_add(size_of::<Own>()),
        }
    }
}

impl Own {
    pub(crate) fn into_message(self) -> Message {
        let mut message = self.message;
        if let (Message::Invocation(invocation), Some(procedure)) = (&mut message, &self.procedure)
        {
            invocation.details.set_procedure(procedure);
        }
        message
    }
}

/// About how much memory the message of one session takes.
fn size(message: &Message, procedure: Option<&Uri>) -> usize {
    let details = match message {
        Message::Invocation(message) => details_size(message.details.as_dict()),
        Message::Result(message) => details_size(message.details.as_dict()),
        Message::Error(message) => {
            let details = details_size(message.details.as_dict());
            details.saturating_add(message.error.len())
        }
        _ => 0,
    };
    let payload = message.payload().map_or(0, Payload::len);
    payload
        .saturating_add(procedure.map_or(0, |procedure| procedure.len()))
        .saturating_add(details)
        .saturating_add(size_of::<Own>())
}

/// About how much memory these take. Decoding has bounded how deep they are.
pub(crate) fn details_size(details: &Dict) -> usize {
    let sizes = details.iter().map(|(key, value)| {
        let value = value_size(value).saturating_add(size_of::<Value>());
        value.saturating_add(key.len())
    });
    sizes.fold(0, usize::saturating_add)
}

/// About how much memory a value takes beside itself.
fn value_size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::List(list) => {
            let sizes = list.iter().map(|value| {
                let inner = value_size(value);
                inner.saturating_add(size_of::<Value>())
            });
            sizes.fold(0, usize::saturating_add)
        }
        Value::Dict(dict) => details_size(dict),
        _ => 0,
    }
}

/// Where the routing core puts what it wants sent, and what it wants counted.
#[derive(Debug, Default)]
pub(crate) struct Outputs {
    messages: Vec<(SessionId, Outgoing)>,
    events_not_kept: u64,
}

impl Outputs {
    pub(crate) fn send(&mut self, to: SessionId, message: impl Into<Outgoing>) {
        self.messages.push((to, message.into()));
    }

    /// An event that was to be kept for later is not, for want of room.
    pub(crate) fn event_not_kept(&mut self) {
        self.events_not_kept = self.events_not_kept.saturating_add(1);
    }

    pub(crate) fn drain(&mut self) -> impl Iterator<Item = (SessionId, Outgoing)> {
        self.messages.drain(..)
    }

    /// How many events were not kept since this was asked last.
    pub(crate) fn take_events_not_kept(&mut self) -> u64 {
        std::mem::take(&mut self.events_not_kept)
    }
}

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
        if (first || queue.overflowed || queue.finished)
            && self.asleep.swap(false, Ordering::Relaxed)
            && let Some(writer) = queue.writer.clone()
        {
            drop(queue);
            writer.wake();
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
