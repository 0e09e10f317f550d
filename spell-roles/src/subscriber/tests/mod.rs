mod deduplication;
mod handlers;
mod model;

use std::{error::Error as _, pin::Pin, task, time::Duration};

use futures_core::Stream;
use spell_message::{Feature, RoleFeatures, RoleName};
use spell_peer::{CloseReason, Delivery, Role};

use super::*;
use crate::{
    SubscribeError, UnsubscribeError,
    harness::{Harness, pending, poll, ready},
    queue::Overflow,
};

const ALL: &[Feature] = &[Feature::EventRetention, Feature::PatternBasedSubscription];

fn joined() -> (Harness<Subscriber>, SubscriberHandle) {
    let peer = Harness::joined(Subscriber::new(), ALL);
    let handle = peer.handle.clone();
    (peer, handle)
}

/// A subscription that the router answered with this id.
fn subscribed(
    peer: &mut Harness<Subscriber>,
    subscribe: Subscribe<'_>,
    request: u64,
    id: u64,
) -> Subscription {
    let mut subscribe = subscribe.into_future();
    pending(&mut subscribe);
    assert_eq!(peer.sent().len(), 1);
    peer.receive(&format!("[33,{request},{id}]"));
    ready(&mut subscribe).unwrap()
}

fn next(subscription: &mut Subscription) -> task::Poll<Option<Event>> {
    poll(&mut Box::pin(subscription.next()))
}

/// What waits now, each event's only argument.
fn values(subscription: &mut Subscription) -> Vec<u64> {
    let mut values = Vec::new();
    while let task::Poll::Ready(Some(event)) = next(subscription) {
        values.push(event.value().unwrap());
    }
    values
}

fn is_over(subscription: &mut Subscription) -> bool {
    matches!(next(subscription), task::Poll::Ready(None))
}

fn event(id: u64, value: u64) -> String {
    format!("[36,{id},{},{{}},[{value}]]", value + 100)
}

