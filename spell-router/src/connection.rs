//! Drives one connection: the only place where messages meet IO.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use spell_message::{
    Message, Payload, RequestId,
    message::{ErrorMessage, Goodbye, RequestKind},
    options::{ErrorDetails, GoodbyeDetails},
    reason,
};
use spell_serializer::{AnySerializer, DecodeError, payload::transcode};
use spell_transport::{Transport, TransportError};
use tokio::time::{Sleep, sleep, sleep_until};

use crate::{
    carrier::{Line, Undeliverable},
    closing::Closing,
    error::{Violation, describe},
    fan_out::FanOut,
    outbound::{Outbound, Outgoing},
    realm::{Flow, abort, refusal, static_uri},
    session::{Handshake, Step},
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
    closing: Option<Closing>,
    /// Whether the client will send nothing more.
    read_ended: bool,
    buffer: BytesMut,
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
            closing: Some(Closing::new(&shared.closing)),
            read_ended: false,
            buffer: BytesMut::new(),
            span,
            shared,
        })
    }

    fn poll_connection(&mut self, cx: &mut Context<'_>) -> Poll<Progress> {
        let (mut reads, mut writes) = (READS, WRITES);
        loop {
            let mut progress = self.poll_signals(cx)?;
            while reads > 0 && !self.read_ended && !self.queue.is_crowded() {
                let Poll::Ready(frame) = Pin::new(&mut self.transport).poll_next(cx) else {
                    break;
                };
                reads = reads.saturating_sub(1);
                progress = true;
                self.receive(frame)?;
            }
            self.watch()?;
            progress |= self.poll_write(&mut writes, cx)?;
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
            if !progress {
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
    fn poll_signals(&mut self, cx: &mut Context<'_>) -> Result<bool, Ended> {
        let mut progress = false;
        if matches!(self.phase, Phase::Joined(_)) && self.queue.is_finished() {
            self.shared.counters.killed.up();
            tracing::debug!("the session was killed");
            self.leave();
            progress = true;
        }
        if let Some(closing) = &mut self.closing
            && closing.poll(cx).is_ready()
        {
            self.closing = None;
            self.close();
            progress = true;
        }
        if let Some(deadline) = &mut self.deadline
            && deadline.as_mut().poll(cx).is_ready()
        {
            self.deadline = None;
            progress = true;
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
        Ok(progress)
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
            Ok(Some(again)) => self.deadline = Some(Box::pin(sleep_until(again))),
            Ok(None) => self.watch = None,
            Err(silent_for) => {
                self.shared.counters.unresponsive.up();
                tracing::debug!(?silent_for, "the client does not answer");
                return Err(Ended);
            }
        }
        Ok(())
    }

    /// Writes what is queued, as far as the transport takes it.
    fn poll_write(&mut self, budget: &mut usize, cx: &mut Context<'_>) -> Result<bool, Ended> {
        let mut progress = false;
        while *budget > 0 && !self.queue.is_empty(cx.waker()) {
            let transport = Pin::new(&mut self.transport);
            match transport.poll_ready(cx) {
                Poll::Pending => return Ok(progress),
                // The transport may have told the client itself what it did wrong.
                Poll::Ready(Err(_)) if matches!(self.phase, Phase::Closing) => break,
                Poll::Ready(Err(_)) => return Err(Ended),
                Poll::Ready(Ok(())) => {}
            }
            let Some(message) = self.queue.pop() else {
                break;
            };
            *budget = budget.saturating_sub(1);
            progress = true;
            self.send(message)?;
        }
        if *budget > 0 && matches!(self.phase, Phase::Closing) {
            match Pin::new(&mut self.transport).poll_close(cx) {
                Poll::Pending => {}
                Poll::Ready(Err(_)) => return Err(Ended),
                Poll::Ready(Ok(())) => {
                    if self.read_ended {
                        return Err(Ended);
                    }
                    self.phase = Phase::Draining;
                    progress = true;
                }
            }
        }
        Ok(progress)
    }

    fn send(&mut self, outgoing: Outgoing) -> Progress {
        let (mut message, fan_out) = outgoing.into_parts();
        let frame = match self.encode(&mut message, fan_out.as_ref()) {
            Ok(frame) => frame,
            Err(why) => return self.undelivered(message, why),
        };
        match Pin::new(&mut self.transport).start_send(frame) {
            Ok(()) => Ok(()),
            Err(TransportError::TooLarge { .. }) => {
                self.undelivered(message, Undeliverable::TooLarge)
            }
            Err(TransportError::NotText) => {
                self.undelivered(message, Undeliverable::NotExpressible)
            }
            Err(error) => {
                tracing::debug!(%error, "cannot write");
                Err(Ended)
            }
        }
    }

    fn encode(
        &mut self,
        message: &mut Message,
        fan_out: Option<&Arc<FanOut>>,
    ) -> Result<Bytes, Undeliverable> {
        let serialization = self.serializer.serialization();
        if let (Message::Event(event), Some(fan_out)) = (&*message, fan_out)
            && let Some(frame) = fan_out.frame(event, serialization)
        {
            return self.check_size(frame);
        }
        let format = self.serializer.format();
        if let Some(payload) = message.payload_mut()
            && payload.format().is_some_and(|found| found != format)
        {
            let transcoded = match fan_out {
                Some(fan_out) => fan_out.transcode(payload, format),
                None => transcode(payload, format).ok(),
            };
            *payload = transcoded.ok_or(Undeliverable::NotExpressible)?;
        }
        if self.serializer.encode(message, &mut self.buffer).is_err() {
            self.buffer.clear();
            return Err(Undeliverable::NotExpressible);
        }
        let frame = self.buffer.split().freeze();
        if let (Message::Event(event), Some(fan_out)) = (&*message, fan_out)
            // Someone else is still to get it.
            && Arc::strong_count(fan_out) > 1
        {
            fan_out.keep(event, serialization, frame.clone());
        }
        self.check_size(frame)
    }

    fn check_size(&self, frame: Bytes) -> Result<Bytes, Undeliverable> {
        if self.max_send.is_some_and(|limit| frame.len() > limit) {
            return Err(Undeliverable::TooLarge);
        }
        Ok(frame)
    }

    /// A message cannot be sent to this client: whoever waits for it learns so.
    fn undelivered(&self, message: Message, why: Undeliverable) -> Progress {
        tracing::debug!(message = message.name(), ?why, "message not delivered");
        match message {
            Message::Event(_) => self.shared.counters.events_dropped.up(),
            Message::Invocation(message) => {
                if let Phase::Joined(membership) = &self.phase {
                    membership.undelivered(message.request, why);
                }
            }
            Message::Result(message) if message.details.progress() == Some(true) => {
                self.undelivered_progress(message.request, why);
            }
            Message::Result(message) => {
                let kind = RequestKind::Call;
                let explanation = Some(why.explanation());
                let error = refusal(kind, message.request, why.reason(), explanation);
                self.queue.push(error);
            }
            // The URI says most of it. That, and the details, are the callee's choice, so none of
            // them must cost the caller the session.
            Message::Error(message) if !message.details.is_empty() => {
                self.queue.push(ErrorMessage {
                    details: ErrorDetails::default(),
                    ..message
                });
            }
            Message::Error(message) if !message.payload.is_absent() => {
                self.queue.push(ErrorMessage {
                    payload: Payload::default(),
                    ..message
                });
            }
            Message::Error(message) if message.error != *why.reason() => {
                let (kind, request) = (message.request_kind, message.request);
                let explanation = Some(why.explanation());
                self.queue
                    .push(refusal(kind, request, why.reason(), explanation));
            }
            // Without these there is no session.
            _ => return Err(Ended),
        }
        Ok(())
    }

    /// A caller that cannot get a part of a result gets an error in place of what follows.
    fn undelivered_progress(&self, call: RequestId, why: Undeliverable) {
        if let Phase::Joined(membership) = &self.phase {
            membership.undelivered_progress(call, why);
            // Its last answer is in the queue: that, or the one it had already.
            if self.queue.withdraw(call) {
                let kind = RequestKind::Call;
                let explanation = Some(why.explanation());
                let error = refusal(kind, call, why.reason(), explanation);
                self.queue.push(error);
            }
        }
    }

    fn receive(&mut self, frame: Option<Result<Bytes, TransportError>>) -> Progress {
        let frame = match frame {
            Some(Ok(frame)) => frame,
            Some(Err(error)) => return self.broken(&error),
            // What is queued may still be read.
            None if matches!(self.phase, Phase::Closing) => {
                self.read_ended = true;
                return Ok(());
            }
            None => return Err(Ended),
        };
        if matches!(self.phase, Phase::Closing | Phase::Draining) {
            return Ok(());
        }
        if matches!(self.phase, Phase::Opening(..)) && frame.len() > LARGEST_OPENING {
            self.violated(Violation::LargeOpening {
                size: frame.len(),
                limit: LARGEST_OPENING,
            });
            return Ok(());
        }
        match self.serializer.decode(&frame) {
            Ok(message) => self.handle(message),
            Err(error) => self.undecodable(&error),
        }
        Ok(())
    }

    /// The transport failed. Where that is the client's fault, it may still be told.
    fn broken(&mut self, error: &TransportError) -> Progress {
        tracing::debug!(%error, "the transport failed");
        let misbehaved = match error {
            TransportError::Oversized { .. } => error.to_string(),
            TransportError::Protocol(detail) => detail.to_string(),
            _ => return Err(Ended),
        };
        self.read_ended = true;
        match self.phase {
            Phase::Opening(..) | Phase::Joined(_) => {
                self.violated(Violation::Transport(misbehaved));
            }
            // Nothing follows GOODBYE.
            Phase::Leaving => self.end(),
            Phase::Closing => {}
            Phase::Draining => return Err(Ended),
        }
        Ok(())
    }

    fn handle(&mut self, message: Message) {
        match &mut self.phase {
            Phase::Opening(handshake, _) => {
                let step = handshake.handle(message, |realm| self.shared.access(realm));
                self.advance(step);
            }
            Phase::Joined(membership) => match message {
                Message::Goodbye(_) => {
                    // Leave first, so that nothing follows the answer. If the session was killed at
                    // the same time, each GOODBYE is the answer to the other.
                    self.end();
                    self.queue.push(goodbye(reason::GOODBYE_AND_OUT));
                }
                Message::Abort(message) => {
                    tracing::debug!(reason = ?message.reason.as_str(), "the client aborted the session");
                    self.end();
                }
                message => {
                    let flow = membership.handle(message);
                    self.follow(flow);
                }
            },
            Phase::Leaving => {
                // WAMP spec, "Session Closing": anything but the answer is ignored.
                if matches!(message, Message::Goodbye(_) | Message::Abort(_)) {
                    self.end();
                }
            }
            Phase::Closing | Phase::Draining => {}
        }
    }

    fn advance(&mut self, step: Step) {
        match step {
            Step::Challenge(challenge) => self.queue.push(challenge),
            Step::Admit(admission) => {
                let phase = std::mem::replace(&mut self.phase, Phase::Closing);
                if let Phase::Opening(_, reserved) = phase {
                    let line = Line::new(self.serializer.clone(), self.max_send);
                    let membership = self.shared.join(reserved, admission, &self.queue, line);
                    self.phase = Phase::Joined(membership);
                    self.deadline = None;
                    self.watch = Watch::begin(self.shared.limits.keep_alive, &self.transport);
                }
            }
            Step::Refuse(abort) => {
                tracing::debug!(reason = abort.reason.as_str(), "session refused");
                self.shared.counters.refused.up();
                self.queue.push(abort);
                self.end();
            }
            Step::Close => {
                self.shared.counters.refused.up();
                self.end();
            }
        }
    }

    fn undecodable(&mut self, error: &DecodeError) {
        if let (Phase::Joined(membership), DecodeError::Uri { source, .. }) = (&self.phase, error)
            && let Some(request) = error.request()
        {
            let answer = match error.failed() {
                None => error.reply().map(|(kind, _)| kind),
                // Only callees send ERROR; its request is an invocation.
                Some((RequestKind::Invocation, _)) => Some(RequestKind::Invocation),
                Some((kind, _)) => return self.violated(Violation::ErrorFor(kind)),
            };
            let flow = membership.refuse_uri(answer, request, &source.to_string());
            self.follow(flow);
        } else if matches!(self.phase, Phase::Opening(..)) && error.is_invalid_uri() {
            self.shared.counters.refused.up();
            self.queue
                .push(abort(reason::INVALID_URI, error.to_string()));
            self.end();
        } else if !matches!(self.phase, Phase::Leaving) {
            self.violated(Violation::Undecodable(describe(error)));
        }
    }

    fn violated(&mut self, violation: Violation) {
        if let Phase::Joined(membership) = &self.phase {
            self.shared.counters.violations.up();
            membership.violated(violation);
        } else {
            self.shared.counters.refused.up();
            self.queue.push(violation.abort());
        }
        self.end();
    }

    fn follow(&mut self, flow: Flow) {
        if flow == Flow::Closed {
            self.shared.counters.violations.up();
            self.end();
        }
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

/// The largest frame to look at before the session is established, in bytes: who has proven nothing
/// yet must not make the router work much.
const LARGEST_OPENING: usize = 64 << 10;

/// The most frames read before other tasks get a turn.
const READS: usize = 64;

/// The most frames written before other tasks get a turn.
const WRITES: usize = 128;

/// How long a connection may take to send what is queued and to be closed by the client.
const LONGEST_CLOSING: Duration = Duration::from_secs(2);
