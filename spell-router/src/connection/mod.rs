//! Drives one connection: the only place where messages meet IO.

mod read;
mod undelivered;
mod write;

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::BytesMut;
use spell_message::{message::Goodbye, options::GoodbyeDetails, reason};
use spell_serializer::AnySerializer;
use spell_transport::Transport;
use tokio::time::{Sleep, sleep, sleep_until};

use crate::{
    occasion::Awaited,
    outbound::Outbound,
    realm::{abort, static_uri},
    session::Handshake,
    shared::{Membership, ReservedId, Shared},
    watch::Watch,
};

/// One connection, from the first frame to the last: a future that owns its transport.
///
/// Each poll reads, then writes, and flushes once at the end, so that a burst becomes one write.
/// What a client does not take piles up in its bounded queue. When that is half full, nothing more
/// is read from this client, so that it is not drowned in the answers to its own requests; when it
/// is full, the connection is cut.
///
/// ```text
/// Opening ── WELCOME ──► Joined ── GOODBYE of the router ──► Leaving
///    │                     │                                    │
///    └──── ABORT ──────────┴── ABORT, or answer to GOODBYE ─────┴──► Closing ──► Draining
/// ```
pub(crate) struct Connection<T> {
    shared: Arc<Shared>,
    transport: T,
    serializer: AnySerializer,
    max_send: Option<usize>,
    queue: Arc<Outbound>,
    phase: Phase,
    deadline: Option<Pin<Box<Sleep>>>,
    /// From when the client joined until it leaves, if it can be watched; the deadline is that of
    /// this then.
    watch: Option<Watch>,
    closing: Option<Awaited>,
    /// Whether the client will send nothing more.
    read_ended: bool,
    buffer: BytesMut,
    /// Whether there is something new to poll: a deadline, or the transport that was closed.
    again: bool,
    span: tracing::Span,
}

enum Phase {
    Opening(Handshake, ReservedId),
    Joined(Membership),
    /// The router has said GOODBYE and waits for the client's.
    Leaving,
    /// What is queued is sent, then the transport is closed.
    Closing,
    /// The transport is closed on this side; what the client still sends is discarded, lest the
    /// system cut the connection before the client has read the end of it.
    Draining,
}

/// Whether the connection goes on.
type Progress = Result<(), Ended>;

/// The connection is over; the transport is to be dropped.
struct Ended;

impl<T: Transport> Connection<T> {
    /// `None` if the router has no serializer for what the transport negotiated.
    pub(crate) fn new(shared: Arc<Shared>, transport: T) -> Option<Self> {
        let info = transport.info();
        let serializer = shared.serializer(info.serialization())?;
        let id = shared.reserve_session_id();
        let span = tracing::debug_span!("session", id = %id.id(), peer = info.peer());
        span.in_scope(|| tracing::debug!("connected"));
        Some(Self {
            max_send: info.max_send(),
            transport,
            serializer,
            queue: Arc::new(Outbound::new(shared.limits.queue)),
            phase: Phase::Opening(Handshake::new(id.id()), id),
            deadline: Some(Box::pin(sleep(shared.limits.handshake))),
            watch: None,
            closing: Some(shared.closing.wait()),
            read_ended: false,
            buffer: BytesMut::new(),
            again: false,
            span,
            shared,
        })
    }

    fn poll_connection(&mut self, cx: &mut Context<'_>) -> Poll<Progress> {
        let (mut reads, mut writes) = (READS, WRITES);
        loop {
            self.queue.attend();
            self.again = false;
            self.poll_signals(cx)?;
            let is_held = self.poll_read(&mut reads, cx)?;
            self.watch()?;
            let is_stuck = self.poll_write(&mut writes, cx)?;
            let rests = self.queue.rest(cx.waker(), is_stuck);
            if self.queue.overflowed() && !matches!(self.phase, Phase::Draining) {
                self.shared.counters.too_slow.up();
                tracing::debug!("the client does not read what waits for it");
                return Poll::Ready(Err(Ended));
            }
            if reads == 0 || writes == 0 {
                // Let other tasks run, then go on.
                cx.waker().wake_by_ref();
                break;
            }
            let may_read = is_held && !self.queue.is_crowded();
            if rests && !may_read && !self.again && !self.is_killed() {
                break;
            }
        }
        if !matches!(self.phase, Phase::Draining)
            && let Poll::Ready(Err(error)) = Pin::new(&mut self.transport).poll_flush(cx)
        {
            tracing::debug!(%error, "cannot write");
            return Poll::Ready(Err(Ended));
        }
        Poll::Pending
    }

