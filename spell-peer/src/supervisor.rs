use std::{fmt, future, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::SinkExt;
use spell_transport::{ConnectError, Connector, Transport};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, debug, info, warn};

use crate::{
    CloseReason, Engine, Inbox, PeerState, RetryPolicy, Role, driver::Driver, peer::StateSender,
};

/// Runs a peer: dials, joins, drives the connection, waits, and dials again as the policy says.
///
/// The other half of [`Peer`](crate::Peer): handles and roles live as long as this runs. Spawn
/// [`run`](Self::run) on a tokio runtime.
pub struct Supervisor<R: Role, C> {
    pub(crate) engine: Engine<R>,
    pub(crate) inbox: Inbox<R::Command>,
    pub(crate) connector: C,
    pub(crate) policy: Box<dyn RetryPolicy>,
    pub(crate) state: StateSender,
    pub(crate) stop: CancellationToken,
}

impl<R: Role, C: Connector> Supervisor<R, C>
where
    R::Command: Unpin,
{
    /// Run until the peer ends: it left, was stopped, lost its last handle, or the policy gave up.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the connection without a GOODBYE; handles are told
    /// [`CloseReason::Panicked`], as of any driver that vanished.
    pub async fn run(mut self) -> CloseReason {
        let mut attempt: u32 = 0;
        loop {
            attempt = attempt.saturating_add(1);
            self.state.send(PeerState::Connecting { attempt });
            let span = self.engine.new_span();
            let ended = self.session().instrument(span).await;
            if let Some(lasted) = ended.lasted {
                attempt = 0;
                self.policy.lasted(lasted);
                // The policy may take its time.
                self.state.send(PeerState::Connecting { attempt });
            }
            // Whoever waits is told first; the last words to the router may take a moment.
            let Some(delay) = self.delay(&ended.reason).await else {
                let reason = self.finish(ended.reason);
                tokio::join!(ended.farewell, self.refuse());
                return reason;
            };
            tokio::join!(self.wait(ended.reason, delay), ended.farewell);
            if self.stop.is_cancelled() {
                let reason = self.finish(CloseReason::Stopped);
                self.refuse().await;
                return reason;
            }
        }
    }

    /// One session, from dialling to its end.
    async fn session(&mut self) -> Ended<impl Future<Output = ()> + use<R, C>> {
        self.engine.counters().dialled();
        let join_timeout = self.engine.config().join_timeout;
        let join_by = Instant::now() + join_timeout;
        let (reason, lasted, transport) = match self.dial(join_by).await {
            Ok(transport) => self.drive(transport, join_by).await,
            Err(reason) => (reason, None, None),
        };
        let reason = self.engine.close(reason);
        if lasted.is_some() {
            info!(%reason, "session ended");
        }
        let frames: Vec<_> = std::iter::from_fn(|| self.engine.poll_transmit()).collect();
        self.engine.disconnect();
        let limit = self.engine.config().close_timeout;
        Ended {
            reason,
            lasted,
            farewell: async move {
                if let Some(transport) = transport {
                    hang_up(transport, frames, limit).await;
                }
            },
        }
    }

    /// Drive an open transport until the session ends; gives how long it was joined.
    async fn drive(
        &mut self,
        mut transport: C::Transport,
        join_by: Instant,
    ) -> (CloseReason, Option<Duration>, Option<C::Transport>) {
        let (name, max_send) = {
            let info = transport.info();
            (info.serialization(), info.max_send())
        };
        let Some(serializer) = self.inbox.wire().negotiated(name, max_send) else {
            // Only a transport that breaks its promise takes what was not offered.
            let error = Arc::new(ConnectError::UnsupportedSerialization);
            return (CloseReason::Connect(error), None, Some(transport));
        };
        let mut joined = None;
        let now = Instant::now().into_std();
        self.engine.open(serializer, max_send, now);
        let stop = self.stop.clone();
        let driver = Driver::new(
            &mut self.engine,
            &mut self.inbox,
            &self.state,
            &mut transport,
            &mut joined,
            join_by,
        );
        let ended = tokio::select! {
            reason = driver => Some(reason),
            () = stop.cancelled() => None,
        };
        let reason = ended.unwrap_or_else(|| {
            self.engine.stop(Instant::now().into_std());
            CloseReason::Stopped
        });
        (
            reason,
            joined.map(|joined| joined.elapsed()),
            Some(transport),
        )
    }

    /// Dial, and take commands meanwhile: no handle waits because the router is away.
    async fn dial(&mut self, join_by: Instant) -> Result<C::Transport, CloseReason> {
        let join_timeout = self.engine.config().join_timeout;
        let offers = self.inbox.wire().offers();
        let Self {
            engine,
            inbox,
            connector,
            stop,
            ..
        } = self;
        let dialled = timeout_at(join_by, connector.connect(&offers));
        tokio::select! {
            dialled = dialled => match dialled {
                Ok(Ok(transport)) => Ok(transport),
                Ok(Err(error)) => {
                    debug!(%error, "dialling failed");
                    Err(CloseReason::Connect(Arc::new(error)))
                }
                Err(_) => Err(CloseReason::JoinTimeout(join_timeout)),
            },
            () = answer(engine, inbox) => Err(CloseReason::Stopped),
            () = stop.cancelled() => Err(CloseReason::Stopped),
        }
    }

    /// How long to wait before the next attempt; `None` ends the peer.
    async fn delay(&mut self, reason: &CloseReason) -> Option<Duration> {
        let wished = matches!(reason, CloseReason::Left | CloseReason::Stopped);
        if wished || self.engine.finishing().is_some() {
            return None;
        }
        let Self {
            engine,
            inbox,
            policy,
            stop,
            ..
        } = self;
        tokio::select! {
            delay = policy.retry(reason) => delay,
            () = answer(engine, inbox) => None,
            () = stop.cancelled() => None,
        }
    }

    async fn wait(&mut self, cause: CloseReason, delay: Duration) {
        warn!(%cause, ?delay, "will join again");
        self.state.send(PeerState::Waiting { cause, delay });
        let Self {
            engine,
            inbox,
            stop,
            ..
        } = self;
        tokio::select! {
            () = tokio::time::sleep(delay) => {}
            () = answer(engine, inbox) => stop.cancel(),
            () = stop.cancelled() => {}
        }
    }

    /// No more sessions: answer what is queued, then refuse.
    fn finish(&mut self, reason: CloseReason) -> CloseReason {
        let now = Instant::now().into_std();
        let reason = self.engine.finishing().cloned().unwrap_or(reason);
        self.inbox.close(reason.clone());
        while let Some(command) = self.inbox.try_next() {
            self.engine.handle_command(command, now);
        }
        self.engine.close(reason.clone());
        self.state.send(PeerState::Closed(reason.clone()));
        reason
    }

    /// Answer the commands of handles that found the channel open a moment before it closed: in a
    /// channel that nobody reads they would wait for ever.
    async fn refuse(&mut self) {
        let limit = self.engine.config().close_timeout;
        let late = answer_all(&mut self.engine, &mut self.inbox);
        // A handle that has a place in the channel, and is not polled to use it, is not waited for.
        let _ = timeout(limit, late).await;
    }
}

