//! The protocol of a peer, without IO.

mod core;
mod judge;
mod probing;
#[cfg(test)]
mod tests;

use std::{collections::VecDeque, error::Error, ops::ControlFlow, sync::Arc, time::Instant};

use bytes::Bytes;
use spell_message::{
    Format, Message, RequestIds, RoleFeatures, Uri, message::ErrorMessage, options::ErrorDetails,
    reason,
};
use spell_serializer::{AnySerializer, DecodeError, payload};
use spell_transport::{LifeSign, Pings};
use tracing::Span;
#[cfg(feature = "driver")]
use tracing::{field::Empty, info_span};

pub(crate) use self::core::{Core, Draining};
use self::probing::Probing;

#[cfg(feature = "metrics")]
use crate::recording::Recording;
use crate::{
    CloseReason, Context, Drain, InitError, PeerConfig, PeerEvent, Role, RoundTripTime, SessionEnd,
    SessionInfo, Statistics, Task, event::EventQueue, outbox::Outbox,
};

/// The protocol of one peer, without IO and without a clock: frames, commands and the time go in,
/// frames, tasks and a deadline come out.
///
/// The driver of this crate runs it on tokio; under another runtime, or in a test, call it by hand:
/// whatever changes it is a plain method call.
///
/// ```
/// use std::{ops::ControlFlow, time::Instant};
/// use spell_message::Message;
/// use spell_peer::{Commands, Context, Engine, PeerConfig, Role};
/// use spell_serializer::{AnySerializer, Json};
///
/// /// Says something as soon as it can.
/// #[derive(Debug)]
/// struct Greeter(Option<Message>);
///
/// impl Role for Greeter {
///     type Command = std::convert::Infallible;
///     type Handle = ();
///     fn handle(_: Commands<Self::Command>) {}
///     fn on_open(&mut self, cx: &mut Context<'_, Self::Command>) {
///         let sent = self.0.take().map(|message| cx.send(message));
///         assert!(sent.is_none_or(|sent| sent.is_ok()));
///     }
///     fn handle_call(&mut self, command: Self::Command, _: &mut Context<'_, Self::Command>) {
///         match command {}
///     }
/// }
///
/// let hello = spell_message::message::Unknown { code: 999, fields: vec![1.into()] };
/// let mut engine = Engine::new(Greeter(Some(hello.into())), PeerConfig::default())?;
/// engine.open(AnySerializer::from(Json::default()), None, Instant::now());
/// assert_eq!(engine.poll_transmit().as_deref(), Some(&b"[999,1]"[..]));
/// # Ok::<(), spell_peer::InitError>(())
/// ```
#[derive(Debug)]
pub struct Engine<R: Role> {
    roles: R,
    core: Core,
    tasks: VecDeque<Task<R::Command>>,
    #[cfg(feature = "metrics")]
    recording: Recording,
}

impl<R: Role> Engine<R> {
    /// Wrap the roles of a peer.
    pub fn new(mut roles: R, config: PeerConfig) -> Result<Self, InitError> {
        roles.init(&config)?;
        let mut announced = RoleFeatures::new();
        roles.features(&mut announced);
        announced.merge(&config.features);
        #[cfg(feature = "metrics")]
        let recording = Recording::new(roles.realm().map_or("", Uri::as_str));
        Ok(Self {
            roles,
            core: Core {
                outbox: Outbox::default(),
                announced,
                session: None,
                joining: None,
                closed: None,
                finishing: None,
                drain: None,
                last_end: None,
                probing: Probing::default(),
                endpoint: None,
                reports: EventQueue::default(),
                span: Span::none(),
                counters: Arc::default(),
                now: Instant::now(),
                config,
            },
            tasks: VecDeque::new(),
            #[cfg(feature = "metrics")]
            recording,
        })
    }

    /// The settings of the peer.
    pub fn config(&self) -> &PeerConfig {
        &self.core.config
    }

