//! The router on real sockets of this host, each kind of URL, and between formats.
#![expect(
    clippy::unwrap_used,
    reason = "allowed in tests, but not found to be one in what they share"
)]

use crate::support::Client;
use spell_router::{ListenError, Router};
use spell_transport::{ConnectorBuilder, connector};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// An event and a call between two clients at these URLs.
async fn exchange(alice: &str, bob: &str) {
    let mut alice = Client::dial(connector(alice).unwrap()).await;
    let mut bob = Client::dial(connector(bob).unwrap()).await;
    alice.hello("realm1").await;
    bob.hello("realm1").await;
    assert_eq!(bob.ask(r#"[32,1,{},"com.topic"]"#).await, "[33,1,1]");
    assert_eq!(bob.ask(r#"[64,2,{},"com.p"]"#).await, "[65,2,1]");
    alice.send(r#"[16,1,{},"com.topic",["hello"]]"#).await;
    assert!(bob.next().await.ends_with(r#"["hello"]]"#));
    alice.send(r#"[48,2,{},"com.p",[1]]"#).await;
    assert_eq!(bob.next().await, "[68,1,1,{},[1]]");
    bob.send("[70,1,{},[2]]").await;
    assert_eq!(alice.next().await, "[50,2,{},[2]]");
    for client in [&mut alice, &mut bob] {
        let answer = client.ask(r#"[6,{},"wamp.close.close_realm"]"#).await;
        assert_eq!(answer, r#"[6,{},"wamp.close.goodbye_and_out"]"#);
        client.expect_end().await;
    }
}

async fn exchange_at(url: &str) {
    let router = Router::local();
    let url = router.listen(url).await.unwrap();
    exchange(&url, &url).await;
    router.close().await;
    assert_eq!(router.statistics().sessions, 0);
}

#[tokio::test]
async fn websocket_over_tcp() {
    exchange_at("ws://127.0.0.1:0").await;
    exchange_at("ws://localhost:0/any/path?at=all").await;
}

#[tokio::test]
async fn rawsocket_over_tcp() {
    exchange_at("rs://127.0.0.1:0").await;
    exchange_at("tcp://127.0.0.1:0").await;
}

#[tokio::test]
async fn one_port_for_both_transports() {
    let router = Router::local();
    let url = router.listen("ws+rs://127.0.0.1:0").await.unwrap();
    exchange(&url.replace("ws+rs", "ws"), &url.replace("ws+rs", "rs")).await;
}

#[tokio::test]
async fn several_ports_are_one_router() {
    let router = Router::builder()
        .realm("realm1")
        .listen("ws://127.0.0.1:0")
        .listen("rs://127.0.0.1:0")
        .start()
        .await
        .unwrap();
    let addresses = router.addresses();
    assert!(addresses[0].starts_with("ws:") && addresses[1].starts_with("rs:"));
    exchange(&addresses[0], &addresses[1]).await;
}

#[cfg(unix)]
mod unix {
    use std::{os::unix::net::UnixListener, path::PathBuf};

    use super::*;

    /// A path for one test; nothing is there.
    fn path(name: &str) -> PathBuf {
        let name = format!("spell-router-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _ = std::fs::remove_file(&path);
        path
    }

    #[tokio::test]
    async fn both_transports_over_unix_sockets() {
        let path = path("both");
        for scheme in ["unix", "rs+unix", "ws+unix"] {
            exchange_at(&format!("{scheme}:{}", path.display())).await;
            assert!(!path.exists(), "the file goes with the router");
        }
    }

    #[tokio::test]
    async fn the_file_of_a_dead_router_is_replaced_that_of_a_live_one_is_not() {
        let path = path("dead");
        let url = format!("unix:{}", path.display());
        drop(UnixListener::bind(&path).unwrap());
        let router = Router::local();
        router.listen(&url).await.unwrap();
        let error = Router::local().listen(&url).await.unwrap_err();
        assert!(matches!(error, ListenError::Bind { .. }), "{error}");
        exchange(&url, &url).await;
    }

    #[tokio::test]
    async fn a_file_that_is_no_socket_is_left_alone() {
        let path = path("file");
        std::fs::write(&path, "precious").unwrap();
        let url = format!("unix:{}", path.display());
        let error = Router::local().listen(&url).await.unwrap_err();
        assert!(matches!(error, ListenError::Bind { .. }), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), b"precious");
        std::fs::remove_file(&path).unwrap();
    }
}

#[tokio::test]
async fn a_port_that_is_taken_is_an_error() {
    let router = Router::local();
    let url = router.listen("ws://127.0.0.1:0").await.unwrap();
    let error = router.listen(&url).await.unwrap_err();
    assert!(matches!(error, ListenError::Bind { .. }), "{error}");
    assert_eq!(router.addresses(), [url]);
}

#[tokio::test]
async fn a_url_for_tls_is_never_served_in_plain_text() {
    for url in [
        "wss://127.0.0.1:0",
        "rss://127.0.0.1:0",
        "wss+rss://127.0.0.1:0",
    ] {
        let error = Router::local().listen(url).await.unwrap_err();
        assert!(
            matches!(
                error,
                ListenError::NeedsCertificate { .. } | ListenError::MissingFeature { .. }
            ),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_closed_router_listens_no_more() {
    let router = Router::local();
    let url = router.listen("rs://127.0.0.1:0").await.unwrap();
    router.close().await;
    let mut connector = connector(&url).unwrap();
    let offers = [spell_transport::Serialization::JSON];
    assert!(
        spell_transport::Connector::connect(&mut connector, &offers)
            .await
            .is_err()
    );
    let error = router.listen("rs://127.0.0.1:0").await.unwrap_err();
    assert!(matches!(error, ListenError::Closed));
}

/// A client that takes messages of up to 1024 bytes.
async fn small(url: &str) -> Client {
    let connector = ConnectorBuilder::new(url).unwrap().max_message_size(1024);
    let mut client = Client::dial(connector.build().unwrap()).await;
    client.hello("realm1").await;
    client
}

#[tokio::test]
async fn an_event_larger_than_its_subscriber_takes_is_dropped_and_counted() {
    let router = Router::local();
    let url = router.listen("rs://127.0.0.1:0").await.unwrap();
    let mut small = small(&url).await;
    small.ask(r#"[32,1,{},"com.topic"]"#).await;
    let mut alice = Client::join(&router, "realm1").await;
    let text = "x".repeat(1024);
    alice
        .send(&format!(r#"[16,1,{{}},"com.topic",["{text}"]]"#))
        .await;
    alice.send(r#"[16,2,{},"com.topic",["small"]]"#).await;
    assert!(small.next().await.ends_with(r#"["small"]]"#));
    assert_eq!(router.statistics().events_dropped, 1);
}

#[tokio::test]
async fn a_call_larger_than_its_callee_takes_fails_without_a_gap_in_the_invocations() {
    let router = Router::local();
    let url = router.listen("rs://127.0.0.1:0").await.unwrap();
    let mut small = small(&url).await;
    small.ask(r#"[64,1,{},"com.p"]"#).await;
    let mut alice = Client::join(&router, "realm1").await;
    let text = "x".repeat(1024);
    let answer = alice
        .ask(&format!(r#"[48,1,{{}},"com.p",["{text}"]]"#))
        .await;
    assert!(
        answer.ends_with(r#""wamp.error.payload_size_exceeded"]"#),
        "{answer}"
    );
    alice.send(r#"[48,2,{},"com.p",["small"]]"#).await;
    assert_eq!(small.next().await, r#"[68,1,1,{},["small"]]"#);
}

#[tokio::test]
async fn part_of_a_result_larger_than_its_caller_takes_fails_the_call() {
    let router = Router::local();
    let url = router.listen("rs://127.0.0.1:0").await.unwrap();
    let mut callee = Client::join(&router, "realm1").await;
    callee.ask(r#"[64,1,{},"com.p"]"#).await;
    let mut small = small(&url).await;
    let text = "x".repeat(1024);
    // It makes no difference whether the last result is on its way already.
    for (call, last) in [(1, ""), (2, "[70,2,{}]")] {
        let options = r#"{"receive_progress":true}"#;
        small
            .send(&format!(r#"[48,{call},{options},"com.p"]"#))
            .await;
        callee.next().await;
        callee
            .send(&format!(r#"[70,{call},{{"progress":true}},["{text}"]]"#))
            .await;
        if last.is_empty() {
            assert_eq!(callee.next().await, r#"[69,1,{"mode":"killnowait"}]"#);
        } else {
            callee.send(last).await;
        }
        let answer = small.next().await;
        assert!(answer.starts_with(&format!("[8,48,{call},")), "{answer}");
        let reason = r#""wamp.error.payload_size_exceeded"]"#;
        assert!(answer.ends_with(reason), "{answer}");
    }
    assert_eq!(small.ask(r#"[32,3,{},"com.t"]"#).await, "[33,3,1]");
}

#[tokio::test]
async fn the_largest_invocation_that_fits_is_sent() {
    let router = Router::local();
    let url = router.listen("rs://127.0.0.1:0").await.unwrap();
    let mut small = small(&url).await;
    small.ask(r#"[64,1,{},"com.p"]"#).await;
    let mut alice = Client::join(&router, "realm1").await;
    let text = "x".repeat(1024 - r#"[68,1,1,{},[""]]"#.len());
    alice
        .send(&format!(r#"[48,1,{{}},"com.p",["{text}"]]"#))
        .await;
    assert_eq!(small.next().await.len(), 1024);
    let answer = alice
        .ask(&format!(r#"[48,2,{{}},"com.p",["{text}x"]]"#))
        .await;
    assert!(
        answer.ends_with(r#""wamp.error.payload_size_exceeded"]"#),
        "{answer}"
    );
}

#[tokio::test]
async fn a_call_whose_name_is_too_long_for_its_callee_leaves_no_gap_in_the_invocations() {
    let router = Router::local();
    let url = router.listen("rs://127.0.0.1:0").await.unwrap();
    let connector = ConnectorBuilder::new(&url).unwrap().max_message_size(4096);
    let mut callee = Client::dial(connector.build().unwrap()).await;
    callee.hello("realm1").await;
    callee.ask(r#"[64,1,{"match":"prefix"},""]"#).await;
    let mut alice = Client::join(&router, "realm1").await;
    let long = "x".repeat(4096);
    let answer = alice.ask(&format!(r#"[48,1,{{}},"{long}"]"#)).await;
    let reason = r#""wamp.error.payload_size_exceeded"]"#;
    assert!(answer.ends_with(reason), "{answer}");
    alice.send(r#"[48,2,{},"com.p"]"#).await;
    let invocation = callee.next().await;
    assert_eq!(invocation, r#"[68,1,1,{"procedure":"com.p"}]"#);
}

#[tokio::test]
async fn a_result_or_an_error_larger_than_its_caller_takes_is_an_error() {
    let router = Router::local();
    let url = router.listen("rs://127.0.0.1:0").await.unwrap();
    let mut callee = Client::join(&router, "realm1").await;
    callee.ask(r#"[64,1,{},"com.p"]"#).await;
    let mut small = small(&url).await;
    let text = "x".repeat(1024);
    small.send(r#"[48,1,{},"com.p"]"#).await;
    callee.next().await;
    callee.send(&format!(r#"[70,1,{{}},["{text}"]]"#)).await;
    let answer = small.next().await;
    assert!(answer.starts_with("[8,48,1,"), "{answer}");
    assert!(
        answer.ends_with(r#""wamp.error.payload_size_exceeded"]"#),
        "{answer}"
    );
    small.send(r#"[48,2,{},"com.p"]"#).await;
    callee.next().await;
    callee
        .send(&format!(r#"[8,68,2,{{}},"com.bad",["{text}"]]"#))
        .await;
    assert_eq!(small.next().await, r#"[8,48,2,{},"com.bad"]"#);
    // Nor does it cost the session when only the details are too large.
    small.send(r#"[48,3,{},"com.p"]"#).await;
    callee.next().await;
    let (details, error) = (
        format!(r#"{{"message":"{text}"}}"#),
        "wamp.error.payload_size_exceeded",
    );
    let failure = format!(r#"[8,68,3,{details},"{error}",[1]]"#);
    callee.send(&failure).await;
    let answer = small.next().await;
    assert_eq!(answer, format!(r#"[8,48,3,{{}},"{error}",[1]]"#));
}

#[tokio::test]
async fn a_message_larger_than_the_router_takes_ends_the_session() {
    let router = Router::builder()
        .realm("realm1")
        .max_message_size(1024)
        .listen("ws://127.0.0.1:0")
        .start()
        .await
        .unwrap();
    let mut client = Client::dial(connector(&router.addresses()[0]).unwrap()).await;
    client.hello("realm1").await;
    let text = "x".repeat(1024);
    client
        .send(&format!(r#"[16,1,{{}},"com.topic",["{text}"]]"#))
        .await;
    client.expect_end().await;
    assert_eq!(router.statistics().violations, 1);
    assert_eq!(router.statistics().sessions, 0);
}

/// A router that takes messages of up to 1024 bytes, and a session of it, without the client.
async fn rawsocket_of_1024_bytes() -> (Router, TcpStream) {
    let router = Router::builder().realm("realm1").max_message_size(1024);
    let router = router.build().unwrap();
    let url = router.listen("rs://127.0.0.1:0").await.unwrap();
    let address = url.replace("rs://", "");
    let mut tcp = TcpStream::connect(address).await.unwrap();
    let hello = br#"[1,"realm1",{"roles":{"caller":{}}}]"#;
    tcp.write_all(&[0x7f, 0xf1, 0, 0]).await.unwrap();
    tcp.write_all(&[0, 0, 0, u8::try_from(hello.len()).unwrap()])
        .await
        .unwrap();
    tcp.write_all(hello).await.unwrap();
    let mut reply = [0; 4];
    tcp.read_exact(&mut reply).await.unwrap();
    assert_eq!(reply, [0x7f, 0x11, 0, 0]);
    let mut header = [0; 4];
    tcp.read_exact(&mut header).await.unwrap();
    let mut welcome = vec![0; usize::try_from(u32::from_be_bytes(header)).unwrap()];
    tcp.read_exact(&mut welcome).await.unwrap();
    assert!(welcome.starts_with(b"[2,"));
    (router, tcp)
}

#[tokio::test]
async fn a_transport_that_fails_after_goodbye_is_closed_without_abort() {
    let (router, mut tcp) = rawsocket_of_1024_bytes().await;
    let closing = tokio::spawn({
        let router = router.clone();
        async move { router.close().await }
    });
    let goodbye = r#"[6,{},"wamp.close.system_shutdown"]"#;
    let mut frame = vec![0; goodbye.len() + 4];
    tcp.read_exact(&mut frame).await.unwrap();
    assert_eq!(frame[4..], *goodbye.as_bytes());
    // The header of a message of 1025 bytes.
    tcp.write_all(&[0, 0, 4, 1]).await.unwrap();
    let mut rest = Vec::new();
    tcp.read_to_end(&mut rest).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&rest), "");
    drop(tcp);
    closing.await.unwrap();
    let statistics = router.statistics();
    assert_eq!((statistics.refused, statistics.violations), (0, 0));
}

#[tokio::test]
async fn a_rawsocket_client_learns_by_abort_that_its_message_is_too_large() {
    let (_router, mut tcp) = rawsocket_of_1024_bytes().await;
    // The header of a message of 1025 bytes.
    tcp.write_all(&[0, 0, 4, 1]).await.unwrap();
    let mut rest = Vec::new();
    tcp.read_to_end(&mut rest).await.unwrap();
    let rest = String::from_utf8_lossy(&rest);
    assert!(
        rest.ends_with(r#""wamp.error.protocol_violation"]"#),
        "{rest}"
    );
}

#[cfg(all(feature = "msgpack", feature = "cbor"))]
mod formats {
    use bytes::{Bytes, BytesMut};
    use futures_util::{SinkExt, StreamExt};
    use spell_message::Message;
    use spell_serializer::{AnySerializer, Cbor, Json, MsgPack, payload::transcode};
    use spell_transport::{Connector, memory::MemoryTransport};

    use super::*;

    /// A client of any format, scripted in JSON all the same.
    struct Foreign {
        transport: MemoryTransport,
        serializer: AnySerializer,
    }

    impl Foreign {
        async fn join(router: &Router, serializer: AnySerializer) -> Self {
            let offers = [serializer.serialization()];
            let transport = router.connector().connect(&offers).await.unwrap();
            let mut client = Self {
                transport,
                serializer,
            };
            let roles = r#"{"publisher":{},"subscriber":{},"caller":{},"callee":{}}"#;
            client
                .send(&format!(r#"[1,"realm1",{{"roles":{roles}}}]"#))
                .await;
            assert!(client.next().await.starts_with("[2,"));
            client
        }

        async fn send(&mut self, message: &str) {
            let json: AnySerializer = Json::new().into();
            let mut message = json.decode(&Bytes::from(message.to_owned())).unwrap();
            bring(&mut message, self.serializer.format());
            let mut frame = BytesMut::new();
            self.serializer.encode(&message, &mut frame).unwrap();
            self.transport.send(frame.freeze()).await.unwrap();
        }

        async fn next(&mut self) -> String {
            let frame = self.transport.next().await.unwrap().unwrap();
            let mut message = self.serializer.decode(&frame).unwrap();
            bring(&mut message, spell_message::Format::Json);
            let json: AnySerializer = Json::new().into();
            let mut text = BytesMut::new();
            json.encode(&message, &mut text).unwrap();
            String::from_utf8(text.to_vec()).unwrap()
        }
    }

    fn bring(message: &mut Message, format: spell_message::Format) {
        if let Some(payload) = message.payload_mut() {
            *payload = transcode(payload, format).unwrap();
        }
    }

    #[tokio::test]
    async fn every_format_understands_every_other() {
        let router = Router::local();
        let serializers: [AnySerializer; 3] = [
            Json::new().into(),
            MsgPack::new().into(),
            Cbor::new().into(),
        ];
        let arguments =
            r#"[1,"text",[true,null,"\u0000AQI="],9007199254740993],{"k":{"b":1,"a":2}}"#;
        for (number, from) in serializers.iter().enumerate() {
            let mut alice = Foreign::join(&router, from.clone()).await;
            for (other, to) in serializers.iter().enumerate() {
                let mut bob = Foreign::join(&router, to.clone()).await;
                let name = format!("com.p{number}{other}");
                bob.send(&format!(r#"[32,1,{{}},"{name}"]"#)).await;
                bob.next().await;
                bob.send(&format!(r#"[64,2,{{}},"{name}"]"#)).await;
                bob.next().await;
                let request = other * 2 + 1;
                alice
                    .send(&format!(r#"[16,{request},{{}},"{name}",{arguments}]"#))
                    .await;
                let event = bob.next().await;
                assert!(event.ends_with(&format!("{{}},{arguments}]")), "{event}");
                let request = request + 1;
                alice
                    .send(&format!(r#"[48,{request},{{}},"{name}",{arguments}]"#))
                    .await;
                let invocation = bob.next().await;
                assert!(
                    invocation.ends_with(&format!("{{}},{arguments}]")),
                    "{invocation}"
                );
                bob.send(&format!("[70,1,{{}},{arguments}]")).await;
                assert_eq!(
                    alice.next().await,
                    format!("[50,{request},{{}},{arguments}]")
                );
            }
        }
    }

    /// NaN, which JSON has no form for, as MessagePack.
    const NAN: &[u8] = &[0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0];

    async fn send_nan(client: &mut Foreign, head: &[u8]) {
        let frame = [head, &[0x91], NAN].concat();
        client.transport.send(frame.into()).await.unwrap();
    }

    #[tokio::test]
    async fn arguments_that_a_receiver_cannot_express_are_an_error_for_who_waits() {
        let router = Router::local();
        let mut alice = Foreign::join(&router, MsgPack::new().into()).await;
        let mut bob = Client::join(&router, "realm1").await;
        bob.ask(r#"[64,1,{},"p"]"#).await;
        bob.ask(r#"[32,2,{},"t"]"#).await;
        // [48, 1, {}, "p", [NaN]]
        send_nan(&mut alice, &[0x95, 48, 1, 0x80, 0xa1, b'p']).await;
        let answer = alice.next().await;
        assert!(
            answer.ends_with(r#""wamp.error.invalid_argument"]"#),
            "{answer}"
        );
        // [16, 2, {}, "t", [NaN]]
        send_nan(&mut alice, &[0x95, 16, 2, 0x80, 0xa1, b't']).await;
        alice.send(r#"[48,3,{},"p"]"#).await;
        assert_eq!(bob.next().await, "[68,1,1,{}]");
        assert_eq!(router.statistics().events_dropped, 1);
    }
}
