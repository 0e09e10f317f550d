use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use spell_transport::{LifeSign, Transport, TransportError};
use tokio::{
    task::JoinSet,
    time::{Instant, Sleep, sleep_until},
};

use crate::{
    CloseReason, Engine, Inbox, PeerEvent, PeerState, Role, RoundTripTime, peer::StateSender,
};

/// The one task of a connection, as a future that ends with the session. Takes no lock that others hold
/// for more than a few instructions.
///
/// Each poll reads, then takes commands, then writes, and flushes once at the end, so that a burst
/// of commands becomes one write. Nothing here waits for a full queue or for user code; only where
/// a user asked for it, reading pauses while a queue is full.
#[derive(Debug)]
pub(crate) struct Driver<'a, R: Role, T> {
    pub(crate) engine: &'a mut Engine<R>,
    pub(crate) inbox: &'a mut Inbox<R::Command>,
    pub(crate) state: &'a StateSender,
    /// The round-trip time that was told last.
    pub(crate) told: Option<RoundTripTime>,
    pub(crate) transport: &'a mut T,
    /// When the session was joined.
    pub(crate) joined: &'a mut Option<Instant>,
    pub(crate) batch: Vec<R::Command>,
    /// What roles do beside the driver; aborted when the driver is dropped.
    pub(crate) tasks: JoinSet<R::Command>,
    /// By when the session must be joined.
    pub(crate) join_by: Pin<Box<Sleep>>,
    /// Sleeps until the roles' deadline.
    pub(crate) deadline: Pin<Box<Sleep>>,
}

impl<'a, R: Role, T: Transport> Driver<'a, R, T> {
    pub(crate) fn new(
        engine: &'a mut Engine<R>,
        inbox: &'a mut Inbox<R::Command>,
        state: &'a StateSender,
        transport: &'a mut T,
        joined: &'a mut Option<Instant>,
        join_by: Instant,
    ) -> Self {
        state.events.measured(None);
        Self {
            joined,
            engine,
            inbox,
            state,
            told: None,
            transport,
            batch: Vec::new(),
            tasks: JoinSet::new(),
            join_by: Box::pin(sleep_until(join_by)),
            deadline: Box::pin(sleep_until(join_by)),
        }
    }

