//! WAMP spec, "Session Meta API".

use super::*;

const BOBS: &str = r#"{"session":2,"authid":"bob","authrole":"user","authmethod":"anonymous","authprovider":"static"}"#;

/// The ids in an answer, sorted: their order is undefined.
fn ids(answer: &[String]) -> Vec<u64> {
    let answer = answer.last().unwrap().strip_prefix("1 ← ").unwrap();
    let answer: serde_json::Value = serde_json::from_str(answer).unwrap();
    let ids = answer[3][0].as_array().unwrap();
    let mut ids: Vec<_> = ids.iter().map(|id| id.as_u64().unwrap()).collect();
    ids.sort_unstable();
    ids
}

#[test]
fn sessions_are_counted_the_caller_included() {
    let mut realm = Realm::new();
    assert_eq!(
        ask(&mut realm, 1, r#""wamp.session.count""#),
        ["1 ← [50,1,{},[3]]"]
    );
    realm.leave(BOB);
    assert_eq!(
        ask(&mut realm, 2, r#""wamp.session.count""#),
        ["1 ← [50,2,{},[2]]"]
    );
}

#[test]
fn sessions_are_listed_the_caller_included() {
    let mut realm = Realm::new();
    let answer = ask(&mut realm, 1, r#""wamp.session.list""#);
    assert_eq!(ids(&answer), [ALICE, BOB, CAROL]);
}

#[test]
fn a_list_of_roles_restricts_who_is_counted_and_listed() {
    for (roles, expected) in [
        (r#"[["user"]]"#, &[BOB, CAROL][..]),
        (r#"[["admin","user"]]"#, &[ALICE, BOB, CAROL]),
        (r#"[["nobody"]]"#, &[]),
        ("[[]]", &[]),
        ("[null]", &[ALICE, BOB, CAROL]),
        ("[]", &[ALICE, BOB, CAROL]),
    ] {
        let mut realm = Realm::new();
        let answer = ask(&mut realm, 1, &format!(r#""wamp.session.list",{roles}"#));
        assert_eq!(ids(&answer), expected, "{roles}");
        let answer = ask(&mut realm, 2, &format!(r#""wamp.session.count",{roles}"#));
        let count = expected.len();
        assert_eq!(answer, [format!("1 ← [50,2,{{}},[{count}]]")], "{roles}");
    }
}

#[test]
fn a_session_is_described() {
    let mut realm = Realm::new();
    assert_eq!(
        ask(&mut realm, 1, r#""wamp.session.get",[2]"#),
        [format!("1 ← [50,1,{{}},[{BOBS}]]")]
    );
}

#[test]
fn a_session_that_is_not_there_is_no_such_session() {
    let mut realm = Realm::new();
    realm.leave(BOB);
    let answer = ask(&mut realm, 1, r#""wamp.session.get",[2]"#);
    assert_eq!(answer, [r#"1 ← [8,48,1,{},"wamp.error.no_such_session"]"#]);
}

#[test]
fn a_procedure_below_wamp_that_is_not_there_is_no_such_procedure() {
    let mut realm = Realm::new();
    for (request, procedure) in [(1, "wamp"), (2, "wamp.session"), (3, "wamp.session.counts")] {
        let answer = ask(&mut realm, request, &format!(r#""{procedure}""#));
        let error = format!(r#"1 ← [8,48,{request},{{}},"wamp.error.no_such_procedure"]"#);
        assert_eq!(answer, [error]);
    }
}

#[test]
fn the_router_answers_itself_although_someone_registered_everything() {
    let mut realm = Realm::new();
    realm.send(BOB, r#"[64,1,{"match":"prefix"},""]"#);
    assert_eq!(
        ask(&mut realm, 1, r#""wamp.session.count""#),
        ["1 ← [50,1,{},[3]]"]
    );
}

#[test]
fn a_session_that_joins_is_told_to_the_others() {
    let mut realm = Realm::new();
    realm.leave(BOB);
    watch(&mut realm, &["wamp.session.on_join"]);
    let outputs = realm.step(|state, out| {
        let line = Line::new(Json::new().into(), None);
        let principal = Principal {
            authid: "bob".to_owned(),
            authrole: "user".to_owned(),
            method: Method::Anonymous,
            trustlevel: None,
        };
        state.join(id(BOB), principal, Announced::default(), line, out);
    });
    assert_eq!(outputs, [format!("3 ← [36,1,1001,{{}},[{BOBS}]]")]);
}

#[test]
fn a_session_that_leaves_is_told_to_the_others_however_it_leaves() {
    let on_leave = r#"3 ← [36,1,1001,{},[2,"bob","user"]]"#;
    let mut realm = Realm::new();
    watch(&mut realm, &["wamp.session.on_leave"]);
    assert_eq!(realm.leave(BOB), [on_leave]);

    let mut realm = Realm::new();
    watch(&mut realm, &["wamp.session.on_leave"]);
    let outputs = realm.violate(BOB, "[34,7,1]");
    assert!(is_abort(&outputs, BOB));
    assert_eq!(outputs[1..], [on_leave]);
}

#[test]
fn a_session_is_not_told_that_it_leaves_itself() {
    let mut realm = Realm::new();
    watch(&mut realm, &["wamp.session.on_leave"]);
    assert!(realm.leave(CAROL).is_empty());
}

#[test]
fn whoever_subscribed_to_everything_is_told_with_the_topic() {
    let mut realm = Realm::new();
    realm.send(CAROL, r#"[32,1,{"match":"prefix"},"wamp.session."]"#);
    assert_eq!(
        realm.leave(BOB),
        [r#"3 ← [36,1,1001,{"topic":"wamp.session.on_leave"},[2,"bob","user"]]"#]
    );
}

#[test]
fn what_nobody_subscribed_to_is_not_even_published() {
    let mut realm = Realm::new();
    realm.send(CAROL, r#"[32,1,{},"com.t"]"#);
    assert!(realm.leave(BOB).is_empty());
    // The first publication has the first id.
    let outputs = realm.send(ALICE, r#"[16,1,{},"com.t"]"#);
    assert_eq!(outputs, ["3 ← [36,1,1001,{}]"]);
}
