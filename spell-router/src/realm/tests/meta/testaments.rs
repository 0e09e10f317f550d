//! WAMP spec, "Session Testament".

use super::*;
use crate::quotas::Room;

/// Lets Bob add a testament; the answer.
fn add(realm: &mut Realm, request: u64, arguments: &str) -> String {
    let call = format!(r#"[48,{request},{{}},"wamp.session.add_testament",{arguments}]"#);
    realm.send(BOB, &call).join("\n")
}

/// A realm where Carol watches `com.t`.
fn watched() -> Realm {
    let mut realm = Realm::new();
    watch(&mut realm, &["com.t"]);
    realm
}

#[test]
fn a_testament_is_published_when_its_session_ends_and_not_before() {
    let mut realm = watched();
    let answer = add(&mut realm, 1, r#"["com.t",["Seeya!"],{"my_name":"app1"}]"#);
    assert_eq!(answer, "2 ← [50,1,{}]");
    assert_eq!(
        realm.leave(BOB),
        [r#"3 ← [36,1,1001,{},["Seeya!"],{"my_name":"app1"}]"#]
    );
}

#[test]
fn a_testament_is_published_after_a_violation_too() {
    let mut realm = watched();
    add(&mut realm, 1, r#"["com.t",[1],{}]"#);
    let outputs = realm.violate(BOB, "[34,7,1]");
    assert_eq!(outputs[1..], ["3 ← [36,1,1001,{},[1]]"]);
}

#[test]
fn a_testament_is_published_when_its_session_is_killed() {
    let mut realm = watched();
    add(&mut realm, 1, r#"["com.t",[1],{}]"#);
    let victim = Victims::Session(id(BOB));
    let outputs = realm.step(|state, out| state.kill(&victim, None, &Farewell::new(), out));
    assert_eq!(outputs[1..], ["3 ← [36,1,1001,{},[1]]"]);
}

#[test]
fn the_detached_come_before_the_destroyed_each_in_their_order() {
    let mut realm = watched();
    for (request, scope) in [
        (1, r#","scope":"destroyed""#),
        (2, r#","scope":"detached""#),
        (3, ""),
        (4, r#","scope":"detached""#),
        (5, r#","scope":null"#),
    ] {
        let arguments = format!(r#"["com.t",[{request}],{{}}],{{"publish_options":{{}}{scope}}}"#);
        add(&mut realm, request, &arguments);
    }
    let outputs = realm.leave(BOB);
    let order: Vec<_> = outputs
        .iter()
        .map(|line| &line[line.len() - 3..line.len() - 2])
        .collect();
    assert_eq!(order, ["2", "4", "1", "3", "5"]);
}

#[test]
fn a_testament_comes_before_the_news_that_its_session_left() {
    let mut realm = Realm::new();
    watch(&mut realm, &["wamp.session.on_leave", "com.t"]);
    add(&mut realm, 1, r#"["com.t",[1],{}]"#);
    let outputs = realm.leave(BOB);
    assert_eq!(outputs[0], "3 ← [36,2,1001,{},[1]]");
    assert!(outputs[1].starts_with("3 ← [36,1,"));
}

#[test]
fn flushing_withdraws_one_scope() {
    for (scope, left) in [
        ("", "1"),
        (r#",[],{"scope":"destroyed"}"#, "1"),
        (r#",[],{"scope":"detached"}"#, "2"),
    ] {
        let mut realm = watched();
        add(&mut realm, 1, r#"["com.t",[1],{}],{"scope":"detached"}"#);
        add(&mut realm, 2, r#"["com.t",[2],{}]"#);
        let flush = format!(r#"[48,3,{{}},"wamp.session.flush_testaments"{scope}]"#);
        assert_eq!(realm.send(BOB, &flush), ["2 ← [50,3,{}]"]);
        let outputs = realm.leave(BOB);
        assert_eq!(outputs, [format!("3 ← [36,1,1001,{{}},[{left}]]")]);
    }
}

#[test]
fn flushing_withdraws_nothing_from_others() {
    let mut realm = watched();
    add(&mut realm, 1, r#"["com.t",[1],{}]"#);
    ask(&mut realm, 1, r#""wamp.session.flush_testaments""#);
    assert_eq!(realm.leave(BOB).len(), 1);
}

#[test]
fn the_options_say_who_gets_a_testament_and_who_it_is_from() {
    for (options, expected) in [
        (
            r#"{"eligible_authrole":["user"]}"#,
            vec!["3 ← [36,1,1001,{},[1]]"],
        ),
        (r#"{"exclude":[3]}"#, vec!["1 ← [36,1,1001,{},[1]]"]),
        (
            r#"{"eligible":[3],"disclose_me":true,"acknowledge":true}"#,
            vec![
                r#"3 ← [36,1,1001,{"publisher":2,"publisher_authid":"bob","publisher_authrole":"user"},[1]]"#,
            ],
        ),
    ] {
        let mut realm = watched();
        realm.send(ALICE, r#"[32,1,{},"com.t"]"#);
        add(
            &mut realm,
            1,
            &format!(r#"["com.t",[1],{{}}],{{"publish_options":{options}}}"#),
        );
        assert_eq!(realm.leave(BOB), expected, "{options}");
    }
}

#[test]
fn a_session_does_not_get_its_own_testament() {
    let mut realm = watched();
    realm.send(BOB, r#"[32,1,{},"com.t"]"#);
    add(
        &mut realm,
        2,
        r#"["com.t",[1],{}],{"publish_options":{"exclude_me":false}}"#,
    );
    assert_eq!(realm.leave(BOB), ["3 ← [36,1,1001,{},[1]]"]);
}

#[test]
fn a_testament_can_be_retained() {
    let mut realm = Realm::new();
    add(
        &mut realm,
        1,
        r#"["com.t",[1],{}],{"publish_options":{"retain":true}}"#,
    );
    realm.leave(BOB);
    let outputs = realm.send(CAROL, r#"[32,1,{"get_retained":true},"com.t"]"#);
    assert_eq!(outputs[1..], [r#"3 ← [36,1,1001,{"retained":true},[1]]"#]);
}

#[test]
fn a_testament_to_no_application_topic_is_refused() {
    let long = format!(r#""{}""#, "a".repeat(9_000));
    for (index, topic) in [r#""wamp.session.on_leave""#, r#""""#, r#""a b""#, &long]
        .into_iter()
        .enumerate()
    {
        let mut realm = watched();
        let answer = add(&mut realm, 1, &format!("[{topic},[],{{}}]"));
        assert!(answer.ends_with(r#""wamp.error.invalid_uri"]"#), "{index}");
        assert!(realm.leave(BOB).is_empty(), "{index}");
    }
}

#[test]
fn a_session_may_have_so_many_testaments() {
    let mut realm = watched();
    let quotas = Quotas {
        testaments: Room {
            events: 2,
            bytes: 1 << 20,
        },
        ..Quotas::default()
    };
    realm.state.testaments = Testaments::new(quotas);
    for request in 1..=3 {
        let answer = add(
            &mut realm,
            request,
            r#"["com.t",[1],{}],{"scope":"detached"}"#,
        );
        let refused = answer.ends_with(r#""spell.error.limit_exceeded"]"#);
        assert_eq!(refused, request == 3);
    }
    // Others have room of their own, and so has who withdrew some.
    ask(
        &mut realm,
        1,
        r#""wamp.session.add_testament",["com.t",[1],{}]"#,
    );
    realm.send(
        BOB,
        r#"[48,4,{},"wamp.session.flush_testaments",[],{"scope":"detached"}]"#,
    );
    assert_eq!(add(&mut realm, 5, r#"["com.t",[1],{}]"#), "2 ← [50,5,{}]");
}

#[test]
fn the_testaments_of_a_session_may_take_so_much_memory() {
    let mut realm = watched();
    let quotas = Quotas {
        testaments: Room {
            events: 100,
            bytes: 5_000,
        },
        ..Quotas::default()
    };
    realm.state.testaments = Testaments::new(quotas);
    let text = "x".repeat(3_000);
    let large = [
        format!(r#"["com.t",["{text}"],{{}}]"#),
        format!(r#"["com.t",[],{{}}],{{"publish_options":{{"x_own":"{text}"}}}}"#),
        format!(r#"["com.{text}",[],{{}}]"#),
    ];
    for (request, arguments) in (2..).zip(&large) {
        realm.state.testaments = Testaments::new(quotas);
        let call =
            |request| format!(r#"[48,{request},{{}},"wamp.session.add_testament",{arguments}]"#);
        let number = request * 2 - 3;
        assert_eq!(realm.send(BOB, &call(number)).len(), 1);
        let answer = realm.send(BOB, &call(number + 1));
        assert!(
            answer[0].ends_with(r#""spell.error.limit_exceeded"]"#),
            "{request}"
        );
    }
}

#[test]
fn a_testament_may_pass_through() {
    let mut realm = watched();
    let options = r#"{"publish_options":{"ppt_scheme":"x_own"}}"#;
    add(&mut realm, 1, &format!(r#"["com.t",[1],{{}}],{options}"#));
    let outputs = realm.leave(BOB);
    let event = outputs
        .iter()
        .find(|line| line.contains(r#""ppt_scheme":"x_own""#));
    assert!(event.is_some(), "{outputs:?}");
}
