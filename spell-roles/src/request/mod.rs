//! What every request has in common, between its handle and its role: a slot for the answer, a
//! time limit, and a way to give it up.
//!
//! ```text
//!   user's task                                driver
//!   Requests::ask ── command with a Reply ──▶ Pending::request: commit, remember
//!        │ Waiting                                 │
//!        ◀──────────── the answer ─────────────────┘
//!        └─ dropped, or too late: give up(key) ──▶ Pending::give_up
//! ```
//!
//! The id of a request is known to the driver alone, so a request is given up by a [`Key`] that
//! its handle chose. One atomic state in their [`Slot`] decides between the two sides: a request is
//! either given up before it is committed, and never sent, or its outcome is unknown.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use spell_message::Payload;
use spell_peer::{CloseReason, Commands, Delivery, SendError, Sending};
use spell_serializer::PayloadBuilder;

use crate::{
    error::Failure,
    passthru::{Attributed, Passthru, SealedParts, seal},
    slot::Slot,
};

/// Tells the requests of one role apart before they have an id. Never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Key(u64);

#[cfg(test)]
impl Key {
    pub(crate) fn of(number: u64) -> Self {
        Self(number)
    }
}

/// Makes requests of a role; a handle keeps one. Cheap to clone.
#[derive(Debug)]
pub(crate) struct Requests<C>(Arc<Shared<C>>);

#[derive(Debug)]
struct Shared<C> {
    commands: Commands<C>,
    keys: AtomicU64,
    /// The command by which a request is given up.
    give_up: fn(Key) -> C,
}

impl<C: Send + 'static> Requests<C> {
    pub(crate) fn new(commands: Commands<C>, give_up: fn(Key) -> C) -> Self {
        Self(Arc::new(Shared {
            commands,
            keys: AtomicU64::new(0),
            give_up,
        }))
    }

    pub(crate) fn commands(&self) -> &Commands<C> {
        &self.0.commands
    }

    /// Arguments in the making, in the format now in force.
    pub(crate) fn arguments(&self) -> PayloadBuilder {
        PayloadBuilder::new(self.commands().wire().format())
    }

    /// Finish arguments, and refuse those that can never fit into a message. The exact check comes
    /// when the message is committed.
    pub(crate) fn encode(&self, arguments: PayloadBuilder) -> Result<Payload, SendError> {
        let (payload, _) = self.seal(arguments, None)?;
        Ok(payload)
    }

    /// Finish arguments, as [`encode`](Self::encode) does, and seal them, if there is a codec and
    /// the topic or procedure to seal them for.
    pub(crate) fn seal(
        &self,
        arguments: PayloadBuilder,
        sealing: Option<(&Passthru, &str)>,
    ) -> Result<SealedParts, SendError> {
        let arguments = arguments.finish()?;
        let wire = self.commands().wire();
        let (payload, attributes) = match sealing {
            Some((codec, uri)) => seal(codec, uri, &arguments, wire.format())?,
            None => (arguments, None),
        };
        let (size, limit) = (payload.len(), wire.max_send());
        if size > limit {
            return Err(SendError::TooLarge { size, limit });
        }
        Ok((payload, attributes))
    }

    /// Finish the arguments of a request, as [`seal`](Self::seal) does, and say in its options how
    /// they are sealed.
    pub(crate) fn finish<O: Attributed>(
        &self,
        arguments: PayloadBuilder,
        sealing: Option<(&Passthru, &str)>,
        options: &mut O,
    ) -> Result<Payload, Failure> {
        let sealed = self.seal(arguments, sealing);
        let (payload, attributes) = sealed.map_err(|error| Failure::not_sent(error, None))?;
        options.describe(attributes);
        Ok(payload)
    }

    /// A request: what goes into its command, and what waits for its answer.
    pub(crate) fn open<T, O>(&self) -> (Reply<T, O>, Waiting<T, C, O>) {
        let key = Key(self.0.keys.fetch_add(1, Ordering::Relaxed));
        let slot = Arc::new(Slot::new());
        let reply = Reply {
            key,
            slot: slot.clone(),
        };
        let waiting = Waiting {
            key,
            slot,
            requests: self.clone(),
            is_queued: false,
            is_answered: false,
        };
        (reply, waiting)
    }

    /// Make a request and wait for its answer, no longer than `limit` from queue to answer.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives the request up.
    pub(crate) async fn ask<T, O>(
        &self,
        limit: Option<Duration>,
        command: impl FnOnce(Reply<T, O>) -> C,
    ) -> Result<T, Failure> {
        let (reply, mut waiting) = self.open();
        waiting.ask(limit, command(reply)).await
    }
}

impl<C> Clone for Requests<C> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// Waits for the answer of one request. Dropped before the answer came, it gives the request up.
#[derive(Debug)]
pub(crate) struct Waiting<T, C: Send + 'static, O = ()> {
    key: Key,
    slot: Arc<Slot<Result<T, Failure>, O>>,
    requests: Requests<C>,
    /// Whether the role has the command, or will have it, and no answer was taken yet.
    is_queued: bool,
    is_answered: bool,
}

