//! The transport against the WebSocket library, and against octets written by hand.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt, future::poll_immediate};
use spell_message::Serialization;
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Message,
        handshake::derive_accept_key,
        protocol::{CloseFrame, Role, frame::coding::CloseCode},
    },
};

use super::*;
use crate::{
    AcceptError, ConnectError, LifeSign, ProtocolError, Transport, TransportError, heard::Heard,
    metered::Metered,
};

const JSON: Serialization = Serialization::JSON;
const CBOR: Serialization = Serialization::CBOR;
const MSGPACK: Serialization = Serialization::MSGPACK;

fn request() -> WebSocketRequest {
    WebSocketRequest::new("ws://router.example/wamp?x=1").unwrap()
}

async fn client(
    io: DuplexStream,
    offers: &[Serialization],
) -> Result<WebSocket<DuplexStream>, ConnectError> {
    WebSocket::client(io, request(), offers, WebSocketConfig::new()).await
}

async fn server(
    io: DuplexStream,
    supported: &[Serialization],
) -> Result<WebSocket<DuplexStream>, AcceptError> {
    WebSocket::server(io, supported, WebSocketConfig::new()).await
}

async fn pair(serialization: Serialization) -> (WebSocket<DuplexStream>, WebSocket<DuplexStream>) {
    let (near, far) = tokio::io::duplex(64 * 1024);
    let offers = [serialization];
    let (client, server) = tokio::join!(client(near, &offers), server(far, &offers));
    (client.unwrap(), server.unwrap())
}

/// After the handshake.
fn client_of<S: AsyncWrite + Unpin>(
    io: S,
    serialization: Serialization,
    config: WebSocketConfig,
) -> WebSocket<S> {
    WebSocket::new(Heard::new(io), &[], Role::Client, serialization, config)
}

/// A transport of ours and the WebSocket library at the other end.
async fn with_library(
    serialization: Serialization,
    config: WebSocketConfig,
) -> (WebSocket<DuplexStream>, WebSocketStream<DuplexStream>) {
    let (near, far) = tokio::io::duplex(64 * 1024);
    let far = WebSocketStream::from_raw_socket(far, Role::Server, None).await;
    (client_of(near, serialization, config), far)
}

/// Reads a request and answers it; `{key}` in the answer is the accepted key.
async fn answer(mut io: DuplexStream, answer: &str) -> (String, DuplexStream) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(io.read_u8().await.unwrap());
    }
    let request = String::from_utf8(request).unwrap();
    let header = |line: &str| line.strip_prefix("Sec-WebSocket-Key: ").map(str::to_owned);
    let key = request.lines().find_map(header).unwrap();
    let answer = answer.replace("{key}", &derive_accept_key(key.as_bytes()));
    io.write_all(answer.as_bytes()).await.unwrap();
    (request, io)
}

const SWITCHING: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Accept: {key}\r\n";

async fn refused_with(text: &str) -> UpgradeError {
    let (near, far) = tokio::io::duplex(4096);
    let offers = [CBOR, JSON];
    let (client, _) = tokio::join!(client(near, &offers), answer(far, text));
    match client.unwrap_err() {
        ConnectError::WebSocket(error) => error,
        error => panic!("{error:?}"),
    }
}

#[tokio::test]
async fn a_request_names_host_resource_subprotocols_in_order_and_headers() {
    let (near, far) = tokio::io::duplex(4096);
    let request = request().header("Authorization", "Bearer 1").unwrap();
    let offers = [CBOR, JSON, MSGPACK];
    let text = format!("{SWITCHING}Sec-WebSocket-Protocol: wamp.2.json\r\n\r\n");
    let (client, (request, _io)) = tokio::join!(
        WebSocket::client(near, request, &offers, WebSocketConfig::new()),
        answer(far, &text),
    );
    assert_eq!(client.unwrap().info().serialization(), JSON);
    for line in [
        "GET /wamp?x=1 HTTP/1.1",
        "Host: router.example",
        "Sec-WebSocket-Protocol: wamp.2.cbor, wamp.2.json, wamp.2.msgpack",
        "authorization: Bearer 1",
    ] {
        assert!(request.lines().any(|given| given == line), "{request}");
    }
}

#[tokio::test]
async fn what_follows_the_head_in_one_segment_is_the_first_message() {
    let (near, far) = tokio::io::duplex(4096);
    let text = format!("{SWITCHING}Sec-WebSocket-Protocol: wamp.2.json\r\n\r\n");
    let router = async {
        let (_, mut io) = answer(far, &text).await;
        io.write_all(b"\x81\x03[1]").await.unwrap();
        io
    };
    let (client, _io) = tokio::join!(client(near, &[JSON]), router);
    assert_eq!(client.unwrap().next().await.unwrap().unwrap(), "[1]");
}

