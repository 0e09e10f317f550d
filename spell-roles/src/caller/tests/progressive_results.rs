use futures_util::StreamExt;

use super::*;

#[tokio::test(start_paused = true)]
async fn results_come_one_by_one_and_the_last_one_ends_the_stream() {
    let (mut peer, mut results) = receiving(|call| call);
    assert_eq!(results.id().get(), 1);
    waits(&mut results);
    peer.receive(r#"[50,1,{"progress":true},[1]]"#);
    peer.receive(r#"[50,1,{"progress":true},[2]]"#);
    let first = next(&mut results).unwrap();
    assert!(first.is_progress());
    assert_eq!(first.value::<u8>().unwrap(), 1);
    assert_eq!(number(&mut results), 2);
    waits(&mut results);
    peer.receive("[50,1,{},[3]]");
    let last = next(&mut results).unwrap();
    assert!(!last.is_progress());
    assert_eq!(last.value::<u8>().unwrap(), 3);
    ended(&mut results);
    drop(results);
    assert_eq!(peer.sent(), NOTHING, "a call that is over is not cancelled");
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_read_before_the_end() {
    let (mut peer, mut results) = receiving(|call| call);
    peer.receive(r#"[50,1,{"progress":true},[1]]"#);
    peer.receive("[50,1,{},[2]]");
    assert_eq!(number(&mut results), 1);
    assert_eq!(number(&mut results), 2);
    ended(&mut results);
}

#[tokio::test(start_paused = true)]
async fn a_callee_may_give_one_result_only() {
    let (mut peer, mut results) = receiving(|call| call);
    peer.receive("[50,1,{}]");
    next(&mut results).unwrap().args::<()>().unwrap();
    ended(&mut results);
}

#[tokio::test(start_paused = true)]
async fn an_error_is_the_last_item() {
    let (mut peer, mut results) = receiving(|call| call);
    peer.receive(r#"[50,1,{"progress":true},[1]]"#);
    peer.receive(r#"[8,48,1,{},"com.example.odd",[7]]"#);
    assert_eq!(number(&mut results), 1);
    let error = next(&mut results).unwrap_err();
    assert_eq!(error.uri().unwrap(), "com.example.odd");
    ended(&mut results);
}

#[tokio::test(start_paused = true)]
async fn the_results_are_a_stream() {
    let (mut peer, results) = receiving(|call| call);
    for frame in [
        r#"[50,1,{"progress":true},[1]]"#,
        r#"[50,1,{"progress":true},[2]]"#,
        "[50,1,{},[3]]",
    ] {
        peer.receive(frame);
    }
    let numbers = results.map(|result| result.unwrap().value::<u8>().unwrap());
    assert_eq!(numbers.collect::<Vec<_>>().await, [1, 2, 3]);
}

#[tokio::test(start_paused = true)]
async fn a_reader_is_woken_by_a_result_and_by_the_end() {
    let (mut peer, mut results) = receiving(|call| call);
    let reader = tokio::spawn(async move {
        let mut numbers = Vec::new();
        while let Some(result) = results.next().await {
            numbers.push(result.unwrap().value::<u8>().unwrap());
        }
        numbers
    });
    for frame in [r#"[50,1,{"progress":true},[1]]"#, "[50,1,{},[2]]"] {
        tokio::task::yield_now().await;
        peer.receive(frame);
    }
    assert_eq!(reader.await.unwrap(), [1, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_second_last_result_is_dropped_and_so_is_all_that_follows() {
    let (mut peer, mut results) = receiving(|call| call);
    for frame in [
        "[50,1,{},[1]]",
        "[50,1,{},[2]]",
        r#"[50,1,{"progress":true},[3]]"#,
        r#"[8,48,1,{},"com.example.odd"]"#,
    ] {
        peer.receive(frame);
    }
    assert_eq!(number(&mut results), 1);
    ended(&mut results);
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_cancels_the_call_and_the_reader_is_told() {
    let (mut peer, mut results) = receiving(|call| call.queue_count(2));
    for number in 1..=3 {
        peer.receive(&format!(r#"[50,1,{{"progress":true}},[{number}]]"#));
    }
    assert_eq!(peer.sent(), [KILL_NO_WAIT]);
    // What still comes is late.
    peer.receive(r#"[50,1,{"progress":true},[4]]"#);
    peer.receive(r#"[8,48,1,{},"wamp.error.canceled"]"#);
    assert_eq!(number(&mut results), 1);
    assert_eq!(number(&mut results), 2);
    let error = next(&mut results).unwrap_err();
    assert!(matches!(error, CallError::Lagged), "{error:?}");
    assert_eq!(results.missed(), 1);
    ended(&mut results);
    drop(results);
    assert_eq!(peer.sent(), NOTHING);
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_loses_by_its_policy_and_never_the_last_result() {
    for (overflow, kept, missed) in [
        (Overflow::DropNewest, &[1, 2, 9][..], 3),
        (Overflow::DropOldest, &[4, 5, 9], 3),
        (Overflow::KeepLatest, &[5, 9], 4),
    ] {
        let (mut peer, mut results) = receiving(|call| call.queue_count(2).overflow(overflow));
        for number in 1..=5 {
            peer.receive(&format!(r#"[50,1,{{"progress":true}},[{number}]]"#));
        }
        peer.receive("[50,1,{},[9]]");
        for number in kept {
            assert_eq!(super::number(&mut results), *number, "{overflow:?}");
        }
        ended(&mut results);
        assert_eq!(results.missed(), missed);
        assert_eq!(peer.sent(), NOTHING);
    }
}

#[tokio::test(start_paused = true)]
async fn a_queue_without_room_for_progress_has_room_for_the_end() {
    for last in ["[50,1,{},[9]]", r#"[8,48,1,{},"com.example.odd"]"#] {
        let (mut peer, mut results) =
            receiving(|call| call.queue_count(0).overflow(Overflow::DropNewest));
        peer.receive(r#"[50,1,{"progress":true},[1]]"#);
        peer.receive(last);
        assert_eq!(next(&mut results).is_ok(), last.starts_with("[50"));
        ended(&mut results);
    }
}

#[tokio::test(start_paused = true)]
async fn bytes_are_a_bound_of_their_own() {
    let (mut peer, mut results) = receiving(|call| call.queue_bytes(1000));
    let text = "x".repeat(1000);
    peer.receive(&format!(r#"[50,1,{{"progress":true}},["{text}"]]"#));
    assert_eq!(peer.sent(), [KILL_NO_WAIT]);
    assert!(matches!(next(&mut results), Err(CallError::Lagged)));
    ended(&mut results);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_dropped_cancels_the_call() {
    let (mut peer, results) = receiving(|call| call);
    peer.receive(r#"[50,1,{"progress":true},[1]]"#);
    drop(results);
    // Before the role knows, and after.
    peer.receive(r#"[50,1,{"progress":true},[2]]"#);
    assert_eq!(peer.sent(), [KILL_NO_WAIT]);
    peer.receive(r#"[50,1,{"progress":true},[3]]"#);
    peer.receive(r#"[8,48,1,{},"wamp.error.canceled"]"#);
    assert_eq!(peer.sent(), NOTHING);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_dropped_before_it_was_sent_never_is() {
    let mut peer = joined(PROGRESS);
    let handle = peer.handle.clone();
    let mut call = Box::pin(handle.call("com.example.p").receive_progress().send());
    pending(&mut call);
    drop(call);
    assert_eq!(peer.sent(), NOTHING);
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_ends_the_stream_behind_what_waits() {
    let (mut peer, mut results) = receiving(|call| call);
    peer.receive(r#"[50,1,{"progress":true},[1]]"#);
    peer.lose();
    peer.open(None);
    assert_eq!(number(&mut results), 1);
    let error = next(&mut results).unwrap_err();
    assert!(matches!(
        error,
        CallError::Closed {
            reason: CloseReason::Disconnected,
            delivery: Delivery::OutcomeUnknown,
        }
    ));
    ended(&mut results);
    assert_eq!(peer.sent(), NOTHING);
}

#[tokio::test(start_paused = true)]
async fn a_router_that_cannot_do_it_is_not_asked() {
    let mut peer = joined(CANCELING);
    let handle = peer.handle.clone();
    let call = handle.call("com.example.p").receive_progress();
    let error = give(&mut peer, call.send()).unwrap_err();
    assert!(matches!(
        error,
        CallError::Unsupported {
            feature: Some(Feature::ProgressiveCallResults),
            ..
        }
    ));
    assert_eq!(peer.sent(), NOTHING);
}

#[tokio::test(start_paused = true)]
async fn a_progressive_result_that_nobody_asked_for_is_dropped() {
    let mut peer = joined(PROGRESS);
    let handle = peer.handle.clone();
    let mut call = handle.call("com.example.p").into_future();
    pending(&mut call);
    peer.sent();
    peer.receive(r#"[50,1,{"progress":true},[1]]"#);
    peer.receive(r#"[50,7,{"progress":true},[1]]"#);
    pending(&mut call);
    peer.receive("[50,1,{},[2]]");
    assert_eq!(ready(&mut call).unwrap().value::<u8>().unwrap(), 2);
}
