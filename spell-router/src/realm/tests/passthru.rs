use super::*;

const FEATURE: Feature = Feature::PayloadPassthruMode;

/// Is called and subscribes, where Dave calls and publishes.
const EVE: u64 = 5;

/// What a message says of its payload: in the form of the specification, and in that of Autobahn.
const SPECIFIED: &str =
    r#""ppt_scheme":"wamp","ppt_serializer":"cbor","ppt_cipher":"aes256gcm","ppt_keyid":"key""#;
const OLDER: &str = r#""enc_algo":"cryptobox","enc_key":"key","enc_serializer":"json""#;

/// One binary.
const BINARY: &str = r#""\u0000AAEC""#;

/// Both announced the mode for all their roles.
fn realm() -> Realm {
    let mut realm = Realm::new();
    realm.join_announcing(
        DAVE,
        &[(RoleName::Publisher, FEATURE), (RoleName::Caller, FEATURE)],
    );
    realm.join_announcing(
        EVE,
        &[(RoleName::Subscriber, FEATURE), (RoleName::Callee, FEATURE)],
    );
    realm.send(EVE, r#"[32,1,{},"com.t"]"#);
    realm.send(EVE, r#"[64,2,{},"com.p"]"#);
    realm
}

/// And Bob, who announced nothing, with a topic and a procedure of his own.
fn with_bob() -> Realm {
    let mut realm = realm();
    realm.send(BOB, r#"[32,1,{},"com.bob.t"]"#);
    realm.send(BOB, r#"[64,2,{},"com.bob.p"]"#);
    realm
}

fn called(realm: &mut Realm, call: u64) {
    let invoked = realm.send(
        DAVE,
        &format!(r#"[48,{call},{{"receive_progress":true}},"com.p"]"#),
    );
    assert_eq!(invoked.len(), 1, "{invoked:?}");
}

#[test]
fn attributes_reach_subscribers_unchanged() {
    let mut realm = realm();
    let outputs = realm.send(
        DAVE,
        &format!(r#"[16,1,{{{SPECIFIED}}},"com.t",[{BINARY}]]"#),
    );
    let [event] = &outputs[..] else {
        panic!("{outputs:?}");
    };
    assert!(
        event.ends_with(&format!("{{{SPECIFIED}}},[{BINARY}]]")),
        "{event}"
    );
}

#[test]
fn attributes_reach_callees_and_come_back_unchanged() {
    let mut realm = realm();
    let outputs = realm.send(
        DAVE,
        &format!(r#"[48,1,{{{SPECIFIED}}},"com.p",[{BINARY}]]"#),
    );
    assert_eq!(
        outputs,
        [format!("5 ← [68,1,1,{{{SPECIFIED}}},[{BINARY}]]")]
    );
    let outputs = realm.send(EVE, &format!("[70,1,{{{SPECIFIED}}},[{BINARY}]]"));
    assert_eq!(outputs, [format!("4 ← [50,1,{{{SPECIFIED}}},[{BINARY}]]")]);
}

#[test]
fn attributes_of_errors_reach_the_caller_unchanged() {
    let mut realm = realm();
    called(&mut realm, 1);
    let outputs = realm.send(
        EVE,
        &format!(r#"[8,68,1,{{{SPECIFIED}}},"com.no",[{BINARY}]]"#),
    );
    let expected = format!(r#"4 ← [8,48,1,{{{SPECIFIED}}},"com.no",[{BINARY}]]"#);
    assert_eq!(outputs, [expected]);
}

#[test]
fn attributes_of_the_first_part_of_a_call_are_those_of_all_parts() {
    let mut realm = Realm::new();
    let caller = [
        (RoleName::Caller, FEATURE),
        (RoleName::Caller, Feature::ProgressiveCallInvocations),
    ];
    let callee = [
        (RoleName::Callee, FEATURE),
        (RoleName::Callee, Feature::CallCanceling),
        (RoleName::Callee, Feature::ProgressiveCallInvocations),
    ];
    realm.join_announcing(DAVE, &caller);
    realm.join_announcing(EVE, &callee);
    realm.send(EVE, r#"[64,1,{},"com.p"]"#);
    let first = format!(r#"[48,1,{{"progress":true,{SPECIFIED}}},"com.p",[{BINARY}]]"#);
    let expected = format!(r#"5 ← [68,1,1,{{{SPECIFIED},"progress":true}},[{BINARY}]]"#);
    assert_eq!(realm.send(DAVE, &first), [expected]);
    let last = realm.send(DAVE, &format!(r#"[48,1,{{}},"com.p",[{BINARY}]]"#));
    assert_eq!(last, [format!("5 ← [68,1,1,{{{SPECIFIED}}},[{BINARY}]]")]);
}

#[test]
fn whoever_did_not_announce_it_must_not_use_it() {
    for message in [
        format!(r#"[16,1,{{{SPECIFIED}}},"com.t",[{BINARY}]]"#),
        format!(r#"[48,1,{{{SPECIFIED}}},"com.p",[{BINARY}]]"#),
    ] {
        let mut realm = realm();
        assert!(
            is_abort(&realm.violate(ALICE, &message), ALICE),
            "{message}"
        );
    }
    let mut realm = Realm::with_call();
    let outputs = realm.violate(BOB, &format!("[70,1,{{{SPECIFIED}}},[{BINARY}]]"));
    assert!(is_abort(&outputs, BOB), "{outputs:?}");
}

#[test]
fn an_empty_scheme_is_none() {
    let mut realm = realm();
    let outputs = realm.send(ALICE, r#"[16,1,{"ppt_scheme":""},"com.t",[1]]"#);
    assert_eq!(outputs.len(), 1, "{outputs:?}");
}

#[test]
fn a_callee_that_did_not_announce_it_is_not_called() {
    let mut realm = with_bob();
    let outputs = realm.send(
        DAVE,
        &format!(r#"[48,1,{{{SPECIFIED}}},"com.bob.p",[{BINARY}]]"#),
    );
    let [error] = &outputs[..] else {
        panic!("{outputs:?}");
    };
    assert!(error.starts_with("4 ← [8,48,1,"), "{error}");
    assert!(
        error.ends_with(r#""wamp.error.feature_not_supported"]"#),
        "{error}"
    );
}

#[test]
fn a_caller_that_did_not_announce_it_gets_an_error_instead_of_the_result() {
    for options in [
        SPECIFIED.to_owned(),
        format!(r#""progress":true,{SPECIFIED}"#),
    ] {
        let mut realm = realm();
        realm.send(ALICE, r#"[48,1,{"receive_progress":true},"com.p"]"#);
        let outputs = realm.send(EVE, &format!("[70,1,{{{options}}},[{BINARY}]]"));
        let [error] = &outputs[..] else {
            panic!("{outputs:?}");
        };
        assert!(error.starts_with("1 ← [8,48,1,"), "{error}");
        assert!(
            error.ends_with(r#""wamp.error.feature_not_supported"]"#),
            "{error}"
        );
        // It is over; what still comes is late.
        assert!(realm.send(EVE, "[70,1,{}]").is_empty());
    }
}

#[test]
fn a_result_for_a_caller_that_left_is_late_and_no_more() {
    let mut realm = realm();
    called(&mut realm, 1);
    realm.leave(DAVE);
    assert!(
        realm
            .send(EVE, &format!("[70,1,{{{SPECIFIED}}},[{BINARY}]]"))
            .is_empty()
    );
}

#[test]
fn subscribers_that_did_not_announce_it_get_the_binary_all_the_same() {
    let mut realm = with_bob();
    let outputs = realm.send(
        DAVE,
        &format!(r#"[16,1,{{{SPECIFIED}}},"com.bob.t",[{BINARY}]]"#),
    );
    let [event] = &outputs[..] else {
        panic!("{outputs:?}");
    };
    assert!(
        event.ends_with(&format!("{{{SPECIFIED}}},[{BINARY}]]")),
        "{event}"
    );
}

#[test]
fn a_retained_event_keeps_its_attributes() {
    let mut realm = realm();
    realm.send(
        DAVE,
        &format!(r#"[16,1,{{"retain":true,{SPECIFIED}}},"com.t",[{BINARY}]]"#),
    );
    let outputs = realm.send(BOB, r#"[32,1,{"get_retained":true},"com.t"]"#);
    let [_, event] = &outputs[..] else {
        panic!("{outputs:?}");
    };
    let expected = format!(r#"{{{SPECIFIED},"retained":true}},[{BINARY}]]"#);
    assert!(event.ends_with(&expected), "{event}");
}

#[test]
fn a_bare_binary_reaches_those_who_know_of_it_as_it_came() {
    let mut realm = realm();
    let outputs = realm.send(DAVE, &format!(r#"[16,1,{{{OLDER}}},"com.t",{BINARY}]"#));
    let [event] = &outputs[..] else {
        panic!("{outputs:?}");
    };
    assert!(
        event.ends_with(&format!("{{{OLDER}}},{BINARY}]")),
        "{event}"
    );
    let outputs = realm.send(DAVE, &format!(r#"[48,2,{{{OLDER}}},"com.p",{BINARY}]"#));
    assert_eq!(outputs, [format!("5 ← [68,1,1,{{{OLDER}}},{BINARY}]")]);
    let outputs = realm.send(EVE, &format!("[70,1,{{{OLDER}}},{BINARY}]"));
    assert_eq!(outputs, [format!("4 ← [50,2,{{{OLDER}}},{BINARY}]")]);
}

#[test]
fn a_bare_binary_becomes_a_list_for_those_who_do_not_know_of_it() {
    let mut realm = with_bob();
    let retained = format!(r#"[16,1,{{"retain":true,{OLDER}}},"com.bob.t",{BINARY}]"#);
    let outputs = realm.send(DAVE, &retained);
    let [event] = &outputs[..] else {
        panic!("{outputs:?}");
    };
    assert!(event.ends_with(&format!("{{}},[{BINARY}]]")), "{event}");
    let outputs = realm.send(ALICE, r#"[32,1,{"get_retained":true},"com.bob.t"]"#);
    let [_, event] = &outputs[..] else {
        panic!("{outputs:?}");
    };
    assert!(
        event.ends_with(&format!(r#"{{"retained":true}},[{BINARY}]]"#)),
        "{event}"
    );
    let outputs = realm.send(DAVE, &format!(r#"[48,2,{{{OLDER}}},"com.bob.p",{BINARY}]"#));
    assert_eq!(outputs, [format!("2 ← [68,1,2,{{}},[{BINARY}]]")]);
}

#[test]
fn an_error_of_a_bare_binary_becomes_a_list_for_a_caller_that_does_not_know_of_it() {
    let mut realm = realm();
    realm.send(ALICE, r#"[48,1,{},"com.p"]"#);
    let outputs = realm.send(EVE, &format!(r#"[8,68,1,{{{OLDER}}},"com.no",{BINARY}]"#));
    assert_eq!(
        outputs,
        [format!(r#"1 ← [8,48,1,{{}},"com.no",[{BINARY}]]"#)]
    );
}
