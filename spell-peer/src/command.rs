use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use spell_message::RoleName;

use crate::{
    Ahead, CloseReason, Closed, PeerConfig, Wire,
    mailbox::{Receiver, Sender, mailbox},
};

type BoxFuture = Pin<Box<dyn Future<Output = Result<(), Closed>> + Send>>;

/// Sends commands to one role of a peer, without naming the peer's other roles. Cheap to clone.
pub struct Commands<C> {
    port: Arc<dyn Port<C>>,
    wire: Wire,
    request_timeout: Option<Duration>,
}

impl<C: Send + 'static> Commands<C> {
    /// The two ends of a peer's commands. For a driver of your own, and for tests.
    pub fn channel(config: &PeerConfig) -> (Self, Inbox<C>) {
        let wire = Wire::new(config.serializers.clone(), config.outbox_soft_limit);
        let (commands, receiver) = mailbox(config.command_capacity);
        let commands = Self {
            port: Arc::new(commands),
            wire: wire.clone(),
            request_timeout: config.request_timeout,
        };
        (commands, Inbox { receiver, wire })
    }

    /// View a channel of `C` as a channel of `D`, by wrapping each `D` in a `C`.
    pub(crate) fn map<D: Send + 'static>(&self, wrap: fn(D) -> C) -> Commands<D> {
        Commands {
            port: Arc::new(Mapped {
                port: self.port.clone(),
                wrap,
            }),
            wire: self.wire.clone(),
            request_timeout: self.request_timeout,
        }
    }

    /// Queue a command. It is queued by this call when there is room; only while the queue is full
    /// has the future to wait.
    ///
    /// # Cancel safety
    ///
    /// Dropped while it waits, the command is not queued. Dropped before it was first polled, it may
    /// be queued already.
    pub fn send(&self, command: C) -> Sending {
        self.port.send(command)
    }

    /// Queue a command of about so many bytes whose outcome nobody waits for, if that can be done at
    /// once: a session is [joined](Wire::is_joined_to) to a router of this role, the queue has room,
    /// and such commands, with what waits for the wire, do not make up more than
    /// [`outbox_soft_limit`](PeerConfig::outbox_soft_limit). `false` if not: then `command` was not
    /// called, or gave none, and nothing was queued.
    ///
    /// The session may end before the driver takes the command, so its role has to
    /// [count](crate::Count) those that come too late.
    pub fn hand_over(
        &self,
        role: RoleName,
        bytes: usize,
        mut command: impl FnMut(Ahead) -> Option<C>,
    ) -> Result<bool, Closed> {
        let Some(ahead) = self.wire.reserve(bytes) else {
            return Ok(false);
        };
        let mut ahead = Some(ahead);
        self.port.try_send(&mut || {
            // Only now, as the place in the queue may have become free by the end of a session.
            let ahead = ahead.take().filter(|_| self.wire.is_joined_to(role));
            command(ahead?)
        })
    }

    /// Queue a command from a `Drop`, which cannot wait: it has a lane of its own and goes before
    /// others. Does nothing when the peer is gone.
    ///
    /// The lane has no bound: use it for at most one command a live handle.
    pub fn release(&self, command: C) {
        self.port.release(command);
    }

    /// The serializer and the size limit now in force.
    pub fn wire(&self) -> &Wire {
        &self.wire
    }

    /// How long a request may wait for its answer when the user names no other limit; `None` is
    /// for ever. See [`PeerConfig::request_timeout`].
    pub fn request_timeout(&self) -> Option<Duration> {
        self.request_timeout
    }

    /// Why the peer ended; `None` while it lives.
    pub fn end(&self) -> Option<CloseReason> {
        self.port.end()
    }
}

impl<C> Clone for Commands<C> {
    fn clone(&self) -> Self {
        Self {
            port: self.port.clone(),
            wire: self.wire.clone(),
            request_timeout: self.request_timeout,
        }
    }
}

impl<C> fmt::Debug for Commands<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Commands").finish_non_exhaustive()
    }
}

/// The future of [`Commands::send`]; boxed only while the queue is full.
#[must_use = "a command is sure to be queued only when this is awaited"]
pub struct Sending(State);

enum State {
    Done(Option<Closed>),
    Full(BoxFuture),
}

impl Future for Sending {
    type Output = Result<(), Closed>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            State::Done(closed) => Poll::Ready(closed.take().map_or(Ok(()), Err)),
            State::Full(wait) => wait.as_mut().poll(cx),
        }
    }
}

impl fmt::Debug for Sending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sending").finish_non_exhaustive()
    }
}

/// The receiving end of a peer's commands.
pub struct Inbox<C> {
    receiver: Receiver<C>,
    wire: Wire,
}

