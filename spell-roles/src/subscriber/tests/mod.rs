mod connections;
mod deduplication;
mod draining;
mod gaps;
mod handlers;
mod model;
mod queues;
mod unsubscribing;

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
