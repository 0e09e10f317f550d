use std::sync::{Arc, Mutex};

use tokio::sync::Notify;

use super::*;
use crate::Handled;

fn one() -> (Harness<Subscriber>, SubscriberHandle, Subscription) {
    let (mut peer, handle) = joined();
    let subscription = subscribed(&mut peer, handle.subscribe("com.example.a"), 1, 5);
    (peer, handle, subscription)
}

#[tokio::test(start_paused = true)]
async fn a_drained_subscription_takes_what_the_router_sent_before_it_let_go() {
    let (mut peer, _, mut subscription) = one();
    peer.receive(&event(5, 1));
    {
        let mut drain = Box::pin(subscription.drain());
        pending(&mut drain);
        assert_eq!(peer.sent(), ["[34,2,5]"]);
        peer.receive(&event(5, 2));
        pending(&mut drain);
        peer.receive("[35,2]");
        peer.receive(&event(5, 3));
        ready(&mut drain).unwrap();
    }
    assert_eq!(values(&mut subscription), [1, 2]);
    assert!(is_over(&mut subscription));
    drop(subscription);
    assert!(peer.sent().is_empty(), "it unsubscribes once");
    peer.lose();
    peer.open(None);
    assert!(peer.sent().is_empty(), "it is not made again");
}

