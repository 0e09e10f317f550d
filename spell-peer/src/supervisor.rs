use std::{fmt, future, pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{SinkExt, future::OptionFuture};
use spell_transport::{ConnectError, Connector, Transport};
use tokio::{
    task::coop::consume_budget,
    time::{Instant, error::Elapsed, sleep_until, timeout, timeout_at},
};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, debug, info, warn};

use crate::{
    CloseReason, Endpoints, Engine, Inbox, PeerEvent, PeerState, Remedy, RetryPolicy, Role,
    driver::{Driver, take_rest},
    peer::StateSender,
};

/// Runs a peer: dials, joins, drives the connection, waits, and dials again as the policy says.
///
/// The other half of [`Peer`](crate::Peer): handles and roles live as long as this runs. Spawn
/// [`run`](Self::run) on a tokio runtime.
pub struct Supervisor<R: Role, C> {
    pub(crate) engine: Engine<R>,
    pub(crate) inbox: Inbox<R::Command>,
    pub(crate) endpoints: Endpoints<C>,
    pub(crate) policy: Box<dyn RetryPolicy>,
    /// Whether a router that was never reached is not waited for.
    pub(crate) impatient: bool,
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
    #[expect(
        clippy::manual_async_fn,
        reason = "an async fn would hold the supervisor twice"
    )]
    pub fn run(mut self) -> impl Future<Output = CloseReason> {
        async move { self.go_on().await }
    }

    async fn go_on(&mut self) -> CloseReason {
        let mut attempt: u32 = 0;
        // The last words to a router that is left for another one: that one need not wait for them.
        let mut farewell = None;
        loop {
            attempt = attempt.saturating_add(1);
            let last = OptionFuture::from(farewell.take());
            let span = self.engine.new_span();
            let attempted = self.attempt(attempt).instrument(span);
            let (ended, _) = tokio::join!(attempted, last);
            if ended.lasted.is_some() {
                attempt = 0;
            }
            // Whoever waits is told first; the last words to the router may take a moment.
            match Box::pin(self.next(&ended.reason, ended.lasted)).await {
                Next::Never => {
                    let reason = self.finish(ended.reason);
                    ended.farewell.await;
                    return reason;
                }
                Next::AtOnce => farewell = Some(ended.farewell),
                Next::After(delay) => {
                    let wait = Box::pin(self.wait(ended.reason, delay));
                    tokio::join!(wait, ended.farewell);
                }
            }
            if self.stop.is_cancelled() {
                let reason = self.finish(CloseReason::Stopped);
                OptionFuture::from(farewell).await;
                return reason;
            }
        }
    }

    /// One attempt, and the session that comes of it.
    async fn attempt(&mut self, attempt: u32) -> Ended {
        self.engine.counters().dialled();
        let join_by = Instant::now() + self.engine.config().join_timeout;
        let (endpoint, dialled) = match Box::pin(self.choose(join_by)).await {
            Ok(endpoint) => {
                self.state.send(PeerState::Connecting {
                    attempt,
                    endpoint: Some(endpoint.clone()),
                });
                self.state.tell(&PeerEvent::Connecting {
                    attempt,
                    endpoint: endpoint.clone(),
                });
                self.engine.set_endpoint(endpoint.clone());
                (endpoint, Box::pin(self.dial(join_by)).await)
            }
            Err(reason) => ("the list of routers".into(), Err(reason)),
        };
        let ended = self.session(dialled, join_by).await;
        self.state.tell_reports(&mut self.engine);
        let cause = ended.reason.clone();
        self.state.tell(&match ended.lasted {
            Some(lasted) => PeerEvent::Lost {
                endpoint,
                cause,
                lasted,
            },
            None => PeerEvent::Failed { endpoint, cause },
        });
        ended
    }

    /// One session, from the opened transport to its end.
    async fn session(
        &mut self,
        dialled: Result<C::Transport, CloseReason>,
        join_by: Instant,
    ) -> Ended {
        let (reason, lasted, transport) = match dialled {
            Ok(transport) => self.drive(transport, join_by).await,
            Err(reason) => (reason, None, None),
        };
        // Who does not answer does not say goodbye either: the connection is cut.
        let dead = matches!(reason, CloseReason::Unresponsive { .. });
        let transport = transport.filter(|_| !dead);
        self.inbox.wire().ended();
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
            farewell: Box::pin(async move {
                if let Some(transport) = transport {
                    hang_up(transport, frames, limit).await;
                }
            }),
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
        self.engine.watch(transport.pings());
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
            let now = Instant::now().into_std();
            take_rest(&mut self.engine, &mut self.inbox, now);
            self.engine.stop(now);
            CloseReason::Stopped
        });
        (
            reason,
            joined.map(|joined| joined.elapsed()),
            Some(transport),
        )
    }

    /// Choose the router to dial.
    async fn choose(&mut self, join_by: Instant) -> Result<Arc<str>, CloseReason> {
        let choosing = timeout_at(join_by, self.endpoints.choose());
        let chosen = meanwhile(&mut self.engine, &mut self.inbox, &self.stop, choosing).await;
        self.opened(chosen)
    }

    async fn dial(&mut self, join_by: Instant) -> Result<C::Transport, CloseReason> {
        let offers = self.inbox.wire().offers();
        let Some(connector) = self.endpoints.connector() else {
            return Err(CloseReason::Disconnected);
        };
        let dialling = timeout_at(join_by, connector.connect(&offers));
        let dialled = meanwhile(&mut self.engine, &mut self.inbox, &self.stop, dialling).await;
        self.opened(dialled)
    }

    /// What is told of a step on the way to a transport.
    fn opened<T>(
        &self,
        step: Option<Result<Result<T, ConnectError>, Elapsed>>,
    ) -> Result<T, CloseReason> {
        match step {
            Some(Ok(Ok(done))) => Ok(done),
            Some(Ok(Err(error))) => {
                debug!(%error, "dialling failed");
                Err(CloseReason::Connect(Arc::new(error)))
            }
            Some(Err(_)) => {
                let limit = self.engine.config().join_timeout;
                Err(CloseReason::JoinTimeout(limit))
            }
            None => Err(CloseReason::Stopped),
        }
    }

    /// What comes after an end.
    async fn next(&mut self, reason: &CloseReason, lasted: Option<Duration>) -> Next {
        if let Some(lasted) = lasted {
            self.impatient = false;
            if self.policy.lasted(lasted) {
                self.endpoints.begin_round();
            }
        }
        let wished = matches!(reason, CloseReason::Left | CloseReason::Stopped);
        if wished || self.engine.finishing().is_some() {
            return Next::Never;
        }
        self.endpoints.failed();
        if lasted.is_some() {
            // The policy may take its time.
            self.state.send(PeerState::connecting());
        }
        let impatient = self.impatient && !reason.is_told_to_pass();
        let elsewhere = match self.policy.remedy(reason) {
            Remedy::Nothing => return Next::Never,
            Remedy::Elsewhere => true,
            Remedy::Retry => impatient,
        };
        if elsewhere && self.endpoints.has_untried() {
            return Next::AtOnce;
        }
        if impatient {
            return Next::Never;
        }
        let asking = self.policy.retry(reason);
        let delay = meanwhile(&mut self.engine, &mut self.inbox, &self.stop, asking).await;
        delay.flatten().map_or(Next::Never, Next::After)
    }

    async fn wait(&mut self, cause: CloseReason, delay: Duration) {
        warn!(%cause, ?delay, "will join again");
        self.state.send(PeerState::Waiting { cause, delay });
        self.state.tell(&PeerEvent::Waiting { delay });
        let waiting = tokio::time::sleep(delay);
        let waited = meanwhile(&mut self.engine, &mut self.inbox, &self.stop, waiting).await;
        if waited.is_none() {
            self.stop.cancel();
        }
        self.endpoints.begin_round();
    }

    /// No more sessions: answer what is queued, and refuse what comes.
    fn finish(&mut self, reason: CloseReason) -> CloseReason {
        let now = Instant::now().into_std();
        let reason = self.engine.finishing().cloned().unwrap_or(reason);
        self.inbox.close(reason.clone());
        while let Some(command) = self.inbox.try_next() {
            self.engine.handle_command(command, now);
        }
        self.engine.close(reason.clone());
        self.state.tell_reports(&mut self.engine);
        self.state.send(PeerState::Closed(reason.clone()));
        self.state.tell(&PeerEvent::Closed(reason.clone()));
        reason
    }
}

