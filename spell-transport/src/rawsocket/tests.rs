//! The transport against octets written by hand.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt, future::poll_immediate};
use spell_message::Serialization;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use super::*;
use crate::{
    AcceptError, ConnectError, LifeSign, Pings, ProtocolError, Transport, TransportError,
    metered::Metered,
};

const CBOR: Serialization = Serialization::CBOR;

async fn client(io: DuplexStream) -> Result<RawSocket<DuplexStream>, ConnectError> {
    RawSocket::client(io, CBOR, RawSocketConfig::new()).await
}

/// A client that takes 512 bytes, and a hand-written router that takes 512 as well.
async fn connected(buffer: usize) -> (RawSocket<DuplexStream>, DuplexStream) {
    let (near, mut far) = tokio::io::duplex(buffer);
    far.write_all(&[0x7f, 0x03, 0, 0]).await.unwrap();
    let config = RawSocketConfig::new().max_message_size(512);
    let client = RawSocket::client(near, CBOR, config).await.unwrap();
    assert_eq!(octets::<4>(&mut far).await, [0x7f, 0x03, 0, 0]);
    (client, far)
}

async fn octets<const N: usize>(io: &mut DuplexStream) -> [u8; N] {
    let mut octets = [0; N];
    io.read_exact(&mut octets).await.unwrap();
    octets
}

async fn error_of(mut transport: RawSocket<DuplexStream>) -> TransportError {
    let error = transport.next().await.unwrap().unwrap_err();
    assert!(transport.next().await.is_none(), "an error is the last");
    error
}

#[tokio::test]
async fn a_reply_and_a_frame_in_one_segment_are_told_apart() {
    let (near, mut far) = tokio::io::duplex(64);
    far.write_all(&[0x7f, 0xf3, 0, 0, 0, 0, 0, 1, 0x80])
        .await
        .unwrap();
    let mut client = client(near).await.unwrap();
    assert_eq!(client.next().await.unwrap().unwrap(), &[0x80][..]);
}

#[tokio::test]
async fn a_reply_in_pieces_is_put_together() {
    let (near, mut far) = tokio::io::duplex(64);
    let client = tokio::spawn(client(near));
    assert_eq!(octets::<4>(&mut far).await, [0x7f, 0xf3, 0, 0]);
    far.write_all(&[0x7f]).await.unwrap();
    tokio::task::yield_now().await;
    far.write_all(&[0xf3, 0, 0]).await.unwrap();
    client.await.unwrap().unwrap();
}

#[tokio::test]
async fn each_refusal_is_a_typed_error() {
    let cases = [
        (0, Refusal::Undefined(0)),
        (2, Refusal::LengthUnacceptable),
        (3, Refusal::ReservedBits),
        (4, Refusal::TooManyConnections),
        (15, Refusal::Undefined(15)),
    ];
    for (code, refusal) in cases {
        let (near, mut far) = tokio::io::duplex(64);
        far.write_all(&[0x7f, code << 4, 0, 0]).await.unwrap();
        let error = client(near).await.unwrap_err();
        let ConnectError::RawSocket(HandshakeError::Refused(given)) = error else {
            panic!("code {code} gave {error:?}");
        };
        assert_eq!(given, refusal);
    }
    let (near, mut far) = tokio::io::duplex(64);
    far.write_all(&[0x7f, 0x10, 0, 0]).await.unwrap();
    let error = client(near).await.unwrap_err();
    assert!(matches!(error, ConnectError::UnsupportedSerialization));
}

