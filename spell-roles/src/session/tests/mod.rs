//! Plain calls with scripted messages and the time as a number: no transport, no clock.

use std::{
    future::poll_fn,
    ops::ControlFlow,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use bytes::Bytes;
use spell_message::{
    Dict, Feature, Message, RoleFeatures, RoleName, Value,
    message::{Authenticate, Challenge, Welcome},
    reason,
};
use spell_peer::{
    CloseReason, Commands, Context, Drain, Engine, Inbox, PeerConfig, Remedy, Role, SessionInfo,
};
use spell_serializer::{AnySerializer, Json};
use tokio::task::JoinHandle;

use super::*;
use crate::auth::{Anonymous, AuthError, Authenticator, Cra, SecretString, Ticket};

mod authentication;
mod leaving;
mod peer;
mod states;

/// Announces a role, and notes what it is told.
#[derive(Debug, Default)]
struct Probe {
    notes: Arc<Mutex<Vec<String>>>,
    work: Arc<Work>,
}

/// What a peer that leaves should wait for.
#[derive(Debug, Default)]
struct Work {
    is_under_way: AtomicBool,
    drains: Mutex<Vec<Drain>>,
}

impl Role for Probe {
    type Command = std::convert::Infallible;
    type Handle = ();

    fn handle(_: Commands<Self::Command>) {}

    fn features(&self, announced: &mut RoleFeatures) {
        announced.add(RoleName::Caller, [Feature::CallCanceling]);
    }

    fn on_join(&mut self, session: &SessionInfo, _: &mut Context<'_, Self::Command>) {
        let note = format!("joined {} as {}", session.realm(), session.id());
        self.notes.lock().unwrap().push(note);
    }

    fn on_message(
        &mut self,
        message: Message,
        _: &mut Context<'_, Self::Command>,
    ) -> ControlFlow<(), Message> {
        self.notes.lock().unwrap().push(message.name().to_owned());
        ControlFlow::Continue(message)
    }

    fn handle_call(&mut self, command: Self::Command, _: &mut Context<'_, Self::Command>) {
        match command {}
    }

    fn on_drain(&mut self, step: Drain, _: &mut Context<'_, Self::Command>) {
        self.work.drains.lock().unwrap().push(step);
    }

    fn is_drained(&self) -> bool {
        !self.work.is_under_way.load(Ordering::Relaxed)
    }
}

type Roles = (Session, Probe);

/// An engine with an open transport, and the router's side of it.
struct Bench {
    engine: Engine<Roles>,
    inbox: Inbox<<Roles as Role>::Command>,
    handle: SessionHandle,
    notes: Arc<Mutex<Vec<String>>>,
    work: Arc<Work>,
    now: Instant,
}

impl Bench {
    fn new(session: Session) -> Self {
        let config = PeerConfig::default();
        let (commands, inbox) = Commands::channel(&config);
        let (handle, ()) = Roles::handle(commands);
        let probe = Probe::default();
        let (notes, work) = (probe.notes.clone(), probe.work.clone());
        Self {
            engine: Engine::new((session, probe), config).unwrap(),
            inbox,
            handle,
            notes,
            work,
            now: Instant::now(),
        }
    }

    /// A transport that takes `max_send` bytes a message opens.
    fn open_with(&mut self, max_send: Option<usize>) {
        let json = AnySerializer::from(Json::default());
        self.engine.open(json, max_send, self.now);
    }

    /// The transport is open, and HELLO is sent.
    async fn hello(session: Session) -> Self {
        let mut bench = Self::new(session);
        bench.open_with(None);
        bench.run_tasks().await;
        let sent = bench.sent();
        assert_eq!(sent.len(), 1, "{sent:?}");
        assert!(sent[0].starts_with("[1,"), "{sent:?}");
        bench
    }

    /// An anonymous session is joined.
    async fn joined() -> Self {
        let mut bench = Self::hello(Session::new("realm1")).await;
        bench.receive(WELCOME);
        assert!(bench.is_joined());
        bench.notes.lock().unwrap().clear();
        bench
    }

    fn receive(&mut self, frame: &str) {
        let frame = Bytes::copy_from_slice(frame.as_bytes());
        self.engine.handle_frame(&frame, self.now);
    }

    fn sent(&mut self) -> Vec<String> {
        let frames = std::iter::from_fn(|| self.engine.poll_transmit());
        frames
            .map(|frame| String::from_utf8(frame.to_vec()).unwrap())
            .collect()
    }

    /// Run what the role asked for, and hand in what it gives.
    async fn run_tasks(&mut self) {
        while let Some(task) = self.engine.poll_task() {
            let command = task.await;
            self.engine.handle_command(command, self.now);
        }
    }

    /// Leave, up to where the role knows of it.
    async fn leave(&mut self) -> JoinHandle<Result<(), LeaveError>> {
        let handle = self.handle.clone();
        let leave = tokio::spawn(async move { handle.leave().await });
        self.take_command().await;
        leave
    }

    /// A role has something to do.
    fn work(&self) {
        self.work.is_under_way.store(true, Ordering::Relaxed);
    }

    fn finish_work(&self) {
        self.work.is_under_way.store(false, Ordering::Relaxed);
    }

    /// What the roles were told of draining.
    fn drains(&self) -> Vec<Drain> {
        self.work.drains.lock().unwrap().clone()
    }

    async fn take_command(&mut self) {
        let command = poll_fn(|cx| self.inbox.poll_next(cx)).await.unwrap();
        self.engine.handle_command(command, self.now);
    }

    fn is_joined(&self) -> bool {
        self.engine.session().is_some()
    }

    /// How the session ended, and with the URI of which ABORT.
    fn end(&mut self) -> (CloseReason, Option<String>) {
        let reason = self.engine.closed().expect("ended").clone();
        let aborts = self.sent().into_iter().filter_map(|frame| {
            let frame = frame.strip_prefix("[3,")?.to_owned();
            Some(frame.rsplit('"').nth(1)?.to_owned())
        });
        let aborts: Vec<_> = aborts.collect();
        assert!(aborts.len() < 2, "{aborts:?}");
        (reason, aborts.into_iter().next())
    }

    /// The session must have ended because the router violated the protocol.
    fn assert_violation(&mut self, what: &str) {
        let (reason, abort) = self.end();
        assert!(
            matches!(reason, CloseReason::Violation(_)),
            "{what}: {reason}"
        );
        assert_eq!(abort.as_deref(), Some(reason::PROTOCOL_VIOLATION), "{what}");
    }

    /// The peer must have broken the join off.
    fn assert_refused(&mut self, with: &str) -> String {
        let (reason, abort) = self.end();
        let CloseReason::Authentication(error) = reason else {
            panic!("{reason}");
        };
        assert_eq!(abort.as_deref(), Some(with));
        assert!(!self.is_joined());
        error.to_string()
    }
}

/// What a task gives; a task that nobody answers fails the test.
async fn answer<T>(task: JoinHandle<T>) -> T {
    let limit = Duration::from_secs(60);
    tokio::time::timeout(limit, task)
        .await
        .expect("an answer")
        .unwrap()
}

const WELCOME: &str = r#"[2,7,{"roles":{"broker":{},"dealer":{}}}]"#;

/// One of each message that a router, or nobody but a client, sends in a session.
const IN_A_SESSION: [&str; 14] = [
    "[17,1,2]",
    "[33,1,2]",
    "[35,1]",
    "[36,1,2,{}]",
    "[50,1,{}]",
    "[65,1,2]",
    "[67,1]",
    "[68,1,2,{}]",
    "[69,1,{}]",
    r#"[8,16,1,{},"a.b"]"#,
    r#"[8,32,1,{},"a.b"]"#,
    r#"[8,48,1,{},"a.b"]"#,
    r#"[8,64,1,{},"a.b"]"#,
    r#"[8,66,1,{},"a.b"]"#,
];

/// Messages that only routers receive.
const FOR_ROUTERS: [&str; 6] = [
    r#"[1,"realm1",{"roles":{"caller":{}}}]"#,
    r#"[5,"signature",{}]"#,
    r#"[16,1,{},"a.b"]"#,
    r#"[32,1,{},"a.b"]"#,
    r#"[48,1,{},"a.b"]"#,
    "[70,1,{}]",
];
