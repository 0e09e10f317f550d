//! Plain calls: no runtime, no transport, no clock.

mod probing;
mod reading;
mod resuming;

use std::time::Duration;

use spell_message::{
    Feature, Payload, RequestId, RoleName, SessionId, Uri, message,
    options::{CallOptions, GoodbyeDetails, WelcomeDetails},
    reason,
};
use spell_serializer::Json;

use super::*;
use crate::{Commands, Contains, SendError, Violation, tuple::At};

/// Joins as soon as the transport is open, and does what its commands say.
#[derive(Debug, Default)]
struct Opener {
    end: Option<SessionEnd>,
    joins: usize,
    observed: Vec<&'static str>,
    failures: Vec<ErrorMessage>,
    deadline: Option<Instant>,
    deadlines: usize,
    last: Option<Result<RequestId, String>>,
}

/// What the tests ask of [`Opener`].
enum Ask {
    Join,
    /// Join a router that says this of itself.
    JoinRouter(WelcomeDetails),
    Request(Message),
    Send(Message),
    Leave,
    Finish,
    Violate,
    Deadline(Instant),
    Spawn,
}

impl Role for Opener {
    type Command = Ask;
    type Handle = ();

    fn handle(_: Commands<Ask>) {}

    fn features(&self, announced: &mut RoleFeatures) {
        announced.add(RoleName::Caller, [Feature::CallTimeout]);
    }

    fn on_join(&mut self, session: &SessionInfo, cx: &mut Context<'_, Ask>) {
        assert_eq!(cx.session(), Some(session));
        self.joins += 1;
    }

    fn observe(&mut self, message: &Message, _: &mut Context<'_, Ask>) {
        self.observed.push(message.name());
        if let Message::Error(error) = message {
            self.failures.push(error.clone());
        }
    }

