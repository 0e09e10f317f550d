use super::*;

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
    assert!(matches!(
        strict.end(),
        Some(SubscriptionEnd::Lagged { missed: 1 })
    ));
    assert_eq!(strict.missed(), 1);
}
