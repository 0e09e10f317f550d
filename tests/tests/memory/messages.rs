//! What a message costs that waits to be read.

use spell::{prelude::*, router::Router};
use spell_tests::notice;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::yield_now,
};

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
            // Its envelope has 100 bytes at most. Beside what an event is without them, there is what nobody uses of
            // the buffer that it came in: the end of 8 KiB, or a third of what was made for a large one.
            let most = (size + 100) * 135 / 100 + 512;
            assert!(cost <= most, "{scheme}, {size} bytes of text: {cost} bytes");
        }
    });
}

#[test]
fn the_header_of_a_message_takes_no_memory_for_what_it_promises() {
    let _alone = alone();
    block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("rs://{}", listener.local_addr().unwrap());
        let client = spell::client(&url, REALM).serializers([spell::serializer::Json::new()]);
        let router = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut handshake = [0; 4];
            stream.read_exact(&mut handshake).await.unwrap();
            stream.write_all(&handshake).await.unwrap();
            let mut hello = [0; 4];
            stream.read_exact(&mut hello).await.unwrap();
            let [_, length @ ..] = hello;
            let length = length
                .iter()
                .fold(0, |length, byte| length << 8 | usize::from(*byte));
            stream.read_exact(&mut vec![0; length]).await.unwrap();
            let welcome = br#"[2,1,{"roles":{"broker":{}}}]"#;
            let size = u8::try_from(welcome.len()).unwrap();
            stream.write_all(&[0, 0, 0, size]).await.unwrap();
            stream.write_all(welcome).await.unwrap();
            stream
        };
        let (client, mut router) = tokio::join!(client.connect(), router);
        let client = client.unwrap();
        let before = heap();
        // Almost 16 MiB are to follow, and some of them do.
        router.write_all(&[0, 0xFF, 0xFF, 0xFF]).await.unwrap();
        router.write_all(b"[36,").await.unwrap();
        for _ in 0..1000 {
            yield_now().await;
        }
        let grown = heap().saturating_sub(before);
        notice(&format!(
            "the header of a message of 16 MiB takes {grown} bytes"
        ));
        assert!(grown <= 64 << 10, "{grown} bytes");
        drop(client);
    });
}
