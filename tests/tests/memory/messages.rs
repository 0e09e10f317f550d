//! What a message costs that waits to be read.

use bytes::Bytes;
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use spell::{
    prelude::*,
    router::Router,
    serializer::Json,
    transport::{
        Serialization, TransportError,
        rawsocket::{RawSocket, RawSocketConfig},
        websocket::{WebSocket, WebSocketConfig},
    },
};
use spell_tests::notice;
use tokio::{io::AsyncWriteExt, net::TcpListener, task::yield_now};

use crate::{alone, block_on, heap};

const REALM: &str = "com.example.realm";

/// The bytes of heap that each of `count` events with `size` bytes of text takes that nobody reads.
async fn cost(scheme: &str, size: usize, count: usize) -> usize {
    let router = Router::local();
    let url = router
        .listen(&format!("{scheme}://127.0.0.1:0"))
        .await
        .unwrap();
    let publisher = spell::connect(&url, REALM).await.unwrap();
    let subscriber = spell::connect(&url, REALM).await.unwrap();
    let topic = "com.example.topic";
    let events = subscriber.subscribe(topic).queue_count(count);
    let mut events = events.queue_bytes(usize::MAX).await.unwrap();
    let text = "x".repeat(size);
    let publish = async || {
        let publish = publisher.publish(topic).arg(text.as_str());
        publish.acknowledge().await.unwrap();
    };
    publish().await;
    events.next().await.unwrap();
    let before = heap();
    for _ in 0..count {
        publish().await;
    }
    // Behind the last event.
    let sync = subscriber.publish("com.example.sync").acknowledge();
    sync.await.unwrap();
    for _ in 0..100 {
        yield_now().await;
    }
    let cost = (heap() - before) / count;
    let mut got = 0;
    while got < count {
        events.next().await.unwrap();
        got += 1;
    }
    assert_eq!(events.missed(), 0);
    cost
}

#[test]
fn a_message_that_waits_takes_little_more_than_its_bytes() {
    let _alone = alone();
    block_on(async {
        let mut costs = Vec::new();
        for scheme in ["ws", "rs"] {
            for (size, count) in [(10, 2000), (1000, 2000), (100_000, 100)] {
                let cost = cost(scheme, size, count).await;
                notice(&format!(
                    "an event with {size} bytes over {scheme} takes {cost} bytes while it waits"
                ));
                costs.push((scheme, size, cost));
            }
        }
        for (scheme, size, cost) in costs {
            // Its envelope has 100 bytes at most. The rest is what an event is without them.
            let most = (size + 100) * 110 / 100 + 256;
            assert!(cost <= most, "{scheme}, {size} bytes of text: {cost} bytes");
        }
    });
}

#[test]
fn the_header_of_a_message_takes_no_memory_for_what_it_promises() {
    let _alone = alone();
    block_on(async {
        // Almost 16 MiB are to follow.
        let over_websocket = [0x81, 127, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF];
        let over_rawsocket = [0, 0xFF, 0xFF, 0xFF];
        for (scheme, header) in [("ws", &over_websocket[..]), ("rs", &over_rawsocket)] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("{scheme}://{}", listener.local_addr().unwrap());
            let client = spell::client(&url, REALM).serializers([Json::new()]);
            let router = async {
                let (mut stream, _) = listener.accept().await.unwrap();
                let json = [Serialization::JSON];
                if scheme == "ws" {
                    let config = WebSocketConfig::new();
                    let accepted = WebSocket::server(&mut stream, &json, config).await;
                    welcome(accepted.unwrap()).await;
                } else {
                    let config = RawSocketConfig::new();
                    let accepted = RawSocket::server(&mut stream, &json, config).await;
                    welcome(accepted.unwrap()).await;
                }
                stream
            };
            let (client, mut router) = tokio::join!(client.connect(), router);
            let client = client.unwrap();
            let before = heap();
            router.write_all(header).await.unwrap();
            router.write_all(b"[36,").await.unwrap();
            for _ in 0..1000 {
                yield_now().await;
            }
            let grown = heap().saturating_sub(before);
            notice(&format!(
                "the header of a message of 16 MiB over {scheme} takes {grown} bytes"
            ));
            assert!(grown <= 64 << 10, "{scheme}: {grown} bytes");
            drop(client);
        }
    });
}

/// Lets the client at the other end join.
async fn welcome<T>(mut transport: T)
where
    T: Stream<Item = Result<Bytes, TransportError>> + Sink<Bytes, Error = TransportError> + Unpin,
{
    transport.next().await.unwrap().unwrap();
    let welcome = Bytes::from_static(br#"[2,1,{"roles":{"broker":{}}}]"#);
    transport.send(welcome).await.unwrap();
}
