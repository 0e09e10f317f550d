use std::error::Error as _;

use spell_serializer::EncodeError;

use super::*;

#[tokio::test(start_paused = true)]
async fn a_result_reaches_the_one_who_called() {
    let mut peer = joined(&[]);
    let handle = peer.handle.clone();
    let mut add = handle.call("com.example.add").args((2, 3)).into_future();
    let mut name = handle
        .call("com.example.name")
        .arg("x")
        .kwarg("short", true)
        .option("x_trace", 7)
        .into_future();
    pending(&mut add);
    pending(&mut name);
    assert_eq!(
        peer.sent(),
        [
            r#"[48,1,{},"com.example.add",[2,3]]"#,
            r#"[48,2,{"x_trace":7},"com.example.name",["x"],{"short":true}]"#
        ]
    );
    peer.receive(r#"[50,2,{},[],{"name":"y"}]"#);
    peer.receive("[50,1,{},[5]]");
    assert_eq!(ready(&mut add).unwrap().value::<u8>().unwrap(), 5);
    let kwargs: spell_message::Dict = ready(&mut name).unwrap().kwargs().unwrap();
    assert_eq!(kwargs, spell_message::Dict::from([("name", "y")]));
}

#[tokio::test(start_paused = true)]
async fn a_result_without_arguments_is_a_unit() {
    let mut peer = joined(&[]);
    let handle = peer.handle.clone();
    for (request, rest, is_unit) in [(1, "", true), (2, ",[]", true), (3, ",[1]", false)] {
        let mut call = handle.call("com.example.p").into_future();
        pending(&mut call);
        peer.sent();
        peer.receive(&format!("[50,{request},{{}}{rest}]"));
        let result = ready(&mut call).unwrap();
        assert_eq!(result.args::<()>().is_ok(), is_unit, "{rest}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_is_told_with_its_uri_and_arguments() {
    let mut peer = joined(&[]);
    let handle = peer.handle.clone();
    let mut call = handle.call("com.example.add").into_future();
    pending(&mut call);
    peer.sent();
    peer.receive(r#"[8,48,1,{},"com.example.odd",["both",7],{"hint":"even"}]"#);
    let error = ready(&mut call).unwrap_err();
    assert_eq!(error.uri().unwrap().as_str(), "com.example.odd");
    assert_eq!(error.delivery(), None);
    let CallError::Refused(refused) = &error else {
        panic!("{error:?}");
    };
    assert_eq!(refused.args::<(String, u8)>().unwrap(), ("both".into(), 7));
    assert_eq!(refused.to_string(), "com.example.odd: both");
    assert_eq!(error.source().unwrap().to_string(), refused.to_string());
}

#[tokio::test(start_paused = true)]
async fn an_error_for_another_kind_of_request_ends_no_call() {
    let mut peer = joined(&[]);
    let handle = peer.handle.clone();
    let mut call = handle.call("com.example.add").into_future();
    pending(&mut call);
    peer.sent();
    peer.receive(r#"[8,32,1,{},"com.example.odd"]"#);
    pending(&mut call);
    peer.receive("[50,1,{}]");
    assert!(ready(&mut call).is_ok());
}

#[tokio::test(start_paused = true)]
async fn ids_are_sequential_whatever_is_dropped_or_refused() {
    let mut peer = joined(&[]);
    let handle = peer.handle.clone();
    let call = || handle.call("com.example.add").into_future();

    let (mut first, mut dropped, mut third) = (call(), call(), call());
    pending(&mut first);
    pending(&mut dropped);
    pending(&mut third);
    drop(dropped);
    assert_eq!(
        ids(&peer.sent()),
        [1, 2],
        "what was dropped in the queue is not sent"
    );

    let mut nan = handle.call("com.example.add").arg(f64::NAN).into_future();
    let refused = ready(&mut nan).unwrap_err();
    assert!(matches!(&refused, CallError::Encode(e) if matches!(**e, EncodeError::Value { .. })));
    let mut bad = handle.call("com..add").into_future();
    assert!(matches!(ready(&mut bad), Err(CallError::Uri(_))));
    let mut option = handle
        .call("com.example.add")
        .option("timeout", "soon")
        .into_future();
    assert!(matches!(ready(&mut option), Err(CallError::Option(_))));

    let mut fourth = call();
    pending(&mut fourth);
    drop(third);
    assert_eq!(
        ids(&peer.sent()),
        [3],
        "what was dropped on the wire keeps its id"
    );
}

#[tokio::test(start_paused = true)]
async fn what_comes_late_is_dropped() {
    let mut peer = joined(CANCELING);
    let handle = peer.handle.clone();
    let mut call = handle.call("com.example.add").into_future();
    pending(&mut call);
    peer.sent();
    drop(call);
    peer.sent();
    peer.receive("[50,1,{}]");
    peer.receive(r#"[8,48,1,{},"wamp.error.canceled"]"#);
    peer.receive("[50,99,{}]");
    let mut next = handle.call("com.example.add").into_future();
    pending(&mut next);
    assert_eq!(ids(&peer.sent()), [2]);
    peer.receive("[50,1,{}]");
    pending(&mut next);
    peer.receive("[50,2,{}]");
    assert!(ready(&mut next).is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_lost_session_fails_what_is_pending_and_tells_what_was_sent() {
    let mut peer = joined(&[]);
    let handle = peer.handle.clone();
    let mut sent = handle.call("com.example.add").into_future();
    pending(&mut sent);
    peer.sent();
    let mut unsent = handle.call("com.example.add").into_future();
    pending(&mut unsent);
    peer.handle_commands();
    peer.lose();
    for (call, expected) in [
        (&mut sent, Delivery::OutcomeUnknown),
        (&mut unsent, Delivery::NotSent),
    ] {
        let error = ready(call).unwrap_err();
        let CallError::Closed { reason, delivery } = error else {
            panic!("{error:?}");
        };
        assert!(matches!(reason, CloseReason::Disconnected));
        assert_eq!(delivery, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_session_a_call_fails_at_once() {
    let mut peer = Harness::unjoined(Caller::new(), &[]);
    let handle = peer.handle.clone();
    let mut early = handle.call("com.example.add").into_future();
    pending(&mut early);
    assert_eq!(peer.sent(), [""; 0]);
    let error = ready(&mut early).unwrap_err();
    assert_eq!(error.delivery(), Some(Delivery::NotSent));

    peer.open(None);
    let mut call = handle.call("com.example.add").into_future();
    pending(&mut call);
    assert_eq!(ids(&peer.sent()), [1]);
    peer.end();
    let late = handle.call("com.example.add").await.unwrap_err();
    assert!(matches!(
        late,
        CallError::Closed {
            reason: CloseReason::Stopped,
            ..
        }
    ));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_too_large_fails_alone_and_spends_no_id() {
    let mut peer = Harness::unjoined(Caller::new(), &[]);
    peer.open(Some(64));
    let handle = peer.handle.clone();
    // Refused by the handle: the arguments alone are too large.
    let mut large = handle
        .call("com.example.add")
        .arg("x".repeat(64))
        .into_future();
    let error = ready(&mut large).unwrap_err();
    assert!(matches!(error, CallError::TooLarge { limit: 64, .. }));
    // Refused at the commit: the arguments fit, the message does not.
    let mut large = handle
        .call("com.example.add")
        .arg("x".repeat(50))
        .into_future();
    let mut small = handle.call("com.example.add").into_future();
    pending(&mut large);
    pending(&mut small);
    assert_eq!(ids(&peer.sent()), [1]);
    let error = ready(&mut large).unwrap_err();
    assert!(
        matches!(
            error,
            CallError::TooLarge {
                size: 80..,
                limit: 64
            }
        ),
        "{error:?}"
    );
    pending(&mut small);
}

#[tokio::test(start_paused = true)]
async fn a_router_that_is_no_dealer_is_not_asked() {
    let mut peer = joined(&[]);
    let handle = peer.handle.clone();
    let mut call = handle.call("com.example.add").into_future();
    pending(&mut call);
    assert_eq!(peer.sent().len(), 1);
    let mut peer = Harness::without_dealer(Caller::new());
    let handle = peer.handle.clone();
    let mut call = handle.call("com.example.add").into_future();
    pending(&mut call);
    assert_eq!(peer.sent(), [""; 0]);
    let error = ready(&mut call).unwrap_err();
    assert_eq!(error.to_string(), "the router is no dealer");
}

#[tokio::test(start_paused = true)]
async fn a_started_call_has_its_id_and_gives_its_result_later() {
    let mut peer = joined(CANCELING);
    let handle = peer.handle.clone();
    let mut starting = Box::pin(handle.call("com.example.add").start());
    pending(&mut starting);
    assert_eq!(ids(&peer.sent()), [1]);
    let mut started = ready(&mut starting).unwrap();
    assert_eq!(started.id().get(), 1);
    pending(&mut started);
    peer.receive("[50,1,{},[5]]");
    assert_eq!(ready(&mut started).unwrap().value::<u8>().unwrap(), 5);
    drop(started);
    assert_eq!(peer.sent(), [""; 0], "an answered call is not cancelled");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_cannot_start_says_why() {
    let mut peer = Harness::unjoined(Caller::new(), &[]);
    let handle = peer.handle.clone();
    let mut starting = Box::pin(handle.call("com.example.add").start());
    pending(&mut starting);
    peer.sent();
    let error = ready(&mut starting).unwrap_err();
    assert_eq!(error.delivery(), Some(Delivery::NotSent));
}

#[test]
fn all_that_waits_can_be_spawned() {
    fn is_send(_: impl Send) {}
    fn check(arguments: &mut CallArguments, call: &PendingCall, results: &mut CallResults) {
        is_send(arguments.send().send());
        is_send(call.cancel(CancelMode::Kill));
        is_send(results.cancel(CancelMode::Kill));
        is_send(results.next());
    }
    let _ = check;
}

#[tokio::test(start_paused = true)]
async fn who_calls_is_told_only_by_a_router_that_can() {
    let mut peer = joined(&[Feature::CallerIdentification]);
    let handle = peer.handle.clone();
    let call = || handle.call("com.example.p").disclose_me(true).into_future();
    let mut disclosed = call();
    pending(&mut disclosed);
    assert_eq!(
        peer.sent(),
        [r#"[48,1,{"disclose_me":true},"com.example.p"]"#]
    );
    let mut peer = joined(&[]);
    let handle = peer.handle.clone();
    let call = handle.call("com.example.p").disclose_me(true);
    let error = give(&mut peer, call.send()).unwrap_err();
    assert!(matches!(
        error,
        CallError::Unsupported {
            feature: Some(Feature::CallerIdentification),
            ..
        }
    ));
    assert_eq!(peer.sent(), NOTHING);
}

#[tokio::test(start_paused = true)]
async fn what_chooses_the_shard_is_carried() {
    let mut peer = joined(&[]);
    let handle = peer.handle.clone();
    let call = handle.call("com.example.p").runmode("partition").rkey("k");
    let mut call = call.into_future();
    pending(&mut call);
    assert_eq!(
        peer.sent(),
        [r#"[48,1,{"runmode":"partition","rkey":"k"},"com.example.p"]"#]
    );
}