#[tokio::test(start_paused = true)]
async fn another_subscription_to_the_topic_lives_on_when_one_is_drained() {
    let (mut peer, handle, mut subscription) = one();
    let mut other = subscribed(&mut peer, handle.subscribe("com.example.a"), 2, 5);
    peer.receive(&event(5, 1));
    {
        let mut drain = Box::pin(subscription.drain());
        pending(&mut drain);
        assert!(peer.sent().is_empty());
        ready(&mut drain).unwrap();
    }
    peer.receive(&event(5, 2));
    assert_eq!(values(&mut subscription), [1]);
    assert!(is_over(&mut subscription));
    assert_eq!(values(&mut other), [1, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_topic_can_be_subscribed_to_again_while_it_is_drained() {
    let (mut peer, handle, mut subscription) = one();
    let mut drain = Box::pin(subscription.drain());
    pending(&mut drain);
    assert_eq!(peer.sent(), ["[34,2,5]"]);
    let mut again = handle.subscribe("com.example.a").into_future();
    pending(&mut again);
    assert_eq!(peer.sent(), [r#"[32,3,{},"com.example.a"]"#]);
    peer.receive(&event(5, 1));
    peer.receive("[35,2]");
    peer.receive("[33,3,5]");
    peer.receive(&event(5, 2));
    ready(&mut drain).unwrap();
    let mut again = ready(&mut again).unwrap();
    drop(drain);
    assert_eq!(values(&mut again), [2]);
    assert_eq!(values(&mut subscription), [1]);
    assert!(peer.sent().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_drain_that_is_dropped_goes_on_and_one_whose_subscription_is_too_does_no_harm() {
    let (mut peer, _, mut subscription) = one();
    let mut drain = Box::pin(subscription.drain());
    pending(&mut drain);
    assert_eq!(peer.sent(), ["[34,2,5]"]);
    drop(drain);
    peer.receive(&event(5, 1));
    assert_eq!(values(&mut subscription), [1]);
    drop(subscription);
    assert!(peer.sent().is_empty(), "it unsubscribes once");
    peer.receive(&event(5, 2));
    peer.receive("[35,2]");
    assert!(peer.sent().is_empty());
}

#[tokio::test(start_paused = true)]
async fn without_a_session_what_waits_can_be_read_to_the_end() {
    let (mut peer, _, mut subscription) = one();
    peer.receive(&event(5, 1));
    {
        let mut drain = Box::pin(subscription.drain());
        pending(&mut drain);
        peer.sent();
        peer.lose();
        ready(&mut drain).unwrap();
    }
    assert_eq!(values(&mut subscription), [1]);
    assert!(is_over(&mut subscription));
    peer.open(None);
    assert!(peer.sent().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_router_that_does_not_let_go_is_told_of_and_not_listened_to() {
    let (mut peer, _, mut subscription) = one();
    {
        let mut drain = Box::pin(subscription.drain());
        pending(&mut drain);
        peer.sent();
        peer.receive(r#"[8,34,2,{},"com.example.no"]"#);
        let drained = ready(&mut drain);
        assert!(matches!(drained, Err(UnsubscribeError::Refused(_))));
    }
    peer.receive(&event(5, 1));
    assert!(is_over(&mut subscription));
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_waits_does_not_keep_the_router_from_being_heard_while_it_is_drained() {
    let (mut peer, handle) = joined();
    let subscribe = handle.subscribe("com.example.a").overflow(Overflow::Wait);
    let mut subscription = subscribed(&mut peer, subscribe.queue_count(2), 1, 5);
    peer.receive(&event(5, 1));
    {
        let mut drain = Box::pin(subscription.drain());
        pending(&mut drain);
        peer.sent();
        for value in 2..5 {
            peer.receive(&event(5, value));
            assert!(!peer.pauses_reading());
        }
        peer.receive("[35,2]");
        ready(&mut drain).unwrap();
    }
    assert_eq!(values(&mut subscription), [1, 2]);
    assert!(is_over(&mut subscription));

    // One that is full already is not waited for.
    let subscribe = handle.subscribe("com.example.a").overflow(Overflow::Wait);
    let mut subscription = subscribed(&mut peer, subscribe.queue_count(1), 3, 5);
    peer.receive(&event(5, 1));
    assert!(peer.pauses_reading());
    {
        let mut drain = Box::pin(subscription.drain());
        pending(&mut drain);
        assert_eq!(peer.sent(), ["[34,4,5]"]);
        assert!(!peer.pauses_reading());
        peer.receive("[35,4]");
        ready(&mut drain).unwrap();
    }
    assert_eq!(values(&mut subscription), [1]);
}

/// A handler that works on each event until it is told to go on.
fn working(
    peer: &mut Harness<Subscriber>,
) -> (Subscription<Handled>, Arc<Notify>, Arc<Mutex<Vec<u8>>>) {
    let (go_on, done) = (Arc::new(Notify::new()), Arc::new(Mutex::new(Vec::new())));
    let (told, log) = (go_on.clone(), done.clone());
    let handle = peer.handle.clone();
    let subscribe = handle
        .subscribe("com.example.a")
        .handler(move |(value,): (u8,)| {
            let (told, log) = (told.clone(), log.clone());
            async move {
                told.notified().await;
                log.lock().unwrap().push(value);
            }
        });
    let mut subscribe = subscribe.into_future();
    pending(&mut subscribe);
    peer.sent();
    peer.receive("[33,1,5]");
    (ready(&mut subscribe).unwrap(), go_on, done)
}

async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_is_done_with_all_that_came_before_its_subscription_is_drained() {
    let (mut peer, _) = joined();
    let (subscription, go_on, done) = working(&mut peer);
    peer.receive(&event(5, 1));
    peer.receive(&event(5, 2));
    settle().await;
    let mut drain = Box::pin(subscription.drain());
    pending(&mut drain);
    assert_eq!(peer.sent(), ["[34,2,5]"]);
    peer.receive("[35,2]");
    for _ in 0..2 {
        pending(&mut drain);
        go_on.notify_one();
        settle().await;
    }
    ready(&mut drain).unwrap();
    assert_eq!(*done.lock().unwrap(), [1, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_drain_that_is_dropped_calls_the_handler_no_more() {
    let (mut peer, _) = joined();
    let (subscription, go_on, done) = working(&mut peer);
    peer.receive(&event(5, 1));
    peer.receive(&event(5, 2));
    settle().await;
    let mut drain = Box::pin(subscription.drain());
    pending(&mut drain);
    assert_eq!(peer.sent(), ["[34,2,5]"]);
    drop(drain);
    for _ in 0..2 {
        go_on.notify_one();
        settle().await;
    }
    assert_eq!(*done.lock().unwrap(), [1]);
    assert!(peer.sent().is_empty(), "it unsubscribes once");
}
