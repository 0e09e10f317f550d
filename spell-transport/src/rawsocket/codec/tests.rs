use proptest::{collection::vec, prelude::*};

use super::*;

fn encode(frame: Frame) -> BytesMut {
    let mut out = BytesMut::new();
    Codec::new(LENGTH_BIT).encode(frame, &mut out).unwrap();
    out
}

fn decode(codec: &mut Codec, bytes: &[u8]) -> Result<Option<Frame>, TransportError> {
    codec.decode(&mut BytesMut::from(bytes))
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
        let mut codec = Codec::new(512);
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
    let mut bytes = BytesMut::from(&[0x08, 0, 0, 0][..]);
    bytes.extend_from_slice(&vec![7; LENGTH_BIT]);
    let frame = Codec::new(LENGTH_BIT).decode(&mut bytes).unwrap();
    let Some(Frame::Message(message)) = frame else {
        panic!("got {frame:?}");
    };
    assert_eq!(message.len(), LENGTH_BIT);
}

#[test]
fn a_message_of_the_maximum_length_is_not_sent() {
    let message = Frame::Message(vec![7; LENGTH_BIT].into());
    let mut out = BytesMut::new();
    let error = Codec::new(LENGTH_BIT)
        .encode(message, &mut out)
        .unwrap_err();
    assert!(
        matches!(error, TransportError::TooLarge { size, limit } if size == LENGTH_BIT && limit == MAX_SENT)
    );
    assert!(out.is_empty());
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
        let mut codec = Codec::new(1024);
        assert!(decode(&mut codec, &[kind, 0, 4, 0]).unwrap().is_none());

        let mut codec = Codec::new(1024);
        let error = decode(&mut codec, &[kind, 0, 4, 1]).unwrap_err();
        let size = TransportError::Oversized {
            size: 1025,
            limit: 1024,
        };
        assert_eq!(error.to_string(), size.to_string());
    }
    let error = decode(&mut Codec::new(LENGTH_BIT - 1), &[8, 0, 0, 0]).unwrap_err();
    assert!(matches!(
        error,
        TransportError::Oversized {
            size: LENGTH_BIT,
            ..
        }
    ));
}

#[test]
fn a_declared_length_allocates_nothing() {
    let mut codec = Codec::new(LENGTH_BIT);
    let mut source = BytesMut::from(&[8, 0, 0, 0][..]);
    assert!(codec.decode(&mut source).unwrap().is_none());
    assert!(source.capacity() < 64);
}

#[test]
fn an_empty_message_is_a_message() {
    let mut codec = Codec::new(512);
    let frame = decode(&mut codec, &[0, 0, 0, 0]).unwrap();
    assert_eq!(frame, Some(Frame::Message(Bytes::new())));
}

#[test]
fn the_end_within_a_frame_is_an_interruption_and_between_frames_it_is_not() {
    let whole = encode(Frame::Message(Bytes::from_static(b"hello")));
    for cut in 0..whole.len() {
        let mut codec = Codec::new(512);
        let mut source = BytesMut::from(&whole[..cut]);
        // As the buffer was decoded before, when the bytes came in.
        assert!(codec.decode(&mut source).unwrap().is_none());
        let end = codec.decode_eof(&mut source);
        match cut {
            0 => assert!(end.unwrap().is_none()),
            _ => assert!(matches!(end, Err(TransportError::Interrupted)), "{cut}"),
        }
    }
}

#[test]
fn a_large_message_leaves_no_large_buffer_behind() {
    let mut source = encode(Frame::Message(vec![7; 1 << 20].into()));
    source.extend_from_slice(&[0, 0]);
    let frame = Codec::new(LENGTH_BIT).decode(&mut source).unwrap();
    assert!(frame.is_some());
    assert_eq!(source.as_ref(), [0, 0]);
    assert!(source.capacity() < LARGE);
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
        let mut wire = BytesMut::new();
        for frame in &sent {
            wire.extend_from_slice(&encode(frame.clone()));
        }
        let mut codec = Codec::new(512);
        let mut source = BytesMut::new();
        let mut received = Vec::new();
        for piece in pieces.iter().cycle() {
            if wire.is_empty() {
                break;
            }
            let piece = wire.split_to((*piece).min(wire.len()));
            source.extend_from_slice(&piece);
            while let Some(frame) = codec.decode(&mut source).unwrap() {
                received.push(frame);
            }
        }
        prop_assert!(codec.decode_eof(&mut source).unwrap().is_none());
        prop_assert_eq!(received, sent);
    }

    #[test]
    fn any_bytes_give_frames_or_an_error_and_the_rest_is_no_whole_frame(
        bytes in vec(any::<u8>(), 0..200),
    ) {
        let mut codec = Codec::new(512);
        let mut source = BytesMut::from(&bytes[..]);
        while let Ok(Some(_)) = codec.decode(&mut source) {}
        prop_assert!(source.len() <= bytes.len());
    }
}