    /// Looks at the clock, whether the session was killed, and whether the router closes.
    fn poll_signals(&mut self, cx: &mut Context<'_>) -> Progress {
        if self.is_killed() {
            self.shared.counters.killed.up();
            tracing::debug!("the session was killed");
            self.leave();
        }
        if let Some(closing) = &mut self.closing
            && Pin::new(closing).poll(cx).is_ready()
        {
            self.closing = None;
            self.close();
        }
        if let Some(deadline) = &mut self.deadline
            && deadline.as_mut().poll(cx).is_ready()
        {
            self.deadline = None;
            match &self.phase {
                Phase::Opening(..) => {
                    self.shared.counters.refused.up();
                    let explanation = "the session was not established in time";
                    self.queue.push(abort(reason::TIMEOUT, explanation));
                    self.end();
                }
                Phase::Leaving => self.end(),
                Phase::Joined(_) => {}
                Phase::Closing | Phase::Draining => return Err(Ended),
            }
        }
        Ok(())
    }

    fn is_killed(&self) -> bool {
        matches!(self.phase, Phase::Joined(_)) && self.queue.is_finished()
    }

    /// Looks after the client when it is time to, having read what it sent until now.
    fn watch(&mut self) -> Progress {
        let Some(watch) = &mut self.watch else {
            return Ok(());
        };
        if self.deadline.is_some() || !matches!(self.phase, Phase::Joined(_)) {
            return Ok(());
        }
        match watch.look(&mut self.transport, self.queue.is_crowded()) {
            Ok(Some(next)) => {
                self.deadline = Some(Box::pin(sleep_until(next)));
                self.again = true;
            }
            Ok(None) => self.watch = None,
            Err(silent_for) => {
                self.shared.counters.unresponsive.up();
                tracing::debug!(?silent_for, "the client does not answer");
                return Err(Ended);
            }
        }
        Ok(())
    }

    /// The router closes.
    fn close(&mut self) {
        match &self.phase {
            Phase::Opening(..) => {
                let explanation = "the router shuts down";
                self.queue.push(abort(reason::SYSTEM_SHUTDOWN, explanation));
                self.end();
            }
            Phase::Joined(_) => {
                self.leave();
                self.queue.push(goodbye(reason::SYSTEM_SHUTDOWN));
            }
            Phase::Leaving | Phase::Closing | Phase::Draining => {}
        }
    }

    /// The session leaves its realm; the client has some time to answer the GOODBYE.
    fn leave(&mut self) {
        self.phase = Phase::Leaving;
        self.set_deadline(self.shared.limits.goodbye);
    }

    /// The session is over: it leaves its realm, what is queued is sent, the transport is closed.
    fn end(&mut self) {
        self.phase = Phase::Closing;
        self.set_deadline(self.shared.limits.goodbye.min(LONGEST_CLOSING));
    }

    fn set_deadline(&mut self, after: Duration) {
        self.deadline = Some(Box::pin(sleep(after)));
        self.again = true;
    }
}

impl<T: Transport> Future for Connection<T> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let connection = self.get_mut();
        // Joining, leaving and being cut off happen within the span too.
        let span = connection.span.clone();
        let _entered = span.enter();
        connection.poll_connection(cx).map(|_ended| ())
    }
}

impl<T> fmt::Debug for Connection<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}

fn goodbye(reason: &'static str) -> Goodbye {
    Goodbye {
        details: GoodbyeDetails::new(),
        reason: static_uri(reason),
    }
}

/// The most frames read before other tasks get a turn.
const READS: usize = 64;

/// The most frames written before other tasks get a turn.
const WRITES: usize = 128;

/// How long a connection may take to send what is queued and to be closed by the client.
const LONGEST_CLOSING: Duration = Duration::from_secs(2);
