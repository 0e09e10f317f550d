//! What is special about MessagePack.
#![cfg(feature = "msgpack")]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::error::Error;

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;
use serde::{Deserialize, de::IgnoredAny};
use spell_message::{Dict, Format, Message, Payload, RequestId, Value, message::Kind};
use spell_serializer::{DecodeError, MsgPack, PayloadExt, Serializer, payload};

#[path = "strategies/mod.rs"]
#[expect(unreachable_pub, dead_code, reason = "other tests use all of it")]
mod strategies;

fn decode(frame: &[u8]) -> Result<Message, DecodeError> {
    MsgPack::new().decode(&Bytes::copy_from_slice(frame))
}

fn encode(message: &Message) -> Vec<u8> {
    let mut out = BytesMut::new();
    MsgPack::new().encode(message, &mut out).unwrap();
    out.into()
}

/// A RESULT with these bytes as the only argument.
fn result(argument: &[u8]) -> Vec<u8> {
    [b"\x94\x32\x01\x80\x91", argument].concat()
}

fn payload_of(argument: &[u8]) -> Payload {
    decode(&result(argument))
        .unwrap()
        .payload()
        .unwrap()
        .clone()
}

fn value_of(argument: &[u8]) -> Value {
    let [value] = payload_of(argument).parse_args::<[Value; 1]>().unwrap();
    value
}

#[test]
fn every_form_of_a_message_is_read() {
    let shortest = b"\x95\x30\x07\x81\xa7timeout\x01\xa1a\x91\xa1b";
    let message = decode(shortest).unwrap();
    assert_eq!(encode(&message), shortest);
    for form in [
        &b"\xdc\0\x05\xcc\x30\xcd\0\x07\xde\0\x01\xd9\x07timeout\xd0\x01\xda\0\x01a\x91\xa1b"[..],
        b"\xdd\0\0\0\x05\xd2\0\0\0\x30\xce\0\0\0\x07\xdf\0\0\0\x01\xda\0\x07timeout\xcf\0\0\0\0\0\0\0\x01\xdb\0\0\0\x01a\x91\xa1b",
        b"\x95\xd3\0\0\0\0\0\0\0\x30\xd3\0\0\0\0\0\0\0\x07\x81\xdb\0\0\0\x07timeout\xd1\0\x01\xd9\x01a\x91\xa1b",
        b"\x95\xd1\0\x30\xd0\x07\x81\xa7timeout\x01\xa1a\x91\xa1b",
    ] {
        assert_eq!(decode(form).unwrap(), message, "{form:x?}");
    }
}

#[test]
fn signed_forms_of_negative_ids_and_floats_are_refused() {
    for id in [
        &b"\xff"[..],
        b"\xd0\x80",
        b"\xd3\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\xcb\x3f\xf0\0\0\0\0\0\0",
        b"\xca\x3f\x80\0\0",
        b"\xc0",
        b"\xa11",
        b"\xc4\x01\x01",
    ] {
        let error = decode(&[b"\x93\x32", id, b"\x80"].concat()).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("RESULT.CALL.Request must be an id"),
            "{error}"
        );
    }
    let negative = decode(b"\x93\x32\xd0\x80\x80").unwrap_err();
    assert!(
        negative.to_string().ends_with("not a negative integer"),
        "{negative}"
    );
}

#[test]
fn the_largest_id_is_read_in_both_forms() {
    for form in [b"\xcf\0\x20\0\0\0\0\0\0", b"\xd3\0\x20\0\0\0\0\0\0"] {
        let message = decode(&[b"\x93\x32", &form[..], b"\x80"].concat()).unwrap();
        assert_eq!(message.request(), Some(RequestId::MAX));
    }
}

#[test]
fn text_is_str_and_bytes_are_bin() {
    let arguments = (Value::from("a"), Value::bytes(vec![1]));
    let payload = payload::encode(Format::MsgPack, &arguments, None::<&()>).unwrap();
    assert_eq!(payload.tail(), &b"\x92\xa1a\xc4\x01\x01"[..]);
    let error = decode(b"\x94\x30\x01\x80\xc4\x01a").unwrap_err();
    assert_eq!(
        error.to_string(),
        "CALL.Procedure must be a string, not bytes"
    );
}

#[test]
fn text_that_is_not_utf8_is_malformed() {
    for text in [
        &b"\xa1\xff"[..],
        b"\xd9\x01\xff",
        b"\xda\0\x01\xff",
        b"\xdb\0\0\0\x01\xff",
    ] {
        let error = decode(&result(text)).unwrap_err();
        assert!(matches!(error, DecodeError::Malformed { .. }), "{error:?}");
    }
    assert_eq!(value_of(b"\xc4\x01\xff"), Value::bytes(vec![0xff]));
}

#[test]
fn integers_and_floats_are_sent_in_their_shortest_form() {
    for (value, expected) in [
        (Value::from(0), &b"\0"[..]),
        (127.into(), b"\x7f"),
        (128.into(), b"\xcc\x80"),
        (255.into(), b"\xcc\xff"),
        (256.into(), b"\xcd\x01\0"),
        (65_536.into(), b"\xce\0\x01\0\0"),
        ((1_u64 << 32).into(), b"\xcf\0\0\0\x01\0\0\0\0"),
        ((-1).into(), b"\xff"),
        ((-32).into(), b"\xe0"),
        ((-33).into(), b"\xd0\xdf"),
        ((-129).into(), b"\xd1\xff\x7f"),
        ((-32_769).into(), b"\xd2\xff\xff\x7f\xff"),
        (i64::MIN.into(), b"\xd3\x80\0\0\0\0\0\0\0"),
        (1.5.into(), b"\xcb\x3f\xf8\0\0\0\0\0\0"),
        (Value::Null, b"\xc0"),
    ] {
        let payload = payload::encode(Format::MsgPack, &[&value], None::<&()>).unwrap();
        assert_eq!(&payload.tail()[1..], expected, "{value:?}");
        assert_eq!(value_of(expected), value);
    }
}

