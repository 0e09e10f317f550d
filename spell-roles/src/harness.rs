//! Runs one role by plain calls: no runtime's task, no transport, no router.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context as TaskContext, Poll, Waker},
    time::{Duration, Instant},
};

use bytes::Bytes;
use spell_message::{Feature, RoleFeatures, RoleName, SessionId, Uri, options::WelcomeDetails};
use spell_peer::{
    CloseReason, Commands, Context, Engine, Inbox, PeerConfig, PeerEvent, Role, SessionInfo,
    Statistics,
};
use spell_serializer::{AnySerializer, Json};

type Command<T> = <(Joined, T) as Role>::Command;

/// A peer with the role `T` that is joined to a router which the test plays, in JSON.
pub(crate) struct Harness<T: Role> {
    engine: Engine<(Joined, T)>,
    inbox: Inbox<Command<T>>,
    roles: Arc<Mutex<RoleFeatures>>,
    is_ending: Arc<AtomicBool>,
    now: Instant,
    pub(crate) handle: T::Handle,
}

impl<T: Role> Harness<T> {
    /// The router announces these features of a broker and of a dealer.
    pub(crate) fn joined(role: T, features: &[Feature]) -> Self {
        let mut harness = Self::unjoined(role, features);
        harness.open(None);
        harness
    }

    /// The router announces that it is a broker, and nothing else.
    pub(crate) fn without_dealer(role: T) -> Self {
        let mut roles = RoleFeatures::new();
        roles.add(RoleName::Broker, []);
        Self::joined_to(role, roles)
    }

    /// The router announces these roles.
    pub(crate) fn joined_to(role: T, roles: RoleFeatures) -> Self {
        let mut harness = Self::new(role, roles);
        harness.open(None);
        harness
    }

    /// There is no session yet.
    pub(crate) fn unjoined(role: T, features: &[Feature]) -> Self {
        Self::new(role, broker_and_dealer(features))
    }

    fn new(role: T, roles: RoleFeatures) -> Self {
        let mut config = PeerConfig::default();
        config.serializers = vec![AnySerializer::from(Json::default())];
        let (commands, inbox) = Commands::channel(&config);
        let ((), handle) = <(Joined, T)>::handle(commands);
        let is_ending = Arc::new(AtomicBool::new(false));
        let roles = Arc::new(Mutex::new(roles));
        let joined = Joined {
            roles: roles.clone(),
            is_ending: is_ending.clone(),
        };
        let engine = Engine::new((joined, role), config).unwrap();
        Self {
            engine,
            inbox,
            roles,
            is_ending,
            now: Instant::now(),
            handle,
        }
    }

    /// The router announces these features, of a broker and of a dealer, in the next session.
    pub(crate) fn announce(&self, features: &[Feature]) {
        *self.roles.lock().unwrap() = broker_and_dealer(features);
    }

    /// A session begins; the router takes messages up to this size.
    pub(crate) fn open(&mut self, max_send: Option<usize>) {
        let name = self.inbox.wire().offers().remove(0);
        let serializer = self.inbox.wire().negotiated(name, max_send).unwrap();
        self.engine.open(serializer, max_send, self.now);
    }

    /// Let handles see that the session is joined, as the driver does; without this they wait until
    /// what they ask for is committed.
    pub(crate) fn tell_joined(&self) {
        self.inbox.wire().joined(self.engine.session().unwrap());
    }

    /// What the peer counted.
    pub(crate) fn statistics(&self) -> Statistics {
        self.engine.statistics()
    }

    /// A session begins that is ending already when the role hears of it.
    pub(crate) fn open_ending(&mut self) {
        self.is_ending.store(true, Ordering::Relaxed);
        self.open(None);
        self.is_ending.store(false, Ordering::Relaxed);
    }

    /// Let the role handle what its handles asked for, and give what it sent.
    pub(crate) fn sent(&mut self) -> Vec<String> {
        let mut sent = Vec::new();
        if self.engine.is_restoring() {
            sent = self.transmitted();
        }
        self.handle_commands();
        sent.extend(self.transmitted());
        sent
    }

    /// What the role sent so far.
    pub(crate) fn transmitted(&mut self) -> Vec<String> {
        let frames = std::iter::from_fn(|| self.engine.poll_transmit());
        frames
            .map(|frame| String::from_utf8(frame.to_vec()).unwrap())
            .collect()
    }

