//! What subscribers learn of publishers.
//!
//! WAMP spec, "Publisher Identification" and "Publication Trust Levels".

use super::*;

/// A realm with this policy, where Bob subscribed to `com.t`.
fn realm(disclosure: Disclosure) -> Realm {
    let mut realm = Realm::new();
    realm.state.broker.disclosure = disclosure;
    realm.send(BOB, r#"[32,1,{},"com.t"]"#);
    realm
}

const DISCLOSED: &str =
    r#"2 ← [36,1,1001,{"publisher":1,"publisher_authid":"alice","publisher_authrole":"admin"}]"#;

#[test]
fn the_realm_decides_who_is_disclosed() {
    for (disclosure, options, disclosed) in [
        (Disclosure::OnRequest, "{}", false),
        (Disclosure::OnRequest, r#"{"disclose_me":true}"#, true),
        (Disclosure::Always, "{}", true),
        (Disclosure::Always, r#"{"disclose_me":false}"#, true),
        (Disclosure::Never, "{}", false),
        (Disclosure::Never, r#"{"disclose_me":false}"#, false),
    ] {
        let mut realm = realm(disclosure);
        let outputs = realm.send(ALICE, &format!(r#"[16,1,{options},"com.t"]"#));
        let expected = if disclosed {
            DISCLOSED
        } else {
            "2 ← [36,1,1001,{}]"
        };
        assert_eq!(outputs, [expected], "{disclosure:?} {options}");
    }
}

#[test]
fn who_wants_to_be_disclosed_where_nobody_is_is_refused_if_that_can_be_told() {
    let mut realm = realm(Disclosure::Never);
    let publish = r#"[16,1,{"disclose_me":true,"acknowledge":true},"com.t"]"#;
    let outputs = realm.send(ALICE, publish);
    assert_eq!(
        outputs,
        [
            r#"1 ← [8,16,1,{"message":"this realm discloses nobody"},"wamp.error.option_disallowed.disclose_me"]"#
        ]
    );
    let unacknowledged = r#"[16,2,{"disclose_me":true},"com.t"]"#;
    assert!(realm.send(ALICE, unacknowledged).is_empty());
    realm.send(ALICE, r#"[16,3,{},"com.t"]"#);
}

#[test]
fn an_event_says_how_far_its_publisher_is_trusted() {
    let mut realm = realm(Disclosure::OnRequest);
    let trust = |realm: &mut Realm, level| {
        let member = realm.state.members.get_mut(&id(ALICE)).unwrap();
        member.principal.trustlevel = level;
    };
    trust(&mut realm, Some(2));
    let outputs = realm.send(ALICE, r#"[16,1,{},"com.t",[1]]"#);
    assert_eq!(outputs, [r#"2 ← [36,1,1001,{"trustlevel":2},[1]]"#]);
    trust(&mut realm, Some(0));
    let outputs = realm.send(ALICE, r#"[16,2,{"retain":true},"com.t"]"#);
    assert_eq!(outputs, [r#"2 ← [36,1,1002,{"trustlevel":0}]"#]);
    trust(&mut realm, None);
    let outputs = realm.send(CAROL, r#"[32,1,{"get_retained":true},"com.t"]"#);
    assert_eq!(
        outputs[1..],
        [r#"3 ← [36,1,1002,{"trustlevel":0,"retained":true}]"#]
    );
}

#[test]
fn the_keys_of_sharding_are_taken_and_decide_nothing() {
    let mut realm = realm(Disclosure::OnRequest);
    realm.send(CAROL, r#"[32,1,{"nkey":"south"},"com.t"]"#);
    let outputs = realm.send(ALICE, r#"[16,1,{"rkey":"north"},"com.t"]"#);
    assert_eq!(outputs, ["2 ← [36,1,1001,{}]", "3 ← [36,1,1001,{}]"]);
}
