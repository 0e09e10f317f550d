use super::*;

/// Call `com.example.p` with progressive arguments, of which the first is 1, as request 1.
fn sending() -> (Harness<Caller>, CallArguments, PendingCall) {
    let mut peer = joined(PROGRESS);
    let handle = peer.handle.clone();
    let call = handle.call("com.example.p").arg(1).progressive();
    let (arguments, call) = give(&mut peer, call).unwrap();
    assert_eq!(
        peer.sent(),
        [r#"[48,1,{"progress":true},"com.example.p",[1]]"#]
    );
    (peer, arguments, call)
}

#[tokio::test(start_paused = true)]
async fn arguments_follow_with_the_id_of_the_first_ones_and_no_other_option() {
    let mut peer = joined(PROGRESS);
    let handle = peer.handle.clone();
    let call = handle.call("com.example.p").arg(1).option("x_trace", 7);
    let (mut arguments, mut call) = give(&mut peer, call.progressive()).unwrap();
    assert_eq!((arguments.id().get(), call.id().get()), (1, 1));
    give(&mut peer, arguments.send().arg(2).kwarg("a", 3).send()).unwrap();
    give(&mut peer, arguments.finish().arg(4).send()).unwrap();
    assert_eq!(
        peer.sent(),
        [
            r#"[48,1,{"x_trace":7,"progress":true},"com.example.p",[1]]"#,
            r#"[48,1,{"progress":true},"com.example.p",[2],{"a":3}]"#,
            r#"[48,1,{},"com.example.p",[4]]"#,
        ]
    );
    drop(arguments);
    pending(&mut call);
    peer.receive("[50,1,{},[5]]");
    assert_eq!(ready(&mut call).unwrap().value::<u8>().unwrap(), 5);
    assert_eq!(peer.sent(), NOTHING);
}

#[tokio::test(start_paused = true)]
async fn they_spend_no_id() {
    let (mut peer, mut arguments, _call) = sending();
    give(&mut peer, arguments.send().send()).unwrap();
    let handle = peer.handle.clone();
    let mut other = handle.call("com.example.q").into_future();
    pending(&mut other);
    assert_eq!(ids(&peer.sent()), [1, 2]);
    give(&mut peer, arguments.finish().send()).unwrap();
    assert_eq!(ids(&peer.sent()), [1]);
}

#[tokio::test(start_paused = true)]
async fn arguments_and_results_go_both_ways_at_a_time() {
    let mut peer = joined(PROGRESS);
    let handle = peer.handle.clone();
    let call = handle.call("com.example.p").receive_progress();
    let (mut arguments, mut results) = give(&mut peer, call.progressive()).unwrap();
    assert_eq!(
        peer.sent(),
        [r#"[48,1,{"receive_progress":true,"progress":true},"com.example.p"]"#]
    );
    peer.receive(r#"[50,1,{"progress":true},[1]]"#);
    give(&mut peer, arguments.send().send()).unwrap();
    assert_eq!(number(&mut results), 1);
    give(&mut peer, arguments.finish().send()).unwrap();
    peer.receive("[50,1,{},[2]]");
    assert_eq!(number(&mut results), 2);
    ended(&mut results);
    assert_eq!(
        peer.sent(),
        [
            r#"[48,1,{"progress":true},"com.example.p"]"#,
            r#"[48,1,{},"com.example.p"]"#
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_over_takes_no_more() {
    for (frame, uri) in [
        ("[50,1,{},[7]]", None),
        (r#"[8,48,1,{},"com.example.odd"]"#, Some("com.example.odd")),
    ] {
        let (mut peer, mut arguments, mut call) = sending();
        peer.receive(frame);
        let error = give(&mut peer, arguments.send().send()).unwrap_err();
        assert_eq!(error.uri().map(spell_message::Uri::as_str), uri);
        assert_eq!(matches!(error, CallError::Finished), uri.is_none());
        // The role need not be asked again.
        let again = ready(&mut Box::pin(arguments.finish().send())).unwrap_err();
        assert_eq!(again.to_string(), error.to_string());
        assert_eq!(ready(&mut call).is_ok(), uri.is_none());
        drop(arguments);
        assert_eq!(peer.sent(), NOTHING);
    }
}

#[tokio::test(start_paused = true)]
async fn the_last_arguments_are_the_last() {
    let (mut peer, mut arguments, _call) = sending();
    give(&mut peer, arguments.finish().send()).unwrap();
    peer.sent();
    let error = ready(&mut Box::pin(arguments.send().send())).unwrap_err();
    assert!(matches!(error, CallError::Finished));
}

#[tokio::test(start_paused = true)]
async fn arguments_that_are_dropped_unfinished_cancel_the_call() {
    let (mut peer, mut arguments, mut call) = sending();
    give(&mut peer, arguments.send().send()).unwrap();
    peer.sent();
    drop(arguments);
    assert_eq!(peer.sent(), [KILL_NO_WAIT]);
    pending(&mut call);
    peer.receive(r#"[8,48,1,{},"wamp.error.canceled"]"#);
    assert!(ready(&mut call).unwrap_err().is_canceled());
}

#[tokio::test(start_paused = true)]
async fn last_arguments_that_were_sent_but_not_waited_for_cancel_nothing() {
    let (mut peer, mut arguments, _call) = sending();
    let mut last = Box::pin(arguments.finish().send());
    pending(&mut last);
    peer.handle_commands();
    drop(last);
    drop(arguments);
    assert_eq!(peer.sent(), [r#"[48,1,{},"com.example.p"]"#]);
}

#[tokio::test(start_paused = true)]
async fn a_result_that_nobody_waits_for_ends_the_arguments() {
    let (mut peer, mut arguments, call) = sending();
    drop(call);
    assert_eq!(peer.sent(), [KILL_NO_WAIT]);
    let error = give(&mut peer, arguments.send().send()).unwrap_err();
    assert!(matches!(error, CallError::Finished));
    drop(arguments);
    assert_eq!(peer.sent(), NOTHING);
}

#[tokio::test(start_paused = true)]
async fn arguments_that_are_dropped_in_the_queue_are_not_sent() {
    let (mut peer, mut arguments, _call) = sending();
    let mut more = Box::pin(arguments.send().send());
    pending(&mut more);
    drop(more);
    assert_eq!(peer.sent(), NOTHING);
    give(&mut peer, arguments.send().arg(2).send()).unwrap();
    assert_eq!(peer.sent().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn arguments_that_cannot_be_sent_fail_alone() {
    let mut peer = Harness::unjoined(Caller::new(), PROGRESS);
    peer.open(Some(80));
    let handle = peer.handle.clone();
    let call = handle.call("com.example.p").progressive();
    let (mut arguments, mut call) = give(&mut peer, call).unwrap();
    // Refused by the handle, and at the commit.
    let nan = ready(&mut Box::pin(arguments.send().arg(f64::NAN).send()));
    assert!(matches!(nan, Err(CallError::Encode(_))));
    let large = arguments.send().arg("x".repeat(60)).send();
    let error = give(&mut peer, large).unwrap_err();
    assert!(matches!(error, CallError::TooLarge { limit: 80, .. }));
    assert_eq!(error.delivery(), Some(Delivery::NotSent));
    // So with the last ones.
    let large = arguments.finish().arg("x".repeat(60)).send();
    give(&mut peer, large).unwrap_err();
    give(&mut peer, arguments.finish().arg("x").send()).unwrap();
    assert_eq!(ids(&peer.sent()), [1, 1]);
    pending(&mut call);
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_ends_both_halves() {
    let (mut peer, mut arguments, mut call) = sending();
    peer.lose();
    peer.open(None);
    let error = give(&mut peer, arguments.send().send()).unwrap_err();
    assert!(matches!(error, CallError::Closed { .. }), "{error:?}");
    let error = ready(&mut call).unwrap_err();
    assert_eq!(error.delivery(), Some(Delivery::OutcomeUnknown));
    drop(arguments);
    assert_eq!(peer.sent(), NOTHING);
}

#[tokio::test(start_paused = true)]
async fn arguments_wait_for_the_driver_no_longer_than_the_limit() {
    let (mut peer, mut arguments, mut call) = sending();
    let error = arguments.send().await.unwrap_err();
    assert!(matches!(error, CallError::Timeout(Delivery::NotSent)));
    assert_eq!(peer.sent(), NOTHING);
    assert!(poll(&mut call).is_ready(), "nothing was heard for as long");
}

#[tokio::test(start_paused = true)]
async fn a_router_that_cannot_do_it_is_not_asked() {
    for missing in [
        Feature::ProgressiveCallInvocations,
        Feature::CallCanceling,
        Feature::ProgressiveCallResults,
    ] {
        let features = PROGRESS.iter().filter(|feature| **feature != missing);
        let mut peer = joined(&features.copied().collect::<Vec<_>>());
        let handle = peer.handle.clone();
        let call = handle.call("com.example.p").receive_progress();
        let error = give(&mut peer, call.progressive()).unwrap_err();
        let CallError::Unsupported { feature, .. } = error else {
            panic!("{error:?}");
        };
        assert_eq!(feature, Some(missing));
        assert_eq!(peer.sent(), NOTHING);
    }
}
