//! GOODBYE of our own.

use super::*;

const GOODBYE_AND_OUT: &str = r#"[6,{},"wamp.close.goodbye_and_out"]"#;

#[tokio::test(start_paused = true)]
async fn leaving_says_goodbye_and_ends_when_the_router_answers() {
    let mut bench = Bench::joined().await;
    let leave = bench.leave().await;
    assert_eq!(bench.sent(), [r#"[6,{},"wamp.close.close_realm"]"#]);
    assert!(bench.engine.closed().is_none());
    bench.receive(GOODBYE_AND_OUT);
    assert!(matches!(bench.engine.closed(), Some(CloseReason::Left)));
    assert!(answer(leave).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn reason_and_text_are_the_users() {
    let mut bench = Bench::joined().await;
    let handle = bench.handle.clone();
    let leave = tokio::spawn(async move {
        let leave = handle.leave().reason("com.example.home").message("late");
        leave.await
    });
    bench.take_command().await;
    assert_eq!(
        bench.sent(),
        [r#"[6,{"message":"late"},"com.example.home"]"#]
    );
    bench.receive(GOODBYE_AND_OUT);
    answer(leave).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_reason_that_is_no_uri_does_nothing() {
    let bench = Bench::joined().await;
    let error = bench.handle.leave().reason("a b").await.unwrap_err();
    assert!(matches!(error, LeaveError::Reason(_)));
}

#[tokio::test(start_paused = true)]
async fn goodbyes_that_cross_answer_each_other() {
    let mut bench = Bench::joined().await;
    let leave = bench.leave().await;
    bench.sent();
    bench.receive(r#"[6,{},"wamp.close.system_shutdown"]"#);
    assert_eq!(bench.sent(), [""; 0], "a goodbye is not answered twice");
    assert!(matches!(bench.engine.closed(), Some(CloseReason::Left)));
    assert!(answer(leave).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn whatever_else_comes_after_our_goodbye_is_ignored() {
    let mut bench = Bench::joined().await;
    let _leave = bench.leave().await;
    bench.sent();
    let opening = [WELCOME, r#"[4,"ticket",{}]"#, "[999,1]"];
    for frame in IN_A_SESSION.into_iter().chain(FOR_ROUTERS).chain(opening) {
        bench.receive(frame);
        assert!(bench.engine.closed().is_none(), "{frame}");
    }
    assert_eq!(bench.sent(), [""; 0]);
    assert_eq!(*bench.notes.lock().unwrap(), [""; 0], "no role saw any");
}

#[tokio::test(start_paused = true)]
async fn a_router_that_does_not_answer_is_not_waited_for_for_ever() {
    let limit = Duration::from_secs(5);
    let mut bench = Bench::joined().await;
    let leave = bench.leave().await;
    let due = bench.now + limit;
    assert_eq!(bench.engine.poll_timeout(), Some(due));
    bench.engine.handle_timeout(bench.now + limit / 2);
    assert!(bench.engine.closed().is_none());
    bench.engine.handle_timeout(due);
    assert!(matches!(bench.engine.closed(), Some(CloseReason::Left)));
    let error = answer(leave).await.unwrap_err();
    assert!(matches!(error, LeaveError::Unanswered(after) if after == limit));
}

#[tokio::test(start_paused = true)]
async fn the_wait_for_the_router_can_be_set() {
    let limit = Duration::from_millis(10);
    let mut bench = Bench::hello(Session::new("realm1").leave_timeout(limit)).await;
    bench.receive(WELCOME);
    let _leave = bench.leave().await;
    assert_eq!(bench.engine.poll_timeout(), Some(bench.now + limit));
}

#[tokio::test(start_paused = true)]
async fn leaving_twice_says_goodbye_once_and_answers_both() {
    let mut bench = Bench::joined().await;
    let first = bench.leave().await;
    let second = bench.leave().await;
    assert_eq!(bench.sent().len(), 1);
    bench.receive(GOODBYE_AND_OUT);
    assert!(answer(first).await.is_ok());
    assert!(answer(second).await.is_ok());
    bench.engine.close(CloseReason::Disconnected);
    let third = bench.leave().await;
    assert!(answer(third).await.is_ok());
    assert_eq!(bench.sent(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_breaks_while_leaving_ends_the_peer_as_left() {
    let mut bench = Bench::joined().await;
    let leave = bench.leave().await;
    let reason = bench.engine.close(CloseReason::Disconnected);
    assert!(matches!(reason, CloseReason::Left));
    let error = answer(leave).await.unwrap_err();
    assert!(matches!(error, LeaveError::Interrupted));
}

#[tokio::test(start_paused = true)]
async fn abort_while_leaving_ends_the_peer_as_left() {
    let mut bench = Bench::joined().await;
    let leave = bench.leave().await;
    bench.sent();
    bench.receive(r#"[3,{},"wamp.close.system_shutdown"]"#);
    assert_eq!(bench.sent(), [""; 0]);
    assert!(matches!(bench.engine.closed(), Some(CloseReason::Left)));
    let error = answer(leave).await.unwrap_err();
    assert!(matches!(error, LeaveError::Interrupted));
}

#[tokio::test(start_paused = true)]
async fn leaving_before_the_session_is_open_ends_the_attempt_without_goodbye() {
    let mut bench = Bench::hello(Session::new("realm1")).await;
    let leave = bench.leave().await;
    assert!(answer(leave).await.is_ok());
    assert_eq!(bench.sent(), [""; 0]);
    assert!(matches!(bench.engine.closed(), Some(CloseReason::Left)));
}

#[tokio::test(start_paused = true)]
async fn leaving_without_a_connection_finishes_the_peer() {
    let mut bench = Bench::new(Session::new("realm1"));
    let leave = bench.leave().await;
    assert!(answer(leave).await.is_ok());
    assert!(matches!(bench.engine.finishing(), Some(CloseReason::Left)));
}

#[tokio::test(start_paused = true)]
async fn a_goodbye_that_is_too_large_leaves_the_session_as_it_is() {
    let mut bench = Bench::new(Session::new("realm1"));
    bench.open_with(Some(200));
    bench.receive(WELCOME);
    bench.sent();
    let handle = bench.handle.clone();
    let leave = tokio::spawn(async move { handle.leave().message("x".repeat(200)).await });
    bench.take_command().await;
    let error = answer(leave).await.unwrap_err();
    assert!(matches!(error, LeaveError::Send(_)));
    assert!(bench.engine.closed().is_none());
    assert!(bench.engine.finishing().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_is_stopped_says_goodbye_if_it_is_in_a_session() {
    let mut bench = Bench::joined().await;
    bench.engine.stop(bench.now);
    assert_eq!(bench.sent(), [r#"[6,{},"wamp.close.close_realm"]"#]);
    assert!(matches!(bench.engine.closed(), Some(CloseReason::Stopped)));

    let mut bench = Bench::hello(Session::new("realm1")).await;
    bench.engine.stop(bench.now);
    assert_eq!(bench.sent(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_is_stopped_while_leaving_says_no_second_goodbye() {
    let mut bench = Bench::joined().await;
    let leave = bench.leave().await;
    bench.sent();
    bench.engine.stop(bench.now);
    assert_eq!(bench.sent(), [""; 0]);
    bench.engine.close(CloseReason::Stopped);
    assert!(answer(leave).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn who_stopped_waiting_is_not_missed() {
    let mut bench = Bench::joined().await;
    let leave = bench.leave().await;
    leave.abort();
    bench.receive(GOODBYE_AND_OUT);
    assert!(matches!(bench.engine.closed(), Some(CloseReason::Left)));
}
