use super::*;

#[tokio::test(start_paused = true)]
async fn a_call_that_takes_too_long_is_cancelled() {
    let mut peer = joined(CANCELING);
    let handle = peer.handle.clone();
    let limit = Duration::from_secs(1);
    let mut call = handle.call("com.example.add").timeout(limit).into_future();
    pending(&mut call);
    peer.sent();
    let error = call.await.unwrap_err();
    assert!(matches!(
        error,
        CallError::Timeout(Delivery::OutcomeUnknown)
    ));
    assert_eq!(peer.sent(), [r#"[49,1,{"mode":"killnowait"}]"#]);
}

#[tokio::test(start_paused = true)]
async fn the_default_limit_is_that_of_the_peer_and_can_be_lifted() {
    let mut peer = joined(&[]);
    let handle = peer.handle.clone();
    let mut patient = handle.call("com.example.add").no_timeout().into_future();
    pending(&mut patient);
    let begin = tokio::time::Instant::now();
    let error = handle.call("com.example.add").await.unwrap_err();
    assert!(matches!(error, CallError::Timeout(Delivery::NotSent)));
    assert_eq!(begin.elapsed(), Duration::from_secs(30));
    pending(&mut patient);
    assert_eq!(ids(&peer.sent()), [1]);
}

#[tokio::test(start_paused = true)]
async fn a_started_call_ends_with_its_limit_or_when_it_is_dropped() {
    let mut peer = joined(CANCELING);
    let handle = peer.handle.clone();
    let mut starting = Box::pin(handle.call("com.example.add").start());
    pending(&mut starting);
    peer.sent();
    drop(ready(&mut starting).unwrap());
    assert_eq!(peer.sent(), [r#"[49,1,{"mode":"killnowait"}]"#]);

    let mut starting = Box::pin(handle.call("com.example.add").start());
    pending(&mut starting);
    peer.sent();
    let error = ready(&mut starting).unwrap().await.unwrap_err();
    assert!(matches!(
        error,
        CallError::Timeout(Delivery::OutcomeUnknown)
    ));
    assert_eq!(peer.sent(), [r#"[49,2,{"mode":"killnowait"}]"#]);
}

const TIMEOUT: &[Feature] = &[
    Feature::CallCanceling,
    Feature::CallTimeout,
    Feature::ProgressiveCallInvocations,
    Feature::ProgressiveCallResults,
];

/// The options of a call that is sent.
fn options(features: &[Feature], set: impl FnOnce(Call<'_>) -> Call<'_>) -> String {
    let mut peer = joined(features);
    let handle = peer.handle.clone();
    let mut call = set(handle.call("p")).into_future();
    pending(&mut call);
    let sent = peer.sent().remove(0);
    let options = sent.strip_prefix("[48,1,").unwrap();
    options.strip_suffix(r#","p"]"#).unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn the_router_is_told_of_a_limit_that_the_user_set() {
    let limit = Duration::from_micros(1_500_001);
    assert_eq!(
        options(TIMEOUT, |call| call.timeout(limit)),
        r#"{"timeout":1501}"#
    );
    assert_eq!(options(CANCELING, |call| call.timeout(limit)), "{}");
    assert_eq!(options(TIMEOUT, |call| call), "{}");
    let none = options(TIMEOUT, |call| call.timeout(limit).no_timeout());
    assert_eq!(none, "{}");
    let own = options(TIMEOUT, |call| call.timeout(limit).option("timeout", 7));
    assert_eq!(own, r#"{"timeout":7}"#);
}

#[tokio::test(start_paused = true)]
async fn the_router_is_never_told_what_would_mean_no_limit_or_none_that_it_knows() {
    let options = |limit| options(TIMEOUT, |call| call.timeout(limit));
    assert_eq!(options(Duration::from_nanos(1)), r#"{"timeout":1}"#);
    assert_eq!(options(Duration::MAX), "{}");
    let mut peer = joined(TIMEOUT);
    let handle = peer.handle.clone();
    let mut call = handle.call("p").timeout(Duration::ZERO).into_future();
    // It may be too late already.
    if poll(&mut call).is_pending() {
        assert_eq!(peer.sent(), [r#"[48,1,{},"p"]"#]);
    }
}

#[tokio::test(start_paused = true)]
async fn the_time_out_of_the_router_is_one_too() {
    let mut peer = joined(TIMEOUT);
    let handle = peer.handle.clone();
    let mut call = handle.call("com.example.p").into_future();
    pending(&mut call);
    peer.sent();
    peer.receive(r#"[8,48,1,{},"wamp.error.timeout"]"#);
    let error = ready(&mut call).unwrap_err();
    assert!(error.is_timeout() && matches!(error, CallError::Refused(_)));
    assert!(!error.is_canceled());
}

const SECOND: Duration = Duration::from_secs(1);

/// A call for progressive results that waits at most a second.
fn limited() -> (Harness<Caller>, CallResults) {
    let mut peer = joined(PROGRESS);
    let handle = peer.handle.clone();
    let call = handle.call("com.example.p").timeout(SECOND);
    let results = give(&mut peer, call.receive_progress().send()).unwrap();
    assert_eq!(ids(&peer.sent()), [1]);
    (peer, results)
}

#[tokio::test(start_paused = true)]
async fn the_limit_is_that_to_the_first_result_and_then_to_each_next_one() {
    let (mut peer, mut results) = limited();
    let begin = tokio::time::Instant::now();
    for number in 1..=3 {
        tokio::time::advance(SECOND / 2).await;
        waits(&mut results);
        peer.receive(&format!(r#"[50,1,{{"progress":true}},[{number}]]"#));
        assert_eq!(super::number(&mut results), number);
    }
    let error = results.next().await.unwrap().unwrap_err();
    assert!(matches!(
        error,
        CallError::Timeout(Delivery::OutcomeUnknown)
    ));
    assert_eq!(begin.elapsed(), SECOND * 5 / 2);
    ended(&mut results);
    assert_eq!(peer.sent(), [KILL_NO_WAIT]);
    drop(results);
    assert_eq!(peer.sent(), NOTHING);

    let (_peer, mut silent) = limited();
    let begin = tokio::time::Instant::now();
    assert!(silent.next().await.unwrap().unwrap_err().is_timeout());
    assert_eq!(begin.elapsed(), SECOND);
}

#[tokio::test(start_paused = true)]
async fn results_that_wait_are_read_however_late_the_reader_is() {
    let (mut peer, mut results) = limited();
    peer.receive(r#"[50,1,{"progress":true},[1]]"#);
    peer.receive("[50,1,{},[2]]");
    tokio::time::advance(SECOND * 3).await;
    assert_eq!(number(&mut results), 1);
    tokio::time::advance(SECOND * 3).await;
    assert_eq!(number(&mut results), 2);
    ended(&mut results);
}

#[tokio::test(start_paused = true)]
async fn arguments_that_follow_begin_the_limit_anew() {
    let mut peer = joined(TIMEOUT);
    let handle = peer.handle.clone();
    let call = handle.call("p").timeout(SECOND).progressive();
    let (mut arguments, mut call) = give(&mut peer, call).unwrap();
    // The router would count from the first ones.
    assert_eq!(peer.sent(), [r#"[48,1,{"progress":true},"p"]"#]);
    let begin = tokio::time::Instant::now();
    for _ in 0..3 {
        pending(&mut call);
        tokio::time::advance(SECOND / 2).await;
        give(&mut peer, arguments.send().send()).unwrap();
    }
    assert!(call.await.unwrap_err().is_timeout());
    assert_eq!(begin.elapsed(), SECOND * 5 / 2);
}

#[tokio::test(start_paused = true)]
async fn the_router_is_told_of_the_limit_between_progressive_results() {
    let mut peer = joined(TIMEOUT);
    let handle = peer.handle.clone();
    let call = handle.call("p").timeout(SECOND).receive_progress().send();
    let _results = give(&mut peer, call).unwrap();
    assert_eq!(
        peer.sent(),
        [r#"[48,1,{"receive_progress":true,"timeout":1000},"p"]"#]
    );
}
