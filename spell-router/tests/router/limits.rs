//! What one client may take of the router.

use crate::support::Client;
use spell_router::Router;

#[tokio::test]
async fn a_large_frame_before_the_session_is_established_is_a_violation() {
    let router = Router::local();
    let mut client = Client::dial(router.connector()).await;
    let agent = "x".repeat(64 << 10);
    let roles = r#""roles":{"caller":{}}"#;
    client
        .send(&format!(r#"[1,"realm1",{{"agent":"{agent}",{roles}}}]"#))
        .await;
    let abort = client.next().await;
    assert!(abort.contains("65536"), "{abort}");
    let reason = r#""wamp.error.protocol_violation"]"#;
    assert!(abort.ends_with(reason), "{abort}");
    client.expect_end().await;
    assert_eq!(router.statistics().refused, 1);
}

#[tokio::test]
async fn a_large_frame_is_fine_once_the_session_is_established() {
    let router = Router::local();
    let mut client = Client::join(&router, "realm1").await;
    let text = "x".repeat(64 << 10);
    let publish = format!(r#"[16,1,{{"acknowledge":true}},"com.topic",["{text}"]]"#);
    assert!(client.ask(&publish).await.starts_with("[17,1,"));
}

#[tokio::test]
async fn a_uri_that_is_too_long_fails_the_request_and_the_session_lives() {
    let router = Router::local();
    let mut client = Client::join(&router, "realm1").await;
    let long = "x".repeat((8 << 10) + 1);
    for (request, kind, options) in [
        (1, 32, "{}"),
        (2, 64, r#"{"match":"prefix"}"#),
        (3, 48, "{}"),
        (4, 16, r#"{"acknowledge":true}"#),
    ] {
        let message = format!(r#"[{kind},{request},{options},"{long}"]"#);
        let answer = client.ask(&message).await;
        assert!(answer.starts_with(&format!("[8,{kind},{request},")));
        assert!(answer.ends_with(r#""wamp.error.invalid_uri"]"#));
    }
    // Without an answer wanted, there is none.
    client.send(&format!(r#"[16,5,{{}},"{long}"]"#)).await;
    let longest = "x".repeat(8 << 10);
    let subscribe = format!(r#"[32,6,{{}},"{longest}"]"#);
    assert_eq!(client.ask(&subscribe).await, "[33,6,1]");
}

#[tokio::test]
async fn an_error_whose_uri_is_too_long_fails_the_call() {
    let router = Router::local();
    let mut callee = Client::join(&router, "realm1").await;
    callee.ask(r#"[64,1,{},"com.p"]"#).await;
    let mut caller = Client::join(&router, "realm1").await;
    caller.send(r#"[48,1,{},"com.p"]"#).await;
    callee.next().await;
    let long = "x".repeat((8 << 10) + 1);
    callee.send(&format!(r#"[8,68,1,{{}},"{long}"]"#)).await;
    let answer = caller.next().await;
    assert!(answer.ends_with(r#""wamp.error.invalid_uri"]"#), "{answer}");
}
