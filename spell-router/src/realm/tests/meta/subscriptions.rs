//! WAMP spec, "Subscriptions Meta API".

use super::*;

const NO_SUCH: &str = r#"{},"wamp.error.no_such_subscription"]"#;

/// Bob has 1, `com.t`, and 2, everything that begins with `com.x`; with Carol 3, `com..y`.
fn subscribed() -> Realm {
    let mut realm = administered();
    stop_clock(&mut realm);
    realm.send(BOB, r#"[32,1,{},"com.t"]"#);
    realm.send(BOB, r#"[32,2,{"match":"prefix"},"com.x"]"#);
    for (session, request) in [(BOB, 3), (CAROL, 1)] {
        realm.send(
            session,
            &format!(r#"[32,{request},{{"match":"wildcard"}},"com..y"]"#),
        );
    }
    realm
}

#[test]
fn subscriptions_are_listed_by_how_they_match() {
    let mut realm = subscribed();
    assert_eq!(
        ask(&mut realm, 1, r#""wamp.subscription.list""#),
        [r#"1 ← [50,1,{},[{"exact":[1],"prefix":[2],"wildcard":[3]}]]"#]
    );
}

#[test]
fn subscriptions_to_the_routers_own_topics_are_listed_like_any_other() {
    let mut realm = Realm::new();
    watch(&mut realm, &["wamp.session.on_join"]);
    let answer = ask(
        &mut realm,
        1,
        r#""wamp.subscription.lookup",["wamp.session.on_join"]"#,
    );
    assert_eq!(answer, ["1 ← [50,1,{},[1]]"]);
}

#[test]
fn a_subscription_is_looked_up_by_its_very_pattern() {
    for (arguments, expected) in [
        (r#"["com.t"]"#, "1"),
        (r#"["com.t",{"match":"exact","get_retained":true}]"#, "1"),
        (r#"["com.t",null]"#, "1"),
        (r#"["com.t",{"match":"prefix"}]"#, "null"),
        (r#"["com.x",{"match":"prefix"}]"#, "2"),
        (r#"["com..y",{"match":"wildcard"}]"#, "3"),
    ] {
        let mut realm = subscribed();
        assert_eq!(
            ask(
                &mut realm,
                1,
                &format!(r#""wamp.subscription.lookup",{arguments}"#)
            ),
            [format!("1 ← [50,1,{{}},[{expected}]]")],
            "{arguments}"
        );
    }
}

#[test]
fn all_subscriptions_match_that_would_get_an_event_and_none_is_null() {
    for (topic, expected) in [
        ("com.t", "[1]"),
        ("com.x.y", "[2,3]"),
        ("com.xx", "[2]"),
        ("com.z", "null"),
    ] {
        let mut realm = subscribed();
        assert_eq!(
            ask(
                &mut realm,
                1,
                &format!(r#""wamp.subscription.match",["{topic}"]"#)
            ),
            [format!("1 ← [50,1,{{}},[{expected}]]")],
            "{topic}"
        );
    }
}

#[test]
fn a_subscription_is_described() {
    let mut realm = subscribed();
    for (request, id, expected) in [
        (1, 1, r#""uri":"com.t","match":"exact""#),
        (2, 2, r#""uri":"com.x","match":"prefix""#),
        (3, 3, r#""uri":"com..y","match":"wildcard""#),
    ] {
        let created = r#""created":"1970-01-01T00:00:00.000Z""#;
        assert_eq!(
            ask(
                &mut realm,
                request,
                &format!(r#""wamp.subscription.get",[{id}]"#)
            ),
            [format!(
                r#"1 ← [50,{request},{{}},[{{"id":{id},{created},{expected}}}]]"#
            )]
        );
    }
}

#[test]
fn the_subscribers_of_a_subscription_are_listed_and_counted() {
    let mut realm = subscribed();
    for (request, id, subscribers, count) in [(1, 1, "[2]", 1), (3, 3, "[2,3]", 2)] {
        let call = format!(r#""wamp.subscription.list_subscribers",[{id}]"#);
        let answer = ask(&mut realm, request, &call);
        assert_eq!(answer, [format!("1 ← [50,{request},{{}},[{subscribers}]]")]);
        let call = format!(r#""wamp.subscription.count_subscribers",[{id}]"#);
        let request = request + 1;
        let answer = ask(&mut realm, request, &call);
        assert_eq!(answer, [format!("1 ← [50,{request},{{}},[{count}]]")]);
    }
}

#[test]
fn a_subscription_that_is_not_there_is_no_such_subscription() {
    let mut realm = subscribed();
    realm.send(BOB, "[34,4,1]");
    for (request, call) in (1..).zip([
        r#""wamp.subscription.get",[1]"#,
        r#""wamp.subscription.list_subscribers",[1]"#,
        r#""wamp.subscription.count_subscribers",[77]"#,
        r#""wamp.subscription.remove_subscriber",[77,2]"#,
    ]) {
        let error = format!("1 ← [8,48,{request},{NO_SUCH}");
        assert_eq!(ask(&mut realm, request, call), [error], "{call}");
    }
}

#[test]
fn a_subscription_is_created_before_its_first_subscriber_subscribes() {
    let mut realm = Realm::new();
    stop_clock(&mut realm);
    watch_all(&mut realm, "subscription");
    let outputs = realm.send(BOB, r#"[32,1,{"match":"prefix"},"com"]"#);
    assert_eq!(outputs[0], "2 ← [33,1,5]");
    let details = r#"{"id":5,"created":"1970-01-01T00:00:00.000Z","uri":"com","match":"prefix"}"#;
    let details: serde_json::Value = serde_json::from_str(details).unwrap();
    assert_eq!(
        told(&outputs),
        [format!("created: [2,{details}]"), "added: [2,5]".to_owned()]
    );
    let outputs = realm.send(ALICE, r#"[32,1,{"match":"prefix"},"com"]"#);
    assert_eq!(told(&outputs), ["added: [1,5]"]);
}

#[test]
fn a_subscription_is_deleted_after_its_last_subscriber_unsubscribed() {
    let mut realm = Realm::new();
    watch_all(&mut realm, "subscription");
    for session in [ALICE, BOB] {
        realm.send(session, r#"[32,1,{},"com.t"]"#);
    }
    let outputs = realm.send(BOB, "[34,2,5]");
    assert_eq!(outputs[0], "2 ← [35,2]");
    assert_eq!(told(&outputs), ["removed: [2,5]"]);
    assert_eq!(
        told(&realm.leave(ALICE)),
        ["removed: [1,5]", "deleted: [1,5]"]
    );
}

#[test]
fn what_changes_no_subscription_is_not_told() {
    let mut realm = Realm::new();
    watch_all(&mut realm, "subscription");
    realm.send(BOB, r#"[32,1,{},"com.t"]"#);
    assert!(told(&realm.send(BOB, r#"[32,2,{},"com.t"]"#)).is_empty());
    assert!(told(&realm.send(ALICE, "[34,1,5]")).is_empty());
    assert!(told(&realm.leave(ALICE)).is_empty());
}

#[test]
fn whoever_subscribes_to_the_news_of_subscriptions_is_told_of_its_own() {
    let mut realm = Realm::new();
    let outputs = realm.send(CAROL, r#"[32,1,{},"wamp.subscription.on_subscribe"]"#);
    assert_eq!(outputs, ["3 ← [33,1,1]", "3 ← [36,1,1001,{},[3,1]]"]);
}

#[test]
fn a_subscriber_is_removed_and_told_if_it_announced_that_it_understands() {
    let mut realm = administered();
    watch_all(&mut realm, "subscription");
    realm.join_announcing(
        4,
        &[(RoleName::Subscriber, Feature::SubscriptionRevocation)],
    );
    for session in [BOB, 4] {
        realm.send(session, r#"[32,1,{},"com.t"]"#);
    }
    let call = r#""wamp.subscription.remove_subscriber",[5,4],{"reason":"com.why"}"#;
    let outputs = ask(&mut realm, 1, call);
    assert_eq!(
        outputs[0],
        r#"4 ← [35,0,{"subscription":5,"reason":"com.why"}]"#
    );
    assert_eq!(told(&outputs), ["removed: [4,5]"]);
    assert_eq!(outputs.last().unwrap(), "1 ← [50,1,{}]");
    let outputs = ask(
        &mut realm,
        2,
        r#""wamp.subscription.remove_subscriber",[5,2]"#,
    );
    assert_eq!(told(&outputs), ["removed: [2,5]", "deleted: [2,5]"]);
    assert!(!outputs.iter().any(|line| line.starts_with("2 ←")));
}

#[test]
fn who_is_no_subscriber_of_a_subscription_cannot_be_removed_from_it() {
    let mut realm = subscribed();
    let answer = ask(
        &mut realm,
        1,
        r#""wamp.subscription.remove_subscriber",[1,3]"#,
    );
    assert_eq!(answer, [r#"1 ← [8,48,1,{},"wamp.error.no_such_session"]"#]);
}
