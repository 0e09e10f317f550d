use std::mem;

use proptest::{collection::vec, prelude::*};

use super::*;
use crate::receive_buffer::tests::in_pieces;

fn encode(frame: Frame) -> Vec<u8> {
    let mut out = SendBuffer::default();
    frame.encode(&mut out, false).unwrap();
    mem::take(out.tail(0))
}

fn decode(codec: &mut Decoder, bytes: &[u8]) -> Result<Option<Frame>, TransportError> {
    codec.decode(&mut source(bytes))
}

fn source(bytes: &[u8]) -> ReceiveBuffer {
    let mut source = ReceiveBuffer::default();
    source.extend(bytes);
    source
}

#[test]
fn prefixes_of_the_specification() {
    let cases: [(_, &[u8]); 3] = [
        (Frame::Message(Bytes::from_static(b"hello")), &[0, 0, 0, 5]),
        (Frame::Ping(Bytes::from_static(b"ping")), &[1, 0, 0, 4]),
        (Frame::Pong(Bytes::from_static(b"ping")), &[2, 0, 0, 4]),
    ];
    for (frame, prefix) in cases {
        let bytes = encode(frame.clone());
        assert_eq!(bytes[..4], *prefix);
        let mut codec = Decoder::new(512);
        assert_eq!(decode(&mut codec, &bytes).unwrap(), Some(frame));
    }
}

#[test]
fn a_message_of_one_byte_less_than_the_maximum_needs_no_length_bit() {
    let bytes = encode(Frame::Message(vec![7; LENGTH_BIT - 1].into()));
    assert_eq!(bytes[..4], [0x00, 0xff, 0xff, 0xff]);
}

#[test]
fn a_message_of_the_maximum_length_is_taken_by_its_length_bit() {
    let mut bytes = source(&[0x08, 0, 0, 0]);
    bytes.extend(&vec![7; LENGTH_BIT]);
    let frame = Decoder::new(LENGTH_BIT).decode(&mut bytes).unwrap();
    let Some(Frame::Message(message)) = frame else {
        panic!("got {frame:?}");
    };
    assert_eq!(message.len(), LENGTH_BIT);
}

#[test]
fn a_message_of_the_maximum_length_is_not_sent() {
    let message = Frame::Message(vec![7; LENGTH_BIT].into());
    let mut out = SendBuffer::default();
    let error = message.encode(&mut out, false).unwrap_err();
    assert!(
        matches!(error, TransportError::TooLarge { size, limit } if size == LENGTH_BIT && limit == MAX_SENT)
    );
    assert_eq!(out.len(), 0);
}

/// All first octets, with a length and without.
#[test]
fn every_first_octet_is_judged_by_its_bits() {
    for first in 0..=u8::MAX {
        for length in [0, 1] {
            let prefix = Prefix::decode([first, 0, 0, length]);
            let expected = match (first >> 4, first & X != 0, first & TYPE, length) {
                (1.., ..) => Err(ProtocolError::ReservedBits { octet: first }),
                (_, _, kind @ 3.., _) => Err(ProtocolError::ReservedType { kind }),
                (_, true, _, 1) => Err(ProtocolError::LengthBit { length: 1 }),
                (_, true, _, _) => Ok(LENGTH_BIT),
                (_, false, _, length) => Ok(usize::from(length)),
            };
            assert_eq!(prefix.map(|prefix| prefix.length), expected, "{first:#x}");
        }
    }
}

#[test]
fn a_size_at_the_limit_is_taken_and_one_above_is_refused_by_the_prefix_alone() {
    for kind in 0..=2 {
        let mut codec = Decoder::new(1024);
        assert!(decode(&mut codec, &[kind, 0, 4, 0]).unwrap().is_none());

        let mut codec = Decoder::new(1024);
        let error = decode(&mut codec, &[kind, 0, 4, 1]).unwrap_err();
        let size = TransportError::Oversized {
            size: 1025,
            limit: 1024,
        };
        assert_eq!(error.to_string(), size.to_string());
    }
    let error = decode(&mut Decoder::new(LENGTH_BIT - 1), &[8, 0, 0, 0]).unwrap_err();
    assert!(matches!(
        error,
        TransportError::Oversized {
            size: LENGTH_BIT,
            ..
        }
    ));
}

#[test]
fn an_empty_message_is_a_message() {
    let mut codec = Decoder::new(512);
    let frame = decode(&mut codec, &[0, 0, 0, 0]).unwrap();
    assert_eq!(frame, Some(Frame::Message(Bytes::new())));
}

#[test]
fn the_end_within_a_frame_is_an_interruption_and_between_frames_it_is_not() {
    let whole = encode(Frame::Message(Bytes::from_static(b"hello")));
    for cut in 0..whole.len() {
        let mut codec = Decoder::new(512);
        let mut source = source(&whole[..cut]);
        assert!(codec.decode(&mut source).unwrap().is_none());
        let end = codec.end(&source);
        match cut {
            0 => end.unwrap(),
            _ => assert!(matches!(end, Err(TransportError::Interrupted)), "{cut}"),
        }
    }
}

fn frames() -> impl Strategy<Value = Vec<Frame>> {
    let payload = || vec(any::<u8>(), 0..40).prop_map(Bytes::from);
    vec(
        prop_oneof![
            payload().prop_map(Frame::Message),
            payload().prop_map(Frame::Ping),
            payload().prop_map(Frame::Pong),
        ],
        0..12,
    )
}

proptest! {
    #[test]
    fn frames_split_at_any_byte_give_the_same_frames(
        sent in frames(),
        pieces in vec(1_usize..9, 1..20),
    ) {
        let wire: Vec<u8> = sent.iter().cloned().flat_map(encode).collect();
        let mut codec = Decoder::new(512);
        let mut source = ReceiveBuffer::default();
        let received = in_pieces(&wire, &pieces, &mut source, |source| codec.decode(source));
        let received = received.unwrap();
        codec.end(&source).unwrap();
        prop_assert_eq!(received, sent);
    }

    #[test]
    fn any_bytes_give_frames_or_an_error_and_the_rest_is_no_whole_frame(
        bytes in vec(any::<u8>(), 0..200),
    ) {
        let mut codec = Decoder::new(512);
        let mut source = source(&bytes);
        let mut frames = 0;
        while let Ok(Some(_)) = codec.decode(&mut source) {
            frames += 1;
        }
        prop_assert!(PREFIX * frames + source.ahead().len() <= bytes.len());
    }
}
