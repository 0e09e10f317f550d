use proptest::{collection::vec, prelude::*};

use super::*;
use crate::receive_buffer::tests::in_pieces;

const LIMIT: usize = 1000;

/// A frame as a server sends it.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    assert!(length < 126);
    [&[first, length], payload].concat()
}

/// What a client gets of it.
fn decode(wire: &[u8]) -> Result<Vec<Incoming>, TransportError> {
    decode_in(wire, &[wire.len().max(1)])
}

/// And if it comes in in pieces.
fn decode_in(wire: &[u8], pieces: &[usize]) -> Result<Vec<Incoming>, TransportError> {
    let mut decoder = Decoder::new(Role::Client, LIMIT);
    let mut source = ReceiveBuffer::default();
    let incoming = in_pieces(wire, pieces, &mut source, |source| decoder.decode(source))?;
    assert!(decoder.is_between_messages() && source.ahead().is_empty());
    Ok(incoming)
}

fn text(text: &'static str) -> Incoming {
    Incoming::Text(Bytes::from_static(text.as_bytes()))
}

fn protocol_error(wire: &[u8]) -> ProtocolError {
    match decode(wire) {
        Err(TransportError::Protocol(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn fragments_are_one_message_with_control_frames_among_them() {
    let wire = [
        frame(0x01, b"one"),
        frame(0x89, b"ping"),
        frame(0x00, b""),
        frame(0x8a, b"pong"),
        frame(0x80, b"two"),
        frame(0x81, b"next"),
    ]
    .concat();
    let expected = [
        Incoming::Ping(Bytes::from_static(b"ping")),
        Incoming::Pong(Bytes::from_static(b"pong")),
        text("onetwo"),
        text("next"),
    ];
    assert_eq!(decode(&wire).unwrap(), expected);
}

#[test]
fn fragments_come_in_order() {
    for wire in [
        frame(0x80, b""),
        frame(0x00, b""),
        [frame(0x01, b""), frame(0x81, b"")].concat(),
        [frame(0x02, b""), frame(0x01, b"")].concat(),
        [frame(0x01, b""), frame(0x80, b""), frame(0x80, b"")].concat(),
    ] {
        let error = protocol_error(&wire);
        assert!(
            matches!(error, ProtocolError::WebSocket { .. }),
            "{error:?}"
        );
    }
}

#[test]
fn text_is_utf8_as_a_whole() {
    let wire = [
        frame(0x01, &[0xce]),
        frame(0x00, &[0xba, 0xe1]),
        frame(0x80, &[0xbd, 0xb9]),
    ]
    .concat();
    assert_eq!(decode(&wire).unwrap(), [text("\u{3ba}\u{1f79}")]);
    for wire in [
        frame(0x81, &[0xce]),
        frame(0x81, &[0xed, 0xa0, 0x80]),
        [frame(0x01, &[0xce]), frame(0x80, b"a")].concat(),
    ] {
        assert_eq!(protocol_error(&wire), ProtocolError::NotUtf8);
    }
    let binary = Incoming::Binary(Bytes::from_static(&[0xce]));
    assert_eq!(decode(&frame(0x82, &[0xce])).unwrap(), [binary]);
}

#[test]
fn a_close_frame_is_judged() {
    let close = frame(0x88, b"\x03\xe8bye");
    let expected = Close {
        code: CloseCode::NORMAL,
        reason: "bye".to_owned(),
    };
    assert_eq!(decode(&close).unwrap(), [Incoming::Close(Some(expected))]);
    assert_eq!(decode(&frame(0x88, b"")).unwrap(), [Incoming::Close(None)]);
    for payload in [&[3][..], &[3, 0xed], &[0x03, 0xe8, 0xff]] {
        protocol_error(&frame(0x88, payload));
    }
}

#[test]
fn what_is_too_large_is_refused_by_a_header() {
    let first = [&[0x02, 126, 0x03, 0xe8][..], &[0; LIMIT]].concat();
    for (wire, expected) in [
        (vec![0x82, 126, 0x03, 0xe9], LIMIT + 1),
        ([&first[..], &[0x80, 1]].concat(), LIMIT + 1),
    ] {
        let mut source = ReceiveBuffer::with(&wire);
        let result = Decoder::new(Role::Client, LIMIT).decode(&mut source);
        let Err(TransportError::Oversized { size, limit }) = result else {
            panic!("{result:?}");
        };
        assert_eq!((size, limit), (expected, LIMIT));
    }
    let at_limit = [&first[..], &[0x80, 0]].concat();
    assert_eq!(decode(&at_limit).unwrap().len(), 1);
}

#[test]
fn a_message_in_fragments_has_no_more_memory_than_bytes() {
    let mut wire = frame(0x02, &[7; 100]);
    for _ in 0..5 {
        wire.extend(frame(0x00, &[7; 100]));
    }
    wire.extend(frame(0x80, &[7; 100]));
    let incoming = decode(&wire).unwrap();
    let [Incoming::Binary(bytes)] = &incoming[..] else {
        panic!("{incoming:?}");
    };
    assert_eq!(
        bytes.clone().try_into_mut().map_or(700, |it| it.capacity()),
        700
    );
}

/// Whatever one side puts out, the other one reads.
fn both_ways(role: Role, vectored: bool, messages: &[Bytes]) {
    let encoder = Encoder::new(role, vectored);
    let mut out = SendBuffer::default();
    for message in messages {
        encoder.binary(message.clone(), &mut out).unwrap();
        encoder.ping(Bytes::from_static(b"p"), &mut out).unwrap();
    }
    encoder.close(Some(CloseCode::SIZE), &mut out).unwrap();
    let other = match role {
        Role::Client => Role::Server,
        Role::Server => Role::Client,
    };
    let mut source = ReceiveBuffer::with(out.tail(0));
    let mut decoder = Decoder::new(other, usize::MAX);
    for message in messages {
        let incoming = decoder.decode(&mut source).unwrap().unwrap();
        assert_eq!(incoming, Incoming::Binary(message.clone()));
        let ping = decoder.decode(&mut source).unwrap().unwrap();
        assert_eq!(ping, Incoming::Ping(Bytes::from_static(b"p")));
    }
    let close = decoder.decode(&mut source).unwrap().unwrap();
    let Incoming::Close(Some(Close { code, .. })) = close else {
        panic!("{close:?}");
    };
    assert_eq!(code, CloseCode::SIZE);
    assert_eq!(decoder.decode(&mut source).unwrap(), None);
}

#[test]
fn what_is_sent_is_received_masked_by_a_client_and_plain_by_a_server() {
    let sizes = [0, 1, 125, 126, 65_535, 65_536, 200_000];
    let messages: Vec<Bytes> = sizes.map(|size| vec![0x5a; size].into()).into();
    both_ways(Role::Client, true, &messages);
    both_ways(Role::Server, false, &messages);
}

#[test]
fn a_clients_payload_is_not_on_the_wire_as_it_is() {
    let mut out = SendBuffer::default();
    let message = Bytes::from_static(b"GET / HTTP/1.1");
    Encoder::new(Role::Client, true)
        .binary(message.clone(), &mut out)
        .unwrap();
    assert_eq!(out.len(), 2 + 4 + message.len());
    assert_ne!(out.tail(0)[6..], message);
}

fn frames() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let payload = || vec(any::<u8>(), 0..40);
    let control = || {
        prop_oneof![
            payload().prop_map(|payload| frame(0x89, &payload)),
            payload().prop_map(|payload| frame(0x8a, &payload)),
        ]
    };
    let message =
        (vec((payload(), vec(control(), 0..2)), 0..4), payload()).prop_map(|(fragments, last)| {
            let mut wire = Vec::new();
            let mut opcode = 0x02;
            for (fragment, controls) in fragments {
                wire.extend(frame(opcode, &fragment));
                wire.extend(controls.concat());
                opcode = 0;
            }
            wire.extend(frame(0x80 | opcode, &last));
            wire
        });
    vec(prop_oneof![message, control()], 0..12)
}

proptest! {
    #[test]
    fn any_split_of_the_stream_gives_the_same_messages(
        frames in frames(),
        pieces in vec(1_usize..9, 1..20),
    ) {
        let wire = frames.concat();
        let whole = decode(&wire).unwrap();
        prop_assert!(whole.len() >= frames.len());
        prop_assert_eq!(decode_in(&wire, &pieces).unwrap(), whole);
    }

    #[test]
    fn any_bytes_give_messages_or_an_error(
        bytes in vec(any::<u8>(), 0..200),
        is_server: bool,
    ) {
        let role = if is_server { Role::Server } else { Role::Client };
        let mut source = ReceiveBuffer::with(&bytes);
        let mut decoder = Decoder::new(role, LIMIT);
        let mut count = 0;
        while let Ok(Some(_)) = decoder.decode(&mut source) {
            count += 1;
        }
        prop_assert!(2 * count + source.ahead().len() <= bytes.len());
    }
}
