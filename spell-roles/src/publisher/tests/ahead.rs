//! Publications that are done when they are handed to the session.

use super::*;

/// A session of which the handle knows, whose router takes messages up to this size.
fn told(publisher: Publisher, max_send: Option<usize>) -> (Harness<Publisher>, PublisherHandle) {
    let mut peer = Harness::unjoined(publisher, ALL);
    peer.open(max_send);
    peer.tell_joined();
    let handle = peer.handle.clone();
    (peer, handle)
}

#[tokio::test(start_paused = true)]
async fn a_publication_is_done_when_it_is_handed_to_the_session() {
    let (mut peer, handle) = told(Publisher::new(), None);
    ready(&mut handle.publish("com.a").arg(1).into_future()).unwrap();
    let mut acknowledged = handle.publish("com.b").acknowledge().into_future();
    pending(&mut acknowledged);
    let plain = handle.publish("com.c").rkey("r").retain(false);
    let posted = ready(&mut Box::pin(plain.post())).unwrap();
    assert_eq!(posted, Posted::Sent);
    assert_eq!(
        peer.sent(),
        [
            r#"[16,1,{},"com.a",[1]]"#,
            r#"[16,2,{"acknowledge":true},"com.b"]"#,
            r#"[16,3,{"rkey":"r","retain":false},"com.c"]"#,
        ]
    );
    assert_eq!(peer.statistics().publications_lost, 0);
}

#[tokio::test(start_paused = true)]
async fn what_the_router_may_not_take_waits_until_it_is_committed() {
    let (mut peer, handle) = told(Publisher::new(), Some(3200));
    let unsure = [
        handle.publish("com.a").exclude_me(false),
        handle.publish("com.a").option("ppt_scheme", "x_own"),
        // It fits, but not for sure.
        handle.publish("com.a").arg("x".repeat(3000)),
    ];
    for publish in unsure {
        let mut publish = publish.into_future();
        pending(&mut publish);
        peer.sent();
        assert!(
            matches!(
                ready(&mut publish),
                Ok(()) | Err(PublishError::Unsupported { .. })
            ),
            "its outcome is known then"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_router_that_is_no_broker_is_handed_nothing() {
    let mut roles = RoleFeatures::new();
    roles.add(RoleName::Dealer, []);
    let mut peer = Harness::joined_to(Publisher::new(), roles);
    peer.tell_joined();
    let handle = peer.handle.clone();
    let mut publish = handle.publish("com.a").into_future();
    pending(&mut publish);
    assert_eq!(peer.sent(), [""; 0]);
    let error = ready(&mut publish).unwrap_err();
    assert!(matches!(error, PublishError::Unsupported { .. }));
}

#[tokio::test(start_paused = true)]
async fn what_was_handed_to_a_session_that_ended_is_counted() {
    let (mut peer, handle) = told(Publisher::new(), None);
    ready(&mut handle.publish("com.a").into_future()).unwrap();
    peer.lose();
    let mut late = handle.publish("com.b").into_future();
    pending(&mut late);
    peer.handle_commands();
    let error = ready(&mut late).unwrap_err();
    assert_eq!(error.delivery(), Some(Delivery::NotSent), "it is an error");
    assert_eq!(peer.statistics().publications_lost, 1);
}

#[tokio::test(start_paused = true)]
async fn what_was_handed_to_a_session_that_ended_waits_in_the_outbox() {
    let outbox = Outbox::new(1, 10_000, Duration::from_secs(60));
    let (mut peer, handle) = told(Publisher::new().outbox(outbox), None);
    for topic in ["com.a", "com.b"] {
        ready(&mut handle.publish(topic).into_future()).unwrap();
    }
    peer.lose();
    peer.handle_commands();
    assert_eq!(peer.statistics().publications_lost, 1, "no room");
    peer.open(None);
    assert_eq!(peer.sent(), [r#"[16,1,{},"com.a"]"#]);
}

#[tokio::test(start_paused = true)]
async fn who_publishes_without_pause_waits_once_the_queue_is_full() {
    let (mut peer, handle) = told(Publisher::new(), None);
    let capacity = PeerConfig::default().command_capacity;
    // Without a limit to what one poll may do, for which tokio would make futures wait.
    tokio::task::unconstrained(async {
        for _ in 0..capacity {
            ready(&mut handle.publish("com.a").into_future()).unwrap();
        }
        let mut waiting = handle.publish("com.a").into_future();
        pending(&mut waiting);
        assert_eq!(peer.sent().len(), capacity);
        pending(&mut waiting);
        assert_eq!(peer.sent().len(), 1);
        ready(&mut waiting).unwrap();
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_is_handed_over_is_bounded_by_its_bytes_too() {
    let (mut peer, handle) = told(Publisher::new(), None);
    let half = "x".repeat(PeerConfig::default().outbox_soft_limit / 2);
    let publish = || handle.publish("com.a").arg(&half).into_future();
    ready(&mut publish()).unwrap();
    let mut waiting = publish();
    pending(&mut waiting);
    assert_eq!(peer.sent().len(), 2);
    ready(&mut waiting).unwrap();
    ready(&mut publish()).unwrap();
}