    /// Read and handle up to `limit` frames.
    fn read(
        &mut self,
        cx: &mut Context<'_>,
        turn: &mut Turn,
        limit: usize,
    ) -> Result<(), CloseReason> {
        for _ in 0..limit {
            if turn.budget == 0 || self.engine.closed().is_some() || self.engine.pauses_reading() {
                break;
            }
            match Pin::new(&mut *self.transport).poll_next(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    self.engine.handle_frame(&frame, turn.now);
                    turn.take_in(frame.len());
                }
                Poll::Ready(Some(Err(error))) => return Err(broken(error)),
                Poll::Ready(None) => return Err(CloseReason::Disconnected),
                Poll::Pending => break,
            }
            turn.spend(1);
        }
        let sign = self.transport.life_sign();
        if sign != LifeSign::None {
            self.engine.handle_life_sign(sign, turn.now);
        }
        Ok(())
    }

    /// Start the tasks that roles asked for, and take in what is finished.
    fn run_tasks(&mut self, cx: &mut Context<'_>, turn: &mut Turn) -> Result<(), CloseReason> {
        while let Some(task) = self.engine.poll_task() {
            self.tasks.spawn(task);
            turn.spend(1);
        }
        while let Poll::Ready(Some(done)) = self.tasks.poll_join_next(cx) {
            let command = done.map_err(|_| CloseReason::Panicked)?;
            self.engine.handle_command(command, turn.now);
            turn.spend(1);
        }
        Ok(())
    }

    /// Take commands: released handles always, others while the wire keeps up. While it does not,
    /// they stay in their bounded queue, and [`Commands::send`](crate::Commands::send) waits.
    fn take_commands(&mut self, cx: &mut Context<'_>, turn: &mut Turn) {
        if turn.budget == 0 || self.engine.closed().is_some() {
            return;
        }
        let limit = BATCH.min(turn.budget);
        match self.inbox.poll_released(cx, &mut self.batch, limit) {
            // The last handle is gone. What it sent last is taken below, if the router reads.
            Poll::Ready(0) if !self.has_room() => {
                take_rest(self.engine, self.inbox, turn.now);
                return self.engine.stop(turn.now);
            }
            Poll::Ready(taken) if taken > 0 => {
                for command in self.batch.drain(..) {
                    self.engine.handle_command(command, turn.now);
                }
                turn.spend(taken);
            }
            _ => {}
        }
        for _ in 0..BATCH {
            // Each of them may be large, so there must be room for each.
            if turn.budget == 0 || self.engine.closed().is_some() || !self.has_room() {
                break;
            }
            // What was wanted before the session began goes first.
            if self.engine.is_restoring() {
                break;
            }
            match self.inbox.poll_command(cx) {
                Poll::Ready(Some(command)) => self.engine.handle_command(command, turn.now),
                Poll::Ready(None) => return self.engine.stop(turn.now),
                Poll::Pending => break,
            }
            turn.spend(1);
        }
    }

    fn has_room(&self) -> bool {
        self.engine.queued() < self.engine.config().outbox_soft_limit.max(1)
    }

    /// Hand frames to the transport while it takes some.
    fn write(&mut self, cx: &mut Context<'_>, turn: &mut Turn) -> Result<(), CloseReason> {
        // It may end here, and does not begin.
        let mut is_restoring = self.engine.is_restoring();
        let waited = is_restoring || !self.has_room();
        while is_restoring || !self.engine.is_drained() {
            // What is restored may be much; what else waits is no more than the outbox holds.
            if is_restoring && turn.budget == 0 {
                break;
            }
            let mut transport = Pin::new(&mut *self.transport);
            match transport.as_mut().poll_ready(cx) {
                Poll::Ready(ready) => ready.map_err(broken)?,
                Poll::Pending => break,
            }
            let Some(frame) = self.engine.poll_transmit() else {
                break;
            };
            transport.start_send(frame).map_err(broken)?;
            if is_restoring {
                turn.spend(1);
                is_restoring = self.engine.is_restoring();
            }
        }
        // Nothing else may come that makes the driver look for the commands that waited.
        turn.progress |= waited && !self.engine.is_restoring() && self.has_room();
        Ok(())
    }

    /// Tell the engine the time when it asked for it.
    fn check_deadlines(
        &mut self,
        cx: &mut Context<'_>,
        turn: &mut Turn,
    ) -> Result<(), CloseReason> {
        if self.engine.session().is_none() && self.join_by.as_mut().poll(cx).is_ready() {
            let limit = self.engine.config().join_timeout;
            return Err(CloseReason::JoinTimeout(limit));
        }
        if let Some(deadline) = self.engine.poll_timeout() {
            // Not left to the timer alone: that one rests while there is much else to do.
            if deadline <= turn.now || self.sleep_until(deadline, cx).is_ready() {
                self.engine.handle_timeout(turn.now.max(deadline));
                turn.spend(1);
            }
        }
        if let Some(number) = self.engine.poll_ping() {
            self.transport.ping(number);
        }
        Ok(())
    }

    fn sleep_until(&mut self, deadline: std::time::Instant, cx: &mut Context<'_>) -> Poll<()> {
        let deadline = Instant::from_std(deadline);
        if self.deadline.deadline() != deadline || self.deadline.is_elapsed() {
            self.deadline.as_mut().reset(deadline);
        }
        self.deadline.as_mut().poll(cx)
    }

    fn turn(&mut self, cx: &mut Context<'_>) -> Result<(), CloseReason> {
        let mut turn = Turn {
            now: Instant::now().into_std(),
            budget: BUDGET,
            bytes: BYTES,
            progress: true,
        };
        let mut write_error = None;
        while turn.progress && turn.budget > 0 && self.engine.closed().is_none() {
            turn.progress = false;
            self.read(cx, &mut turn, BATCH)?;
            self.run_tasks(cx, &mut turn)?;
            self.take_commands(cx, &mut turn);
            self.check_deadlines(cx, &mut turn)?;
            if write_error.is_none() {
                // What the router said before it closed tells more than the broken pipe, so read on.
                write_error = self.write(cx, &mut turn).err();
            }
        }
        if let Some(info) = self.engine.session()
            && !self.state.is_joined()
            && !self.engine.is_restoring()
        {
            self.state.send(PeerState::Joined(info.clone()));
            self.state.tell(&PeerEvent::Joined(info.clone()));
            *self.joined = Some(Instant::from_std(turn.now));
            self.inbox.wire().joined(info);
        }
        if self.engine.finishing().is_some() {
            self.inbox.wire().ended();
        }
        self.state.tell_reports(self.engine);
        self.engine.measure();
        self.inbox.wire().set_queued(self.engine.queued());
        if let Some(reason) = self.engine.closed() {
            return Err(reason.clone());
        }
        if self.engine.round_trip_time() != self.told {
            self.told = self.engine.round_trip_time();
            self.state.events.measured(self.told);
        }
        if turn.budget == 0 {
            // Let other tasks run, then go on.
            cx.waker().wake_by_ref();
        } else if let Some(error) = write_error {
            return Err(error);
        }
        match Pin::new(&mut *self.transport).poll_flush(cx) {
            Poll::Ready(Err(error)) => {
                // As above; the budget starts anew, as the connection is at its end.
                turn.budget = BUDGET;
                turn.bytes = usize::MAX;
                self.read(cx, &mut turn, BUDGET)?;
                Err(self
                    .engine
                    .closed()
                    .cloned()
                    .unwrap_or_else(|| broken(error)))
            }
            _ => Ok(()),
        }
    }
}