    /// The transport takes so many frames, and what its handles asked for reaches the role if that
    /// leaves nothing to be restored.
    pub(crate) fn sent_up_to(&mut self, count: usize) -> Vec<String> {
        if !self.engine.is_restoring() {
            self.handle_commands();
        }
        let frames = std::iter::from_fn(|| self.engine.poll_transmit()).take(count);
        frames
            .map(|frame| String::from_utf8(frame.to_vec()).unwrap())
            .collect()
    }

    /// Let the role handle what its handles asked for, and leave what it sent in the outbox.
    pub(crate) fn handle_commands(&mut self) {
        while let Some(command) = self.inbox.try_next() {
            self.engine.handle_command(command, self.now);
        }
    }

    /// The router sends a frame.
    pub(crate) fn receive(&mut self, frame: &str) {
        let frame = Bytes::copy_from_slice(frame.as_bytes());
        self.engine.handle_frame(&frame, self.now);
        let closed = self.engine.closed();
        assert!(closed.is_none(), "{frame:?} ended the session: {closed:?}");
    }

    /// How many bytes wait for the transport.
    pub(crate) fn queued(&self) -> usize {
        self.engine.queued()
    }

    /// Whether the role wishes that nothing more is received for now.
    pub(crate) fn pauses_reading(&self) -> bool {
        self.engine.pauses_reading()
    }

    /// What the role reported since it was asked the last time.
    pub(crate) fn reported(&mut self) -> Vec<PeerEvent> {
        std::iter::from_fn(|| self.engine.poll_event()).collect()
    }

    /// Time passes.
    pub(crate) fn advance(&mut self, by: Duration) {
        self.now += by;
        self.engine.handle_timeout(self.now);
    }

    /// How long until the role is to be told of the time; `None` if it waits for nothing.
    pub(crate) fn time_left(&self) -> Option<Duration> {
        let deadline = self.engine.poll_timeout()?;
        Some(deadline.saturating_duration_since(self.now))
    }

    /// The router sends what is no message: the session is ending.
    pub(crate) fn receive_garbage(&mut self) -> CloseReason {
        let frame = Bytes::from_static(b"[");
        self.engine.handle_frame(&frame, self.now);
        self.engine.closed().unwrap().clone()
    }

    /// The connection is lost.
    pub(crate) fn lose(&mut self) {
        self.inbox.wire().ended();
        self.engine.close(CloseReason::Disconnected);
        self.engine.disconnect();
    }

    /// Let go of the handle; gives whether nothing else keeps the peer alive.
    pub(crate) fn abandon(self) -> bool {
        let Self {
            mut engine,
            mut inbox,
            handle,
            now,
            ..
        } = self;
        drop(handle);
        let mut cx = TaskContext::from_waker(Waker::noop());
        loop {
            match inbox.poll_next(&mut cx) {
                Poll::Ready(Some(command)) => engine.handle_command(command, now),
                other => return other.is_ready(),
            }
        }
    }

    /// The peer ends for good.
    pub(crate) fn end(mut self) {
        self.inbox.close(CloseReason::Stopped);
        self.engine.close(CloseReason::Stopped);
    }
}

fn broker_and_dealer(features: &[Feature]) -> RoleFeatures {
    let mut roles = RoleFeatures::new();
    roles.add(RoleName::Broker, features.iter().copied());
    roles.add(RoleName::Dealer, features.iter().copied());
    roles
}

/// Joins a session as soon as the transport is open.
#[derive(Debug)]
pub(crate) struct Joined {
    roles: Arc<Mutex<RoleFeatures>>,
    is_ending: Arc<AtomicBool>,
}

impl Role for Joined {
    type Command = Infallible;
    type Handle = ();

    fn handle(_: Commands<Infallible>) {}

    fn on_open(&mut self, cx: &mut Context<'_, Infallible>) {
        let mut details = WelcomeDetails::new();
        details.set_roles(self.roles.lock().unwrap().clone());
        let realm = Uri::new("com.example.realm").unwrap();
        cx.join(SessionInfo::new(SessionId::MIN, realm, details));
        if self.is_ending.load(Ordering::Relaxed) {
            cx.close(CloseReason::Disconnected);
        }
    }

    fn handle_call(&mut self, command: Infallible, _: &mut Context<'_, Infallible>) {
        match command {}
    }
}

/// Poll a future once.
pub(crate) fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut TaskContext::from_waker(Waker::noop()))
}

/// The output of a future that must be ready.
#[track_caller]
pub(crate) fn ready<F: Future + Unpin>(future: &mut F) -> F::Output {
    match poll(future) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("still pending"),
    }
}

/// Poll a future that must not be ready.
#[track_caller]
pub(crate) fn pending<F: Future + Unpin>(future: &mut F) {
    assert!(poll(future).is_pending(), "ready too early");
}
