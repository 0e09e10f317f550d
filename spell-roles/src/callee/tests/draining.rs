use tokio::sync::Notify;

use super::*;

/// A handler that works until it is told to go on.
fn working() -> (
    Harness<Callee>,
    Registration<Handled>,
    std::sync::Arc<Notify>,
) {
    let go_on = std::sync::Arc::new(Notify::new());
    let told = go_on.clone();
    let (peer, registration) = handled(|register| {
        register.concurrency(1).handler(move |(): ()| {
            let told = told.clone();
            async move {
                told.notified().await;
                Ok(())
            }
        })
    });
    (peer, registration, go_on)
}

#[tokio::test(start_paused = true)]
async fn a_drained_registration_serves_what_came_before_it_was_unregistered() {
    let (mut peer, registration, go_on) = working();
    peer.receive("[68,77,9,{}]");
    settle().await;
    let mut drain = registration.drain().into_future();
    pending(&mut drain);
    assert_eq!(peer.sent(), ["[66,2,9]"]);
    // This one was on the wire already.
    peer.receive("[68,78,9,{}]");
    peer.receive("[67,2]");
    settle().await;
    for request in [77, 78] {
        pending(&mut drain);
        go_on.notify_one();
        settle().await;
        assert_eq!(peer.sent(), [format!("[70,{request},{{}}]")]);
        settle().await;
    }
    let drained = ready(&mut drain).unwrap();
    assert_eq!(drained.interrupted(), 0);
    assert_eq!(peer.sent(), NOTHING, "it is unregistered once");
}

#[tokio::test(start_paused = true)]
async fn a_drained_registration_waits_for_the_router_as_well() {
    let (mut peer, registration, _) = working();
    let mut drain = registration.drain().into_future();
    pending(&mut drain);
    peer.sent();
    pending(&mut drain);
    peer.receive("[67,2]");
    let _ = ready(&mut drain).unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_is_not_drained_in_time_is_answered_with_errors() {
    let (mut peer, registration, go_on) = working();
    let counters = registration.shared().counters.clone();
    peer.receive("[68,77,9,{}]");
    peer.receive("[68,78,9,{}]");
    settle().await;
    assert_eq!(registration.running(), 2);
    let limit = Duration::from_secs(5);
    let mut drain = registration.drain().within(limit).into_future();
    pending(&mut drain);
    peer.sent();
    peer.receive("[67,2]");
    tokio::time::advance(limit).await;
    pending(&mut drain);
    let mut sent = peer.sent();
    sent.sort();
    assert_eq!(
        sent,
        [
            r#"[8,68,77,{},"wamp.error.canceled"]"#,
            r#"[8,68,78,{},"wamp.error.unavailable"]"#,
        ],
        "the one that waited can be served by another callee"
    );
    assert_eq!(ready(&mut drain).unwrap().interrupted(), 2);
    let interrupted = &counters.interrupted;
    assert_eq!(interrupted.load(std::sync::atomic::Ordering::Relaxed), 2);
    go_on.notify_one();
    settle().await;
    assert_eq!(peer.sent(), NOTHING, "they are answered once");
}

#[tokio::test(start_paused = true)]
async fn a_session_that_ends_takes_what_is_drained_with_it() {
    let (mut peer, registration, _go_on) = working();
    peer.receive("[68,77,9,{}]");
    settle().await;
    let mut drain = registration.drain().into_future();
    pending(&mut drain);
    peer.sent();
    peer.lose();
    assert_eq!(ready(&mut drain).unwrap().interrupted(), 1);
    peer.open(None);
    assert_eq!(peer.sent(), NOTHING, "it is not registered again");
}

#[tokio::test(start_paused = true)]
async fn without_a_session_there_is_nothing_to_drain() {
    let (mut peer, registration, _go_on) = working();
    peer.lose();
    let drained = drained(&mut peer, registration);
    assert_eq!(drained.unwrap().interrupted(), 0);
    peer.open(None);
    assert_eq!(peer.sent(), NOTHING, "it is not registered again");
}

fn drained(
    peer: &mut Harness<Callee>,
    registration: Registration<Handled>,
) -> Result<Drained, crate::UnregisterError> {
    let mut drain = registration.drain().into_future();
    pending(&mut drain);
    peer.handle_commands();
    ready(&mut drain)
}

#[tokio::test(start_paused = true)]
async fn a_router_that_refuses_to_unregister_is_told_of() {
    let (mut peer, registration, _go_on) = working();
    let mut drain = registration.drain().into_future();
    pending(&mut drain);
    peer.sent();
    peer.receive(r#"[8,66,2,{},"wamp.error.not_authorized"]"#);
    let error = ready(&mut drain).unwrap_err();
    assert_eq!(error.uri().unwrap(), reason::NOT_AUTHORIZED);
}

#[tokio::test(start_paused = true)]
async fn a_drain_that_is_dropped_unregisters_once_and_what_came_before_is_served() {
    let (mut peer, registration, go_on) = working();
    peer.receive("[68,77,9,{}]");
    settle().await;
    let mut drain = registration.drain().into_future();
    pending(&mut drain);
    assert_eq!(peer.sent(), ["[66,2,9]"]);
    drop(drain);
    assert_eq!(peer.sent(), NOTHING);
    go_on.notify_one();
    settle().await;
    assert_eq!(peer.sent(), ["[70,77,{}]"]);
    peer.receive("[67,2]");
    assert_eq!(peer.sent(), NOTHING);
}
