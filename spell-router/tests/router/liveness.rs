//! Clients that fall silent, in a time that is made up.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt, future::poll_immediate};
use spell_router::Router;
use spell_transport::{
    BoxTransport, KeepAlive, LifeSign, Serialization, Transport,
    rawsocket::{RawSocket, RawSocketConfig},
    websocket::{WebSocket, WebSocketConfig, WebSocketRequest},
};
use tokio::{
    io::duplex,
    time::{Instant, sleep, sleep_until, timeout},
};

use crate::support::Client;

const JSON: [Serialization; 1] = [Serialization::JSON];

/// The client's end of a WebSocket to the router.
async fn websocket(router: &Router) -> BoxTransport {
    let (near, far) = duplex(1 << 16);
    let request = WebSocketRequest::new("ws://router.example/").expect("a URL");
    let config = WebSocketConfig::new();
    let (client, server) = tokio::join!(
        WebSocket::client(near, request, &JSON, config),
        WebSocket::server(far, &JSON, config),
    );
    router.attach(server.expect("a WebSocket"));
    Box::new(client.expect("a WebSocket"))
}

/// The client's end of a RawSocket to the router.
async fn rawsocket(router: &Router) -> BoxTransport {
    let (near, far) = duplex(1 << 16);
    let config = RawSocketConfig::new();
    let (client, server) = tokio::join!(
        RawSocket::client(near, Serialization::JSON, config),
        RawSocket::server(far, &JSON, config),
    );
    router.attach(server.expect("a RawSocket"));
    Box::new(client.expect("a RawSocket"))
}

async fn joined(transport: BoxTransport) -> Client {
    let mut client = Client::new(transport);
    client.hello("realm1").await;
    client
}

#[tokio::test(start_paused = true)]
async fn a_client_that_falls_silent_is_cut_off() {
    let router = Router::local();
    let _client = joined(websocket(&router).await).await;
    let begin = Instant::now();
    sleep_until(begin + Duration::from_secs(89)).await;
    assert_eq!(router.statistics().sessions, 1);
    // Three intervals, and one in which it was last heard.
    sleep_until(begin + Duration::from_secs(121)).await;
    assert_eq!(router.statistics().sessions, 0);
    assert_eq!(router.statistics().unresponsive, 1);
}

#[tokio::test(start_paused = true)]
async fn a_client_whose_transport_answers_stays() {
    let router = Router::local();
    let mut client = joined(websocket(&router).await).await;
    // While it is read, the transport answers.
    let hour = timeout(Duration::from_secs(3600), async {
        loop {
            let next = timeout(Duration::from_secs(50), client.try_next()).await;
            assert!(next.is_err(), "{next:?}");
        }
    });
    assert!(hour.await.is_err());
    assert_eq!(router.statistics().sessions, 1);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_sends_stays_and_is_not_pinged() {
    let router = Router::local();
    let mut transport = websocket(&router).await;
    let hello = r#"[1,"realm1",{"roles":{"publisher":{}}}]"#;
    transport.send(hello.into()).await.expect("a connection");
    assert!(transport.next().await.is_some());
    assert_eq!(transport.life_sign(), LifeSign::Heard);
    for request in 1..100 {
        sleep(Duration::from_secs(25)).await;
        let publish = format!(r#"[16,{request},{{}},"com.topic"]"#);
        transport.send(publish.into()).await.expect("a connection");
    }
    assert!(poll_immediate(transport.next()).await.is_none());
    assert_eq!(transport.life_sign(), LifeSign::None);
    assert_eq!(router.statistics().sessions, 1);
}

#[tokio::test(start_paused = true)]
async fn a_rawsocket_client_is_never_pinged() {
    let router = Router::local();
    let mut transport = rawsocket(&router).await;
    let hello = r#"[1,"realm1",{"roles":{"caller":{}}}]"#;
    transport.send(hello.into()).await.expect("a connection");
    let welcome = transport.next().await;
    assert!(welcome.is_some_and(|welcome| welcome.is_ok()));
    assert_eq!(transport.life_sign(), LifeSign::Heard);
    sleep(Duration::from_secs(3600)).await;
    let next = poll_immediate(transport.next()).await;
    assert!(next.is_none(), "{next:?}");
    assert_eq!(transport.life_sign(), LifeSign::None);
    assert_eq!(router.statistics().sessions, 1);
}

#[tokio::test(start_paused = true)]
async fn how_long_clients_may_be_silent_can_be_set_and_turned_off() {
    let quick = KeepAlive::within(Duration::from_secs(3));
    for (keep_alive, stay) in [(Some(quick), 0), (None, 1)] {
        let router = Router::builder().realm("realm1").keep_alive(keep_alive);
        let router = router.build().expect("a router");
        let _client = joined(websocket(&router).await).await;
        sleep(Duration::from_secs(4)).await;
        assert_eq!(router.statistics().sessions, stay);
    }
}