#[tokio::test(start_paused = true)]
async fn an_event_right_behind_the_answer_is_not_missed() {
    let (mut peer, handle) = joined();
    let mut subscribe = handle.subscribe("com.example.a").into_future();
    pending(&mut subscribe);
    assert_eq!(peer.sent(), [r#"[32,1,{},"com.example.a"]"#]);
    peer.receive("[33,1,5]");
    peer.receive(&event(5, 1));
    // The one who subscribed is polled only now.
    let mut subscription = ready(&mut subscribe).unwrap();
    assert_eq!(subscription.id().unwrap().get(), 5);
    assert_eq!(values(&mut subscription), [1]);
}

#[tokio::test(start_paused = true)]
async fn an_event_tells_its_topic_its_details_and_its_arguments() {
    let (mut peer, handle) = joined();
    let mut exact = subscribed(&mut peer, handle.subscribe("com.example.a"), 1, 5);
    let prefix = handle.subscribe("com.example.").prefix();
    let mut prefix = subscribed(&mut peer, prefix, 2, 6);
    peer.receive(concat!(
        r#"[36,5,9,{"publisher":3,"publisher_authid":"ada","publisher_authrole":"user","#,
        r#""trustlevel":2,"retained":true},["x",7],{"a":1}]"#
    ));
    peer.receive(r#"[36,6,9,{"topic":"com.example.a"},["x",7],{"a":1}]"#);
    let task::Poll::Ready(Some(event)) = next(&mut exact) else {
        panic!("no event");
    };
    assert_eq!(event.topic(), "com.example.a");
    assert_eq!(event.publication().get(), 9);
    assert_eq!(event.publisher().unwrap().get(), 3);
    assert_eq!(event.publisher_authid(), Some("ada"));
    assert_eq!(event.publisher_authrole(), Some("user"));
    assert_eq!((event.trustlevel(), event.is_retained()), (Some(2), true));
    assert_eq!(event.details().as_dict().len(), 5);
    assert_eq!(event.args::<(String, u8)>().unwrap(), ("x".to_owned(), 7));
    let kwargs: spell_message::Dict = event.kwargs().unwrap();
    assert_eq!(kwargs, spell_message::Dict::from([("a", 1)]));
    let task::Poll::Ready(Some(matched)) = next(&mut prefix) else {
        panic!("no event");
    };
    assert_eq!(matched.topic(), "com.example.a");
    assert_eq!(matched.publication(), event.publication());
    assert!(matched.publisher().is_none() && matched.trustlevel().is_none());
    assert!(!matched.is_retained());
    let clone = event.clone();
    let frame = |event: &Event| event.payload().tail().as_ptr();
    assert_eq!(frame(&clone), frame(&event), "a clone shares the frame");
}

#[tokio::test(start_paused = true)]
async fn options_are_sent_as_they_were_set() {
    let (mut peer, handle) = joined();
    let subscribe = handle.subscribe("com..x").wildcard().get_retained(true);
    let mut subscribe = subscribe.nkey("n").option("x_own", 1).into_future();
    pending(&mut subscribe);
    assert_eq!(
        peer.sent(),
        [r#"[32,1,{"match":"wildcard","get_retained":true,"nkey":"n","x_own":1},"com..x"]"#]
    );
    let mut named = handle
        .subscribe("com.")
        .option("match", "prefix")
        .into_future();
    pending(&mut named);
    assert_eq!(peer.sent(), [r#"[32,2,{"match":"prefix"},"com."]"#]);
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_a_subscription_is_told_before_anything_is_sent() {
    let (mut peer, handle) = joined();
    let bad_topic = handle.subscribe("com..x");
    let bad_option = handle.subscribe("com.x").option("match", "odd");
    assert!(matches!(
        ready(&mut bad_topic.into_future()),
        Err(SubscribeError::Uri(_))
    ));
    assert!(matches!(
        ready(&mut bad_option.into_future()),
        Err(SubscribeError::Option(_))
    ));
    assert!(peer.sent().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_the_broker_did_not_announce_is_not_asked_of_it() {
    let mut peer = Harness::joined(Subscriber::new(), &[]);
    let handle = peer.handle.clone();
    let retained = handle.subscribe("com.example.a").get_retained(true);
    for (subscribe, needed) in [
        (
            handle.subscribe("com.").prefix(),
            Feature::PatternBasedSubscription,
        ),
        (retained, Feature::EventRetention),
    ] {
        let mut subscribe = subscribe.into_future();
        pending(&mut subscribe);
        assert!(peer.sent().is_empty());
        let error = ready(&mut subscribe).unwrap_err();
        let SubscribeError::Unsupported { role, feature, .. } = error else {
            panic!("{error:?}");
        };
        assert_eq!((role, feature), (RoleName::Broker, Some(needed)));
    }
    let plain = handle.subscribe("com.example.a").get_retained(false);
    let mut plain = plain.nkey("n").into_future();
    pending(&mut plain);
    assert_eq!(
        peer.sent().len(),
        1,
        "what is the default, or only carried, needs no feature"
    );
}

#[tokio::test(start_paused = true)]
async fn answers_are_told_apart_by_their_ids_and_kinds() {
    let (mut peer, handle) = joined();
    let mut first = handle.subscribe("com.example.a").into_future();
    let mut second = handle.subscribe("com.example.b").into_future();
    pending(&mut first);
    pending(&mut second);
    peer.sent();
    peer.receive("[33,9,5]");
    peer.receive(r#"[8,16,1,{},"com.example.no"]"#);
    peer.receive(r#"[8,34,1,{},"com.example.no"]"#);
    pending(&mut first);
    // The answers need not come in the order of the requests.
    peer.receive("[33,2,6]");
    pending(&mut first);
    assert_eq!(ready(&mut second).unwrap().id().unwrap().get(), 6);
    peer.receive(r#"[8,32,1,{},"wamp.error.not_authorized"]"#);
    let error = ready(&mut first).unwrap_err();
    assert_eq!(error.uri().unwrap().as_str(), "wamp.error.not_authorized");
}

#[tokio::test(start_paused = true)]
async fn a_pending_subscription_has_an_id() {
    let (mut peer, handle) = joined();
    let mut started = Box::pin(handle.subscribe("com.example.a").start());
    pending(&mut started);
    peer.sent();
    let mut subscribe = ready(&mut started).unwrap();
    assert_eq!(subscribe.id().get(), 1);
    pending(&mut subscribe);
    peer.receive("[33,1,5]");
    assert_eq!(ready(&mut subscribe).unwrap().id().unwrap().get(), 5);
    // There is no second answer.
    pending(&mut subscribe);
}

#[tokio::test(start_paused = true)]
async fn two_subscriptions_to_one_topic_share_an_id_and_nothing_else() {
    let (mut peer, handle) = joined();
    let mut first = subscribed(&mut peer, handle.subscribe("com.example.a"), 1, 5);
    let mut second = subscribed(&mut peer, handle.subscribe("com.example.a"), 2, 5);
    peer.receive(&event(5, 1));
    assert_eq!(values(&mut first), [1]);
    peer.receive(&event(5, 2));
    assert_eq!(values(&mut second), [1, 2]);
    assert_eq!(values(&mut first), [2]);
    drop(first);
    assert!(peer.sent().is_empty(), "the other one still needs the id");
    peer.receive(&event(5, 3));
    assert_eq!(values(&mut second), [3]);
    drop(second);
    assert_eq!(peer.sent(), ["[34,3,5]"]);
    assert!(peer.sent().is_empty(), "once is enough");
}

#[tokio::test(start_paused = true)]
async fn unsubscribing_waits_for_the_answer() {
    let (mut peer, handle) = joined();
    let first = subscribed(&mut peer, handle.subscribe("com.example.a"), 1, 5);
    let second = subscribed(&mut peer, handle.subscribe("com.example.a"), 2, 5);
    let mut unsubscribe = Box::pin(first.unsubscribe());
    pending(&mut unsubscribe);
    assert!(peer.sent().is_empty());
    ready(&mut unsubscribe).unwrap();
    let mut unsubscribe = Box::pin(second.unsubscribe());
    pending(&mut unsubscribe);
    assert_eq!(peer.sent(), ["[34,3,5]"]);
    // Events under way are nobody's any more.
    peer.receive(&event(5, 1));
    pending(&mut unsubscribe);
    peer.receive("[35,3]");
    ready(&mut unsubscribe).unwrap();
    assert!(peer.sent().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_is_gone_already_counts_as_unsubscribed() {
    let (mut peer, handle) = joined();
    let subscription = subscribed(&mut peer, handle.subscribe("com.example.a"), 1, 5);
    let mut unsubscribe = Box::pin(subscription.unsubscribe());
    pending(&mut unsubscribe);
    peer.sent();
    peer.receive(r#"[8,34,2,{},"wamp.error.no_such_subscription"]"#);
    ready(&mut unsubscribe).unwrap();

    let subscription = subscribed(&mut peer, handle.subscribe("com.example.a"), 3, 6);
    let mut unsubscribe = Box::pin(subscription.unsubscribe());
    pending(&mut unsubscribe);
    peer.sent();
    peer.lose();
    ready(&mut unsubscribe).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_router_that_does_not_let_go_is_told_of() {
    let (mut peer, handle) = joined();
    let subscription = subscribed(&mut peer, handle.subscribe("com.example.a"), 1, 5);
    let mut unsubscribe = Box::pin(subscription.unsubscribe());
    pending(&mut unsubscribe);
    peer.sent();
    peer.receive(r#"[8,34,2,{},"com.example.no"]"#);
    assert!(matches!(
        ready(&mut unsubscribe),
        Err(UnsubscribeError::Refused(_))
    ));
    let subscription = subscribed(&mut peer, handle.subscribe("com.example.a"), 3, 5);
    let mut unsubscribe = Box::pin(subscription.unsubscribe());
    pending(&mut unsubscribe);
    peer.sent();
    tokio::time::advance(Duration::from_secs(31)).await;
    assert!(matches!(
        ready(&mut unsubscribe),
        Err(UnsubscribeError::Timeout(Delivery::OutcomeUnknown))
    ));
    peer.receive("[35,4]");
}

#[tokio::test(start_paused = true)]
async fn an_unsubscribe_that_is_dropped_unsubscribes_all_the_same() {
    let (mut peer, handle) = joined();
    let subscription = subscribed(&mut peer, handle.subscribe("com.example.a"), 1, 5);
    drop(subscription.unsubscribe());
    assert_eq!(peer.sent(), ["[34,2,5]"]);
    let subscription = subscribed(&mut peer, handle.subscribe("com.example.a"), 3, 5);
    let mut unsubscribe = Box::pin(subscription.unsubscribe());
    pending(&mut unsubscribe);
    drop(unsubscribe);
    assert_eq!(peer.sent(), ["[34,4,5]"]);
}

#[tokio::test(start_paused = true)]
async fn events_for_unknown_subscriptions_are_dropped() {
    let (mut peer, handle) = joined();
    let mut subscription = subscribed(&mut peer, handle.subscribe("com.example.a"), 1, 5);
    peer.receive(&event(6, 1));
    peer.receive(&event(5, 2));
    assert_eq!(values(&mut subscription), [2]);
    drop(subscription);
    peer.sent();
    peer.receive(&event(5, 3));
    peer.receive("[35,2]");
    peer.receive(&event(5, 4));
}

#[tokio::test(start_paused = true)]
async fn no_unsubscribe_goes_out_while_the_topic_is_asked_for_again() {
    let (mut peer, handle) = joined();
    let first = subscribed(&mut peer, handle.subscribe("com.example.a"), 1, 5);
    let mut again = handle.subscribe("com.example.a").into_future();
    pending(&mut again);
    assert_eq!(peer.sent().len(), 1);
    let mut unsubscribe = Box::pin(first.unsubscribe());
    pending(&mut unsubscribe);
    assert!(peer.sent().is_empty(), "the id may come back");
    ready(&mut unsubscribe).unwrap();
    peer.receive("[33,2,5]");
    let mut again = ready(&mut again).unwrap();
    assert!(peer.sent().is_empty());
    peer.receive(&event(5, 1));
    assert_eq!(values(&mut again), [1]);
    drop(again);
    assert_eq!(peer.sent(), ["[34,3,5]"]);
}

#[tokio::test(start_paused = true)]
async fn an_id_that_does_not_come_back_is_unsubscribed_from_in_the_end() {
    let (mut peer, handle) = joined();
    let first = subscribed(&mut peer, handle.subscribe("com.example.a"), 1, 5);
    let mut refused = handle.subscribe("com.example.a").into_future();
    let mut other = handle
        .subscribe("com.example.a")
        .option("nkey", "x")
        .into_future();
    pending(&mut refused);
    pending(&mut other);
    peer.sent();
    drop(first);
    assert!(peer.sent().is_empty());
    peer.receive(r#"[8,32,2,{},"com.example.no"]"#);
    assert!(ready(&mut refused).is_err());
    assert!(peer.sent().is_empty(), "one is still under way");
    // Another id, for other options.
    peer.receive("[33,3,6]");
    assert_eq!(peer.sent(), ["[34,4,5]"]);
    let mut other = ready(&mut other).unwrap();
    peer.receive(&event(6, 1));
    assert_eq!(values(&mut other), [1]);
}

#[tokio::test(start_paused = true)]
async fn a_subscription_to_another_pattern_delays_no_unsubscribe() {
    let (mut peer, handle) = joined();
    let exact = subscribed(&mut peer, handle.subscribe("com.example"), 1, 5);
    let mut prefix = handle.subscribe("com.example").prefix().into_future();
    pending(&mut prefix);
    peer.sent();
    drop(exact);
    assert_eq!(peer.sent(), ["[34,3,5]"]);
}

#[tokio::test(start_paused = true)]
async fn a_late_unsubscribed_does_not_end_what_was_subscribed_since() {
    let (mut peer, handle) = joined();
    let first = subscribed(&mut peer, handle.subscribe("com.example.a"), 1, 5);
    drop(first);
    assert_eq!(peer.sent(), ["[34,2,5]"]);
    let mut again = handle.subscribe("com.example.a").into_future();
    pending(&mut again);
    peer.sent();
    // Answers to different requests have no order.
    peer.receive("[33,3,5]");
    peer.receive("[35,2]");
    let mut again = ready(&mut again).unwrap();
    peer.receive(&event(5, 1));
    assert_eq!(values(&mut again), [1]);
}

#[tokio::test(start_paused = true)]
async fn a_future_dropped_before_its_command_was_handled_sends_nothing() {
    let (mut peer, handle) = joined();
    let mut subscribe = handle.subscribe("com.example.a").into_future();
    pending(&mut subscribe);
    drop(subscribe);
    assert!(peer.sent().is_empty());
    let mut next = handle.subscribe("com.example.b").into_future();
    pending(&mut next);
    assert_eq!(peer.sent(), [r#"[32,1,{},"com.example.b"]"#]);
}

#[tokio::test(start_paused = true)]
async fn a_future_dropped_while_the_answer_is_under_way_unsubscribes() {
    let (mut peer, handle) = joined();
    let mut subscribe = handle.subscribe("com.example.a").into_future();
    pending(&mut subscribe);
    peer.sent();
    drop(subscribe);
    assert!(peer.sent().is_empty(), "there is no id yet");
    peer.receive("[33,1,5]");
    assert_eq!(peer.sent(), ["[34,2,5]"]);

    // The answer came, but nobody took it.
    let mut subscribe = handle.subscribe("com.example.a").into_future();
    pending(&mut subscribe);
    peer.sent();
    peer.receive("[33,3,5]");
    drop(subscribe);
    assert_eq!(peer.sent(), ["[34,4,5]"]);
}

#[tokio::test(start_paused = true)]
async fn a_subscription_that_takes_too_long_is_given_up() {
    let (mut peer, handle) = joined();
    let limit = Duration::from_secs(3);
    let mut subscribe = handle
        .subscribe("com.example.a")
        .timeout(limit)
        .into_future();
    pending(&mut subscribe);
    peer.sent();
    tokio::time::advance(limit).await;
    assert!(matches!(
        ready(&mut subscribe),
        Err(SubscribeError::Timeout(Delivery::OutcomeUnknown))
    ));
    peer.receive("[33,1,5]");
    assert_eq!(peer.sent(), ["[34,2,5]"]);
}

#[tokio::test(start_paused = true)]
async fn a_revoked_subscription_ends_with_the_reason() {
    let (mut peer, handle) = joined();
    let mut first = subscribed(&mut peer, handle.subscribe("com.example.a"), 1, 5);
    let mut second = subscribed(&mut peer, handle.subscribe("com.example.a"), 2, 5);
    let mut other = subscribed(&mut peer, handle.subscribe("com.example.b"), 3, 6);
    peer.receive(&event(5, 1));
    peer.receive(r#"[35,0,{"subscription":5,"reason":"no\nmore"}]"#);
    for subscription in [&mut first, &mut second] {
        assert_eq!(values(subscription), [1], "what came before is still there");
        assert!(is_over(subscription));
        let end = subscription.end().unwrap();
        assert_eq!(
            end.to_string(),
            r"the router revoked the subscription: no\nmore"
        );
        assert_eq!(subscription.id(), None);
    }
    assert!(other.end().is_none() && !is_over(&mut other));
    drop(first);
    let mut unsubscribe = Box::pin(second.unsubscribe());
    pending(&mut unsubscribe);
    assert!(
        peer.sent().is_empty(),
        "there is nothing to unsubscribe from"
    );
    ready(&mut unsubscribe).unwrap();
    // For ids that nobody has, and of no subscription.
    peer.receive(r#"[35,0,{"subscription":77}]"#);
    peer.receive("[35,0,{}]");
    peer.lose();
    peer.open(None);
    assert_eq!(peer.sent(), [r#"[32,1,{},"com.example.b"]"#]);
}

#[tokio::test(start_paused = true)]
async fn a_revocation_that_crosses_an_unsubscribe_leaves_it_its_answer() {
    let (mut peer, handle) = joined();
    let subscription = subscribed(&mut peer, handle.subscribe("com.example.a"), 1, 5);
    let mut unsubscribe = Box::pin(subscription.unsubscribe());
    pending(&mut unsubscribe);
    assert_eq!(peer.sent(), ["[34,2,5]"]);
    peer.receive(r#"[35,0,{"subscription":5}]"#);
    pending(&mut unsubscribe);
    peer.receive(r#"[8,34,2,{},"wamp.error.no_such_subscription"]"#);
    ready(&mut unsubscribe).unwrap();
}

#[tokio::test(start_paused = true)]
async fn subscriptions_outlive_a_connection() {
    let (mut peer, handle) = joined();
    let prefix = handle
        .subscribe("com.example.")
        .prefix()
        .option("nkey", "x");
    let mut first = subscribed(&mut peer, prefix, 1, 5);
    let mut second = subscribed(&mut peer, handle.subscribe("com.example.b"), 2, 6);
    let third = subscribed(&mut peer, handle.subscribe("com.example.c"), 3, 7);
    peer.receive(&event(5, 1));
    peer.lose();
    assert_eq!((first.id(), first.restored()), (None, 0));
    drop(third);
    assert!(peer.sent().is_empty());
    peer.open(None);
    assert_eq!(
        peer.sent(),
        [
            r#"[32,1,{"match":"prefix","nkey":"x"},"com.example."]"#,
            r#"[32,2,{},"com.example.b"]"#
        ]
    );
    // An id of the old session means nothing now.
    peer.receive(&event(6, 9));
    peer.receive("[33,2,5]");
    peer.receive("[33,1,6]");
    peer.receive(&event(6, 2));
    peer.receive(&event(5, 3));
    assert_eq!(values(&mut first), [1, 2]);
    assert_eq!(values(&mut second), [3]);
    assert_eq!((first.id().unwrap().get(), first.restored()), (6, 1));
}

#[tokio::test(start_paused = true)]
async fn subscriptions_are_restored_in_their_order() {
    let (mut peer, handle) = joined();
    let topics: Vec<_> = (1..=20).map(|n| format!("com.example.t{n}")).collect();
    let _subscriptions: Vec<_> = (1..)
        .zip(&topics)
        .map(|(n, topic)| subscribed(&mut peer, handle.subscribe(topic), n, n + 100))
        .collect();
    peer.lose();
    peer.open(None);
    let expected: Vec<_> = (1..)
        .zip(&topics)
        .map(|(n, topic)| format!(r#"[32,{n},{{}},"{topic}"]"#))
        .collect();
    assert_eq!(peer.sent(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_subscription_that_is_not_restored_ends_alone() {
    let (mut peer, handle) = joined();
    let mut first = subscribed(&mut peer, handle.subscribe("com.example.a"), 1, 5);
    let mut second = subscribed(&mut peer, handle.subscribe("com.example.b"), 2, 6);
    peer.lose();
    peer.open(None);
    peer.sent();
    peer.receive(r#"[8,32,1,{},"wamp.error.not_authorized"]"#);
    peer.receive("[33,2,6]");
    assert!(is_over(&mut first));
    let Some(SubscriptionEnd::NotRestored(error)) = first.end() else {
        panic!("{:?}", first.end());
    };
    assert_eq!(error.uri().unwrap().as_str(), "wamp.error.not_authorized");
    assert!(first.end().unwrap().source().is_some());
    peer.receive(&event(6, 1));
    assert_eq!(values(&mut second), [1]);
    peer.lose();
    peer.open(None);
    assert_eq!(peer.sent(), [r#"[32,1,{},"com.example.b"]"#]);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_ends_as_it_begins_ends_no_subscription() {
    let (mut peer, handle) = joined();
    let subscription = subscribed(&mut peer, handle.subscribe("com.example.a"), 1, 5);
    peer.lose();
    let mut new = handle.subscribe("com.example.b").into_future();
    pending(&mut new);
    peer.handle_commands();
    peer.open_ending();
    peer.lose();
    assert!(subscription.end().is_none());
    pending(&mut new);
    peer.open(None);
    assert_eq!(
        peer.sent(),
        [
            r#"[32,1,{},"com.example.a"]"#,
            r#"[32,2,{},"com.example.b"]"#
        ]
    );
    peer.receive("[33,1,6]");
    peer.receive("[33,2,7]");
    assert_eq!(subscription.restored(), 1);
    assert!(ready(&mut new).is_ok());
}

#[tokio::test(start_paused = true)]
async fn subscribing_waits_for_a_session() {
    let mut peer = Harness::unjoined(Subscriber::new(), ALL);
    let handle = peer.handle.clone();
    let mut first = handle.subscribe("com.example.a").into_future();
    let mut given_up = handle.subscribe("com.example.b").into_future();
    let mut last = handle.subscribe("com.example.c").into_future();
    for subscribe in [&mut first, &mut given_up, &mut last] {
        pending(subscribe);
    }
    peer.handle_commands();
    drop(given_up);
    // An attempt that fails ends nothing.
    peer.lose();
    pending(&mut first);
    peer.open(None);
    assert_eq!(
        peer.sent(),
        [
            r#"[32,1,{},"com.example.a"]"#,
            r#"[32,2,{},"com.example.c"]"#
        ]
    );
    peer.receive("[33,1,5]");
    assert_eq!(ready(&mut first).unwrap().restored(), 0);
    pending(&mut last);
}

#[tokio::test(start_paused = true)]
async fn a_subscription_under_way_ends_with_its_session() {
    let (mut peer, handle) = joined();
    let mut sent = handle.subscribe("com.example.a").into_future();
    pending(&mut sent);
    peer.sent();
    let mut queued = handle.subscribe("com.example.b").into_future();
    pending(&mut queued);
    peer.handle_commands();
    peer.lose();
    let error = ready(&mut sent).unwrap_err();
    assert_eq!(error.delivery(), Some(Delivery::OutcomeUnknown));
    let error = ready(&mut queued).unwrap_err();
    assert_eq!(error.delivery(), Some(Delivery::NotSent));
    peer.open(None);
    assert!(peer.sent().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_ends_ends_its_streams() {
    let (mut peer, handle) = joined();
    let mut subscription = subscribed(&mut peer, handle.subscribe("com.example.a"), 1, 5);
    peer.receive(&event(5, 1));
    assert!(subscription.end().is_none());
    peer.end();
    assert_eq!(values(&mut subscription), [1]);
    assert!(is_over(&mut subscription));
    assert!(matches!(
        subscription.end(),
        Some(SubscriptionEnd::Closed(CloseReason::Stopped))
    ));
    let mut unsubscribe = Box::pin(subscription.unsubscribe());
    ready(&mut unsubscribe).unwrap();
    let mut late = handle.subscribe("com.example.a").into_future();
    assert!(matches!(
        ready(&mut late),
        Err(SubscribeError::Closed {
            reason: CloseReason::Stopped,
            delivery: Delivery::NotSent,
            ..
        })
    ));
}

#[tokio::test(start_paused = true)]
async fn a_slow_subscription_loses_events_and_no_other_does() {
    let (mut peer, handle) = joined();
    let slow = handle.subscribe("com.example.a").queue_count(2);
    let mut slow = subscribed(&mut peer, slow, 1, 5);
    let oldest = handle.subscribe("com.example.a").queue_count(2);
    let oldest = oldest.overflow(Overflow::DropOldest);
    let mut oldest = subscribed(&mut peer, oldest, 2, 5);
    let latest = handle
        .subscribe("com.example.a")
        .overflow(Overflow::KeepLatest);
    let mut latest = subscribed(&mut peer, latest, 3, 5);
    let mut fast = subscribed(&mut peer, handle.subscribe("com.example.a"), 4, 5);
    let mut got = Vec::new();
    for value in 1..=5 {
        peer.receive(&event(5, value));
        got.extend(values(&mut fast));
    }
    assert_eq!(got, [1, 2, 3, 4, 5]);
    assert_eq!((values(&mut slow), slow.missed()), (vec![1, 2], 3));
    assert_eq!((values(&mut oldest), oldest.missed()), (vec![4, 5], 3));
    assert_eq!((values(&mut latest), latest.missed()), (vec![5], 4));
    assert_eq!(fast.missed(), 0);
    peer.receive(&event(5, 6));
    let task::Poll::Ready(Some(next)) = next(&mut slow) else {
        panic!("no event");
    };
    assert_eq!(next.missed(), 3, "the loss is told where it happened");
}

#[tokio::test(start_paused = true)]
async fn bytes_bound_a_queue_too() {
    let (mut peer, handle) = joined();
    let small = handle.subscribe("com.example.a").queue_bytes(2000);
    let mut small = subscribed(&mut peer, small, 1, 5);
    let text = "x".repeat(1500);
    peer.receive(&format!(r#"[36,5,1,{{}},["{text}"]]"#));
    peer.receive(&format!(r#"[36,5,2,{{}},["{text}"]]"#));
    peer.receive(&event(5, 3));
    let task::Poll::Ready(Some(large)) = next(&mut small) else {
        panic!("no event");
    };
    assert_eq!(large.publication().get(), 1);
    assert_eq!(values(&mut small), [3]);
    assert_eq!(small.missed(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_subscription_may_end_rather_than_lose_events() {
    let (mut peer, handle) = joined();
    let strict = handle.subscribe("com.example.a").queue_count(1);
    let mut strict = subscribed(&mut peer, strict.overflow(Overflow::End), 1, 5);
    peer.receive(&event(5, 1));
    assert!(strict.end().is_none());
    peer.receive(&event(5, 2));
    assert_eq!(peer.sent(), ["[34,2,5]"]);
    peer.receive(&event(5, 3));
    assert_eq!(values(&mut strict), [1]);
    assert!(is_over(&mut strict));
    assert!(matches!(strict.end(), Some(SubscriptionEnd::Lagged)));
    assert_eq!(strict.missed(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_subscription_is_a_stream() {
    let (mut peer, handle) = joined();
    let mut subscription = subscribed(&mut peer, handle.subscribe("com.example.a"), 1, 5);
    let waker = task::Waker::noop();
    let mut cx = task::Context::from_waker(waker);
    assert!(Pin::new(&mut subscription).poll_next(&mut cx).is_pending());
    peer.receive(&event(5, 1));
    let event = Pin::new(&mut subscription).poll_next(&mut cx);
    let task::Poll::Ready(Some(event)) = event else {
        panic!("no event");
    };
    assert_eq!(event.value::<u8>().unwrap(), 1);
}

#[tokio::test]
async fn a_reader_that_waits_is_woken() {
    let (mut peer, handle) = joined();
    let mut subscription = subscribed(&mut peer, handle.subscribe("com.example.a"), 1, 5);
    let reader = tokio::spawn(async move {
        let mut values: Vec<u64> = Vec::new();
        while let Some(event) = subscription.next().await {
            values.push(event.value().unwrap());
        }
        values
    });
    for value in 1..=3 {
        tokio::task::yield_now().await;
        peer.receive(&event(5, value));
    }
    peer.end();
    assert_eq!(reader.await.unwrap(), [1, 2, 3]);
}

#[test]
fn what_works_is_announced() {
    let mut announced = RoleFeatures::new();
    Subscriber::new().features(&mut announced);
    for feature in [
        Feature::PatternBasedSubscription,
        Feature::PayloadPassthruMode,
        Feature::PublicationTrustLevels,
        Feature::PublisherIdentification,
        Feature::SubscriptionRevocation,
    ] {
        assert!(announced.supports(RoleName::Subscriber, feature));
    }
}