/// What a peer does after an end.
enum Next {
    /// Nothing: it ends too.
    Never,
    /// Another router is tried.
    AtOnce,
    /// It waits, then tries again.
    After(Duration),
}

/// How a session ended.
struct Ended {
    reason: CloseReason,
    /// How long it was joined.
    lasted: Option<Duration>,
    /// Sends what the roles said last, and closes the transport.
    farewell: Pin<Box<dyn Future<Output = ()> + Send>>,
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

/// Do `work`, and take commands meanwhile: no handle waits because the router is away. `None` when
/// the peer is to end before it is done.
async fn meanwhile<R: Role, T>(
    engine: &mut Engine<R>,
    inbox: &mut Inbox<R::Command>,
    stop: &CancellationToken,
    work: impl Future<Output = T>,
) -> Option<T> {
    tokio::select! {
        done = work => Some(done),
        () = answer(engine, inbox) => None,
        () = stop.cancelled() => None,
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
                Some(command) => {
                    engine.handle_command(command, Instant::now().into_std());
                    // Others get a turn, too, however many commands come.
                    consume_budget().await;
                }
                None => return,
            },
            () = due => engine.handle_timeout(Instant::now().into_std()),
        }
    }
}

impl<R: Role, C> fmt::Debug for Supervisor<R, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supervisor")
            .field("roles", &std::any::type_name::<R>())
            .finish_non_exhaustive()
    }
}
