use super::*;

#[tokio::test(start_paused = true)]
async fn a_dropped_call_is_cancelled_if_the_router_can() {
    for (features, expected) in [
        (CANCELING, &[r#"[49,1,{"mode":"killnowait"}]"#][..]),
        (&[], &[]),
    ] {
        let mut peer = joined(features);
        let handle = peer.handle.clone();
        let mut call = handle.call("com.example.add").into_future();
        pending(&mut call);
        assert_eq!(ids(&peer.sent()), [1]);
        drop(call);
        assert_eq!(peer.sent(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_of_a_lost_session_cannot_cancel_one_of_the_next() {
    let mut peer = joined(CANCELING);
    let handle = peer.handle.clone();
    let mut old = handle.call("com.example.add").into_future();
    pending(&mut old);
    peer.sent();
    peer.lose();
    peer.open(None);
    let mut new = handle.call("com.example.add").into_future();
    pending(&mut new);
    assert_eq!(ids(&peer.sent()), [1]);
    drop(old);
    assert_eq!(peer.sent(), [""; 0]);
    peer.receive("[50,1,{}]");
    assert!(ready(&mut new).is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_given_up_is_cancelled_in_its_mode() {
    for (mode, name) in [(CancelMode::Skip, "skip"), (CancelMode::Kill, "kill")] {
        let mut peer = joined(CANCELING);
        let handle = peer.handle.clone();
        let mut dropped = handle.call("com.example.p").cancel_mode(mode).into_future();
        pending(&mut dropped);
        let mut late = handle.call("com.example.p").cancel_mode(mode).into_future();
        pending(&mut late);
        peer.sent();
        drop(dropped);
        assert!(late.await.unwrap_err().is_timeout());
        let canceled = |id| format!(r#"[49,{id},{{"mode":"{name}"}}]"#);
        assert_eq!(peer.sent(), [canceled(1), canceled(2)]);
    }
}

/// A call that was started as request 1.
fn started(features: &[Feature]) -> (Harness<Caller>, PendingCall) {
    let mut peer = joined(features);
    let handle = peer.handle.clone();
    let call = give(&mut peer, handle.call("com.example.p").start()).unwrap();
    assert_eq!(ids(&peer.sent()), [1]);
    (peer, call)
}

#[tokio::test(start_paused = true)]
async fn a_call_is_cancelled_in_the_mode_asked_for() {
    let (mut peer, call) = started(CANCELING);
    for (mode, name) in [
        (CancelMode::Skip, "skip"),
        (CancelMode::Kill, "kill"),
        (CancelMode::KillNoWait, "killnowait"),
    ] {
        give(&mut peer, call.cancel(mode)).unwrap();
        assert_eq!(peer.sent(), [format!(r#"[49,1,{{"mode":"{name}"}}]"#)]);
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_comes_first_ends_a_cancelled_call() {
    for mode in [CancelMode::Skip, CancelMode::Kill, CancelMode::KillNoWait] {
        for (frame, is_canceled) in [
            ("[50,1,{}]", None),
            (r#"[8,48,1,{},"com.example.odd"]"#, Some(false)),
            (r#"[8,48,1,{},"wamp.error.canceled"]"#, Some(true)),
            (r#"[8,48,1,{},"wamp.error.cancelled"]"#, Some(true)),
        ] {
            let (mut peer, mut call) = started(CANCELING);
            give(&mut peer, call.cancel(mode)).unwrap();
            peer.sent();
            pending(&mut call);
            peer.receive(frame);
            peer.receive("[50,1,{}]");
            peer.receive(r#"[8,48,1,{},"wamp.error.canceled"]"#);
            let answer = ready(&mut call);
            let told = answer.err().map(|error| error.is_canceled());
            assert_eq!(told, is_canceled, "{frame}");
            drop(call);
            assert_eq!(peer.sent(), NOTHING);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_router_that_cannot_cancel_is_not_asked_and_the_call_goes_on() {
    let (mut peer, mut call) = started(&[]);
    let error = give(&mut peer, call.cancel(CancelMode::Kill)).unwrap_err();
    assert!(matches!(
        error,
        CallError::Unsupported {
            feature: Some(Feature::CallCanceling),
            ..
        }
    ));
    assert_eq!(peer.sent(), NOTHING);
    pending(&mut call);
    peer.receive("[50,1,{}]");
    assert!(ready(&mut call).is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_over_is_not_cancelled() {
    let (mut peer, mut call) = started(CANCELING);
    peer.receive("[50,1,{}]");
    give(&mut peer, call.cancel(CancelMode::Kill)).unwrap();
    assert_eq!(peer.sent(), NOTHING);
    assert!(ready(&mut call).is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_call_of_a_lost_session_is_not_cancelled_in_the_next() {
    let (mut peer, mut call) = started(CANCELING);
    peer.lose();
    peer.open(None);
    give(&mut peer, call.cancel(CancelMode::Kill)).unwrap();
    assert_eq!(peer.sent(), NOTHING);
    assert!(ready(&mut call).is_err());
}

#[tokio::test(start_paused = true)]
async fn a_cancel_that_is_dropped_in_the_queue_is_not_sent() {
    let (mut peer, mut call) = started(CANCELING);
    let mut cancel = Box::pin(call.cancel(CancelMode::Kill));
    pending(&mut cancel);
    drop(cancel);
    assert_eq!(peer.sent(), NOTHING);
    peer.receive("[50,1,{}]");
    assert!(ready(&mut call).is_ok());
}

#[tokio::test(start_paused = true)]
async fn results_go_on_after_a_cancel_until_something_ends_them() {
    let (mut peer, mut results) = receiving(|call| call);
    give(&mut peer, results.cancel(CancelMode::Kill)).unwrap();
    assert_eq!(peer.sent(), [r#"[49,1,{"mode":"kill"}]"#]);
    peer.receive(r#"[50,1,{"progress":true},[1]]"#);
    assert_eq!(number(&mut results), 1);
    peer.receive(r#"[8,48,1,{},"wamp.error.canceled"]"#);
    peer.receive(r#"[50,1,{"progress":true},[2]]"#);
    assert!(next(&mut results).unwrap_err().is_canceled());
    ended(&mut results);
}