#[test]
fn long_texts_lists_and_dictionaries_survive() {
    for size in [15, 16, 31, 32, 255, 256, 65_535, 65_536] {
        let text = "x".repeat(size);
        let dict: Dict = (0..size)
            .map(|key| (key.to_string(), Value::Null))
            .collect();
        let list = vec![Value::from(1); size];
        let all = (Value::from(text), Value::from(dict), Value::from(list));
        let payload = payload::encode(Format::MsgPack, &all, None::<&()>).unwrap();
        assert_eq!(payload.parse_args::<(Value, Value, Value)>().unwrap(), all);
        let frame = [b"\x94\x32\x01\x80", payload.args()].concat();
        assert_eq!(decode(&frame).unwrap().payload(), Some(&payload));
    }
}

#[test]
fn extensions_pass_through_and_can_be_read() {
    for extension in [
        &b"\xd4\x01\xaa"[..],
        b"\xd6\xff\0\0\0\x01",
        b"\xc7\x03\x05abc",
        b"\xc7\0\x05",
        b"\xc8\0\x01\x05a",
        b"\xc9\0\0\0\x01\x05a",
    ] {
        let frame = result(extension);
        assert_eq!(encode(&decode(&frame).unwrap()), frame);
        assert!(value_of(extension).as_list().is_some());
        let payload = payload_of(extension);
        assert!(payload.parse_args::<[IgnoredAny; 1]>().is_ok());
        assert!(payload.parse_args::<[String; 1]>().is_err());
    }
}

#[test]
fn what_is_no_messagepack_is_malformed() {
    for frame in [
        &b""[..],
        b"\xc1",
        b"\x93\x32\x01",
        b"\x93\xc1\x01\x80",
        b"\x94\x32\x01\x80\x91\xc1",
        b"\x94\x32\x01\x80\x92\x01",
    ] {
        let error = decode(frame).unwrap_err();
        assert!(
            matches!(
                error,
                DecodeError::Malformed {
                    format: "MessagePack",
                    ..
                }
            ),
            "{error:?}"
        );
    }
    assert!(matches!(
        decode(b"\x80"),
        Err(DecodeError::NotAList {
            found: "a dictionary"
        })
    ));
    let trailing = decode(b"\x93\x32\x01\x80\xc0\xc0").unwrap_err();
    assert!(matches!(trailing, DecodeError::TrailingBytes { count: 2 }));
}

#[test]
fn keys_that_are_integers_are_read_as_such() {
    let payload = payload_of(b"\x81\x05\x01");
    let numbers = payload
        .parse_args::<[std::collections::HashMap<u8, u8>; 1]>()
        .unwrap();
    assert_eq!(numbers[0][&5], 1);
    assert!(payload.parse_args::<[Value; 1]>().is_err());
}

/// What the library makes of one value, which must be all there is.
fn library(bytes: &[u8]) -> bool {
    let mut deserializer = rmp_serde::Deserializer::new(std::io::Cursor::new(bytes));
    IgnoredAny::deserialize(&mut deserializer).is_ok()
        && deserializer.position() == u64::try_from(bytes.len()).unwrap()
}

/// Whether the boundaries in a frame are right; `None` when they were not looked at, or more than
/// they may be wrong.
fn boundaries(frame: &[u8]) -> Option<bool> {
    match decode(frame) {
        Err(error @ DecodeError::Malformed { .. }) => {
            let source = error.source().map(ToString::to_string).unwrap_or_default();
            (!source.contains("UTF-8")).then_some(false)
        }
        Err(DecodeError::TrailingBytes { .. } | DecodeError::TooDeep { .. }) => Some(false),
        Err(DecodeError::NotAList { .. } | DecodeError::Empty | DecodeError::Code { .. })
        | Ok(Message::Unknown(_)) => None,
        _ => Some(true),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn boundaries_are_those_of_the_library(bytes in prop::collection::vec(any::<u8>(), 0..12)) {
        let frame = result(&bytes);
        if let Some(boundaries) = boundaries(&frame) {
            prop_assert_eq!(boundaries, library(&frame));
        }
    }

    #[test]
    fn boundaries_of_damaged_messages_are_those_of_the_library(
        message in prop::sample::select(&Kind::ALL[..])
            .prop_flat_map(|kind| strategies::message_of(kind, Format::MsgPack)),
        at in any::<prop::sample::Index>(),
        remove in 0..3_usize,
        insert in prop::collection::vec(any::<u8>(), 0..3),
    ) {
        let frame = encode(&message);
        let at = at.index(frame.len());
        let end = (at + remove).min(frame.len());
        let frame = [&frame[..at], &insert, &frame[end..]].concat();
        // The fields of unknown messages are read at once, where more can be wrong.
        let is_known = matches!(frame.get(1), Some(0x01..=0x06 | 0x08 | 0x10 | 0x11 | 0x20..=0x24 | 0x30..=0x32 | 0x40..=0x46));
        if let Some(boundaries) = boundaries(&frame).filter(|_| is_known) {
            prop_assert_eq!(boundaries, library(&frame));
        }
    }
}
