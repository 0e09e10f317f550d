//! Events that are kept, and who may see them.
//!
//! WAMP spec, "Event History".

use spell_message::{SubscriptionId, options::PublishOptions};

use super::*;
use crate::broker::HistoryQuery;

/// A realm that keeps what is published below `com.log`; that subscription has the id 1.
fn realm() -> Realm {
    let mut realm = Realm::new();
    let log = Pattern::prefix("com.log").unwrap();
    let room = Room {
        events: 3,
        bytes: 2_000,
    };
    let now = Environment::real().clock;
    realm.state.broker.keep_history(&log, room, now());
    realm
}

/// The publications that a session finds in the history of a subscription.
fn found(realm: &Realm, session: u64, subscription: u64) -> Option<Vec<u64>> {
    let principal = &realm.state.members[&id(session)].principal;
    let subscription = SubscriptionId::new(subscription).unwrap();
    let query = HistoryQuery::default();
    let events = realm
        .state
        .broker
        .history(subscription, &query, principal)?;
    Some(events.iter().map(|event| event.publication.get()).collect())
}

#[test]
fn what_nobody_subscribed_to_is_kept_too() {
    let mut realm = realm();
    realm.send(ALICE, r#"[16,1,{},"com.log.a",[1]]"#);
    realm.send(ALICE, r#"[16,2,{},"com.other"]"#);
    realm.send(ALICE, r#"[16,3,{},"com.log"]"#);
    assert_eq!(found(&realm, BOB, 1), Some(vec![1001, 1003]));
}

#[test]
fn a_subscriber_to_the_pattern_gets_the_subscription_of_the_history() {
    let mut realm = realm();
    let subscribe = r#"[32,1,{"match":"prefix"},"com.log"]"#;
    assert_eq!(realm.send(BOB, subscribe), ["2 ← [33,1,1]"]);
    realm.send(ALICE, r#"[16,1,{},"com.log.a"]"#);
    assert_eq!(realm.send(BOB, "[34,2,1]"), ["2 ← [35,2]"]);
    assert_eq!(realm.send(CAROL, subscribe), ["3 ← [33,1,1]"]);
    assert_eq!(found(&realm, CAROL, 1), Some(vec![1001]));
}

#[test]
fn only_a_subscription_that_was_chosen_has_a_history() {
    let mut realm = realm();
    realm.send(BOB, r#"[32,1,{},"com.log.a"]"#);
    realm.send(ALICE, r#"[16,1,{},"com.log.a"]"#);
    assert_eq!(found(&realm, BOB, 2), None);
    assert_eq!(found(&realm, BOB, 9), None);
}

#[test]
fn what_is_for_certain_sessions_is_not_kept() {
    let mut realm = realm();
    for (request, options) in [
        (1, r#"{"exclude":[2]}"#),
        (2, r#"{"eligible":[2]}"#),
        (3, r#"{"eligible":[]}"#),
    ] {
        realm.send(ALICE, &format!(r#"[16,{request},{options},"com.log"]"#));
    }
    assert_eq!(found(&realm, BOB, 1), Some(vec![]));
}

#[test]
fn who_may_not_have_an_event_does_not_find_it() {
    for (options, finders) in [
        ("{}", "1 2 3"),
        (r#"{"eligible_authrole":["admin"]}"#, "1"),
        (r#"{"exclude_authid":["bob"]}"#, "1 3"),
        (r#"{"eligible_authid":[]}"#, ""),
        (
            r#"{"eligible_authrole":["user"],"exclude_authid":["carol"]}"#,
            "2",
        ),
    ] {
        let mut realm = realm();
        realm.send(ALICE, &format!(r#"[16,1,{options},"com.log"]"#));
        let sessions = [ALICE, BOB, CAROL].into_iter();
        let finders_found: Vec<_> = sessions
            .filter(|session| found(&realm, *session, 1) == Some(vec![1001]))
            .map(|session| session.to_string())
            .collect();
        assert_eq!(finders_found.join(" "), finders, "{options}");
    }
}

#[test]
fn the_oldest_events_go_first() {
    let mut realm = realm();
    for request in 1..=4 {
        realm.send(ALICE, &format!(r#"[16,{request},{{}},"com.log"]"#));
    }
    assert_eq!(found(&realm, BOB, 1), Some(vec![1002, 1003, 1004]));
}

#[test]
fn one_too_large_leaves_the_others_and_is_counted() {
    let mut realm = realm();
    realm.send(ALICE, r#"[16,1,{},"com.log"]"#);
    let large = "x".repeat(3_000);
    let frame = Bytes::from(format!(r#"[16,2,{{}},"com.log",["{large}"]]"#));
    let message = Json::new().decode(&frame).unwrap();
    let mut out = Outputs::default();
    let handled = realm.state.handle(id(ALICE), message, &mut out);
    assert!(matches!(handled, Handled::Now(Flow::Open)));
    assert_eq!(out.take_events_not_kept(), 1);
    assert_eq!(found(&realm, BOB, 1), Some(vec![1001]));
}

#[test]
fn the_history_outlives_who_published_and_who_subscribed() {
    let mut realm = realm();
    realm.send(BOB, r#"[32,1,{"match":"prefix"},"com.log"]"#);
    realm.send(ALICE, r#"[16,1,{},"com.log"]"#);
    realm.leave(ALICE);
    realm.leave(BOB);
    assert_eq!(found(&realm, CAROL, 1), Some(vec![1001]));
}

#[test]
fn a_revoked_subscription_keeps_its_history() {
    let mut realm = realm();
    realm.send(BOB, r#"[32,1,{"match":"prefix"},"com.log"]"#);
    realm.send(ALICE, r#"[16,1,{},"com.log"]"#);
    let subscription = SubscriptionId::new(1).unwrap();
    realm.step(|state, out| state.broker.revoke(subscription, None, &state.members, out));
    assert_eq!(found(&realm, BOB, 1), Some(vec![1001]));
}

#[test]
fn what_the_router_publishes_is_kept_as_well() {
    let mut realm = realm();
    let topic = Uri::new("com.log").unwrap();
    let options = PublishOptions::new();
    realm.step(|state, out| state.publish_own(&topic, &options, &Payload::default(), out));
    assert_eq!(found(&realm, BOB, 1), Some(vec![1001]));
}
