//! Events that come late.
//!
//! WAMP spec, "Event Retention".

use super::*;
use crate::quotas::Room;

const SUBSCRIBE: &str = r#"[32,1,{"get_retained":true},"com.t"]"#;

/// A realm where Alice published, with these options beside `retain`, to `com.t`.
fn retained(options: &str) -> Realm {
    let mut realm = Realm::new();
    let publish = format!(r#"[16,1,{{"retain":true{options}}},"com.t",[1],{{"a":2}}]"#);
    assert!(realm.send(ALICE, &publish).is_empty());
    realm
}

#[test]
fn the_retained_event_follows_subscribed_and_says_that_it_is_retained() {
    let mut realm = retained("");
    let outputs = realm.send(BOB, SUBSCRIBE);
    assert_eq!(
        outputs,
        [
            "2 ← [33,1,1]",
            r#"2 ← [36,1,1001,{"retained":true},[1],{"a":2}]"#
        ]
    );
}

#[test]
fn whoever_does_not_ask_gets_no_retained_event() {
    for options in ["{}", r#"{"get_retained":false}"#] {
        let subscribe = format!(r#"[32,1,{options},"com.t"]"#);
        assert_eq!(retained("").send(BOB, &subscribe), ["2 ← [33,1,1]"]);
    }
}

#[test]
fn only_what_is_to_be_retained_is() {
    for options in ["{}", r#"{"retain":false}"#] {
        let mut realm = retained("");
        realm.send(ALICE, &format!(r#"[16,2,{options},"com.t",["new"]]"#));
        realm.send(ALICE, &format!(r#"[16,3,{options},"com.other"]"#));
        assert!(realm.send(BOB, SUBSCRIBE)[1].contains("1001"));
        let other = r#"[32,2,{"get_retained":true},"com.other"]"#;
        assert_eq!(realm.send(BOB, other), ["2 ← [33,2,2]"]);
    }
}

#[test]
fn an_event_that_is_retained_is_delivered_at_once_as_any_other() {
    let mut realm = Realm::new();
    realm.send(BOB, r#"[32,1,{},"com.t"]"#);
    let outputs = realm.send(ALICE, r#"[16,1,{"retain":true},"com.t"]"#);
    assert_eq!(outputs, ["2 ← [36,1,1001,{}]"]);
}

#[test]
fn the_last_event_replaces_the_one_before_even_if_it_is_empty() {
    let mut realm = retained("");
    realm.send(CAROL, r#"[16,1,{"retain":true},"com.t"]"#);
    let outputs = realm.send(BOB, SUBSCRIBE);
    assert_eq!(outputs[1..], [r#"2 ← [36,1,1002,{"retained":true}]"#]);
}

#[test]
fn whoever_subscribes_again_and_asks_gets_it_again() {
    let mut realm = retained("");
    realm.send(BOB, r#"[32,1,{},"com.t"]"#);
    let outputs = realm.send(BOB, r#"[32,2,{"get_retained":true},"com.t"]"#);
    assert_eq!(outputs.len(), 2, "{outputs:?}");
}

#[test]
fn a_pattern_gets_the_last_event_of_each_topic_in_the_order_of_publication() {
    let mut realm = retained("");
    realm.send(ALICE, r#"[16,2,{"retain":true},"com.a"]"#);
    realm.send(ALICE, r#"[16,3,{"retain":true},"com.t",[3]]"#);
    realm.send(ALICE, r#"[16,4,{"retain":true},"org.t"]"#);
    let outputs = realm.send(
        BOB,
        r#"[32,1,{"match":"prefix","get_retained":true},"com."]"#,
    );
    let events = [
        r#"2 ← [36,1,1002,{"retained":true,"topic":"com.a"}]"#,
        r#"2 ← [36,1,1003,{"retained":true,"topic":"com.t"},[3]]"#,
    ];
    assert_eq!(outputs[1..], events);
    let outputs = realm.send(
        CAROL,
        r#"[32,1,{"match":"wildcard","get_retained":true},".t"]"#,
    );
    let events = [
        r#"3 ← [36,2,1003,{"retained":true,"topic":"com.t"},[3]]"#,
        r#"3 ← [36,2,1004,{"retained":true,"topic":"org.t"}]"#,
    ];
    assert_eq!(outputs[1..], events);
}

#[test]
fn the_lists_hold_for_late_events_too() {
    for (lists, receivers) in [
        ("", "2 3"),
        (r#","exclude":[2]"#, "3"),
        (r#","exclude_authid":["carol"]"#, "2"),
        (r#","exclude_authrole":["user"]"#, ""),
        (r#","eligible":[3]"#, "3"),
        (r#","eligible":[]"#, ""),
        (r#","eligible_authid":["bob"]"#, "2"),
        (
            r#","eligible_authrole":["user"],"exclude_authid":["bob"]"#,
            "3",
        ),
        (r#","exclude_me":false"#, "1 2 3"),
        (r#","eligible_authrole":["admin"],"exclude_me":false"#, "1"),
    ] {
        let mut realm = retained(lists);
        let mut found = Vec::new();
        for (session, request) in [(ALICE, 2), (BOB, 1), (CAROL, 1)] {
            let subscribe = format!(r#"[32,{request},{{"get_retained":true}},"com.t"]"#);
            if realm.send(session, &subscribe).len() == 2 {
                found.push(session.to_string());
            }
        }
        assert_eq!(found.join(" "), receivers, "{lists}");
    }
}

#[test]
fn who_may_not_have_the_last_event_gets_the_last_one_before() {
    let mut realm = retained("");
    realm.send(
        ALICE,
        r#"[16,2,{"retain":true,"eligible_authid":["carol"]},"com.t",["secret"]]"#,
    );
    assert!(realm.send(BOB, SUBSCRIBE)[1].contains("1001"));
    assert!(realm.send(CAROL, SUBSCRIBE)[1].contains("1002"));
}

#[test]
fn a_list_of_sessions_does_not_know_who_comes_back_as_another_session() {
    let mut realm = retained(r#","exclude":[2]"#);
    realm.leave(BOB);
    realm.join(4, "bob", "user");
    assert_eq!(realm.send(4, SUBSCRIBE).len(), 2);
    let mut realm = retained(r#","eligible":[2]"#);
    realm.leave(BOB);
    realm.join(4, "bob", "user");
    assert_eq!(realm.send(4, SUBSCRIBE).len(), 1);
}

#[test]
fn a_retained_event_outlives_its_publisher_and_still_names_it() {
    let mut realm = retained(r#","disclose_me":true"#);
    realm.leave(ALICE);
    let outputs = realm.send(BOB, SUBSCRIBE);
    assert!(outputs[1].contains(r#""publisher":1,"publisher_authid":"alice""#));
}

#[test]
fn what_the_router_does_not_take_it_does_not_retain() {
    let mut realm = Realm::new();
    realm.send(ALICE, r#"[16,1,{"retain":true},"wamp.t"]"#);
    let subscribe = r#"[32,1,{"get_retained":true},"wamp.t"]"#;
    assert_eq!(realm.send(BOB, subscribe), ["2 ← [33,1,1]"]);
}

#[test]
fn what_there_is_no_room_for_is_published_and_counted_but_not_retained() {
    let retained = Room {
        events: 1,
        bytes: 10_000,
    };
    let mut realm = Realm::with_quotas(Quotas {
        retained,
        ..Quotas::default()
    });
    realm.send(BOB, r#"[32,1,{"match":"prefix"},"com"]"#);
    let mut not_kept = Vec::new();
    for (request, topic) in [(1, "com.t"), (2, "com.t"), (3, "com.other")] {
        let mut out = Outputs::default();
        let publish = format!(r#"[16,{request},{{"retain":true}},"{topic}"]"#);
        let frame = Bytes::from(publish);
        let message = Json::new().decode(&frame).unwrap();
        let handled = realm.state.handle(id(ALICE), message, &mut out);
        assert!(matches!(handled, Handled::Now(Flow::Open)));
        not_kept.push(out.take_events_not_kept());
        assert_eq!(lines(out).len(), 1, "the event");
    }
    assert_eq!(not_kept, [0, 0, 1]);
    let outputs = realm.send(
        CAROL,
        r#"[32,1,{"match":"prefix","get_retained":true},"com"]"#,
    );
    assert_eq!(
        outputs[1..],
        [r#"3 ← [36,1,1002,{"retained":true,"topic":"com.t"}]"#]
    );
}

#[test]
fn an_event_for_which_there_is_no_room_leaves_nothing_outdated_behind() {
    let retained = Room {
        events: 10,
        bytes: 1_000,
    };
    let mut realm = Realm::with_quotas(Quotas {
        retained,
        ..Quotas::default()
    });
    realm.send(ALICE, r#"[16,1,{"retain":true},"com.t"]"#);
    let large = "x".repeat(1_000);
    realm.send(
        ALICE,
        &format!(r#"[16,2,{{"retain":true}},"com.t",["{large}"]]"#),
    );
    assert_eq!(realm.send(BOB, SUBSCRIBE), ["2 ← [33,1,1]"]);
}
