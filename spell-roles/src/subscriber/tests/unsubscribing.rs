use super::*;

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
