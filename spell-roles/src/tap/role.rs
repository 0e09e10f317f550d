use std::{
    collections::VecDeque,
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use spell_message::{Message, RequestId, message::Kind};
use spell_peer::{Closed, Commands, Context, Role, SendError, SessionEnd};
use tokio::sync::oneshot;

use super::{TapError, TapHandle, messages::Feed};
use crate::weight::message_weight;

/// Shows all messages that come from the router, and sends raw ones.
///
/// It claims no message, so the other roles work as without it. What comes goes to every stream of
/// [`TapHandle::messages`], and to whoever waits in [`TapHandle::next_message`]; what nobody waits
/// for is kept in a mailbox for the next one who does. The mailbox is bounded: when it is full,
/// the oldest message is dropped and counted.
///
/// ```
/// use spell_peer::PeerBuilder;
/// use spell_roles::{Session, Tap};
///
/// let peer = PeerBuilder::new(Session::new("realm1")).role(Tap::new());
/// # let _ = peer;
/// ```
#[derive(Debug)]
pub struct Tap {
    capacity: usize,
    capacity_bytes: usize,
    mailbox: VecDeque<Message>,
    mailbox_bytes: usize,
    lost: u64,
    waiting: Vec<Waiting>,
    feeds: Vec<Feed>,
}

struct Waiting {
    kind: Kind,
    timeout: Duration,
    /// `None` when that is beyond all time.
    until: Option<Instant>,
    reply: oneshot::Sender<Result<Message, TapError>>,
}

impl Tap {
    /// A tap whose mailbox holds 256 messages and 1 MiB.
    pub fn new() -> Self {
        Self {
            capacity: 256,
            capacity_bytes: 1 << 20,
            mailbox: VecDeque::new(),
            mailbox_bytes: 0,
            lost: 0,
            waiting: Vec::new(),
            feeds: Vec::new(),
        }
    }

    /// How many messages the mailbox holds; with 0, there is none. Default: 256.
    #[must_use]
    pub fn capacity(mut self, messages: usize) -> Self {
        self.capacity = messages;
        self
    }

    /// How many bytes the messages in the mailbox may have, details and arguments counted.
    /// Default: 1 MiB.
    #[must_use]
    pub fn capacity_bytes(mut self, bytes: usize) -> Self {
        self.capacity_bytes = bytes;
        self
    }

    /// Give the message to the first who waits for its kind, otherwise to the mailbox.
    fn deliver(&mut self, mut message: Message) {
        while let Some(index) = self.waiting_for(&message) {
            let waiting = self.waiting.remove(index);
            match waiting.reply.send(Ok(message)) {
                // That one had given up: the next one gets it.
                Err(Ok(returned)) => message = returned,
                _ => return,
            }
        }
        self.mailbox_bytes = self.mailbox_bytes.saturating_add(message_weight(&message));
        self.mailbox.push_back(message);
        while self.mailbox.len() > self.capacity || self.mailbox_bytes > self.capacity_bytes {
            let Some(oldest) = self.mailbox.pop_front() else {
                break;
            };
            self.mailbox_bytes = self.mailbox_bytes.saturating_sub(message_weight(&oldest));
            self.lost = self.lost.saturating_add(1);
        }
    }

    fn waiting_for(&self, message: &Message) -> Option<usize> {
        let kind = message.kind()?;
        self.waiting.iter().position(|waiting| waiting.kind == kind)
    }

    /// Take the oldest message of this kind out of the mailbox.
    fn take(&mut self, kind: Kind) -> Option<Message> {
        let index = self.mailbox.iter().position(|m| m.kind() == Some(kind))?;
        let message = self.mailbox.remove(index)?;
        self.mailbox_bytes = self.mailbox_bytes.saturating_sub(message_weight(&message));
        Some(message)
    }

    fn feed(&mut self, feed: Feed) {
        self.feeds.push(feed);
        // Where no message comes, nothing else would tell that a stream is gone.
        self.feeds.retain(|feed| !feed.is_closed());
    }

    fn wait(&mut self, waiting: Waiting) {
        // Who gave up need not be remembered.
        self.waiting.retain(|waiting| !waiting.reply.is_closed());
        if waiting.reply.is_closed() {
            return;
        }
        match self.take(waiting.kind) {
            Some(message) => {
                if let Err(Ok(message)) = waiting.reply.send(Ok(message)) {
                    self.deliver(message);
                }
            }
            None => self.waiting.push(waiting),
        }
    }
}

impl Default for Tap {
    fn default() -> Self {
        Self::new()
    }
}

impl Role for Tap {
    type Command = Command;
    type Handle = TapHandle;

    fn handle(commands: Commands<Command>) -> TapHandle {
        TapHandle::new(commands)
    }

    fn observe(&mut self, message: &Message, _: &mut Context<'_, Command>) {
        self.feeds.retain(|feed| feed.offer(message));
        self.deliver(message.clone());
    }

    fn reads(&self, _: Option<Kind>) -> bool {
        false
    }

    fn handle_call(&mut self, Command(ask): Command, cx: &mut Context<'_, Command>) {
        match ask {
            Ask::Send(message, reply) => {
                let _ = reply.send(send(*message, cx).map_err(|e| TapError::Send(Arc::new(e))));
            }
            Ask::Next {
                kind,
                timeout,
                reply,
            } => self.wait(Waiting {
                kind,
                timeout,
                until: cx.now().checked_add(timeout),
                reply,
            }),
            Ask::Feed(feed) => self.feed(feed),
            Ask::Lost(reply) => _ = reply.send(self.lost),
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.waiting
            .iter()
            .filter_map(|waiting| waiting.until)
            .min()
    }

    fn on_deadline(&mut self, cx: &mut Context<'_, Command>) {
        let due = |waiting: &mut Waiting| waiting.until.is_some_and(|until| until <= cx.now());
        for waiting in self.waiting.extract_if(.., due) {
            let _ = waiting.reply.send(Err(TapError::Timeout(waiting.timeout)));
        }
    }

    fn on_close(&mut self, end: &SessionEnd) {
        for waiting in self.waiting.drain(..) {
            let reason = end.reason().clone();
            let _ = waiting.reply.send(Err(Closed { reason }.into()));
        }
    }
}

/// What [`TapHandle`] asks of [`Tap`].
#[expect(unnameable_types, reason = "private to the role and its handle")]
pub struct Command(pub(super) Ask);

pub(super) enum Ask {
    Send(
        Box<Message>,
        oneshot::Sender<Result<Option<RequestId>, TapError>>,
    ),
    Next {
        kind: Kind,
        timeout: Duration,
        reply: oneshot::Sender<Result<Message, TapError>>,
    },
    Feed(Feed),
    Lost(oneshot::Sender<u64>),
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Command").finish_non_exhaustive()
    }
}

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Waiting").field(&self.kind).finish()
    }
}

