//! Calls that wait for a session, and calls that outlive one.

use super::*;

const CALL_1: &str = r#"[48,1,{},"com.example.p",[7]]"#;

#[tokio::test(start_paused = true)]
async fn a_call_that_may_wait_is_sent_in_the_next_session() {
    let mut peer = Harness::unjoined(Caller::new(), &[]);
    let handle = peer.handle.clone();
    let call = |procedure| {
        let call = handle.call(procedure).wait_for_session();
        call.into_future()
    };
    let (mut a, mut b, mut c) = (call("com.a"), call("com.b"), call("com.c"));
    for call in [&mut a, &mut b, &mut c] {
        pending(call);
    }
    assert_eq!(peer.sent(), NOTHING);
    drop(b);
    peer.handle_commands();
    peer.open(None);
    assert_eq!(
        peer.sent(),
        [r#"[48,1,{},"com.a"]"#, r#"[48,2,{},"com.c"]"#],
        "in order, and without what was given up"
    );
    peer.receive("[50,2,{}]");
    ready(&mut c).unwrap();
    // It was sent: its session ends it.
    peer.lose();
    let error = ready(&mut a).unwrap_err();
    assert_eq!(error.delivery(), Some(Delivery::OutcomeUnknown));
}

#[tokio::test(start_paused = true)]
async fn a_call_does_not_wait_for_a_session_for_longer_than_it_may() {
    let mut peer = Harness::unjoined(Caller::new(), &[]);
    let handle = peer.handle.clone();
    let limit = Duration::from_secs(5);
    let call = handle.call("com.example.p").wait_for_session();
    let mut call = call.timeout(limit).into_future();
    pending(&mut call);
    peer.handle_commands();
    tokio::time::advance(limit).await;
    let error = ready(&mut call).unwrap_err();
    assert!(matches!(error, CallError::Timeout(Delivery::NotSent)));
    peer.handle_commands();
    peer.open(None);
    assert_eq!(peer.sent(), NOTHING);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_ending_is_waited_past() {
    let mut peer = Harness::unjoined(Caller::new(), &[]);
    let handle = peer.handle.clone();
    let mut call = handle
        .call("com.example.p")
        .wait_for_session()
        .into_future();
    pending(&mut call);
    peer.handle_commands();
    peer.open_ending();
    assert_eq!(peer.transmitted(), NOTHING);
    peer.lose();
    pending(&mut call);
    peer.open(None);
    assert_eq!(peer.sent(), [r#"[48,1,{},"com.example.p"]"#]);
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_a_session_ends_with_the_peer() {
    let mut peer = Harness::unjoined(Caller::new(), &[]);
    let handle = peer.handle.clone();
    let call = handle.call("com.example.p").wait_for_session();
    let mut call = call.into_future();
    pending(&mut call);
    peer.handle_commands();
    peer.end();
    let Err(CallError::Closed { reason, delivery }) = ready(&mut call) else {
        panic!("the peer ended");
    };
    assert!(matches!(reason, CloseReason::Stopped));
    assert_eq!(delivery, Delivery::NotSent);
}

#[tokio::test(start_paused = true)]
async fn an_idempotent_call_is_sent_again_after_each_lost_session_as_often_as_it_may() {
    let mut peer = joined(&[]);
    let handle = peer.handle.clone();
    let call = handle.call("com.example.p").arg(7).idempotent();
    let mut call = call.attempts(2).into_future();
    pending(&mut call);
    assert_eq!(peer.sent(), [CALL_1]);
    peer.lose();
    pending(&mut call);
    assert_eq!(peer.sent(), NOTHING);
    peer.open(None);
    assert_eq!(peer.sent(), [CALL_1], "with an id of the new session");
    peer.lose();
    let error = ready(&mut call).unwrap_err();
    assert_eq!(error.delivery(), Some(Delivery::OutcomeUnknown));
    peer.open(None);
    assert_eq!(peer.sent(), NOTHING);
}

#[tokio::test(start_paused = true)]
async fn an_idempotent_call_gives_the_result_of_the_attempt_that_has_one() {
    let mut peer = Harness::unjoined(Caller::new(), &[]);
    let handle = peer.handle.clone();
    let mut call = handle
        .call("com.example.p")
        .arg(7)
        .idempotent()
        .into_future();
    pending(&mut call);
    peer.handle_commands();
    for _ in 0..2 {
        peer.open(None);
        pending(&mut call);
        assert_eq!(peer.sent(), [CALL_1]);
        peer.lose();
        pending(&mut call);
        peer.handle_commands();
    }
    peer.open(None);
    assert_eq!(peer.sent(), [CALL_1]);
    peer.receive("[50,1,{},[5]]");
    assert_eq!(ready(&mut call).unwrap().value::<u8>().unwrap(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_not_idempotent_is_never_sent_again() {
    let mut peer = joined(&[]);
    let handle = peer.handle.clone();
    let call = handle.call("com.example.p").wait_for_session();
    let mut call = call.into_future();
    pending(&mut call);
    peer.sent();
    peer.lose();
    assert!(ready(&mut call).is_err());
    peer.open(None);
    assert_eq!(peer.sent(), NOTHING);
}

#[tokio::test(start_paused = true)]
async fn an_idempotent_call_that_was_answered_is_not_sent_again() {
    let mut peer = joined(&[]);
    let handle = peer.handle.clone();
    let mut call = handle.call("com.example.p").idempotent().into_future();
    pending(&mut call);
    peer.sent();
    peer.receive(r#"[8,48,1,{},"wamp.error.unavailable"]"#);
    let error = ready(&mut call).unwrap_err();
    assert!(matches!(error, CallError::Refused(_)));
    assert_eq!(peer.sent(), NOTHING);
}

#[tokio::test(start_paused = true)]
async fn an_idempotent_call_that_takes_too_long_is_given_up() {
    let mut peer = joined(&[]);
    let handle = peer.handle.clone();
    let (limit, all) = (Duration::from_secs(5), Duration::from_secs(7));
    let call = handle.call("com.example.p").timeout(limit);
    let mut call = call.idempotent().within(all).into_future();
    pending(&mut call);
    peer.sent();
    tokio::time::advance(Duration::from_secs(4)).await;
    peer.lose();
    pending(&mut call);
    peer.handle_commands();
    // Of the second attempt, not the whole of its own time is left.
    tokio::time::advance(Duration::from_secs(2)).await;
    pending(&mut call);
    tokio::time::advance(Duration::from_secs(1)).await;
    let error = ready(&mut call).unwrap_err();
    // The second attempt was never sent, but the first one was.
    assert!(matches!(
        error,
        CallError::Timeout(Delivery::OutcomeUnknown)
    ));
    peer.handle_commands();
    peer.open(None);
    assert_eq!(peer.sent(), NOTHING);
}

#[tokio::test(start_paused = true)]
async fn what_is_told_of_the_delivery_is_true_for_all_attempts() {
    // The session ended before the first attempt was handed to the transport.
    let mut peer = joined(&[]);
    let handle = peer.handle.clone();
    let call = handle.call("com.example.p").idempotent();
    let mut call = call.attempts(2).into_future();
    pending(&mut call);
    peer.handle_commands();
    peer.lose();
    pending(&mut call);
    peer.handle_commands();
    // So did the next one: it does not count as an attempt, as nothing was attempted in it.
    peer.open(None);
    peer.lose();
    pending(&mut call);
    peer.end();
    let error = ready(&mut call).unwrap_err();
    assert_eq!(error.delivery(), Some(Delivery::NotSent));

    // The first one was, and the router of the next session does not take it.
    let mut peer = joined(&[]);
    let handle = peer.handle.clone();
    let call = handle.call("com.example.p").arg("x".repeat(100));
    let mut call = call.idempotent().into_future();
    pending(&mut call);
    peer.sent();
    peer.lose();
    pending(&mut call);
    peer.handle_commands();
    peer.open(Some(50));
    assert_eq!(peer.transmitted(), NOTHING);
    let error = ready(&mut call).unwrap_err();
    assert_eq!(error.delivery(), Some(Delivery::OutcomeUnknown));
    assert!(matches!(
        error,
        CallError::Closed {
            reason: CloseReason::Disconnected,
            ..
        }
    ));
}

#[tokio::test(start_paused = true)]
async fn an_idempotent_call_is_not_sent_again_once_the_peer_has_ended() {
    let mut peer = joined(&[]);
    let handle = peer.handle.clone();
    let mut call = handle.call("com.example.p").idempotent().into_future();
    pending(&mut call);
    peer.sent();
    peer.end();
    let error = ready(&mut call).unwrap_err();
    assert_eq!(error.delivery(), Some(Delivery::OutcomeUnknown));
}

#[tokio::test(start_paused = true)]
async fn an_idempotent_call_tells_the_router_only_what_is_left_of_the_time() {
    let mut peer = joined(&[Feature::CallTimeout]);
    let handle = peer.handle.clone();
    let call = handle.call("com.example.p").timeout(Duration::from_secs(5));
    let call = call.idempotent().within(Duration::from_secs(7));
    let mut call = call.into_future();
    pending(&mut call);
    assert_eq!(peer.sent(), [r#"[48,1,{"timeout":5000},"com.example.p"]"#]);
    tokio::time::advance(Duration::from_secs(4)).await;
    peer.lose();
    pending(&mut call);
    peer.handle_commands();
    peer.open(None);
    assert_eq!(peer.sent(), [r#"[48,1,{"timeout":3000},"com.example.p"]"#]);
}
