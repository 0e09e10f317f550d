//! What one client may take of the router.

use crate::support::Client;
use spell_router::{LIMIT_EXCEEDED, Router};
use spell_transport::{Serialization, memory};

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

fn assert_exceeded(answer: &str, kind: u64, request: u64) {
    let begin = format!("[8,{kind},{request},");
    let end = format!(r#""{LIMIT_EXCEEDED}"]"#);
    assert!(
        answer.starts_with(&begin) && answer.ends_with(&end),
        "{answer}"
    );
}

#[tokio::test]
async fn one_subscription_too_many_is_refused() {
    let router = Router::builder().realm("realm1").max_subscriptions(2);
    let router = router.build().unwrap();
    let mut client = Client::join(&router, "realm1").await;
    client.ask(r#"[32,1,{},"com.a"]"#).await;
    client.ask(r#"[32,2,{},"com.b"]"#).await;
    assert_exceeded(&client.ask(r#"[32,3,{},"com.c"]"#).await, 32, 3);
    // What it has it may have again.
    assert_eq!(client.ask(r#"[32,4,{},"com.b"]"#).await, "[33,4,2]");
    // Others are not concerned.
    let mut other = Client::join(&router, "realm1").await;
    assert_eq!(other.ask(r#"[32,1,{},"com.c"]"#).await, "[33,1,3]");
    assert_eq!(client.ask("[34,5,1]").await, "[35,5]");
    assert_eq!(client.ask(r#"[32,6,{},"com.c"]"#).await, "[33,6,3]");
}

#[tokio::test]
async fn one_registration_too_many_is_refused() {
    let router = Router::builder().realm("realm1").max_registrations(1);
    let router = router.build().unwrap();
    let mut client = Client::join(&router, "realm1").await;
    client.ask(r#"[64,1,{},"com.a"]"#).await;
    assert_exceeded(&client.ask(r#"[64,2,{},"com.b"]"#).await, 64, 2);
    client.ask("[66,3,1]").await;
    assert_eq!(client.ask(r#"[64,4,{},"com.b"]"#).await, "[65,4,2]");
}

#[tokio::test]
async fn one_open_call_too_many_is_refused() {
    let router = Router::builder().realm("realm1").max_calls(1);
    let router = router.build().unwrap();
    let mut callee = Client::join(&router, "realm1").await;
    callee.ask(r#"[64,1,{},"com.p"]"#).await;
    let mut caller = Client::join(&router, "realm1").await;
    caller.send(r#"[48,1,{},"com.p"]"#).await;
    assert_exceeded(&caller.ask(r#"[48,2,{},"com.p"]"#).await, 48, 2);
    callee.next().await;
    callee.send("[70,1,{}]").await;
    assert_eq!(caller.next().await, "[50,1,{}]");
    caller.send(r#"[48,3,{},"com.p"]"#).await;
    assert_eq!(callee.next().await, "[68,2,1,{}]");
}

#[tokio::test]
async fn one_open_invocation_too_many_fails_the_call() {
    let router = Router::builder().realm("realm1").max_invocations(1);
    let router = router.build().unwrap();
    let mut callee = Client::join(&router, "realm1").await;
    callee.ask(r#"[64,1,{},"com.p"]"#).await;
    let mut first = Client::join(&router, "realm1").await;
    first.send(r#"[48,1,{},"com.p"]"#).await;
    callee.next().await;
    let mut second = Client::join(&router, "realm1").await;
    assert_exceeded(&second.ask(r#"[48,1,{},"com.p"]"#).await, 48, 1);
    callee.send("[70,1,{}]").await;
    first.next().await;
    second.send(r#"[48,2,{},"com.p"]"#).await;
    assert_eq!(callee.next().await, "[68,2,1,{}]");
}

#[tokio::test]
async fn one_connection_too_many_is_closed_and_counted() {
    let router = Router::builder().realm("realm1").max_connections(1);
    let router = router.build().unwrap();
    let mut client = Client::join(&router, "realm1").await;
    let (near, far) = memory::pair(Serialization::JSON);
    router.attach(far);
    Client::new(Box::new(near)).expect_end().await;
    assert_eq!(router.statistics().refused, 1);
    client.send(r#"[6,{},"wamp.close.close_realm"]"#).await;
    client.next().await;
    client.expect_end().await;
    drop(client);
    // Its place is free when its task has ended, which nothing here can wait for.
    loop {
        let (near, far) = memory::pair(Serialization::JSON);
        router.attach(far);
        let mut client = Client::new(Box::new(near));
        let hello = r#"[1,"realm1",{"roles":{"caller":{}}}]"#;
        if client.try_send(hello).await && client.try_next().await.is_some() {
            break;
        }
        tokio::task::yield_now().await;
    }
}

#[cfg(feature = "websocket")]
#[tokio::test]
async fn a_listener_accepts_and_closes_one_connection_too_many() {
    use std::time::Duration;
    use tokio::{io::AsyncReadExt, net::TcpStream, time::timeout};

    let router = Router::builder()
        .realm("realm1")
        .max_connections(0)
        .handshake_timeout(Duration::from_secs(3600))
        .listen("ws://127.0.0.1:0");
    let router = router.start().await.unwrap();
    let address = router.addresses()[0].replace("ws://", "");
    let mut tcp = TcpStream::connect(address).await.unwrap();
    let mut buffer = [0];
    let read = timeout(Duration::from_secs(60), tcp.read(&mut buffer)).await;
    assert_eq!(read.expect("still open").unwrap(), 0);
    assert_eq!(router.statistics().refused, 1);
}
