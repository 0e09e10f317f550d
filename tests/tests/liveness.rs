//! Routers on real sockets that stop reading, or answering.
#![expect(clippy::unwrap_used, reason = "a test stops where it is surprised")]

use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use spell::{
    Client, CloseReason,
    peer::{Delivery, Probe},
    prelude::*,
    roles::CallError,
    serializer::Json,
    transport::{AnyListener, BoxTransport, KeepAlive, Listener, Serialization},
};
use tokio::net::TcpListener;

const WELCOME: &str = r#"[2,7,{"roles":{"broker":{},"dealer":{}}}]"#;

/// A client, and the other end of its connection: nobody reads there any more, nor answers.
async fn stuck(scheme: &str, probe: Probe) -> (Client, BoxTransport) {
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("{scheme}://{}", tcp.local_addr().unwrap());
    let mut listener = AnyListener::new(tcp, [Serialization::JSON]);
    let router = async {
        let mut router = listener.accept().await.unwrap().await.unwrap();
        router.next().await.unwrap().unwrap();
        router.send(Bytes::from(WELCOME)).await.unwrap();
        router
    };
    let client = spell::client(&url, "realm1")
        .serializers([Json::new()])
        .keep_alive(KeepAlive::within(Duration::from_millis(200)))
        .configure(|config| config.probe = probe)
        .connect();
    let (client, router) = tokio::join!(client, router);
    (client.unwrap(), router)
}

/// By which transport, and by what it is asked.
const WAYS: [(&str, Probe); 4] = [
    ("ws", Probe::Automatic),
    ("ws", Probe::RoundTrip),
    ("rs", Probe::Ping),
    ("rs", Probe::Automatic), // a round trip
];

#[tokio::test]
async fn a_router_that_does_not_answer_is_given_up() {
    for (scheme, probe) in WAYS {
        let (client, _router) = stuck(scheme, probe).await;
        let reason = client.closed().await;
        assert!(
            matches!(reason, CloseReason::Unresponsive { .. }),
            "{scheme} {probe:?}: {reason}"
        );
    }
}

#[tokio::test]
async fn a_router_that_does_not_read_is_given_up_while_the_client_publishes() {
    for (scheme, probe) in WAYS {
        let (client, _router) = stuck(scheme, probe).await;
        let call = client.call("com.example.late");
        let text = "x".repeat(100_000);
        // More than the system holds for a socket.
        let publish =
            async { while client.publish("com.example.topic").arg(&text).await.is_ok() {} };
        let (called, ()) = tokio::join!(call.into_future(), publish);
        match called.unwrap_err() {
            CallError::Closed {
                reason: CloseReason::Unresponsive { .. },
                delivery: Delivery::OutcomeUnknown,
                ..
            } => {}
            other => panic!("{scheme} {probe:?}: {other:?}"),
        }
    }
}
