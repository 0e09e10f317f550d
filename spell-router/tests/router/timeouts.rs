//! Calls that take too long, by the clock of the runtime.

use std::time::Duration;

use spell_router::Router;
use tokio::time::Instant;

use crate::support::Client;

/// A callee that registered `com.p`, and a caller.
async fn sessions(router: &Router) -> (Client, Client) {
    let mut callee = Client::join(router, "realm1").await;
    callee.ask(r#"[64,1,{},"com.p"]"#).await;
    (callee, Client::join(router, "realm1").await)
}

/// Calls `com.p` with a time-out in milliseconds.
async fn call(caller: &mut Client, request: u64, timeout: u64) {
    let options = format!(r#"{{"timeout":{timeout}}}"#);
    caller
        .send(&format!(r#"[48,{request},{options},"com.p"]"#))
        .await;
}

fn timeout(request: u64) -> String {
    format!(r#"[8,48,{request},{{}},"wamp.error.timeout"]"#)
}

#[tokio::test(start_paused = true)]
async fn a_call_fails_once_its_time_is_over() {
    let router = Router::local();
    let (mut callee, mut caller) = sessions(&router).await;
    let begin = Instant::now();
    call(&mut caller, 1, 1_500).await;
    assert_eq!(callee.next().await, "[68,1,1,{}]");
    assert_eq!(caller.next().await, timeout(1));
    let elapsed = begin.elapsed();
    assert!(elapsed >= Duration::from_millis(1_500), "{elapsed:?}");
    assert!(elapsed < Duration::from_millis(1_600), "{elapsed:?}");
    assert_eq!(callee.next().await, r#"[69,1,{"mode":"killnowait"}]"#);
}

#[tokio::test(start_paused = true)]
async fn the_first_deadline_is_met_whenever_it_was_set() {
    let router = Router::local();
    let (_callee, mut caller) = sessions(&router).await;
    let begin = Instant::now();
    for (request, after) in [(1, 30_000), (2, 2_000), (3, 1_000), (4, 3_000)] {
        call(&mut caller, request, after).await;
        // By now the router waits for the first of those that there are.
        tokio::time::advance(Duration::from_millis(1)).await;
    }
    for (request, after) in [(3, 1_000), (2, 2_000), (4, 3_000), (1, 30_000)] {
        assert_eq!(caller.next().await, timeout(request));
        let late = begin.elapsed().saturating_sub(Duration::from_millis(after));
        assert!(late < Duration::from_millis(100), "{request}: {late:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_realm_that_had_no_deadline_for_a_while_keeps_the_next_one() {
    let router = Router::local();
    let (mut callee, mut caller) = sessions(&router).await;
    for request in [1, 2, 3] {
        call(&mut caller, request, 1_000).await;
        callee.next().await;
        callee.send(&format!("[70,{request},{{}}]")).await;
        assert_eq!(caller.next().await, format!("[50,{request},{{}}]"));
        tokio::time::advance(Duration::from_secs(10)).await;
    }
    call(&mut caller, 4, 1_000).await;
    assert_eq!(caller.next().await, timeout(4));
}

#[tokio::test(start_paused = true)]
async fn no_deadline_outlasts_the_sessions() {
    for router in [
        Router::local(),
        Router::builder().realm("realm1").build().unwrap(),
    ] {
        let (mut callee, mut caller) = sessions(&router).await;
        call(&mut caller, 1, 3_600_000).await;
        callee.next().await;
        drop((callee, caller));
        let begin = Instant::now();
        router.close().await;
        // It would wait for a task that still slept.
        assert!(begin.elapsed() < Duration::from_secs(1));
    }
}
