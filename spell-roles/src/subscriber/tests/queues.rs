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
async fn a_subscription_that_loses_nothing_pauses_reading_while_its_queue_is_full() {
    let (mut peer, handle) = joined();
    let patient = handle.subscribe("com.example.a").queue_count(2);
    let mut patient = subscribed(&mut peer, patient.overflow(Overflow::Wait), 1, 5);
    let mut other = subscribed(&mut peer, handle.subscribe("com.example.a"), 2, 5);
    peer.receive(&event(5, 1));
    assert!(!peer.pauses_reading());
    peer.receive(&event(5, 2));
    assert!(peer.pauses_reading());
    assert_eq!(values(&mut other), [1, 2]);
    assert!(matches!(next(&mut patient), task::Poll::Ready(Some(_))));
    peer.handle_commands();
    assert!(!peer.pauses_reading());
    peer.receive(&event(5, 3));
    assert!(peer.pauses_reading());
    assert_eq!((values(&mut patient), patient.missed()), (vec![2, 3], 0));
    peer.handle_commands();
    assert!(!peer.pauses_reading());
}

#[tokio::test(start_paused = true)]
async fn the_first_loss_is_reported_and_the_first_after_the_reader_caught_up() {
    let (mut peer, handle) = joined();
    let slow = handle.subscribe("com.example.a").queue_count(2);
    let mut slow = subscribed(&mut peer, slow, 1, 5);
    let latest = handle
        .subscribe("com.example.a")
        .overflow(Overflow::KeepLatest);
    let _latest = subscribed(&mut peer, latest, 2, 5);
    let reported = |peer: &mut Harness<Subscriber>| -> Vec<u64> {
        let reported = peer.reported().into_iter();
        let lagging = reported.map(|event| {
            let lagging: &SubscriptionLagging = event.downcast_ref().unwrap();
            assert_eq!(lagging.topic.as_str(), "com.example.a");
            lagging.missed
        });
        lagging.collect()
    };
    for value in 1..=5 {
        peer.receive(&event(5, value));
    }
    assert_eq!(reported(&mut peer), [1]);
    assert!(matches!(next(&mut slow), task::Poll::Ready(Some(_))));
    for value in 6..=7 {
        peer.receive(&event(5, value));
    }
    assert!(reported(&mut peer).is_empty(), "it did not catch up");
    assert_eq!(values(&mut slow), [2, 6]);
    for value in 8..=11 {
        peer.receive(&event(5, value));
    }
    assert_eq!(reported(&mut peer), [5]);
}

#[tokio::test(start_paused = true)]
async fn a_pause_ends_with_who_caused_it() {
    for unsubscribes in [false, true] {
        let (mut peer, handle) = joined();
        let patient = handle.subscribe("com.example.a").queue_count(1);
        let patient = subscribed(&mut peer, patient.overflow(Overflow::Wait), 1, 5);
        peer.receive(&event(5, 1));
        assert!(peer.pauses_reading());
        let mut unsubscribe = Box::pin(patient.unsubscribe());
        if unsubscribes {
            pending(&mut unsubscribe);
        } else {
            drop(unsubscribe);
        }
        assert_eq!(peer.sent(), ["[34,2,5]"]);
        assert!(!peer.pauses_reading());
    }
    // One that was given up before it was made.
    let (mut peer, handle) = joined();
    let patient = handle.subscribe("com.example.a").queue_count(1);
    let mut patient = patient.overflow(Overflow::Wait).into_future();
    pending(&mut patient);
    peer.sent();
    peer.receive("[33,1,5]");
    peer.receive(&event(5, 1));
    assert!(peer.pauses_reading());
    drop(patient);
    peer.sent();
    assert!(!peer.pauses_reading());
}

#[tokio::test(start_paused = true)]
async fn a_pause_keeps_no_session_from_being_joined() {
    let (mut peer, handle) = joined();
    let patient = handle.subscribe("com.example.a").queue_count(1);
    let mut patient = subscribed(&mut peer, patient.overflow(Overflow::Wait), 1, 5);
    peer.receive(&event(5, 1));
    peer.lose();
    assert!(!peer.pauses_reading(), "there is nothing to read");
    peer.open(None);
    assert!(peer.pauses_reading(), "the queue is still full");
    assert_eq!(values(&mut patient), [1]);
    peer.sent();
    assert!(!peer.pauses_reading());
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