    /// The transport opened: a new session begins, with request ids from 1 and nothing queued.
    ///
    /// `serializer` is what was negotiated, `max_send` the largest message the other side takes.
    pub fn open(&mut self, serializer: AnySerializer, max_send: Option<usize>, now: Instant) {
        self.open_at(serializer, max_send, RequestIds::default(), now);
    }

    /// As [`open`](Self::open), with a request id to begin at: to test what happens where ids wrap.
    pub fn open_at(
        &mut self,
        serializer: AnySerializer,
        max_send: Option<usize>,
        ids: RequestIds,
        now: Instant,
    ) {
        self.core.now = now;
        self.core.closed = None;
        self.core.finishing = None;
        self.core.drain = None;
        self.core.session = None;
        self.core.joining = None;
        self.core.probing = Probing::default();
        self.tasks.clear();
        let max_send = max_send.unwrap_or(usize::MAX);
        self.core.outbox.open(serializer, max_send, ids);
        self.with_roles(R::on_open);
    }

    /// Watch over the connection that [`open`](Self::open) was told of, as
    /// [`PeerConfig::keep_alive`] says; call it right after that. From then on, tell what the
    /// transport hears by [`handle_life_sign`](Self::handle_life_sign), and send the pings of
    /// [`poll_ping`](Self::poll_ping). `pings` is what the transport can do.
    pub fn watch(&mut self, pings: Pings) {
        self.core.probing = Probing::open(Some(pings));
    }

    /// The transport heard something, be it no whole frame.
    pub fn handle_life_sign(&mut self, sign: LifeSign, now: Instant) {
        self.core.probing.life_sign(sign, now);
    }

    /// The number of the ping that the transport is to send.
    pub fn poll_ping(&mut self) -> Option<u64> {
        self.core.probing.take_ping()
    }

    /// How far away the router is; `None` until that was measured in the session under way.
    pub fn round_trip_time(&self) -> Option<RoundTripTime> {
        self.core.probing.round_trip()
    }

    /// Where the transport leads to: what sessions tell as their
    /// [endpoint](SessionInfo::endpoint) from now on.
    pub fn set_endpoint(&mut self, endpoint: impl Into<Arc<str>>) {
        let endpoint = endpoint.into();
        self.core.span.record("endpoint", &*endpoint);
        self.core.endpoint = Some(endpoint);
    }

    /// A frame came from the wire. One that does not decode violates the protocol, but for an ERROR
    /// whose URI alone is malformed: its request failed all the same, so it reaches the roles as
    /// `wamp.error.invalid_uri`, what was wrong being its only argument.
    pub fn handle_frame(&mut self, frame: &Bytes, now: Instant) {
        let Some(serializer) = self.core.outbox.serializer() else {
            return;
        };
        self.core.probing.heard(now);
        let message = match serializer.decode(frame) {
            Ok(message) => message,
            Err(error) => match failure(&error, serializer.format()) {
                Some(failure) if self.core.session.is_some() => failure.into(),
                _ => {
                    self.core.counters.received(None, frame.len());
                    self.core.now = now;
                    return self.core.violation(error.into());
                }
            },
        };
        self.core.counters.received(message.kind(), frame.len());
        self.handle_message(message, now);
    }

    /// A message came from the wire.
    pub fn handle_message(&mut self, message: Message, now: Instant) {
        self.core.now = now;
        if self.core.closed.is_some() || self.core.probing.claims(&message, now) {
            return;
        }
        // A message is large, and each closure that captures it would move it.
        let mut cx = Context::new(&mut self.core, &mut self.tasks);
        self.roles.observe(&message, &mut cx);
        let unclaimed = if self.roles.reads(message.kind()) {
            self.roles.on_message(message, &mut cx)
        } else {
            ControlFlow::Continue(message)
        };
        self.settle();
        if let ControlFlow::Continue(message) = unclaimed {
            self.core.judge(&message);
        }
    }

    /// A handle sent a command, or a task gave one.
    pub fn handle_command(&mut self, command: R::Command, now: Instant) {
        self.core.now = now;
        self.with_roles(|roles, cx| roles.handle_call(command, cx));
    }