impl<C> Inbox<C> {
    /// What the handles see of the connection, to be kept up to date.
    pub fn wire(&self) -> &Wire {
        &self.wire
    }

    /// Take what was queued by [`Commands::release`], up to `limit` commands.
    ///
    /// `Ready` with how many; `Ready(0)` when all handles are gone.
    pub fn poll_released(
        &mut self,
        cx: &mut Context<'_>,
        batch: &mut Vec<C>,
        limit: usize,
    ) -> Poll<usize> {
        self.receiver.poll_released(cx, batch, limit)
    }

    /// The next command that was queued by [`Commands::send`]; `None` when all handles are gone, or
    /// the inbox is [closed](Self::close) and empty.
    pub fn poll_command(&mut self, cx: &mut Context<'_>) -> Poll<Option<C>> {
        self.receiver.poll_command(cx)
    }

    /// The next command of either kind; `None` when all handles are gone, or the inbox is
    /// [closed](Self::close) and empty.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<C>> {
        self.receiver.poll_next(cx)
    }

    /// Take no more commands: handles get `end` from now on. What is queued already can still be
    /// taken.
    pub fn close(&mut self, end: CloseReason) {
        self.receiver.close(end);
    }

    /// A command that is queued already.
    pub fn try_next(&mut self) -> Option<C> {
        self.receiver.try_next()
    }
}

impl<C> fmt::Debug for Inbox<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox").finish_non_exhaustive()
    }
}

trait Port<C>: Send + Sync {
    fn send(&self, command: C) -> Sending;
    /// Queue a command, which is made once there is room; `false` without room.
    fn try_send(&self, command: &mut dyn FnMut() -> Option<C>) -> Result<bool, Closed>;
    fn release(&self, command: C);
    fn end(&self) -> Option<CloseReason>;
}

impl<C: Send + 'static> Port<C> for Sender<C> {
    fn send(&self, command: C) -> Sending {
        Sending(match self.try_send(command) {
            Ok(None) => State::Done(None),
            Ok(Some(command)) => {
                let commands = self.clone();
                State::Full(Box::pin(async move { commands.send(command).await }))
            }
            Err(closed) => State::Done(Some(closed)),
        })
    }

    fn try_send(&self, command: &mut dyn FnMut() -> Option<C>) -> Result<bool, Closed> {
        self.try_send_with(command)
    }

    fn release(&self, command: C) {
        Self::release(self, command);
    }

    fn end(&self) -> Option<CloseReason> {
        Self::end(self)
    }
}

struct Mapped<C, D> {
    port: Arc<dyn Port<C>>,
    wrap: fn(D) -> C,
}

impl<C, D> Port<D> for Mapped<C, D> {
    fn send(&self, command: D) -> Sending {
        self.port.send((self.wrap)(command))
    }

    fn try_send(&self, command: &mut dyn FnMut() -> Option<D>) -> Result<bool, Closed> {
        self.port.try_send(&mut || command().map(self.wrap))
    }

    fn release(&self, command: D) {
        self.port.release((self.wrap)(command));
    }

    fn end(&self) -> Option<CloseReason> {
        self.port.end()
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    #[tokio::test]
    async fn a_command_that_got_its_place_before_the_end_and_uses_it_after_is_refused() {
        let config = PeerConfig {
            command_capacity: 1,
            ..PeerConfig::default()
        };
        let (commands, mut inbox) = Commands::channel(&config);
        commands.send(1).await.unwrap();
        let mut late = commands.send(2);
        let mut cx = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut late).poll(&mut cx).is_pending());
        assert_eq!(inbox.try_next(), Some(1));
        inbox.close(CloseReason::Left);
        let Poll::Ready(Err(refused)) = Pin::new(&mut late).poll(&mut cx) else {
            panic!("nobody would ever read it");
        };
        assert!(matches!(refused.reason, CloseReason::Left));
    }

    #[tokio::test]
    async fn commands_keep_their_order_whatever_takes_them() {
        let (commands, mut inbox) = Commands::channel(&PeerConfig::default());
        for command in 0..5 {
            commands.send(command).await.unwrap();
        }
        let mut cx = Context::from_waker(Waker::noop());
        assert_eq!(inbox.poll_command(&mut cx), Poll::Ready(Some(0)));
        assert_eq!(inbox.poll_next(&mut cx), Poll::Ready(Some(1)));
        assert_eq!(inbox.try_next(), Some(2));
        commands.release(9);
        assert_eq!(inbox.try_next(), Some(9));
        assert_eq!(inbox.poll_next(&mut cx), Poll::Ready(Some(3)));
        inbox.close(CloseReason::Left);
        assert_eq!(inbox.try_next(), Some(4));
        assert_eq!(inbox.poll_command(&mut cx), Poll::Ready(None));
    }
}