/// How a session ended.
struct Ended<F> {
    reason: CloseReason,
    /// How long it was joined.
    lasted: Option<Duration>,
    /// Sends what the roles said last, and closes the transport.
    farewell: F,
}

/// Send the last frames and close the transport; not for ever.
async fn hang_up(mut transport: impl Transport, frames: Vec<Bytes>, limit: Duration) {
    let closing = timeout(limit, async {
        for frame in frames {
            transport.feed(frame).await?;
        }
        transport.close().await
    });
    // The session is over either way.
    match closing.await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => debug!(%error, "the transport did not close cleanly"),
        Err(_) => debug!("the transport did not close in time"),
    }
}

/// Give commands, and the time they asked for, to the roles while there is no connection. Ends when
/// the last handle is gone, or a role finishes the peer.
async fn answer<R: Role>(engine: &mut Engine<R>, inbox: &mut Inbox<R::Command>) {
    while engine.finishing().is_none() {
        let deadline = engine.poll_timeout().map(Instant::from_std);
        let due = async {
            match deadline {
                Some(deadline) => sleep_until(deadline).await,
                None => future::pending().await,
            }
        };
        tokio::select! {
            biased;
            command = future::poll_fn(|cx| inbox.poll_next(cx)) => match command {
                Some(command) => engine.handle_command(command, Instant::now().into_std()),
                None => return,
            },
            () = due => engine.handle_timeout(Instant::now().into_std()),
        }
    }
}

/// Give commands to the roles until no more can come.
async fn answer_all<R: Role>(engine: &mut Engine<R>, inbox: &mut Inbox<R::Command>) {
    while let Some(command) = future::poll_fn(|cx| inbox.poll_next(cx)).await {
        engine.handle_command(command, Instant::now().into_std());
    }
}

impl<R: Role, C> fmt::Debug for Supervisor<R, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supervisor")
            .field("roles", &std::any::type_name::<R>())
            .finish_non_exhaustive()
    }
}
