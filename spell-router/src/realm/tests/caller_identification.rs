//! What callees learn of callers.
//!
//! WAMP spec, "Caller Identification" and "Call Trust Levels".

use super::*;

/// A realm with this policy, where Bob registered `com.p`.
fn realm(disclosure: Disclosure, options: &str) -> Realm {
    let mut realm = Realm::new();
    realm.state.dealer.disclosure = disclosure;
    realm.send(BOB, &format!(r#"[64,1,{options},"com.p"]"#));
    realm
}

const CALLER: &str = r#"{"caller":1,"caller_authid":"alice","caller_authrole":"admin"}"#;

#[test]
fn the_realm_decides_who_is_disclosed() {
    let asks = r#"{"disclose_caller":true}"#;
    for (disclosure, register, call, disclosed) in [
        (Disclosure::OnRequest, "{}", "{}", false),
        (Disclosure::OnRequest, "{}", r#"{"disclose_me":true}"#, true),
        (Disclosure::OnRequest, asks, "{}", true),
        (
            Disclosure::OnRequest,
            asks,
            r#"{"disclose_me":false}"#,
            true,
        ),
        (Disclosure::Always, "{}", "{}", true),
        (Disclosure::Never, "{}", "{}", false),
        (Disclosure::Never, asks, "{}", false),
        (Disclosure::Never, asks, r#"{"disclose_me":false}"#, false),
    ] {
        let mut realm = realm(disclosure, register);
        let outputs = realm.send(ALICE, &format!(r#"[48,1,{call},"com.p",[1]]"#));
        let details = if disclosed { CALLER } else { "{}" };
        let expected = format!("2 ← [68,1,1,{details},[1]]");
        assert_eq!(outputs, [expected], "{disclosure:?} {register} {call}");
    }
}

#[test]
fn who_wants_to_be_disclosed_where_nobody_is_is_refused() {
    let mut realm = realm(Disclosure::Never, "{}");
    let outputs = realm.send(ALICE, r#"[48,1,{"disclose_me":true},"com.p"]"#);
    assert_eq!(
        outputs,
        [
            r#"1 ← [8,48,1,{"message":"this realm discloses nobody"},"wamp.error.option_disallowed.disclose_me"]"#
        ]
    );
    assert!(realm.state.is_idle());
}

#[test]
fn each_callee_of_a_shared_registration_learns_what_it_asked_for() {
    let mut realm = Realm::new();
    realm.send(
        BOB,
        r#"[64,1,{"invoke":"roundrobin","disclose_caller":true},"com.p"]"#,
    );
    realm.send(CAROL, r#"[64,1,{"invoke":"roundrobin"},"com.p"]"#);
    for (call, expected) in [
        (1, format!("2 ← [68,1,1,{CALLER}]")),
        (2, "3 ← [68,1,1,{}]".to_owned()),
    ] {
        let outputs = realm.send(ALICE, &format!(r#"[48,{call},{{}},"com.p"]"#));
        assert_eq!(outputs, [expected]);
    }
}

#[test]
fn an_invocation_says_how_far_its_caller_is_trusted() {
    for (level, details) in [
        (None, "{}"),
        (Some(0), r#"{"trustlevel":0}"#),
        (Some(7), r#"{"trustlevel":7}"#),
    ] {
        let mut realm = realm(Disclosure::OnRequest, "{}");
        let principal = Principal {
            authid: "dave".to_owned(),
            authrole: "user".to_owned(),
            method: Method::Anonymous,
            trustlevel: level,
        };
        let line = Line::new(Json::new().into(), None);
        realm.step(|state, out| {
            state.join(id(DAVE), principal, Announced::default(), line, out);
        });
        let outputs = realm.send(DAVE, r#"[48,1,{},"com.p"]"#);
        assert_eq!(outputs, [format!("2 ← [68,1,1,{details}]")]);
    }
}

#[test]
fn an_identity_of_any_length_is_carried_or_the_call_fails() {
    for (length, carried) in [(10, true), (5_000, false)] {
        let mut realm = Realm::new();
        realm.join_taking(DAVE, &[], Some(4_500));
        realm.send(DAVE, r#"[64,1,{"disclose_caller":true},"com.p"]"#);
        realm.join(5, &"x".repeat(length), "user");
        let outputs = realm.send(5, r#"[48,1,{},"com.p"]"#);
        assert_eq!(outputs[0].starts_with("4 ← [68,1,1,"), carried, "{length}");
        assert_eq!(
            outputs[0].ends_with(r#""wamp.error.payload_size_exceeded"]"#),
            !carried
        );
    }
}

#[test]
fn the_keys_of_sharding_are_taken_and_decide_nothing() {
    let mut realm = realm(Disclosure::OnRequest, "{}");
    let options = r#"{"runmode":"partition","rkey":"north"}"#;
    let outputs = realm.send(ALICE, &format!(r#"[48,1,{options},"com.p"]"#));
    assert_eq!(outputs, ["2 ← [68,1,1,{}]"]);
}