/// Send a message; a request gets the next id, whatever id it has.
fn send(
    mut message: Message,
    cx: &mut Context<'_, Command>,
) -> Result<Option<RequestId>, SendError> {
    if request_id(&mut message).is_none() {
        return cx.send(message).map(|()| None);
    }
    let sent = cx.request(|id| {
        if let Some(place) = request_id(&mut message) {
            *place = id;
        }
        message
    });
    sent.map(Some)
}

/// The place of the request id in a message that makes a request.
fn request_id(message: &mut Message) -> Option<&mut RequestId> {
    Some(match message {
        Message::Publish(message) => &mut message.request,
        Message::Subscribe(message) => &mut message.request,
        Message::Unsubscribe(message) => &mut message.request,
        Message::Call(message) => &mut message.request,
        Message::Register(message) => &mut message.request,
        Message::Unregister(message) => &mut message.request,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tap::messages::stream;

    #[test]
    fn streams_that_are_gone_are_forgotten_without_a_message() {
        let mut tap = Tap::new();
        let (feed, _kept) = stream();
        tap.feed(feed);
        for _ in 0..3 {
            let (feed, messages) = stream();
            tap.feed(feed);
            drop(messages);
        }
        let (feed, messages) = stream();
        drop(messages);
        tap.feed(feed);
        assert_eq!(tap.feeds.len(), 1);
    }
}
