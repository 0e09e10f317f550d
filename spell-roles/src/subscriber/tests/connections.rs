use super::*;

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
async fn ten_thousand_subscriptions_are_restored_as_the_transport_takes_them() {
    const COUNT: usize = 10_000;
    let (mut peer, handle) = joined();
    let mut asking: Vec<_> = (1..=COUNT)
        .map(|n| handle.subscribe(format!("com.example.t{n}")).into_future())
        .collect();
    let frame = |n: usize| format!(r#"[32,{n},{{}},"com.example.t{n}"]"#);
    let mut subscriptions = Vec::new();
    for (n, subscribe) in (1..).zip(&mut asking) {
        // A task may do only so much in a row.
        tokio::task::yield_now().await;
        pending(subscribe);
        assert_eq!(peer.sent(), [frame(n)]);
        peer.receive(&format!("[33,{n},{n}]"));
        subscriptions.push(ready(subscribe).unwrap());
    }
    // Sessions are lost on the way.
    for taken in [0, 1, 5000, COUNT] {
        peer.lose();
        peer.open(None);
        for n in 1..=taken {
            assert_eq!(peer.sent_up_to(1), [frame(n)]);
            assert_eq!(peer.queued(), 0, "what was not taken is not there yet");
        }
    }
    let mut late = handle.subscribe("com.example.late").into_future();
    pending(&mut late);
    let last = COUNT + 1;
    assert_eq!(
        peer.sent(),
        [format!(r#"[32,{last},{{}},"com.example.late"]"#)]
    );
    for n in 1..=COUNT {
        peer.receive(&format!("[33,{n},{n}]"));
    }
    assert!(subscriptions.iter().all(|made| made.restored() == 1));
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
    let [reported] = &peer.reported()[..] else {
        panic!("not one report");
    };
    let reported: &SubscriptionNotRestored = reported.downcast_ref().unwrap();
    assert_eq!(reported.topic.as_str(), "com.example.a");
    assert!(reported.error.uri().is_some());
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