impl<T, C: Send + 'static, O> Waiting<T, C, O> {
    /// Queue the command with this request's reply, and wait for the answer, no longer than `limit`
    /// from queue to answer.
    pub(crate) async fn ask(&mut self, limit: Option<Duration>, command: C) -> Result<T, Failure> {
        let answer = Asking {
            waiting: self,
            command: Some(command),
            sending: None,
        };
        let answer = match limit {
            Some(limit) => tokio::time::timeout(limit, answer).await.ok(),
            None => Some(answer.await),
        };
        answer.unwrap_or_else(|| self.expire())
    }

    /// Queue the command with this request's reply.
    pub(crate) async fn send(&mut self, command: C) -> Result<(), Failure> {
        let sent = self.requests.commands().send(command).await;
        sent.map_err(Failure::closed)?;
        self.is_queued = true;
        Ok(())
    }

    pub(crate) fn key(&self) -> Key {
        self.key
    }

    pub(crate) fn requests(&self) -> &Requests<C> {
        &self.requests
    }

    /// The time is up: give the request up, unless the answer came in this moment.
    pub(crate) fn expire(&mut self) -> Result<T, Failure> {
        if let Some(answer) = self.slot.take() {
            self.is_queued = false;
            self.is_answered = true;
            return answer;
        }
        Err(Failure::Timeout(self.give_up()))
    }

    /// Give the request up; tells what became of it.
    pub(crate) fn give_up(&mut self) -> Delivery {
        let delivery = self.slot.give_up();
        if std::mem::take(&mut self.is_queued) {
            let Shared {
                commands, give_up, ..
            } = &*self.requests.0;
            commands.release(give_up(self.key));
        }
        delivery
    }
}

impl<T, C: Send + 'static, O> Future for Waiting<T, C, O> {
    type Output = Result<T, Failure>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // There will be no second one.
        if self.is_answered {
            return Poll::Pending;
        }
        let answer = ready!(self.slot.poll(cx));
        self.is_queued = false;
        self.is_answered = true;
        Poll::Ready(answer.unwrap_or_else(|| {
            // The role is gone, and with it the peer.
            let end = self.requests.commands().end();
            Err(Failure::Closed {
                reason: end.unwrap_or(CloseReason::Panicked),
                delivery: self.slot.give_up(),
            })
        }))
    }
}

/// Queues a command, then waits for its answer.
struct Asking<'a, T, C: Send + 'static, O> {
    waiting: &'a mut Waiting<T, C, O>,
    command: Option<C>,
    /// While the queue is full.
    sending: Option<Sending>,
}

/// The command is only moved out of it.
impl<T, C: Send + 'static, O> Unpin for Asking<'_, T, C, O> {}

impl<T, C: Send + 'static, O> Future for Asking<'_, T, C, O> {
    type Output = Result<T, Failure>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(command) = self.command.take() {
            self.sending = Some(self.waiting.requests.commands().send(command));
        }
        if let Some(sending) = &mut self.sending {
            let sent = ready!(Pin::new(sending).poll(cx));
            self.sending = None;
            sent.map_err(Failure::closed)?;
            self.waiting.is_queued = true;
        }
        Pin::new(&mut *self.waiting).poll(cx)
    }
}

impl<T, C: Send + 'static, O> Drop for Waiting<T, C, O> {
    fn drop(&mut self) {
        if self.is_queued {
            self.give_up();
        }
    }
}

/// Where a role puts the answer of a request. Dropped, it tells that there will be none.
///
/// An order `O` that is too large for a command is kept here, where there is an allocation already.
#[derive(Debug)]
pub(crate) struct Reply<T, O = ()> {
    key: Key,
    slot: Arc<Slot<Result<T, Failure>, O>>,
}

impl<T, O> Reply<T, O> {
    pub(crate) fn key(&self) -> Key {
        self.key
    }

    /// Keep what the role is to do.
    pub(crate) fn keep(&self, order: O) {
        self.slot.keep(order);
    }

    /// What the role is to do. It is there once.
    pub(crate) fn take_order(&self) -> Option<O> {
        self.slot.take_order()
    }

    /// Whether nobody waits any more.
    pub(crate) fn is_given_up(&self) -> bool {
        self.slot.is_given_up()
    }

    /// The request is about to be sent: from here on its outcome is unknown until it is answered.
    /// `false` if it was given up: then it must not be sent.
    pub(crate) fn commit(&self) -> bool {
        self.slot.commit()
    }

    /// The request was not sent after all; it may be made later.
    pub(crate) fn revert(&self) {
        self.slot.revert();
    }

    /// Answer. Nobody may be waiting any more.
    pub(crate) fn send(self, answer: Result<T, Failure>) {
        self.slot.put(answer);
    }
}

impl<T, O> Drop for Reply<T, O> {
    fn drop(&mut self) {
        self.slot.close();
    }
}

#[cfg(test)]
mod tests;
