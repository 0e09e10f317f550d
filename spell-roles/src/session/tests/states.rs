//! The chart of states: what may come when.

use super::*;

#[tokio::test]
async fn hello_is_sent_first_and_announces_what_the_roles_do() {
    let mut bench = Bench::new(Session::new("realm1").agent("test"));
    bench.open_with(None);
    let roles = r#"{"caller":{"features":{"call_canceling":true}}}"#;
    let hello = format!(r#"[1,"realm1",{{"agent":"test","roles":{roles}}}]"#);
    assert_eq!(bench.sent(), [hello]);
    assert!(!bench.is_joined());
}

#[tokio::test]
async fn hello_says_what_it_was_told_to_say() {
    let session = Session::new("realm1")
        .authid("joe")
        .authrole("admin")
        .authextra(Dict::from([("x", 1)]))
        .transport(Dict::from([("auth", Dict::from([("cookie", "c")]))]));
    let mut bench = Bench::new(session);
    bench.open_with(None);
    let hello = bench.sent().remove(0);
    let agent = concat!(r#""agent":"spell/"#, env!("CARGO_PKG_VERSION"), '"');
    for part in [
        agent,
        r#""authid":"joe""#,
        r#""authrole":"admin""#,
        r#""authextra":{"x":1}"#,
        r#""transport":{"auth":{"cookie":"c"}}"#,
    ] {
        assert!(hello.contains(part), "{part} in {hello}");
    }
    assert!(!hello.contains("authmethods"), "{hello}");
}

#[test]
fn a_realm_that_is_no_uri_is_an_error_before_anything_is_dialled() {
    let session = Session::new("not a realm");
    let error = Engine::new((session,), PeerConfig::default()).unwrap_err();
    assert_eq!(error.to_string(), "the realm is not valid");
}

#[tokio::test]
async fn welcome_opens_the_session_and_all_roles_are_told() {
    let mut bench = Bench::hello(Session::new("realm1")).await;
    bench.receive(WELCOME);
    assert!(bench.is_joined());
    assert_eq!(*bench.notes.lock().unwrap(), ["joined realm1 as 7"]);
    assert_eq!(bench.sent(), [""; 0]);
}

#[tokio::test]
async fn what_was_granted_is_read_from_welcome_not_assumed() {
    let session = Session::new("realm1").authid("joe").authrole("admin");
    let mut bench = Bench::hello(session).await;
    bench.receive(
        r#"[2,7,{"roles":{"broker":{}},"realm":"realm2","authid":"guest","authrole":"anonymous"}]"#,
    );
    let session = bench.engine.session().unwrap();
    assert_eq!(session.realm().as_str(), "realm2");
    assert_eq!(session.authid(), Some("guest"));
    assert_eq!(session.authrole(), Some("anonymous"));
}

#[tokio::test]
async fn roles_of_the_router_may_lack_features_and_be_unknown() {
    let mut bench = Bench::hello(Session::new("realm1")).await;
    bench.receive(r#"[2,7,{"roles":{"broker":{},"dealer":{"features":{"x":true}},"oracle":{}}}]"#);
    let session = bench.engine.session().unwrap();
    assert!(session.roles().has(RoleName::Broker));
    assert!(!session.supports(RoleName::Broker, Feature::EventHistory));
    assert!(!session.supports(RoleName::Dealer, Feature::CallCanceling));
}

#[tokio::test]
async fn abort_instead_of_welcome_refuses_the_session_and_is_not_answered() {
    let mut bench = Bench::hello(Session::new("realm1")).await;
    bench.receive(r#"[3,{"message":"no"},"wamp.error.no_such_realm",[1],{"a":2}]"#);
    let (reason, abort) = bench.end();
    let CloseReason::Aborted(message) = &reason else {
        panic!("{reason}");
    };
    assert_eq!(abort, None);
    assert_eq!(reason.uri(), Some("wamp.error.no_such_realm"));
    assert_eq!(message.details.message(), Some("no"));
    assert_eq!(message.payload.args(), b"[1]");
    assert_eq!(message.payload.kwargs(), br#"{"a":2}"#);
    assert!(reason.is_final());
}

#[tokio::test]
async fn abort_in_a_session_ends_it_at_once_and_is_not_answered() {
    let mut bench = Bench::joined().await;
    bench.receive(r#"[3,{},"com.example.why"]"#);
    let (reason, abort) = bench.end();
    assert_eq!(reason.uri(), Some("com.example.why"));
    assert_eq!(abort, None);
}

#[tokio::test]
async fn abort_before_hello_is_not_answered_either() {
    let mut bench = Bench::new(Session::new("realm1").authenticator(Anonymous::new()));
    bench.open_with(None);
    bench.receive(r#"[3,{},"wamp.close.system_shutdown"]"#);
    let (reason, abort) = bench.end();
    assert!(matches!(reason, CloseReason::Aborted(_)));
    assert_eq!(abort, None);
}

#[tokio::test]
async fn nothing_else_may_come_before_hello() {
    let frames = [WELCOME, r#"[4,"ticket",{}]"#, r#"[6,{},"a.b"]"#];
    for frame in frames.into_iter().chain(IN_A_SESSION) {
        let mut bench = Bench::new(Session::new("realm1").authenticator(Anonymous::new()));
        bench.open_with(None);
        bench.receive(frame);
        bench.assert_violation(frame);
        // HELLO is not sent afterwards.
        bench.run_tasks().await;
        assert_eq!(bench.sent(), [""; 0]);
    }
}

#[tokio::test]
async fn goodbye_before_the_session_is_open_is_a_violation() {
    let mut bench = Bench::hello(Session::new("realm1")).await;
    bench.receive(r#"[6,{},"wamp.close.system_shutdown"]"#);
    bench.assert_violation("GOODBYE");
}

#[tokio::test]
async fn anything_but_welcome_challenge_and_abort_after_hello_is_a_violation() {
    for frame in IN_A_SESSION.into_iter().chain(FOR_ROUTERS) {
        let mut bench = Bench::hello(Session::new("realm1")).await;
        bench.receive(frame);
        bench.assert_violation(frame);
        assert_eq!(*bench.notes.lock().unwrap(), [""; 0], "{frame}");
    }
}

#[tokio::test]
async fn messages_that_open_a_session_are_violations_in_one() {
    let opening = [WELCOME, r#"[4,"ticket",{}]"#];
    for frame in opening.into_iter().chain(FOR_ROUTERS) {
        let mut bench = Bench::joined().await;
        bench.receive(frame);
        bench.assert_violation(frame);
    }
}

#[tokio::test]
async fn messages_of_a_session_go_to_the_other_roles() {
    let mut bench = Bench::joined().await;
    for frame in IN_A_SESSION {
        bench.receive(frame);
        assert!(bench.engine.closed().is_none(), "{frame}");
    }
    assert_eq!(bench.notes.lock().unwrap().len(), IN_A_SESSION.len());
}

#[tokio::test]
async fn an_unknown_message_is_a_violation_in_every_state() {
    let frame = "[999,1]";
    let mut bench = Bench::hello(Session::new("realm1")).await;
    bench.receive(frame);
    bench.assert_violation("after HELLO");
    let mut bench = Bench::joined().await;
    bench.receive(frame);
    bench.assert_violation("in a session");
}

#[tokio::test]
async fn a_goodbye_of_the_router_is_answered_and_ends_the_session_with_its_reason() {
    let mut bench = Bench::joined().await;
    bench.receive(r#"[6,{"message":"off"},"wamp.close.killed"]"#);
    assert_eq!(bench.sent(), [r#"[6,{},"wamp.close.goodbye_and_out"]"#]);
    let (reason, _) = bench.end();
    let CloseReason::Goodbye(goodbye) = &reason else {
        panic!("{reason}");
    };
    assert_eq!(goodbye.details.message(), Some("off"));
    assert!(reason.is_final(), "who was killed does not come back");
}

#[tokio::test]
async fn after_the_answer_to_a_goodbye_all_is_ignored() {
    let mut bench = Bench::joined().await;
    bench.receive(r#"[6,{},"wamp.close.system_shutdown"]"#);
    bench.sent();
    for frame in IN_A_SESSION.into_iter().chain([WELCOME]) {
        bench.receive(frame);
    }
    assert_eq!(bench.sent(), [""; 0]);
    assert_eq!(*bench.notes.lock().unwrap(), [""; 0]);
    let (reason, _) = bench.end();
    assert_eq!(reason.uri(), Some("wamp.close.system_shutdown"));
    assert!(!reason.is_final(), "a router that restarts is joined again");
}

#[tokio::test]
async fn the_next_connection_begins_with_hello_again() {
    let mut bench = Bench::joined().await;
    bench.engine.close(CloseReason::Disconnected);
    bench.engine.disconnect();
    bench.open_with(None);
    assert!(bench.sent()[0].starts_with("[1,"));
    bench.receive(r#"[2,8,{"roles":{"broker":{}}}]"#);
    assert_eq!(*bench.notes.lock().unwrap(), ["joined realm1 as 8"]);
}

#[tokio::test]
async fn a_hello_that_is_too_large_ends_the_attempt() {
    let mut bench = Bench::new(Session::new("realm1"));
    bench.open_with(Some(10));
    let (reason, abort) = bench.end();
    let CloseReason::Authentication(error) = reason else {
        panic!("{reason}");
    };
    assert_eq!(error.to_string(), "HELLO could not be sent");
    assert_eq!(abort, None);
}
