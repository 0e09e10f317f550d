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

const LIMIT: Duration = Duration::from_secs(20);

/// Leave as soon as what is under way is done, up to where the role knows of it.
async fn drain(bench: &mut Bench) -> JoinHandle<Result<(), LeaveError>> {
    let handle = bench.handle.clone();
    let leave = tokio::spawn(async move { handle.leave().drain(LIMIT).await });
    bench.take_command().await;
    leave
}

#[tokio::test(start_paused = true)]
async fn a_peer_with_nothing_under_way_leaves_at_once_though_it_drains() {
    let mut bench = Bench::joined().await;
    let leave = drain(&mut bench).await;
    assert_eq!(bench.sent(), [r#"[6,{},"wamp.close.close_realm"]"#]);
    bench.receive(GOODBYE_AND_OUT);
    answer(leave).await.unwrap();
    assert_eq!(bench.drains(), [Drain::Begin, Drain::Done]);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_drains_says_goodbye_when_all_roles_are_done() {
    let mut bench = Bench::joined().await;
    bench.work();
    let leave = drain(&mut bench).await;
    let second = drain(&mut bench).await;
    assert_eq!(bench.sent(), [""; 0]);
    // The session goes on meanwhile.
    bench.receive("[50,1,{}]");
    assert_eq!(bench.notes.lock().unwrap().drain(..).count(), 1);
    bench.finish_work();
    bench.receive("[50,2,{}]");
    assert_eq!(bench.sent(), [r#"[6,{},"wamp.close.close_realm"]"#]);
    bench.receive(GOODBYE_AND_OUT);
    answer(leave).await.unwrap();
    answer(second).await.unwrap();
    assert_eq!(bench.drains(), [Drain::Begin, Drain::Done]);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_drains_for_too_long_leaves_all_the_same_and_tells() {
    let mut bench = Bench::joined().await;
    bench.work();
    let leave = drain(&mut bench).await;
    assert_eq!(bench.engine.poll_timeout(), Some(bench.now + LIMIT));
    bench.engine.handle_timeout(bench.now + LIMIT);
    assert_eq!(bench.sent(), [r#"[6,{},"wamp.close.close_realm"]"#]);
    bench.receive(GOODBYE_AND_OUT);
    assert!(matches!(bench.engine.closed(), Some(CloseReason::Left)));
    let error = answer(leave).await.unwrap_err();
    assert!(matches!(error, LeaveError::Overdue(LIMIT)), "{error}");
    assert_eq!(bench.drains(), [Drain::Begin, Drain::Overdue, Drain::Done]);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_drains_and_is_asked_to_leave_leaves_at_once() {
    let mut bench = Bench::joined().await;
    bench.work();
    let drain = drain(&mut bench).await;
    let leave = bench.leave().await;
    assert_eq!(bench.sent(), [r#"[6,{},"wamp.close.close_realm"]"#]);
    bench.receive(GOODBYE_AND_OUT);
    for leave in [drain, leave] {
        let error = answer(leave).await.unwrap_err();
        assert!(matches!(error, LeaveError::Overdue(_)), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_that_ends_while_the_peer_drains_ends_the_peer_as_left() {
    for end in ["", r#"[6,{},"wamp.close.system_shutdown"]"#] {
        let mut bench = Bench::joined().await;
        bench.work();
        let leave = drain(&mut bench).await;
        if !end.is_empty() {
            bench.receive(end);
            assert_eq!(bench.sent(), [GOODBYE_AND_OUT]);
        }
        let reason = bench.engine.close(CloseReason::Disconnected);
        assert!(matches!(reason, CloseReason::Left), "{reason}");
        assert!(bench.engine.finishing().is_some(), "no other follows");
        let error = answer(leave).await.unwrap_err();
        assert!(matches!(error, LeaveError::Interrupted), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_drains_and_is_stopped_says_goodbye() {
    let mut bench = Bench::joined().await;
    bench.work();
    let _leave = drain(&mut bench).await;
    bench.engine.stop(bench.now);
    assert_eq!(bench.sent(), [r#"[6,{},"wamp.close.close_realm"]"#]);
}

#[tokio::test(start_paused = true)]
async fn without_a_session_there_is_nothing_to_drain() {
    let mut bench = Bench::new(Session::new("realm1"));
    let leave = drain(&mut bench).await;
    answer(leave).await.unwrap();
    assert!(bench.engine.finishing().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_drain_that_is_not_waited_for_goes_on() {
    let mut bench = Bench::joined().await;
    bench.work();
    let leave = drain(&mut bench).await;
    leave.abort();
    bench.finish_work();
    bench.receive("[50,1,{}]");
    assert_eq!(bench.sent(), [r#"[6,{},"wamp.close.close_realm"]"#]);
}