#[tokio::test]
async fn without_an_agreed_subprotocol_there_is_no_connection() {
    let none = format!("{SWITCHING}\r\n");
    assert_eq!(refused_with(&none).await, UpgradeError::NoSubprotocol);
    for name in ["wamp.2.msgpack", "WAMP.2.JSON", "wamp.2.cbor, wamp.2.json"] {
        let foreign = format!("{SWITCHING}Sec-WebSocket-Protocol: {name}\r\n\r\n");
        let error = refused_with(&foreign).await;
        assert_eq!(error, UpgradeError::ForeignSubprotocol, "{name}");
    }
}

#[tokio::test]
async fn another_http_status_is_an_error_also_a_redirect() {
    for status in [302, 404, 500] {
        let text = format!("HTTP/1.1 {status} No\r\nLocation: ws://other.example/\r\n\r\n");
        assert_eq!(refused_with(&text).await, UpgradeError::Status { status });
    }
}

#[tokio::test]
async fn what_is_no_websocket_handshake_is_an_error() {
    for text in [
        "nonsense\r\n\r\n".to_owned(),
        SWITCHING.replace("{key}", "AAAA") + "Sec-WebSocket-Protocol: wamp.2.json\r\n\r\n",
    ] {
        let error = refused_with(&text).await;
        assert!(matches!(error, UpgradeError::Invalid { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn an_end_during_the_handshake_is_named() {
    let (near, far) = tokio::io::duplex(4096);
    let (client, ()) = tokio::join!(client(near, &[JSON]), async move {
        drop(answer(far, "HTTP/1.1 101").await);
    });
    assert!(matches!(client.unwrap_err(), ConnectError::Closed));

    let (near, mut far) = tokio::io::duplex(4096);
    far.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    drop(far);
    let error = server(near, &[JSON]).await.unwrap_err();
    assert!(matches!(error, AcceptError::Closed), "{error:?}");
}

#[tokio::test]
async fn a_client_that_offers_nothing_does_not_even_ask() {
    let (near, mut far) = tokio::io::duplex(4096);
    let error = client(near, &[]).await.unwrap_err();
    assert!(matches!(error, ConnectError::NothingToOffer));
    assert_eq!(far.read(&mut [0]).await.unwrap(), 0);
}

#[tokio::test]
async fn the_clients_order_decides() {
    let (near, far) = tokio::io::duplex(4096);
    let (client, server) = tokio::join!(
        client(near, &[MSGPACK, CBOR, JSON]),
        server(far, &[JSON, CBOR]),
    );
    assert_eq!(client.unwrap().info().serialization(), CBOR);
    assert_eq!(server.unwrap().info().serialization(), CBOR);
}

#[tokio::test]
async fn a_server_refuses_a_client_without_a_supported_subprotocol() {
    let (near, far) = tokio::io::duplex(4096);
    let (client, server) = tokio::join!(client(near, &[MSGPACK]), server(far, &[JSON, CBOR]));
    let error = client.unwrap_err();
    assert!(
        matches!(
            error,
            ConnectError::WebSocket(UpgradeError::Status { status: 400 })
        ),
        "{error:?}"
    );
    let error = server.unwrap_err();
    assert!(matches!(error, AcceptError::UnsupportedSerialization));
}

#[tokio::test]
async fn own_headers_and_malformed_ones_cannot_be_added() {
    for (name, value) in [
        ("Host", "other.example"),
        ("sec-websocket-protocol", "wamp.2.json"),
        ("a b", "c"),
        ("a", "b\r\nc: d"),
    ] {
        assert!(request().header(name, value).is_err(), "{name}: {value}");
    }
}

#[tokio::test]
async fn messages_go_both_ways_as_text_or_binary() {
    for (serialization, bytes) in [(JSON, &b"[1]"[..]), (CBOR, b"\x81\x01\xff")] {
        let (mut client, mut server) = pair(serialization).await;
        let message = Bytes::from_static(bytes);
        client.send(message.clone()).await.unwrap();
        assert_eq!(server.next().await.unwrap().unwrap(), message);
        server.send(message.clone()).await.unwrap();
        assert_eq!(client.next().await.unwrap().unwrap(), message);
    }
}

#[tokio::test]
async fn the_wrong_type_of_message_is_an_error_that_names_it() {
    let binary = Message::binary(&b"[1]"[..]);
    let text = Message::text("[1]");
    for (serialization, message, expected) in [
        (
            JSON,
            binary,
            ProtocolError::BinaryForText {
                subprotocol: "wamp.2.json",
            },
        ),
        (
            CBOR,
            text,
            ProtocolError::TextForBinary {
                subprotocol: "wamp.2.cbor",
            },
        ),
    ] {
        let (mut near, mut far) = with_library(serialization, WebSocketConfig::new()).await;
        far.send(message).await.unwrap();
        let TransportError::Protocol(error) = near.next().await.unwrap().unwrap_err() else {
            panic!("another error");
        };
        assert_eq!(error, expected);
        assert!(near.next().await.is_none());
        // And the other side is told, without this one closing.
        let Message::Close(Some(frame)) = far.next().await.unwrap().unwrap() else {
            panic!("no close frame");
        };
        assert_eq!(frame.code, CloseCode::Unsupported);
    }
}

#[tokio::test]
async fn text_that_is_not_utf8_is_an_error() {
    let (near, mut far) = tokio::io::duplex(64);
    let mut near = client_of(near, JSON, WebSocketConfig::new());
    far.write_all(&[0x81, 1, 0xff]).await.unwrap();
    let error = near.next().await.unwrap().unwrap_err();
    assert!(matches!(
        error,
        TransportError::Protocol(ProtocolError::NotUtf8)
    ));
}

#[tokio::test]
async fn an_invalid_frame_is_an_error() {
    let (near, mut far) = tokio::io::duplex(64);
    let mut near = client_of(near, JSON, WebSocketConfig::new());
    far.write_all(&[0xf1, 0]).await.unwrap();
    let error = near.next().await.unwrap().unwrap_err();
    assert!(matches!(
        error,
        TransportError::Protocol(ProtocolError::WebSocket { .. })
    ));
}

#[tokio::test]
async fn a_message_at_the_limit_is_taken_and_one_above_refused_whole_or_in_fragments() {
    let config = WebSocketConfig::new().max_message_size(1000);
    let (mut near, mut far) = with_library(CBOR, config).await;
    far.send(Message::binary(vec![0; 1000])).await.unwrap();
    assert_eq!(near.next().await.unwrap().unwrap().len(), 1000);

    far.send(Message::binary(vec![0; 1001])).await.unwrap();
    let error = near.next().await.unwrap().unwrap_err();
    assert!(
        matches!(
            error,
            TransportError::Oversized {
                size: 1001,
                limit: 1000
            }
        ),
        "{error:?}"
    );
    let Message::Close(Some(frame)) = far.next().await.unwrap().unwrap() else {
        panic!("no close frame");
    };
    assert_eq!(frame.code, CloseCode::Size);

    // Of fragments the second is too much.
    let (near, mut far) = tokio::io::duplex(4096);
    let mut near = client_of(near, CBOR, config);
    let mut fragment = vec![0x02, 126, 0x02, 0x00];
    fragment.resize(4 + 512, 0);
    far.write_all(&fragment).await.unwrap();
    fragment[0] = 0x00;
    far.write_all(&fragment).await.unwrap();
    let error = near.next().await.unwrap().unwrap_err();
    assert!(matches!(
        error,
        TransportError::Oversized { size: 1024, .. }
    ));
}

#[tokio::test]
async fn a_message_too_large_is_refused_by_its_header_alone() {
    let (near, mut far) = tokio::io::duplex(64);
    let config = WebSocketConfig::new();
    let mut near = client_of(near, CBOR, config);
    far.write_all(&[0x82, 127, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])
        .await
        .unwrap();
    let error = near.next().await.unwrap().unwrap_err();
    assert!(matches!(error, TransportError::Oversized { .. }));
}

#[tokio::test]
async fn a_message_that_cannot_be_sent_is_refused_and_the_next_one_sent() {
    let config = WebSocketConfig::new().max_send_size(8);
    let (mut near, mut far) = with_library(JSON, config).await;
    assert_eq!(near.info().max_send(), Some(8));
    let error = near.send(Bytes::from_static(b"[1234567]")).await;
    assert!(matches!(
        error.unwrap_err(),
        TransportError::TooLarge { size: 9, limit: 8 }
    ));
    let error = near.send(Bytes::from_static(b"\xff")).await;
    assert!(matches!(error.unwrap_err(), TransportError::NotText));
    near.send(Bytes::from_static(b"[123456]")).await.unwrap();
    assert_eq!(
        far.next().await.unwrap().unwrap(),
        Message::text("[123456]")
    );
}

#[tokio::test]
async fn a_ping_is_answered_while_reading() {
    let (mut near, mut far) = with_library(JSON, WebSocketConfig::new()).await;
    far.send(Message::Ping(Bytes::from_static(b"ping")))
        .await
        .unwrap();
    far.send(Message::Pong(Bytes::new())).await.unwrap();
    assert!(poll_immediate(near.next()).await.is_none());
    let answer = far.next().await.unwrap().unwrap();
    assert_eq!(answer, Message::Pong(Bytes::from_static(b"ping")));
}

#[tokio::test]
async fn of_pings_that_come_at_once_the_last_one_is_answered() {
    let (mut near, mut far) = with_library(JSON, WebSocketConfig::new()).await;
    for payload in ["one", "two", "three"] {
        far.feed(Message::Ping(payload.into())).await.unwrap();
    }
    far.send(Message::text("[1]")).await.unwrap();
    assert_eq!(near.next().await.unwrap().unwrap(), "[1]");
    near.close().await.unwrap();
    let answer = far.next().await.unwrap().unwrap();
    assert_eq!(answer, Message::Pong("three".into()));
    assert!(far.next().await.unwrap().unwrap().is_close());
}

#[tokio::test]
async fn pings_do_not_take_the_room_of_messages_when_writing_is_blocked() {
    let (near, far) = tokio::io::duplex(1024);
    let config = WebSocketConfig::new().max_send_size(512);
    let mut near = client_of(near, CBOR, config);
    let mut far = WebSocketStream::from_raw_socket(far, Role::Server, None).await;
    // More answers than the write buffer holds, none of them read.
    for _ in 0..2000 {
        far.send(Message::Ping(vec![1; 125].into())).await.unwrap();
        assert!(poll_immediate(near.next()).await.is_none());
        tokio::task::yield_now().await;
    }
    let sender = tokio::spawn(async move {
        for _ in 0..10 {
            near.send(vec![9; 512].into()).await.unwrap();
        }
        near
    });
    let mut messages = 0;
    while messages < 10 {
        if let Message::Binary(_) = far.next().await.unwrap().unwrap() {
            messages += 1;
        }
    }
    sender.await.unwrap();
}

#[tokio::test]
async fn a_ping_of_its_own_is_answered_and_its_number_comes_back() {
    let (mut client, mut server) = pair(JSON).await;
    // That of the handshake.
    assert_eq!(client.life_sign(), LifeSign::Heard);
    assert_eq!(server.life_sign(), LifeSign::Heard);
    client.ping(7);
    client.flush().await.unwrap();
    assert!(poll_immediate(server.next()).await.is_none());
    assert_eq!(server.life_sign(), LifeSign::Heard);
    assert!(poll_immediate(client.next()).await.is_none());
    assert_eq!(client.life_sign(), LifeSign::Pong(7));
    assert_eq!(client.life_sign(), LifeSign::None);
}

#[tokio::test]
async fn a_pong_that_nobody_asked_for_is_a_sign_of_life_and_no_answer() {
    let (mut near, mut far) = with_library(JSON, WebSocketConfig::new()).await;
    let pong = Message::Pong(Bytes::from_static(b"what?"));
    far.send(pong).await.unwrap();
    assert!(poll_immediate(near.next()).await.is_none());
    assert_eq!(near.life_sign(), LifeSign::Heard);
}

#[tokio::test]
async fn a_part_of_a_message_is_a_sign_of_life() {
    let (near, mut far) = tokio::io::duplex(64);
    let mut near = client_of(near, JSON, WebSocketConfig::new());
    far.write_all(&[0x81, 3, b'[']).await.unwrap();
    assert!(poll_immediate(near.next()).await.is_none());
    assert_eq!(near.life_sign(), LifeSign::Heard);
}

#[tokio::test]
async fn one_ping_overtakes_the_messages_that_wait() {
    let (mut near, mut far) = with_library(JSON, WebSocketConfig::new()).await;
    // More than what is under way and the buffer hold.
    let large = Bytes::from("x".repeat(200_000));
    near.feed(large.clone()).await.unwrap();
    let mut blocked = Box::pin(near.feed(large.clone()));
    assert!(poll_immediate(&mut blocked).await.is_none());
    drop(blocked);
    near.ping(1);
    near.ping(2);
    let sender = tokio::spawn(async move {
        near.send(large).await.unwrap();
        near.close().await.unwrap();
    });
    let mut kinds = Vec::new();
    while let Some(Ok(message)) = far.next().await {
        kinds.push(match message {
            Message::Text(_) => "text",
            Message::Ping(_) => "ping",
            _ => "other",
        });
    }
    assert_eq!(kinds, ["text", "ping", "text", "other"]);
    sender.await.unwrap();
}

#[tokio::test]
async fn further_pings_go_out_among_messages_without_end() {
    let (mut near, mut far) = with_library(JSON, WebSocketConfig::new()).await;
    let reading = tokio::spawn(async move {
        let mut pings = 0;
        while pings < 3 {
            if let Message::Ping(_) = far.next().await.unwrap().unwrap() {
                pings += 1;
            }
        }
        far
    });
    let large = Bytes::from("x".repeat(100_000));
    for number in 0.. {
        near.ping(number);
        near.feed(large.clone()).await.unwrap();
        if reading.is_finished() {
            break;
        }
    }
}

#[tokio::test]
async fn a_clean_close_is_an_end_for_both() {
    let (mut client, mut server) = pair(JSON).await;
    client.feed(Bytes::from_static(b"[1]")).await.unwrap();
    // Nobody reads at the other side, and yet it ends.
    client.close().await.unwrap();
    let error = client.send(Bytes::from_static(b"[2]")).await.unwrap_err();
    assert!(matches!(error, TransportError::AlreadyClosed));

    assert_eq!(server.next().await.unwrap().unwrap(), "[1]");
    assert!(server.next().await.is_none());
    server.close().await.unwrap();
    assert!(client.next().await.is_none());
}

#[tokio::test]
async fn a_side_that_closed_still_gets_what_was_under_way() {
    let (mut client, mut server) = pair(JSON).await;
    server.send(Bytes::from_static(b"[1]")).await.unwrap();
    client.close().await.unwrap();
    assert_eq!(client.next().await.unwrap().unwrap(), "[1]");
    drop(server);
    assert!(client.next().await.is_none());
}

#[tokio::test]
async fn an_end_without_a_close_frame_is_an_interruption() {
    let (mut client, server) = pair(JSON).await;
    drop(server);
    let error = client.next().await.unwrap().unwrap_err();
    assert!(matches!(error, TransportError::Interrupted), "{error:?}");
    assert!(client.next().await.is_none());
}

#[tokio::test]
async fn the_code_of_a_close_frame_tells_a_clean_end_from_another() {
    for (code, clean) in [(1000, true), (1001, true), (1002, false), (4000, false)] {
        let (mut near, mut far) = with_library(JSON, WebSocketConfig::new()).await;
        let frame = CloseFrame {
            code: code.into(),
            reason: "why\n".into(),
        };
        far.send(Message::Close(Some(frame))).await.unwrap();
        match near.next().await {
            None => assert!(clean, "{code}"),
            Some(Err(error)) => {
                assert!(!clean, "{code}");
                let text = error.to_string();
                assert!(text.contains(&code.to_string()), "{text}");
                assert!(!text.contains('\n'), "control characters are escaped");
            }
            Some(Ok(_)) => panic!("a message"),
        }
        // The answer is on its way though nothing more was done here.
        assert!(matches!(
            far.next().await,
            Some(Ok(Message::Close(Some(_))))
        ));
    }
}

#[tokio::test]
async fn a_burst_is_one_write() {
    let (near, mut far) = tokio::io::duplex(64 * 1024);
    let (near, writes) = Metered::new(near);
    let mut near = client_of(near, JSON, WebSocketConfig::new());
    for _ in 0..100 {
        near.feed(Bytes::from_static(b"[1]")).await.unwrap();
    }
    assert_eq!(writes.load(Ordering::Relaxed), 0);
    near.flush().await.unwrap();
    assert_eq!(writes.load(Ordering::Relaxed), 1);
    far.read_exact(&mut [0; 9 * 100]).await.unwrap();
}

#[tokio::test]
async fn the_write_buffer_is_bounded() {
    let (mut near, mut far) = with_library(CBOR, WebSocketConfig::new()).await;
    let message = Bytes::from(vec![7; 8 * 1024]);
    let mut taken = 0;
    while poll_immediate(near.feed(message.clone())).await.is_some() {
        taken += 1;
    }
    // At most 64 KiB in the pipe, as much in the buffer, and a message.
    assert!((8..=17).contains(&taken), "{taken}");
    let writer = tokio::spawn(async move { near.close().await });
    for _ in 0..taken {
        let received = far.next().await.unwrap().unwrap();
        assert_eq!(received, Message::Binary(message.clone()));
    }
    assert!(far.next().await.unwrap().unwrap().is_close());
    writer.await.unwrap().unwrap();
}