#[tokio::test]
async fn a_reply_that_is_none_fails_the_handshake() {
    for reply in [*b"HTTP", [0x7f, 0xf1, 0, 0], [0x7f, 0xf3, 1, 0]] {
        let (near, mut far) = tokio::io::duplex(64);
        far.write_all(&reply).await.unwrap();
        let error = client(near).await.unwrap_err();
        assert!(matches!(error, ConnectError::RawSocket(_)), "{error:?}");
    }
    let (near, mut far) = tokio::io::duplex(64);
    far.write_all(&[0x7f]).await.unwrap();
    drop(far);
    let error = client(near).await.unwrap_err();
    // Writing may fail first.
    assert!(
        matches!(error, ConnectError::Closed | ConnectError::Io(_)),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_serialization_without_a_number_is_not_offered() {
    let (near, _far) = tokio::io::duplex(64);
    let custom = Serialization::binary("wamp.2.custom", 0);
    let result = RawSocket::client(near, custom, RawSocketConfig::new()).await;
    assert!(matches!(result, Err(ConnectError::NothingToOffer)));
}

#[tokio::test]
async fn a_server_answers_what_it_refuses() {
    let cases: [([u8; 4], Option<[u8; 4]>); 4] = [
        ([0x7f, 0xf1, 0, 0], Some([0x7f, 0x10, 0, 0])),
        ([0x7f, 0xf0, 0, 0], Some([0x7f, 0x10, 0, 0])),
        ([0x7f, 0xf3, 0, 1], Some([0x7f, 0x30, 0, 0])),
        (*b"GET ", None),
    ];
    for (request, reply) in cases {
        let (near, mut far) = tokio::io::duplex(64);
        far.write_all(&request).await.unwrap();
        let error = RawSocket::server(near, &[CBOR], RawSocketConfig::new())
            .await
            .unwrap_err();
        assert!(
            matches!(
                error,
                AcceptError::UnsupportedSerialization | AcceptError::RawSocket(_)
            ),
            "{error:?}"
        );
        let mut given = Vec::new();
        far.read_to_end(&mut given).await.unwrap();
        assert_eq!(given, reply.map_or(Vec::new(), Vec::from));
    }
}

#[tokio::test]
async fn limits_are_those_of_the_other_side() {
    let (near, far) = tokio::io::duplex(64);
    let small = RawSocketConfig::new().max_message_size(1024);
    let (client, server) = tokio::join!(
        RawSocket::client(near, CBOR, RawSocketConfig::new()),
        RawSocket::server(far, &[CBOR], small),
    );
    let (mut client, server) = (client.unwrap(), server.unwrap());
    assert_eq!(client.info().max_send(), Some(1024));
    // Never 2^24 itself, which some peers misread.
    assert_eq!(server.info().max_send(), Some((1 << 24) - 1));

    let error = client.send(vec![0; 1025].into()).await.unwrap_err();
    assert!(matches!(
        error,
        TransportError::TooLarge {
            size: 1025,
            limit: 1024
        }
    ));
    let mut server = server;
    let (sent, received) = tokio::join!(client.send(vec![7; 1024].into()), server.next());
    sent.unwrap();
    assert_eq!(received.unwrap().unwrap().len(), 1024);
}

#[tokio::test]
async fn a_message_over_the_limit_fails_the_connection_by_its_prefix() {
    let (client, mut far) = connected(64).await;
    far.write_all(&[0, 0, 2, 1]).await.unwrap();
    assert!(matches!(
        error_of(client).await,
        TransportError::Oversized {
            size: 513,
            limit: 512
        }
    ));
}

#[tokio::test]
async fn a_frame_that_breaks_the_rules_fails_the_connection() {
    for (prefix, expected) in [
        ([0x10, 0, 0, 0], ProtocolError::ReservedBits { octet: 0x10 }),
        ([0x03, 0, 0, 0], ProtocolError::ReservedType { kind: 3 }),
        ([0x08, 0, 0, 9], ProtocolError::LengthBit { length: 9 }),
    ] {
        let (client, mut far) = connected(64).await;
        far.write_all(&prefix).await.unwrap();
        let TransportError::Protocol(error) = error_of(client).await else {
            panic!("another error");
        };
        assert_eq!(error, expected);
    }
}

#[tokio::test]
async fn the_end_between_frames_is_clean_and_within_one_it_is_not() {
    let (mut client, far) = connected(64).await;
    drop(far);
    assert!(client.next().await.is_none());

    for part in [&[0, 0, 0][..], &[0, 0, 0, 2, 1]] {
        let (client, mut far) = connected(64).await;
        far.write_all(part).await.unwrap();
        drop(far);
        assert!(matches!(
            error_of(client).await,
            TransportError::Interrupted
        ));
    }
}

#[tokio::test]
async fn closing_flushes_and_ends_the_other_side() {
    let (mut client, mut far) = connected(64).await;
    client.feed(Bytes::from_static(b"\x80")).await.unwrap();
    client.close().await.unwrap();
    let mut all = Vec::new();
    far.read_to_end(&mut all).await.unwrap();
    assert_eq!(all, [0, 0, 0, 1, 0x80]);
    let error = client.send(Bytes::new()).await.unwrap_err();
    assert!(matches!(error, TransportError::AlreadyClosed));
    // The other direction is still open.
    far.write_all(&[0, 0, 0, 0]).await.unwrap();
    assert_eq!(client.next().await.unwrap().unwrap(), "");
}

#[tokio::test]
async fn a_ping_is_answered_with_its_payload_while_reading() {
    let (mut client, mut far) = connected(64).await;
    far.write_all(&[1, 0, 0, 4, b'p', b'i', b'n', b'g', 1, 0, 0, 0])
        .await
        .unwrap();
    assert!(poll_immediate(client.next()).await.is_none());
    assert_eq!(
        octets::<12>(&mut far).await,
        [2, 0, 0, 4, b'p', b'i', b'n', b'g', 2, 0, 0, 0]
    );
}

#[tokio::test]
async fn a_ping_is_answered_when_the_writer_is_blocked() {
    let (mut client, mut far) = connected(64).await;
    // The pipe is full, and some is left over.
    while poll_immediate(client.send(vec![7; 512].into()))
        .await
        .is_some()
    {}
    far.write_all(&[1, 0, 0, 1, 0xaa, 0, 0, 0, 1, 0x80])
        .await
        .unwrap();
    assert_eq!(client.next().await.unwrap().unwrap(), &[0x80][..]);
    // Nothing but reading the transport gets the answer out, behind what was before it.
    let reader = tokio::spawn(async move { client.next().await });
    loop {
        let [kind, _, high, low] = octets::<4>(&mut far).await;
        let mut payload = vec![0; usize::from(high) * 256 + usize::from(low)];
        far.read_exact(&mut payload).await.unwrap();
        if kind == 2 {
            assert_eq!(payload, [0xaa]);
            break;
        }
    }
    drop(far);
    assert!(reader.await.unwrap().is_none());
}

#[tokio::test]
async fn a_pong_without_a_ping_is_ignored() {
    let (mut client, mut far) = connected(64).await;
    far.write_all(&[2, 0, 0, 1, 9, 0, 0, 0, 1, 0x80])
        .await
        .unwrap();
    assert_eq!(client.next().await.unwrap().unwrap(), &[0x80][..]);
    assert!(poll_immediate(far.read_u8()).await.is_none());
}

#[tokio::test]
async fn a_ping_of_its_own_overtakes_the_messages_that_wait() {
    let (mut client, mut far) = connected(1024).await;
    assert_eq!(client.pings(), Pings::Risky);
    // More than what is under way and the buffer hold.
    let mut fed = 0;
    while poll_immediate(client.feed(vec![9; 512].into()))
        .await
        .is_some()
    {
        fed += 1;
    }
    client.ping(7);
    client.ping(8); // while the first one waits, it says nothing new
    assert_eq!(client.life_sign(), LifeSign::None);
    let sender = tokio::spawn(async move {
        client.send(vec![9; 512].into()).await.unwrap();
        client
    });
    for _ in 0..fed {
        assert_eq!(octets::<4>(&mut far).await, [0, 0, 2, 0]);
        octets::<512>(&mut far).await;
    }
    let number = [0, 0, 0, 0, 0, 0, 0, 7];
    assert_eq!(octets::<4>(&mut far).await, [1, 0, 0, 8]);
    assert_eq!(octets::<8>(&mut far).await, number);
    assert_eq!(octets::<4>(&mut far).await, [0, 0, 2, 0]);
    let mut client = sender.await.unwrap();

    far.write_all(&[2, 0, 0, 8]).await.unwrap();
    assert!(poll_immediate(client.next()).await.is_none());
    assert_eq!(client.life_sign(), LifeSign::Heard);
    far.write_all(&number).await.unwrap();
    assert!(poll_immediate(client.next()).await.is_none());
    assert_eq!(client.life_sign(), LifeSign::Pong(7));
}

#[tokio::test]
async fn pings_whose_answers_are_not_read_are_not_read_either() {
    let (mut client, mut far) = connected(64).await;
    let mut ping = vec![7; 504];
    ping[..4].copy_from_slice(&[1, 0, 1, 0xf4]);
    let mut written = 0;
    loop {
        // Or the runtime's budget for one poll of a task ends it early.
        tokio::task::yield_now().await;
        assert!(poll_immediate(client.next()).await.is_none());
        match poll_immediate(far.write(&ping)).await {
            Some(count) => {
                let count = count.unwrap();
                written += count;
                ping.rotate_left(count);
            }
            None => break,
        }
    }
    assert!(written > 64 * 1024, "{written}");
    assert!(written < 128 * 1024, "{written}");
    let reader = tokio::spawn(async move { client.next().await });
    for _ in 0..written / 504 {
        assert_eq!(octets::<504>(&mut far).await[..4], [2, 0, 1, 0xf4]);
    }
    reader.abort();
}

#[tokio::test]
async fn a_ping_too_large_for_its_sender_fails_the_connection() {
    let (near, mut far) = tokio::io::duplex(4096);
    far.write_all(&[0x7f, 0x03, 0, 0]).await.unwrap();
    let client = client(near).await.unwrap();
    let mut ping = vec![0; 4 + 513];
    ping[..4].copy_from_slice(&[1, 0, 2, 1]);
    far.write_all(&ping).await.unwrap();
    assert!(matches!(
        error_of(client).await,
        TransportError::Protocol(ProtocolError::PingTooLarge {
            size: 513,
            limit: 512
        })
    ));
}

#[tokio::test]
async fn a_burst_is_one_write() {
    let (near, mut far) = tokio::io::duplex(4096);
    far.write_all(&[0x7f, 0x03, 0, 0]).await.unwrap();
    let (near, writes) = Metered::new(near);
    let mut client = RawSocket::client(near, CBOR, RawSocketConfig::new())
        .await
        .unwrap();
    let before = writes.load(Ordering::Relaxed);
    for _ in 0..100 {
        client.feed(Bytes::from_static(b"\x80")).await.unwrap();
    }
    assert_eq!(writes.load(Ordering::Relaxed), before);
    client.flush().await.unwrap();
    assert_eq!(writes.load(Ordering::Relaxed), before + 1);
}

#[tokio::test]
async fn the_write_buffer_is_bounded() {
    let (mut client, mut far) = connected(64).await;
    let mut taken = 0;
    while poll_immediate(client.feed(vec![7; 512].into()))
        .await
        .is_some()
    {
        taken += 1;
    }
    assert!((127..=129).contains(&taken), "{taken}");
    // `feed` was dropped while it waited for room: nothing of that message is sent.
    let writer = tokio::spawn(async move { client.close().await });
    let mut all = Vec::new();
    far.read_to_end(&mut all).await.unwrap();
    writer.await.unwrap().unwrap();
    assert_eq!(all.len(), taken * 516);
}