impl<R: Role, T: Transport> Future for Driver<'_, R, T>
where
    R::Command: Unpin,
{
    type Output = CloseReason;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<CloseReason> {
        match self.turn(cx) {
            Ok(()) => Poll::Pending,
            Err(reason) => Poll::Ready(reason),
        }
    }
}

/// The peer is to end: commit what was handed to its session before, as far as that may wait for the
/// wire.
pub(crate) fn take_rest<R: Role>(
    engine: &mut Engine<R>,
    inbox: &mut Inbox<R::Command>,
    now: std::time::Instant,
) {
    let takes = |engine: &Engine<R>| {
        let limit = engine.config().outbox_hard_limit;
        engine.session().is_some() && !engine.is_restoring() && engine.queued() < limit
    };
    while engine.closed().is_none() && takes(engine) {
        let Some(command) = inbox.try_next() else {
            break;
        };
        engine.handle_command(command, now);
    }
}

/// One poll of the driver.
struct Turn {
    now: std::time::Instant,
    budget: usize,
    /// How many bytes may still come in.
    bytes: usize,
    progress: bool,
}

impl Turn {
    fn spend(&mut self, n: usize) {
        self.budget = self.budget.saturating_sub(n);
        self.progress = true;
    }

    /// A message of this size came in. Large ones are for their consumers to take, and their memory
    /// to be used again, before more of them come.
    fn take_in(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_sub(bytes);
        if self.bytes == 0 {
            self.budget = 0;
        }
    }
}

fn broken(error: TransportError) -> CloseReason {
    CloseReason::Transport(Arc::new(error))
}

/// The most messages and commands handled before other tasks get a turn: enough to make one read
/// and one write of a burst, little enough to be far below a millisecond.
const BUDGET: usize = 256;

/// The bytes of messages after which other tasks get a turn.
const BYTES: usize = 64 * 1024;

/// The most messages, and the most commands, handled in a row: a router that sends without pause
/// must not keep commands from being taken.
const BATCH: usize = 64;
