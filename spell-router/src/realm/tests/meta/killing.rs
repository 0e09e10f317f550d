//! Sessions that others end.
//!
//! WAMP spec, "Session Meta API".

use super::*;

/// The sessions that are told GOODBYE, sorted.
fn killed(outputs: &[String]) -> Vec<&str> {
    let goodbyes = outputs.iter().filter(|line| line.contains("← [6,"));
    let mut killed: Vec<_> = goodbyes.map(|line| &line[..1]).collect();
    killed.sort_unstable();
    killed
}

#[test]
fn a_killed_session_is_told_why_and_gone() {
    let mut realm = administered();
    let outputs = ask(&mut realm, 1, r#""wamp.session.kill",[2]"#);
    assert_eq!(
        outputs,
        [r#"2 ← [6,{},"wamp.close.killed"]"#, "1 ← [50,1,{}]"]
    );
    let answer = ask(&mut realm, 2, r#""wamp.session.get",[2]"#);
    assert_eq!(answer, [r#"1 ← [8,48,2,{},"wamp.error.no_such_session"]"#]);
}

#[test]
fn the_reason_and_the_message_can_be_chosen() {
    let mut realm = administered();
    let farewell = r#"{"reason":"com.example.enough","message":"go home"}"#;
    let outputs = ask(
        &mut realm,
        1,
        &format!(r#""wamp.session.kill",[2],{farewell}"#),
    );
    assert_eq!(
        outputs[0],
        r#"2 ← [6,{"message":"go home"},"com.example.enough"]"#
    );
}

#[test]
fn null_means_the_default_reason_and_no_message() {
    let mut realm = administered();
    let farewell = r#"{"reason":null,"message":null}"#;
    let outputs = ask(
        &mut realm,
        1,
        &format!(r#""wamp.session.kill",[2],{farewell}"#),
    );
    assert_eq!(outputs[0], r#"2 ← [6,{},"wamp.close.killed"]"#);
}

#[test]
fn a_reason_that_is_no_uri_kills_nobody() {
    let long = format!(r#""{}""#, "a".repeat(9_000));
    for procedure in [
        r#""wamp.session.kill",[2]"#,
        r#""wamp.session.kill_by_authid",["bob"]"#,
        r#""wamp.session.kill_by_authrole",["user"]"#,
        r#""wamp.session.kill_all",[]"#,
    ] {
        for reason in [r#""""#, r#""no uri""#, "7", "[]", &long] {
            let mut realm = administered();
            let call = format!(r#"{procedure},{{"reason":{reason}}}"#);
            let outputs = ask(&mut realm, 1, &call);
            assert_eq!(outputs.len(), 1, "{call}");
            assert!(
                outputs[0].ends_with(r#""wamp.error.invalid_uri"]"#),
                "{call}"
            );
        }
    }
}

#[test]
fn nobody_kills_itself_or_whoever_is_not_there() {
    let mut realm = administered();
    for (request, session) in [(1, ALICE), (2, 77)] {
        let call = format!(r#""wamp.session.kill",[{session}]"#);
        let error = format!(r#"1 ← [8,48,{request},{{}},"wamp.error.no_such_session"]"#);
        assert_eq!(ask(&mut realm, request, &call), [error]);
    }
}

#[test]
fn all_sessions_of_an_authid_are_killed_and_listed() {
    let mut realm = administered();
    realm.join(4, "alice", "admin");
    realm.join(5, "alice", "user");
    let outputs = ask(&mut realm, 1, r#""wamp.session.kill_by_authid",["alice"]"#);
    assert_eq!(killed(&outputs), ["4", "5"]);
    let answer = outputs.last().unwrap();
    assert!(["1 ← [50,1,{},[[4,5]]]", "1 ← [50,1,{},[[5,4]]]"].contains(&answer.as_str()));
    let outputs = ask(&mut realm, 2, r#""wamp.session.kill_by_authid",["alice"]"#);
    assert_eq!(outputs, ["1 ← [50,2,{},[[]]]"]);
}

#[test]
fn all_sessions_of_an_authrole_are_killed_and_counted() {
    let mut realm = administered();
    realm.join(4, "dave", "admin");
    let outputs = ask(&mut realm, 1, r#""wamp.session.kill_by_authrole",["user"]"#);
    assert_eq!(killed(&outputs), ["2", "3"]);
    assert_eq!(outputs.last().unwrap(), "1 ← [50,1,{},[2]]");
    let outputs = ask(
        &mut realm,
        2,
        r#""wamp.session.kill_by_authrole",["admin"]"#,
    );
    assert_eq!(killed(&outputs), ["4"]);
    assert_eq!(outputs.last().unwrap(), "1 ← [50,2,{},[1]]");
}

#[test]
fn all_but_the_caller_are_killed_and_counted() {
    let mut realm = administered();
    let outputs = ask(&mut realm, 1, r#""wamp.session.kill_all""#);
    assert_eq!(killed(&outputs), ["2", "3"]);
    assert_eq!(outputs.last().unwrap(), "1 ← [50,1,{},[2]]");
    let answer = ask(&mut realm, 2, r#""wamp.session.list""#);
    assert_eq!(answer, ["1 ← [50,2,{},[[1]]]"]);
}

#[test]
fn of_killing_all_nobody_is_told_who_left_nor_their_testaments() {
    let testament = r#""wamp.session.add_testament",["com.t",[],{}]"#;
    for (call, told) in [
        (r#""wamp.session.kill_all""#, 0),
        (r#""wamp.session.kill_by_authrole",["user"]"#, 3),
    ] {
        let mut realm = administered();
        realm.send(ALICE, r#"[32,1,{},"wamp.session.on_leave"]"#);
        realm.send(ALICE, r#"[32,2,{},"com.t"]"#);
        realm.send(BOB, &format!("[48,1,{{}},{testament}]"));
        let outputs = ask(&mut realm, 3, call);
        let events = outputs.iter().filter(|line| line.contains("← [36,"));
        assert_eq!(events.count(), told, "{call}");
    }
}

#[test]
fn those_who_are_killed_together_do_not_learn_of_each_other() {
    let mut realm = administered();
    watch(&mut realm, &["wamp.session.on_leave", "com.t"]);
    let testament = r#""wamp.session.add_testament",["com.t",[],{}]"#;
    realm.send(BOB, &format!("[48,1,{{}},{testament}]"));
    realm.send(BOB, r#"[64,2,{},"com.p"]"#);
    realm.send(CAROL, r#"[48,3,{},"com.p"]"#);
    let outputs = ask(&mut realm, 1, r#""wamp.session.kill_by_authrole",["user"]"#);
    let goodbye = outputs.iter().position(|line| line.starts_with("3 ← [6,"));
    let after = outputs.iter().skip(goodbye.unwrap() + 1);
    assert_eq!(after.filter(|line| line.starts_with("3 ←")).count(), 0);
    assert!(!outputs.iter().any(|line| line.contains("← [36,")));
}

#[test]
fn a_killed_session_fails_the_calls_it_works_on_and_gives_up_its_own() {
    let mut realm = administered();
    realm.send(BOB, r#"[64,1,{},"com.b"]"#);
    realm.send(CAROL, r#"[64,1,{},"com.c"]"#);
    realm.send(CAROL, r#"[48,2,{},"com.b"]"#);
    realm.send(BOB, r#"[48,2,{},"com.c"]"#);
    let outputs = ask(&mut realm, 1, r#""wamp.session.kill",[2]"#);
    assert!(outputs.contains(&r#"3 ← [8,48,2,{},"wamp.error.canceled"]"#.to_owned()));
    assert!(outputs.contains(&r#"3 ← [69,1,{"mode":"killnowait"}]"#.to_owned()));
    assert!(realm.state.is_idle());
}

#[test]
fn what_a_killed_session_still_sends_is_ignored() {
    let mut realm = administered();
    realm.send(CAROL, r#"[32,1,{},"com.t"]"#);
    ask(&mut realm, 1, r#""wamp.session.kill",[2]"#);
    for message in [
        r#"[16,1,{"acknowledge":true},"com.t"]"#,
        r#"[32,9,{},"com.t"]"#,
        r#"[64,1,{},"com.p"]"#,
        r#"[48,1,{},"wamp.session.count"]"#,
        "[70,1,{}]",
        "[5,\"\",{}]",
    ] {
        assert!(realm.send(BOB, message).is_empty(), "{message}");
    }
    let mut out = Outputs::default();
    let kind = Some(RequestKind::Call);
    let flow = realm
        .state
        .refuse_uri(id(BOB), kind, RequestId::MIN, "bad", &mut out);
    assert_eq!((flow, lines(out)), (Flow::Open, vec![]));
}

#[test]
fn work_that_is_done_for_a_session_that_was_killed_meanwhile_is_for_nothing() {
    let mut realm = administered();
    let frame = Bytes::from_static(br#"[48,1,{},"wamp.session.count"]"#);
    let call = Json::new().decode(&frame).unwrap();
    let mut out = Outputs::default();
    let Handled::After(work) = realm.state.handle(id(BOB), call, &mut out) else {
        panic!("the arguments are read under the lock");
    };
    let victim = Victims::Session(id(BOB));
    realm.step(|state, out| state.kill(&victim, None, &Farewell::new(), out));
    let handled = realm.state.resume(id(BOB), work.finish(), &mut out);
    assert!(matches!(handled, Handled::Now(Flow::Open)));
    assert!(lines(out).is_empty());
}

#[test]
fn a_message_that_is_too_long_kills_nobody() {
    let mut realm = administered();
    let message = "x".repeat(9_000);
    let call = format!(r#""wamp.session.kill",[2],{{"message":"{message}"}}"#);
    let outputs = ask(&mut realm, 1, &call);
    assert_eq!(outputs.len(), 1);
    assert!(outputs[0].ends_with(r#""wamp.error.invalid_argument"]"#));
}