    fn handle_call(&mut self, command: Ask, cx: &mut Context<'_, Ask>) {
        match command {
            Ask::Join => self.handle_call(Ask::JoinRouter(WelcomeDetails::new()), cx),
            Ask::JoinRouter(details) => {
                let realm = Uri::new("realm1").unwrap();
                cx.join(SessionInfo::new(SessionId::MIN, realm, details));
            }
            Ask::Request(message) => {
                let request = cx.request(|id| numbered(message, id));
                self.last = Some(request.map_err(|error| error.to_string()));
            }
            Ask::Send(message) => cx.send(message).unwrap(),
            Ask::Leave => cx.close(CloseReason::Left),
            Ask::Finish => cx.finish(CloseReason::Left),
            Ask::Violate => cx.violation(Violation::Rule("a rule")),
            Ask::Deadline(at) => self.deadline = Some(at),
            Ask::Spawn => cx.spawn(async { Ask::Leave }),
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    fn on_deadline(&mut self, _: &mut Context<'_, Ask>) {
        self.deadline = None;
        self.deadlines += 1;
    }

    fn on_stop(&mut self, cx: &mut Context<'_, Ask>) {
        cx.send(goodbye()).unwrap();
    }

    fn on_close(&mut self, end: &SessionEnd) {
        self.end = Some(end.clone());
    }
}

fn numbered(mut message: Message, id: RequestId) -> Message {
    if let Message::Call(call) = &mut message {
        call.request = id;
    }
    message
}

fn call(procedure: &str) -> Message {
    Message::Call(message::Call {
        request: RequestId::MIN,
        options: CallOptions::new(),
        procedure: Uri::new(procedure).unwrap(),
        payload: Payload::default(),
    })
}

fn goodbye() -> Message {
    Message::Goodbye(message::Goodbye {
        details: GoodbyeDetails::new(),
        reason: Uri::new(reason::CLOSE_REALM).unwrap(),
    })
}

/// An engine with an open transport that takes `max_send` bytes.
struct Bench {
    engine: Engine<(Opener,)>,
    now: Instant,
}

impl Bench {
    fn open(max_send: Option<usize>) -> Self {
        let now = Instant::now();
        let mut engine = Engine::new((Opener::default(),), PeerConfig::default()).unwrap();
        engine.open(Json::default().into(), max_send, now);
        Self { engine, now }
    }

    fn joined() -> Self {
        let mut bench = Self::open(Some(100));
        bench.ask(Ask::Join);
        bench
    }

    fn ask(&mut self, ask: Ask) {
        let command = crate::tuple::Choice1::A(ask);
        self.engine.handle_command(command, self.now);
    }

    fn call(&mut self, procedure: &str) -> Result<u64, String> {
        self.ask(Ask::Request(call(procedure)));
        self.engine.roles.0.last.take().unwrap().map(RequestId::get)
    }

    fn frame(&mut self, frame: &'static str) {
        self.engine.handle_frame(&Bytes::from(frame), self.now);
    }

    fn sent(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.engine.poll_transmit())
            .map(|frame| String::from_utf8(frame.to_vec()).unwrap())
            .collect()
    }
}

#[test]
fn ids_have_no_gap_when_a_message_is_too_large() {
    let mut bench = Bench::joined();
    assert_eq!(bench.call("com.example.a"), Ok(1));
    let long = "a".repeat(100);
    let refused = "the message has 112 bytes, the router takes 100";
    assert_eq!(bench.call(&long), Err(refused.to_owned()));
    assert_eq!(bench.call("com.example.b"), Ok(2));
    assert_eq!(
        bench.sent(),
        [
            r#"[48,1,{},"com.example.a"]"#,
            r#"[48,2,{},"com.example.b"]"#
        ]
    );
}

#[test]
fn after_the_largest_id_comes_1() {
    let mut bench = Bench::joined();
    let ids = RequestIds::starting_at(RequestId::MAX);
    let now = bench.now;
    bench.engine.open_at(Json::default().into(), None, ids, now);
    bench.ask(Ask::Join);
    assert_eq!(bench.call("a"), Ok(1 << 53));
    assert_eq!(bench.call("a"), Ok(1));
}

#[test]
fn a_request_needs_a_session_and_other_messages_a_transport() {
    let mut bench = Bench::open(None);
    assert_eq!(bench.call("a"), Err(SendError::NotJoined.to_string()));
    bench.ask(Ask::Send(goodbye()));
    bench.ask(Ask::Join);
    assert_eq!(bench.call("a"), Ok(1));
    assert_eq!(bench.sent().len(), 2);
}

#[test]
fn roles_are_told_of_the_session_once() {
    let bench = Bench::joined();
    assert_eq!(bench.engine.roles.0.joins, 1);
    assert_eq!(bench.engine.session().unwrap().realm(), "realm1");
}

#[test]
fn closing_drops_requests_that_wait_so_that_not_sent_is_true() {
    let mut bench = Bench::joined();
    bench.call("sent").unwrap();
    assert!(bench.engine.poll_transmit().is_some());
    bench.call("waiting").unwrap();
    bench.ask(Ask::Send(goodbye()));
    bench.ask(Ask::Leave);
    assert!(matches!(
        bench.engine.close(CloseReason::Disconnected),
        CloseReason::Left
    ));
    assert_eq!(bench.sent(), [r#"[6,{},"wamp.close.close_realm"]"#]);
    let end = bench.engine.roles.0.end.take().unwrap();
    let delivery = |id| end.delivery(RequestId::new(id).unwrap());
    assert_eq!(delivery(1), crate::Delivery::OutcomeUnknown);
    assert_eq!(delivery(2), crate::Delivery::NotSent);
}

#[test]
fn closing_drops_what_goes_on_with_a_request_that_is_dropped() {
    let mut bench = Bench::joined();
    bench.call("waiting").unwrap();
    // It has the id of the request, and would be one of its own without it.
    bench.ask(Ask::Send(call("waiting")));
    bench.ask(Ask::Send(goodbye()));
    bench.ask(Ask::Leave);
    bench.engine.close(CloseReason::Disconnected);
    assert_eq!(bench.sent(), [r#"[6,{},"wamp.close.close_realm"]"#]);
}

#[test]
fn a_violation_is_answered_with_abort_and_nothing_else() {
    let mut bench = Bench::joined();
    bench.call("waiting").unwrap();
    bench.ask(Ask::Violate);
    let abort = r#"[3,{"message":"a rule"},"wamp.error.protocol_violation"]"#;
    assert_eq!(bench.sent(), [abort]);
    assert!(matches!(
        bench.engine.closed(),
        Some(CloseReason::Violation(_))
    ));
}

#[test]
fn frames_that_do_not_decode_violate_the_protocol() {
    for frame in [
        "",
        "[",
        "{}",
        "[]",
        "[36]",
        r#"["1"]"#,
        "[36,0,1,{}]",
        "[17,1,2] ",
    ] {
        let mut bench = Bench::joined();
        bench.frame(frame);
        let sent = bench.sent();
        // Only the last one is legal: JSON may have spaces around it.
        let legal = frame.ends_with(' ');
        assert_eq!(sent.is_empty(), legal, "{frame}");
        assert_eq!(bench.engine.closed().is_none(), legal, "{frame}");
    }
}

#[test]
fn what_the_specification_does_not_call_a_violation_is_tolerated() {
    let mut bench = Bench::joined();
    for frame in [
        "[36,7,8,{}]",
        "[17,1,2]",
        "[33,1,2]",
        "[35,1]",
        r#"[35,0,{"subscription":9}]"#,
        "[50,1,{}]",
        "[65,1,2]",
        "[67,1]",
        "[69,1,{}]",
        r#"[8,48,1,{},"com.example.error"]"#,
    ] {
        bench.frame(frame);
        assert!(bench.engine.closed().is_none(), "{frame}");
    }
    assert!(bench.sent().is_empty());
}

#[test]
fn a_failure_with_a_malformed_uri_reaches_the_roles() {
    let mut bench = Bench::joined();
    bench.frame(r#"[8,48,7,{"x":1},"Some Error!",["lost"]]"#);
    assert!(bench.engine.closed().is_none());
    assert!(bench.sent().is_empty());
    let [failure] = &bench.engine.roles.0.failures[..] else {
        panic!("{:?}", bench.engine.roles.0.failures);
    };
    assert_eq!(failure.request_kind, message::RequestKind::Call);
    assert_eq!(failure.request.get(), 7);
    assert_eq!(failure.error, reason::INVALID_URI);
    assert!(failure.details.is_empty());
    assert_eq!(
        failure.payload.tail(),
        r#"["ERROR.Error is not valid: \"Some Error!\" is not a valid URI: it contains white space"]"#
    );
}

#[test]
fn a_failure_with_a_malformed_uri_is_a_violation_where_there_can_be_none() {
    let mut bench = Bench::open(None);
    bench.frame(r#"[8,48,7,{},"Some Error!"]"#);
    assert!(matches!(
        bench.engine.closed(),
        Some(CloseReason::Violation(_))
    ));
    // And where it is not all that is wrong.
    let mut bench = Bench::joined();
    bench.frame(r#"[8,48,7,{},"Some Error!",0]"#);
    assert!(bench.engine.closed().is_some());
    assert!(bench.engine.roles.0.failures.is_empty());
}

#[test]
fn abort_and_goodbye_with_a_malformed_reason_reach_the_roles() {
    for frame in [r#"[3,{},"Some Reason!"]"#, r#"[6,{},"Some Reason!"]"#] {
        let mut bench = Bench::joined();
        bench.frame(frame);
        assert_eq!(bench.engine.roles.0.observed.len(), 1, "{frame}");
    }
}

#[test]
fn an_invocation_nobody_claims_is_answered() {
    let mut bench = Bench::joined();
    bench.frame("[68,5,6,{}]");
    assert_eq!(
        bench.sent(),
        [r#"[8,68,5,{},"wamp.error.no_such_procedure"]"#]
    );
    assert!(bench.engine.closed().is_none());
}

#[test]
fn messages_for_routers_and_unknown_ones_are_violations() {
    for frame in [
        r#"[1,"realm1",{"roles":{"caller":{}}}]"#,
        r#"[2,1,{"roles":{"broker":{}}}]"#,
        r#"[4,"ticket",{}]"#,
        r#"[48,1,{},"com.example.a"]"#,
        "[99]",
        "[999,1,2]",
        "[337,1]",
    ] {
        let mut bench = Bench::joined();
        bench.frame(frame);
        assert!(bench.engine.closed().is_some(), "{frame}");
    }
}

#[test]
fn messages_before_the_session_that_no_role_claims_are_violations() {
    let mut bench = Bench::open(None);
    bench.frame("[36,7,8,{}]");
    let text = "unexpected EVENT before the session was joined";
    assert!(bench.sent().concat().contains(text));
}

#[test]
fn nothing_is_handled_after_the_end() {
    let mut bench = Bench::joined();
    bench.ask(Ask::Leave);
    bench.frame("[36,7,8,{}]");
    bench.frame("no message");
    assert!(bench.engine.roles.0.observed.is_empty());
    assert!(bench.sent().is_empty());
}

#[test]
fn a_new_session_has_nothing_of_the_old_one() {
    let mut bench = Bench::joined();
    bench.call("a").unwrap();
    bench.engine.close(CloseReason::Disconnected);
    bench.engine.disconnect();
    assert_eq!(bench.call("a"), Err(SendError::NotJoined.to_string()));
    let now = bench.now;
    bench.engine.open(Json::default().into(), None, now);
    assert!(bench.engine.closed().is_none());
    bench.ask(Ask::Join);
    assert_eq!(bench.call("b"), Ok(1));
    assert_eq!(bench.sent(), [r#"[48,1,{},"b"]"#]);
}

#[test]
fn stopping_lets_roles_say_goodbye() {
    let mut bench = Bench::joined();
    let now = bench.now;
    bench.engine.stop(now);
    assert_eq!(bench.sent(), [r#"[6,{},"wamp.close.close_realm"]"#]);
    assert!(matches!(bench.engine.closed(), Some(CloseReason::Stopped)));
}

#[test]
fn nothing_is_sent_after_the_farewell() {
    for farewell in [Ask::Finish, Ask::Leave] {
        let mut bench = Bench::joined();
        bench.ask(Ask::Send(goodbye()));
        bench.ask(farewell);
        assert_eq!(bench.call("a"), Err(SendError::NotJoined.to_string()));
        assert_eq!(bench.sent().len(), 1);
    }
}

#[test]
fn a_finished_peer_left_however_its_connection_ends() {
    let mut bench = Bench::joined();
    bench.ask(Ask::Finish);
    assert!(bench.engine.closed().is_none());
    let reason = bench.engine.close(CloseReason::Disconnected);
    assert!(matches!(reason, CloseReason::Left));
    assert!(matches!(bench.engine.finishing(), Some(CloseReason::Left)));
}

#[test]
fn a_failed_dial_has_its_own_reason() {
    let mut bench = Bench::joined();
    bench.engine.close(CloseReason::Overflow);
    bench.engine.disconnect();
    let reason = bench.engine.close(CloseReason::Disconnected);
    assert!(matches!(reason, CloseReason::Disconnected));
}

#[test]
fn stopping_still_sends_what_was_committed() {
    let mut bench = Bench::joined();
    bench.call("committed").unwrap();
    let now = bench.now;
    bench.engine.stop(now);
    bench.engine.close(CloseReason::Stopped);
    let goodbye = r#"[6,{},"wamp.close.close_realm"]"#;
    assert_eq!(bench.sent(), [r#"[48,1,{},"committed"]"#, goodbye]);
    let end = bench.engine.roles.0.end.take().unwrap();
    assert_eq!(
        end.delivery(RequestId::MIN),
        crate::Delivery::OutcomeUnknown
    );
}

#[test]
fn more_than_the_hard_limit_ends_the_session() {
    let mut bench = Bench::joined();
    bench.engine.core.config.outbox_hard_limit = 50;
    for procedure in ["a", "another", "a.third"] {
        assert!(bench.engine.closed().is_none());
        bench.call(procedure).unwrap();
    }
    bench.call("b").unwrap();
    assert!(matches!(bench.engine.closed(), Some(CloseReason::Overflow)));
}

#[test]
fn one_message_larger_than_the_hard_limit_ends_no_session() {
    let mut bench = Bench::joined();
    bench.engine.core.config.outbox_hard_limit = 50;
    bench.call(&"a".repeat(60)).unwrap();
    assert!(bench.engine.closed().is_none());
}

#[test]
fn what_waits_for_the_wire_is_not_shown() {
    let mut bench = Bench::joined();
    bench.call("com.example.secret").unwrap();
    let shown = format!("{:?}", bench.engine.core);
    assert!(!shown.contains("secret"), "{shown}");
}

#[test]
fn deadlines_come_when_they_are_due() {
    let mut bench = Bench::joined();
    let second = Duration::from_secs(1);
    let due = bench.now + 2 * second;
    bench.ask(Ask::Deadline(due));
    assert_eq!(bench.engine.poll_timeout(), Some(due));
    let early = bench.now + second;
    bench.engine.handle_timeout(early);
    assert_eq!(bench.engine.roles.0.deadlines, 0);
    bench.engine.handle_timeout(due);
    assert_eq!(bench.engine.roles.0.deadlines, 1);
    assert_eq!(bench.engine.poll_timeout(), None);
}

#[test]
fn tasks_end_with_their_connection() {
    let mut bench = Bench::joined();
    bench.ask(Ask::Spawn);
    bench.engine.close(CloseReason::Disconnected);
    assert!(bench.engine.poll_task().is_none());
}

#[test]
fn features_of_the_configuration_are_merged() {
    let mut config = PeerConfig::default();
    config.features.set("caller", "call_timeout", false);
    config.features.set("caller", "x_own", true);
    let engine = Engine::new((Opener::default(),), config).unwrap();
    let announced = &engine.core.announced;
    assert!(announced.has(RoleName::Caller));
    assert!(!announced.supports(RoleName::Caller, Feature::CallTimeout));
}

#[test]
fn a_role_is_found_by_its_type() {
    fn has<R: Contains<T, At<N>>, T: Role, const N: usize>() {}
    has::<(Opener,), Opener, 0>();
}
