//! WAMP spec, "Registration Meta API".

use super::*;
use crate::Reregistration;

const NO_SUCH: &str = r#"{},"wamp.error.no_such_registration"]"#;

/// Bob has 1, `com.p`, and 2, everything below `com.x`; with Carol 3, `com..y`.
fn registered() -> Realm {
    let mut realm = administered();
    stop_clock(&mut realm);
    realm.send(BOB, r#"[64,1,{},"com.p"]"#);
    realm.send(BOB, r#"[64,2,{"match":"prefix"},"com.x"]"#);
    for (session, request) in [(BOB, 3), (CAROL, 1)] {
        let options = r#"{"match":"wildcard","invoke":"roundrobin"}"#;
        realm.send(session, &format!(r#"[64,{request},{options},"com..y"]"#));
    }
    realm
}

#[test]
fn registrations_are_listed_by_how_they_match() {
    let mut realm = registered();
    assert_eq!(
        ask(&mut realm, 1, r#""wamp.registration.list""#),
        [r#"1 ← [50,1,{},[{"exact":[1],"prefix":[2],"wildcard":[3]}]]"#]
    );
    let mut realm = Realm::new();
    assert_eq!(
        ask(&mut realm, 1, r#""wamp.registration.list""#),
        [r#"1 ← [50,1,{},[{"exact":[],"prefix":[],"wildcard":[]}]]"#]
    );
}

#[test]
fn a_registration_is_looked_up_by_its_very_pattern() {
    for (arguments, expected) in [
        (r#"["com.p"]"#, "1"),
        (r#"["com.p",{"match":"exact","invoke":"last"}]"#, "1"),
        (r#"["com.p",null]"#, "1"),
        (r#"["com.p",{"match":"prefix"}]"#, "null"),
        (r#"["com.x",{"match":"prefix"}]"#, "2"),
        (r#"["com.x.z"]"#, "null"),
        (r#"["com..y",{"match":"wildcard"}]"#, "3"),
    ] {
        let mut realm = registered();
        assert_eq!(
            ask(
                &mut realm,
                1,
                &format!(r#""wamp.registration.lookup",{arguments}"#)
            ),
            [format!("1 ← [50,1,{{}},[{expected}]]")],
            "{arguments}"
        );
    }
}

#[test]
fn the_registration_that_matches_best_is_the_one_that_a_call_would_reach() {
    for (procedure, expected) in [
        ("com.p", "1"),
        ("com.x.y", "2"),
        ("com.z.y", "3"),
        ("com.z.z", "null"),
        ("wamp.session.count", "null"),
    ] {
        let mut realm = registered();
        realm.send(BOB, r#"[64,4,{"match":"wildcard"},".."]"#);
        realm.send(BOB, "[66,5,4]");
        assert_eq!(
            ask(
                &mut realm,
                1,
                &format!(r#""wamp.registration.match",["{procedure}"]"#)
            ),
            [format!("1 ← [50,1,{{}},[{expected}]]")],
            "{procedure}"
        );
    }
}

#[test]
fn what_is_reserved_matches_no_registration_not_even_one_for_everything() {
    let mut realm = Realm::new();
    realm.send(BOB, r#"[64,1,{"match":"prefix"},""]"#);
    for (request, procedure, expected) in [(1, "wamp.session.count", "null"), (2, "com.p", "1")] {
        let call = format!(r#""wamp.registration.match",["{procedure}"]"#);
        let answer = ask(&mut realm, request, &call);
        assert_eq!(answer, [format!("1 ← [50,{request},{{}},[{expected}]]")]);
    }
}

#[test]
fn a_registration_is_described() {
    let mut realm = registered();
    for (request, id, expected) in [
        (1, 1, r#""uri":"com.p","match":"exact","invoke":"single""#),
        (2, 2, r#""uri":"com.x","match":"prefix","invoke":"single""#),
        (
            3,
            3,
            r#""uri":"com..y","match":"wildcard","invoke":"roundrobin""#,
        ),
    ] {
        let created = r#""created":"1970-01-01T00:00:00.000Z""#;
        assert_eq!(
            ask(
                &mut realm,
                request,
                &format!(r#""wamp.registration.get",[{id}]"#)
            ),
            [format!(
                r#"1 ← [50,{request},{{}},[{{"id":{id},{created},{expected}}}]]"#
            )]
        );
    }
}

#[test]
fn the_callees_of_a_registration_are_listed_and_counted() {
    let mut realm = registered();
    for (request, id, callees, count) in [(1, 1, "[2]", 1), (3, 3, "[2,3]", 2)] {
        let call = format!(r#""wamp.registration.list_callees",[{id}]"#);
        let answer = ask(&mut realm, request, &call);
        assert_eq!(answer, [format!("1 ← [50,{request},{{}},[{callees}]]")]);
        let (call, request) = (
            format!(r#""wamp.registration.count_callees",[{id}]"#),
            request + 1,
        );
        let answer = ask(&mut realm, request, &call);
        assert_eq!(answer, [format!("1 ← [50,{request},{{}},[{count}]]")]);
    }
}

#[test]
fn a_registration_that_is_not_there_is_no_such_registration() {
    let mut realm = registered();
    realm.send(BOB, "[66,4,1]");
    for (request, call) in (1..).zip([
        r#""wamp.registration.get",[1]"#,
        r#""wamp.registration.list_callees",[1]"#,
        r#""wamp.registration.count_callees",[77]"#,
        r#""wamp.registration.remove_callee",[77,2]"#,
    ]) {
        let error = format!("1 ← [8,48,{request},{NO_SUCH}");
        assert_eq!(ask(&mut realm, request, call), [error], "{call}");
    }
}

#[test]
fn a_registration_is_created_before_its_first_callee_registers() {
    let mut realm = Realm::new();
    stop_clock(&mut realm);
    watch_all(&mut realm, "registration");
    let outputs = realm.send(BOB, r#"[64,1,{"invoke":"first"},"com.p"]"#);
    assert_eq!(outputs[0], "2 ← [65,1,1]");
    let details = r#"{"id":1,"created":"1970-01-01T00:00:00.000Z","uri":"com.p","match":"exact","invoke":"first"}"#;
    let details: serde_json::Value = serde_json::from_str(details).unwrap();
    assert_eq!(
        told(&outputs),
        [format!("created: [2,{details}]"), "added: [2,1]".to_owned()]
    );
    let outputs = realm.send(ALICE, r#"[64,1,{"invoke":"first"},"com.p"]"#);
    assert_eq!(told(&outputs), ["added: [1,1]"]);
}

#[test]
fn a_registration_is_deleted_after_its_last_callee_unregistered() {
    let mut realm = Realm::new();
    watch_all(&mut realm, "registration");
    realm.send(BOB, r#"[64,1,{"invoke":"first"},"com.p"]"#);
    realm.send(ALICE, r#"[64,1,{"invoke":"first"},"com.p"]"#);
    let outputs = realm.send(BOB, "[66,2,1]");
    assert_eq!(outputs[0], "2 ← [67,2]");
    assert_eq!(told(&outputs), ["removed: [2,1]"]);
    assert_eq!(
        told(&realm.leave(ALICE)),
        ["removed: [1,1]", "deleted: [1,1]"]
    );
}

#[test]
fn what_changes_no_registration_is_not_told() {
    let mut realm = Realm::new();
    watch_all(&mut realm, "registration");
    realm.send(BOB, r#"[64,1,{},"com.p"]"#);
    assert!(told(&realm.send(ALICE, r#"[64,1,{},"com.p"]"#)).is_empty());
    assert!(told(&realm.send(ALICE, "[66,2,1]")).is_empty());
    assert!(told(&realm.leave(ALICE)).is_empty());
}

#[test]
fn whoever_registers_is_told_of_it_too() {
    let mut realm = Realm::new();
    watch_all(&mut realm, "registration");
    let outputs = realm.send(CAROL, r#"[64,5,{},"com.p"]"#);
    assert_eq!(outputs[0], "3 ← [65,5,1]");
    assert_eq!(told(&outputs).last().unwrap(), "added: [3,1]");
}

#[test]
fn a_callee_is_removed_and_told_if_it_announced_that_it_understands() {
    let mut realm = administered();
    watch_all(&mut realm, "registration");
    realm.join_announcing(4, &[(RoleName::Callee, Feature::RegistrationRevocation)]);
    for session in [BOB, 4] {
        realm.send(session, r#"[64,1,{"invoke":"first"},"com.p"]"#);
    }
    let call = r#""wamp.registration.remove_callee",[1,4],{"reason":"com.why"}"#;
    let outputs = ask(&mut realm, 1, call);
    assert_eq!(
        outputs[0],
        r#"4 ← [67,0,{"registration":1,"reason":"com.why"}]"#
    );
    assert_eq!(told(&outputs), ["removed: [4,1]"]);
    assert_eq!(outputs.last().unwrap(), "1 ← [50,1,{}]");
    let outputs = ask(&mut realm, 2, r#""wamp.registration.remove_callee",[1,2]"#);
    assert_eq!(told(&outputs), ["removed: [2,1]", "deleted: [2,1]"]);
    assert!(!outputs.iter().any(|line| line.starts_with("2 ←")));
}

#[test]
fn who_is_no_callee_of_a_registration_cannot_be_removed_from_it() {
    let mut realm = registered();
    let answer = ask(&mut realm, 1, r#""wamp.registration.remove_callee",[1,3]"#);
    assert_eq!(answer, [r#"1 ← [8,48,1,{},"wamp.error.no_such_session"]"#]);
}

#[test]
fn what_becomes_of_a_procedure_that_is_taken_is_told_in_order() {
    let mut realm = administered();
    stop_clock(&mut realm);
    realm.state.dealer.reregistration = Reregistration::Everyone;
    for callee in [ALICE, BOB] {
        realm.send(callee, r#"[64,1,{"invoke":"last"},"com.p"]"#);
    }
    watch_all(&mut realm, "registration");
    let outputs = realm.send(CAROL, r#"[64,5,{"force_reregister":true},"com.p"]"#);
    let details = r#"{"created":"1970-01-01T00:00:00.000Z","id":2,"invoke":"single","match":"exact","uri":"com.p"}"#;
    assert_eq!(outputs[0], "3 ← [65,5,2]");
    assert_eq!(
        told(&outputs),
        [
            "removed: [1,1]".to_owned(),
            "removed: [2,1]".to_owned(),
            "deleted: [2,1]".to_owned(),
            format!("created: [3,{details}]"),
            "added: [3,2]".to_owned(),
        ]
    );
}
