use std::{future, time::Duration};

use spell::{
    Backoff, PeerState,
    message::{Uri, message::Kind},
    prelude::*,
};
use spell_router::{Farewell, Router};

use crate::support::{REALM, join, settings};

#[tokio::test]
async fn messages_and_their_bytes_are_counted_by_kind() {
    let router = Router::local();
    let client = join(&router).await.unwrap();
    let echo = client.register("com.example.echo");
    let _echo = echo
        .handler(|(text,): (String,)| async move { Ok(text) })
        .await
        .unwrap();
    for _ in 0..3 {
        client.call("com.example.echo").arg("hello").await.unwrap();
    }
    let statistics = client.statistics();
    let (sent, received) = (&statistics.sent, &statistics.received);
    for (kind, volume, messages) in [
        (Kind::Hello, sent.of(Kind::Hello), 1),
        (Kind::Register, sent.of(Kind::Register), 1),
        (Kind::Call, sent.of(Kind::Call), 3),
        (Kind::Yield, sent.of(Kind::Yield), 3),
        (Kind::Welcome, received.of(Kind::Welcome), 1),
        (Kind::Registered, received.of(Kind::Registered), 1),
        (Kind::Invocation, received.of(Kind::Invocation), 3),
        (Kind::Result, received.of(Kind::Result), 3),
    ] {
        assert_eq!(volume.messages, messages, "{kind}");
        assert!(volume.bytes > 3 * messages, "{kind}");
    }
    assert_eq!((sent.total().messages, received.total().messages), (8, 8));
    let call = sent.of(Kind::Call).bytes;
    assert_eq!(call % 3, 0, "three of the same size");
    assert_eq!(
        (statistics.attempts, statistics.joined, statistics.lost),
        (1, 1, 0)
    );
    assert_eq!(
        (statistics.pending_requests, statistics.outbox_bytes),
        (0, 0)
    );
}

#[tokio::test]
async fn a_request_is_pending_until_it_is_given_up_and_its_answer_is_late() {
    let router = Router::local();
    let client = join(&router).await.unwrap();
    let wait = client.register("com.example.wait");
    let _wait = wait
        .handler(|()| future::pending::<Result<(), InvocationError>>())
        .await
        .unwrap();
    let call = client.call("com.example.wait").start().await.unwrap();
    assert_eq!(client.statistics().pending_requests, 1);
    drop(call);
    // One way there and back again: what the router was told before, it has answered.
    let nothing = client.call("com.example.nothing").await;
    nothing.unwrap_err();
    let statistics = client.statistics();
    assert_eq!(statistics.pending_requests, 0);
    assert_eq!(statistics.late_answers, 1);
}

#[tokio::test]
async fn what_full_queues_cost_is_counted() {
    let router = Router::local();
    let client = join(&router).await.unwrap();
    let _numbers = client
        .subscribe("com.example.number")
        .queue_count(1)
        .await
        .unwrap();
    let _slow = client
        .register("com.example.slow")
        .queue_count(1)
        .await
        .unwrap();
    for number in 0..4 {
        let publish = client.publish("com.example.number").arg(number);
        publish.exclude_me(false).acknowledge().await.unwrap();
    }
    let waiting = client.call("com.example.slow").start().await.unwrap();
    let refused = client.call("com.example.slow").await.unwrap_err();
    assert!(refused.uri().is_some(), "{refused}");
    let statistics = client.statistics();
    assert_eq!(statistics.events_dropped, 3);
    assert_eq!(statistics.invocations_refused, 1);
    drop(waiting);
}

#[tokio::test(start_paused = true)]
async fn lost_sessions_and_those_after_them_are_counted() {
    let router = Router::local();
    let settings = settings().retry(Backoff::constant(Duration::from_secs(1)));
    let client = settings.connect(router.connector()).await.unwrap();
    let first = client.joined().await.unwrap().id();
    let farewell = Farewell::new().reason(Uri::new("com.example.maintenance").unwrap());
    let mut state = client.state();
    assert!(router.administration(REALM).unwrap().kill(first, &farewell));
    let again = |state: &PeerState| matches!(state, PeerState::Joined(info) if info.id() != first);
    state.wait_for(again).await.unwrap();
    let statistics = client.statistics();
    assert_eq!(
        (statistics.attempts, statistics.joined, statistics.lost),
        (2, 2, 1)
    );
    assert_eq!(statistics.reconnects(), 1);
    client.leave().await.unwrap();
    assert_eq!(client.statistics().lost, 1, "to leave is no loss");
}