    /// Time passed: call this when [`poll_timeout`](Self::poll_timeout) says so.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.core.now = now;
        if self
            .roles
            .deadline()
            .is_some_and(|deadline| deadline <= now)
        {
            self.with_roles(R::on_deadline);
        }
        if self.pauses_reading() {
            // What is not read says nothing of who sends it.
            self.core.probing.heard(now);
        }
        self.core.probe();
    }

    /// The peer is to end: the roles say their farewell, and the engine is closed.
    pub fn stop(&mut self, now: Instant) {
        self.core.now = now;
        if self.core.outbox.is_open() && self.core.closed.is_none() {
            self.with_roles(R::on_stop);
        }
        self.core.close(CloseReason::Stopped);
    }

    /// The session is over: every role fails what is pending. What the roles sent last stays for
    /// [`poll_transmit`](Self::poll_transmit).
    ///
    /// `reason` counts unless a role gave one before, by [`Context::finish`] or
    /// [`Context::close`].
    pub fn close(&mut self, reason: CloseReason) -> CloseReason {
        if !self.core.outbox.is_open() {
            // A failed dial: the reason of the session before is not its reason.
            self.core.closed = None;
        }
        self.core.close(reason);
        if self.core.drain.take().is_some() {
            // It was about to leave.
            self.core.finishing.get_or_insert(CloseReason::Left);
        }
        let core = &self.core;
        let told = core.finishing.as_ref().or(core.closed.as_ref());
        let reason = told.cloned().unwrap_or(CloseReason::Disconnected);
        if self.core.session.take().is_some() {
            self.core.counters.ended(&reason);
        }
        self.core.last_end = Some(reason.clone());
        self.core.probing.end();
        self.tasks.clear();
        let last_sent = self.core.last_sent();
        self.roles
            .on_close(&SessionEnd::new(reason.clone(), last_sent, self.core.now));
        self.measure();
        reason
    }

    /// The transport is gone: nothing more can be sent.
    pub fn disconnect(&mut self) {
        self.core.outbox.close();
        self.measure();
    }

    /// The next frame to put on the wire.
    pub fn poll_transmit(&mut self) -> Option<Bytes> {
        while self.core.outbox.is_empty() && self.is_restoring() {
            self.with_roles(|roles, cx| {
                if roles.is_restoring() {
                    roles.restore(cx);
                } else {
                    roles.resume(cx);
                }
            });
        }
        let (kind, frame) = self.core.outbox.pop()?;
        self.core.counters.sent(kind, frame.len());
        Some(frame)
    }

    /// Whether the roles have yet to ask the session for what is wanted of every session, or to make
    /// requests that waited for one; they do as [`poll_transmit`](Self::poll_transmit) takes what
    /// they sent. Until then commands are to wait,
    /// and the user should not be told of the session.
    pub fn is_restoring(&self) -> bool {
        let has_more = |roles: &R| roles.is_restoring() || roles.is_resuming();
        self.core.session.is_some() && !self.core.is_ending() && has_more(&self.roles)
    }

    /// Whether no frames are to be handed in for now: someone here is too slow for them, and wishes
    /// that the router waits.
    pub fn pauses_reading(&self) -> bool {
        self.core.session.is_some() && self.core.closed.is_none() && self.roles.pauses_reading()
    }

    /// The next task to run beside the driver; its output goes to
    /// [`handle_command`](Self::handle_command).
    pub fn poll_task(&mut self) -> Option<Task<R::Command>> {
        self.tasks.pop_front()
    }

    /// The next thing that a role [reported](Context::report). Of more than 64 that nobody fetches
    /// the oldest are lost, and counted.
    pub fn poll_event(&mut self) -> Option<PeerEvent> {
        self.core.reports.pop()
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let roles = self.roles.deadline();
        let probing = self.core.probing.deadline();
        roles.into_iter().chain(probing).min()
    }

    /// How many bytes wait for the wire.
    pub fn queued(&self) -> usize {
        self.core.outbox.queued()
    }

    /// Whether nothing waits for the wire.
    pub fn is_drained(&self) -> bool {
        self.core.outbox.is_empty() && !self.is_restoring()
    }

    /// What this peer counted, and what waits.
    pub fn statistics(&self) -> Statistics {
        let counters = &self.core.counters;
        counters.waiting(self.roles.pending(), self.queued());
        counters.read()
    }

    /// Take down what waits, for those who read the counters elsewhere.
    #[cfg_attr(
        not(feature = "metrics"),
        expect(
            clippy::needless_pass_by_ref_mut,
            reason = "to record changes something"
        )
    )]
    pub(crate) fn measure(&mut self) {
        let counters = &self.core.counters;
        counters.waiting(self.roles.pending(), self.queued());
        #[cfg(feature = "metrics")]
        self.recording
            .record(&counters.read(), self.core.session.is_some());
    }

    /// The span of the next session, which is that of each of its messages, too.
    #[cfg(feature = "driver")]
    pub(crate) fn new_span(&mut self) -> Span {
        let realm = self.roles.realm().map(Uri::as_str);
        let span = info_span!("session", realm, session = Empty, endpoint = Empty);
        self.core.span = span.clone();
        span
    }

    #[cfg(feature = "driver")]
    pub(crate) fn counters(&self) -> &Arc<crate::counters::Counters> {
        &self.core.counters
    }

    /// Why the session ended, once a role or the engine ended it.
    pub fn closed(&self) -> Option<&CloseReason> {
        self.core.closed.as_ref()
    }

    /// Why no session may follow, once a role [finished](Context::finish) the peer.
    pub fn finishing(&self) -> Option<&CloseReason> {
        self.core.finishing.as_ref()
    }

    /// The session that is joined.
    pub fn session(&self) -> Option<&Arc<SessionInfo>> {
        self.core.session.as_ref()
    }

    /// Call the roles.
    fn with_roles<T>(&mut self, call: impl FnOnce(&mut R, &mut Context<'_, R::Command>) -> T) -> T {
        let output = call(
            &mut self.roles,
            &mut Context::new(&mut self.core, &mut self.tasks),
        );
        self.settle();
        output
    }

    /// After a call of the roles: tell them of a session that was established meanwhile.
    fn settle(&mut self) {
        let Self {
            roles, core, tasks, ..
        } = self;
        if let Some(session) = core.joining.take() {
            core.session = Some(session.clone());
            core.begin_probing(&session);
            core.counters.joined();
            core.outbox.joined();
            core.joined(&session);
            roles.on_join(&session, &mut Context::new(core, tasks));
        }
        if core.drain.is_some() && !core.is_ending() {
            drain(roles, core, tasks);
        }
        if core.outbox.backlog() > core.config.outbox_hard_limit {
            core.close(CloseReason::Overflow);
        }
    }
}

/// Tell the roles how far the peer is that leaves once they are drained.
fn drain<R: Role>(roles: &mut R, core: &mut Core, tasks: &mut VecDeque<Task<R::Command>>) {
    let mut tell = |step, core: &mut Core| roles.on_drain(step, &mut Context::new(core, tasks));
    match core.drain {
        Some(Draining::Asked) => {
            core.drain = Some(Draining::UnderWay);
            tell(Drain::Begin, core);
        }
        Some(Draining::Overdue) => tell(Drain::Overdue, core),
        _ => {}
    }
    let is_overdue = matches!(core.drain, Some(Draining::Overdue));
    if is_overdue || roles.is_drained() {
        core.drain = None;
        roles.on_drain(Drain::Done, &mut Context::new(core, tasks));
    }
}

/// The failure that an ERROR tells of though its URI is malformed.
fn failure(error: &DecodeError, format: Format) -> Option<ErrorMessage> {
    let (request_kind, request) = error.failed()?;
    let text = match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    };
    Some(ErrorMessage {
        request_kind,
        request,
        details: ErrorDetails::new(),
        error: Uri::new(reason::INVALID_URI).ok()?,
        payload: payload::encode(format, &(text,), None::<&()>).unwrap_or_default(),
    })
}
