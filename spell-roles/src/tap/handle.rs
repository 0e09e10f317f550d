use std::{fmt, pin::Pin, sync::Arc, time::Duration};

use spell_message::{Message, RequestId, message::Kind};
use spell_peer::{CloseReason, Closed, Commands, Contains, Peer, Role, SendError};
use thiserror::Error;
use tokio::sync::oneshot;

use super::{
    Messages, Tap, messages,
    role::{Ask, Command},
};

/// Reads and sends raw messages. Cheap to clone; get it by `peer.role::<Tap, _>()`.
#[derive(Clone)]
pub struct TapHandle {
    commands: Commands<Command>,
}

impl TapHandle {
    pub(super) fn new(commands: Commands<Command>) -> Self {
        Self { commands }
    }

    /// All messages from the router, from now on, as a stream.
    pub fn messages(&self) -> Messages {
        let (feed, messages) = messages::stream();
        // One for each live stream; the stream ends at once if the peer is gone.
        self.commands.release(Command(Ask::Feed(feed)));
        messages
    }

    /// The next message of this kind, or the oldest one in the mailbox, which is then taken out of
    /// it; `.await` it. See [`NextMessage`].
    pub fn next_message(&self, kind: Kind, timeout: Duration) -> NextMessage<'_> {
        NextMessage {
            commands: &self.commands,
            kind,
            timeout,
        }
    }

    /// Send a message past the other roles; `.await` it. See [`SendMessage`].
    pub fn send_message(&self, message: impl Into<Message>) -> SendMessage<'_> {
        SendMessage {
            commands: &self.commands,
            message: message.into(),
        }
    }

    /// How many messages the mailbox had to drop.
    ///
    /// # Cancel safety
    ///
    /// Asks only; dropping it changes nothing.
    pub async fn lost(&self) -> Result<u64, Closed> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(Command(Ask::Lost(reply))).await?;
        answer.await.map_err(|_| closed(&self.commands))
    }
}

impl fmt::Debug for TapHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TapHandle").finish_non_exhaustive()
    }
}

/// Raw messages of a peer that has the role [`Tap`].
pub trait TapExt {
    /// The roles of the peer.
    type Roles: Role;

    /// All messages from the router, from now on, as a stream.
    fn messages<I>(&self) -> Messages
    where
        Self::Roles: Contains<Tap, I>;

    /// The next message of this kind, or the oldest one in the mailbox; `.await` it. See
    /// [`NextMessage`].
    fn next_message<I>(&self, kind: Kind, timeout: Duration) -> NextMessage<'_>
    where
        Self::Roles: Contains<Tap, I>;

    /// Send a message past the other roles; `.await` it. See [`SendMessage`].
    fn send_message<I>(&self, message: impl Into<Message>) -> SendMessage<'_>
    where
        Self::Roles: Contains<Tap, I>;
}

impl<R: Role> TapExt for Peer<R> {
    type Roles = R;

    fn messages<I>(&self) -> Messages
    where
        R: Contains<Tap, I>,
    {
        self.role::<Tap, I>().messages()
    }

    fn next_message<I>(&self, kind: Kind, timeout: Duration) -> NextMessage<'_>
    where
        R: Contains<Tap, I>,
    {
        self.role::<Tap, I>().next_message(kind, timeout)
    }

    fn send_message<I>(&self, message: impl Into<Message>) -> SendMessage<'_>
    where
        R: Contains<Tap, I>,
    {
        self.role::<Tap, I>().send_message(message)
    }
}

/// Waits for a message of one kind.
///
/// A message goes to one who waits only, the first one first; streams see it besides.
///
/// # Errors
///
/// [`TapError::Timeout`] when none came in time, [`TapError::Closed`] when the connection ended.
///
/// # Cancel safety
///
/// Dropped while it waits, it takes no message.
#[derive(Debug)]
#[must_use = "waits only when this is awaited"]
pub struct NextMessage<'a> {
    commands: &'a Commands<Command>,
    kind: Kind,
    timeout: Duration,
}

impl NextMessage<'_> {
    /// Wait: what `.await` does, without the box.
    pub async fn wait(self) -> Result<Message, TapError> {
        let Self { kind, timeout, .. } = self;
        let (reply, answer) = oneshot::channel();
        let ask = Ask::Next {
            kind,
            timeout,
            reply,
        };
        self.commands.send(Command(ask)).await?;
        answer
            .await
            .unwrap_or_else(|_| Err(closed(self.commands).into()))
    }
}

impl<'a> IntoFuture for NextMessage<'a> {
    type Output = Result<Message, TapError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.wait())
    }
}

/// A raw message to be sent; gives the id of a request, `None` for other messages.
///
/// A request (PUBLISH, SUBSCRIBE, UNSUBSCRIBE, CALL, REGISTER, UNREGISTER) gets the next request
/// id, whatever id the message has. The answer goes by all roles: wait for it by
/// [`TapHandle::next_message`]. Any other message is sent as it is; a GOODBYE sent so does not tell
/// the [`Session`](crate::Session) that the peer leaves.
///
/// # Errors
///
/// [`TapError::Send`] when the message could not be sent: no session is joined, it could not be
/// encoded or is too large. No request id was spent then.
///
/// # Cancel safety
///
/// Dropped before it was first polled, nothing is sent; dropped later, the message may or may not
/// be sent.
#[must_use = "a message is sent only when this is awaited"]
pub struct SendMessage<'a> {
    commands: &'a Commands<Command>,
    message: Message,
}

impl SendMessage<'_> {
    /// Send it: what `.await` does, without the box.
    pub async fn send(self) -> Result<Option<RequestId>, TapError> {
        let (reply, answer) = oneshot::channel();
        let ask = Ask::Send(Box::new(self.message), reply);
        self.commands.send(Command(ask)).await?;
        answer
            .await
            .unwrap_or_else(|_| Err(closed(self.commands).into()))
    }
}

impl<'a> IntoFuture for SendMessage<'a> {
    type Output = Result<Option<RequestId>, TapError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

impl fmt::Debug for SendMessage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SendMessage")
            .field(&self.message.name())
            .finish()
    }
}

/// The end of a peer whose answer will not come.
fn closed(commands: &Commands<Command>) -> Closed {
    let reason = commands.end().unwrap_or(CloseReason::Panicked);
    Closed { reason }
}

/// A raw message did not come, or could not be sent.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum TapError {
    /// The connection, or the peer, ended.
    #[error("the connection ended")]
    Closed(#[from] Closed),
    /// No message of that kind came in time.
    #[error("no such message came within {0:?}")]
    Timeout(Duration),
    /// The message could not be sent.
    #[error("the message could not be sent")]
    Send(#[source] Arc<SendError>),
}
