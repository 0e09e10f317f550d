//! What is special about CBOR.
#![cfg(feature = "cbor")]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{collections::HashMap, error::Error};

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;
use serde::{Deserialize, de::IgnoredAny};
use spell_message::{Dict, Format, Message, Payload, RequestId, Value, message::Kind};
use spell_serializer::{Cbor, DecodeError, PayloadExt, Serializer, payload};

#[path = "strategies/mod.rs"]
#[expect(unreachable_pub, dead_code, reason = "other tests use all of it")]
mod strategies;

fn decode(frame: &[u8]) -> Result<Message, DecodeError> {
    Cbor::new().decode(&Bytes::copy_from_slice(frame))
}

fn encode(message: &Message) -> Vec<u8> {
    let mut out = BytesMut::new();
    Cbor::new().encode(message, &mut out).unwrap();
    out.into()
}

/// A RESULT with these bytes as the only argument.
fn result(argument: &[u8]) -> Vec<u8> {
    [b"\x84\x18\x32\x01\xa0\x81", argument].concat()
}

fn payload_of(argument: &[u8]) -> Payload {
    decode(&result(argument))
        .unwrap()
        .payload()
        .unwrap()
        .clone()
}

fn read<T: for<'de> Deserialize<'de>>(argument: &[u8]) -> Result<T, DecodeError> {
    payload_of(argument)
        .parse_args::<[T; 1]>()
        .map(|[value]| value)
}

fn value_of(argument: &[u8]) -> Value {
    read(argument).unwrap()
}

#[test]
fn every_form_of_a_message_is_read() {
    let shortest = b"\x85\x18\x30\x07\xa1\x67timeout\x01\x61a\x81\x61b";
    let message = decode(shortest).unwrap();
    assert_eq!(encode(&message), shortest);
    for form in [
        &b"\x9f\x18\x30\x07\xbf\x67timeout\x01\xff\x61a\x81\x61b\xff"[..],
        b"\x98\x05\x19\0\x30\x18\x07\xb8\x01\x78\x07timeout\x1a\0\0\0\x01\x78\x01a\x81\x61b",
        b"\x9b\0\0\0\0\0\0\0\x05\x1b\0\0\0\0\0\0\0\x30\x1b\0\0\0\0\0\0\0\x07\xbb\0\0\0\0\0\0\0\x01\x79\0\x07timeout\x19\0\x01\x7b\0\0\0\0\0\0\0\x01a\x81\x61b",
        b"\x85\x18\x30\x07\xa1\x7f\x64time\x60\x63out\xff\x01\x7f\x61a\xff\x81\x61b",
    ] {
        assert_eq!(decode(form).unwrap(), message, "{form:x?}");
    }
}

#[test]
fn arguments_without_a_length_are_read_into_all_types() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Fields {
        a: u8,
        b: (u8, u8),
        c: Kinds,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    enum Kinds {
        Tuple(u8, u8),
    }
    let frame = b"\x9f\x18\x32\x01\xbf\xff\x9f\x01\x02\xff\xbf\x61a\x01\x61b\x9f\x02\x03\xff\x61c\xbf\x65Tuple\x9f\x04\x05\xff\xff\xff\xff";
    let message = decode(frame).unwrap();
    let payload = message.payload().unwrap();
    assert_eq!(payload.parse_args::<(u8, u8)>().unwrap(), (1, 2));
    assert_eq!(payload.parse_args::<Vec<u8>>().unwrap(), [1, 2]);
    let expected = Fields {
        a: 1,
        b: (2, 3),
        c: Kinds::Tuple(4, 5),
    };
    assert_eq!(payload.parse_kwargs::<Fields>().unwrap(), expected);
    assert!(payload.parse_args::<(u8,)>().is_err());
    assert!(payload.parse_args::<(u8, u8, u8)>().is_err());
    // The bytes pass through as they are.
    let again = encode(&message);
    assert!(again.ends_with(&frame[6..frame.len() - 1]));
}

/// RFC 8949, appendix A.
#[test]
fn the_examples_of_the_standard_have_their_values() {
    let bytes = |bytes: &[u8]| Value::bytes(bytes.to_vec());
    let list = |items: &[u64]| Value::from(items.to_vec());
    for (encoded, value) in [
        (&b"\x00"[..], Value::from(0)),
        (b"\x17", 23.into()),
        (b"\x18\x18", 24.into()),
        (b"\x18\x64", 100.into()),
        (b"\x19\x03\xe8", 1000.into()),
        (b"\x1a\x00\x0f\x42\x40", 1_000_000.into()),
        (
            b"\x1b\x00\x00\x00\xe8\xd4\xa5\x10\x00",
            1_000_000_000_000_u64.into(),
        ),
        (b"\x1b\xff\xff\xff\xff\xff\xff\xff\xff", u64::MAX.into()),
        (b"\x20", (-1).into()),
        (b"\x38\x63", (-100).into()),
        (b"\x39\x03\xe7", (-1000).into()),
        (b"\x3b\x7f\xff\xff\xff\xff\xff\xff\xff", i64::MIN.into()),
        (b"\xf9\x00\x00", 0.0.into()),
        (b"\xfb\x3f\xf1\x99\x99\x99\x99\x99\x9a", 1.1.into()),
        (b"\xf9\x3e\x00", 1.5.into()),
        (b"\xf9\x7b\xff", 65_504.0.into()),
        (b"\xfa\x47\xc3\x50\x00", 100_000.0.into()),
        (b"\xfa\x7f\x7f\xff\xff", f64::from(f32::MAX).into()),
        (b"\xfb\x7e\x37\xe4\x3c\x88\x00\x75\x9c", 1.0e300.into()),
        (b"\xf9\x00\x01", 5.960_464_477_539_063e-8.into()),
        (b"\xf9\xc4\x00", (-4.0).into()),
        (b"\xf9\x7c\x00", f64::INFINITY.into()),
        (b"\xfa\xff\x80\x00\x00", f64::NEG_INFINITY.into()),
        (b"\xf4", false.into()),
        (b"\xf5", true.into()),
        (b"\xf6", Value::Null),
        (b"\xf7", Value::Null),
        (
            b"\xc0\x74\x32\x30\x31\x33-03-21T20:04:00Z",
            "2013-03-21T20:04:00Z".into(),
        ),
        (b"\xc1\x1a\x51\x4b\x67\xb0", 1_363_896_240.into()),
        (
            b"\xc1\xfb\x41\xd4\x52\xd9\xec\x20\x00\x00",
            1_363_896_240.5.into(),
        ),
        (b"\xd7\x44\x01\x02\x03\x04", bytes(&[1, 2, 3, 4])),
        (b"\xd8\x18\x45\x64IETF", bytes(b"\x64IETF")),
        (b"\x40", bytes(b"")),
        (b"\x44\x01\x02\x03\x04", bytes(&[1, 2, 3, 4])),
        (b"\x60", "".into()),
        (b"\x64IETF", "IETF".into()),
        (b"\x62\"\\", "\"\\".into()),
        (b"\x64\xf0\x90\x85\x91", "\u{10151}".into()),
        (b"\x80", list(&[])),
        (b"\x83\x01\x02\x03", list(&[1, 2, 3])),
        (b"\xa0", Dict::new().into()),
        (
            b"\xa2\x61a\x01\x61b\x82\x02\x03",
            Dict::from([("a", 1.into()), ("b", list(&[2, 3]))]).into(),
        ),
        (
            b"\x5f\x42\x01\x02\x43\x03\x04\x05\xff",
            bytes(&[1, 2, 3, 4, 5]),
        ),
        (b"\x7f\x65strea\x64ming\xff", "streaming".into()),
        (b"\x9f\xff", list(&[])),
        (
            b"\x9f\x01\x82\x02\x03\x9f\x04\x05\xff\xff",
            vec![1.into(), list(&[2, 3]), list(&[4, 5])].into(),
        ),
        (
            b"\xbf\x61a\x01\x61b\x9f\x02\x03\xff\xff",
            Dict::from([("a", 1.into()), ("b", list(&[2, 3]))]).into(),
        ),
        (
            b"\xbf\x63Fun\xf5\x63Amt\x21\xff",
            Dict::from([("Fun", Value::from(true)), ("Amt", (-2).into())]).into(),
        ),
    ] {
        assert_eq!(value_of(encoded), value, "{encoded:x?}");
    }
    assert!(read::<f64>(b"\xf9\x7e\x00").unwrap().is_nan());
}

/// RFC 8949, appendix F.
const NOT_WELL_FORMED: &[&[u8]] = &[
    // The end comes early.
    b"\x18",
    b"\x19",
    b"\x1a",
    b"\x1b",
    b"\x19\x01",
    b"\x1a\x01\x02",
    b"\x1b\x01\x02\x03\x04\x05\x06\x07",
    b"\x38",
    b"\x58",
    b"\x78",
    b"\x98",
    b"\x9a\x01\xff\0",
    b"\xb8",
    b"\xd8",
    b"\xf8",
    b"\xf9\0",
    b"\xfa\0\0",
    b"\xfb\0\0\0",
    b"\x41",
    b"\x61",
    b"\x5a\xff\xff\xff\xff\0",
    b"\x5b\xff\xff\xff\xff\xff\xff\xff\xff\x01\x02\x03",
    b"\x7a\xff\xff\xff\xff\0",
    b"\x7b\x7f\xff\xff\xff\xff\xff\xff\xff\x01\x02\x03",
    b"\x81",
    b"\x81\x81\x81\x81\x81\x81\x81\x81\x81",
    b"\x82\0",
    b"\xa1",
    b"\xa2\x01\x02",
    b"\xa1\0",
    b"\xa2\0\0\0",
    b"\xc0",
    b"\x5f\x41\0",
    b"\x7f\x61\0",
    b"\x9f",
    b"\x9f\x01\x02",
    b"\xbf",
    b"\xbf\x01\x02\x01\x02",
    b"\x81\x9f",
    b"\x9f\x80\0",
    b"\x9f\x9f\x9f\x9f\x9f\xff\xff\xff\xff",
    b"\x9f\x81\x9f\x81\x9f\x9f\xff\xff\xff",
    // Reserved beginnings.
    b"\x1c",
    b"\x1d",
    b"\x1e",
    b"\x3c",
    b"\x3d",
    b"\x3e",
    b"\x5c",
    b"\x5d",
    b"\x5e",
    b"\x7c",
    b"\x7d",
    b"\x7e",
    b"\x9c",
    b"\x9d",
    b"\x9e",
    b"\xbc",
    b"\xbd",
    b"\xbe",
    b"\xdc",
    b"\xdd",
    b"\xde",
    b"\xfc",
    b"\xfd",
    b"\xfe",
    // Simple values that have a short form.
    b"\xf8\x00",
    b"\xf8\x01",
    b"\xf8\x18",
    b"\xf8\x1f",
    // Chunks of another kind, and in chunks.
    b"\x5f\0\xff",
    b"\x5f\x21\xff",
    b"\x5f\x61\0\xff",
    b"\x5f\x80\xff",
    b"\x5f\xa0\xff",
    b"\x5f\xc0\0\xff",
    b"\x5f\xe0\xff",
    b"\x7f\x41\0\xff",
    b"\x5f\x5f\x41\0\xff\xff",
    b"\x7f\x7f\x61\0\xff\xff",
    // Breaks on their own, in what has a length, after a key, after a tag.
    b"\xff",
    b"\x81\xff",
    b"\x82\0\xff",
    b"\xa1\xff",
    b"\xa1\xff\0",
    b"\xa1\0\xff",
    b"\xa2\0\0\xff",
    b"\x9f\x81\xff",
    b"\x9f\x82\x9f\x81\x9f\x9f\xff\xff\xff\xff",
    b"\xbf\0\xff",
    b"\xbf\0\0\0\xff",
    b"\xc1\xff",
    b"\x9f\xc1\xff",
    // Integers and tags without a length.
    b"\x1f",
    b"\x3f",
    b"\xdf",
    // Text that is not UTF-8, whole and in chunks.
    b"\x61\xff",
    b"\x7f\x61\xff\xff",
    b"\x7f\x61\xc3\x61\xbc\xff",
];

#[test]
fn what_the_standard_calls_not_well_formed_is_malformed() {
    for bytes in NOT_WELL_FORMED.iter().copied() {
        let error = decode(&result(bytes)).unwrap_err();
        assert!(
            matches!(error, DecodeError::Malformed { format: "CBOR", .. }),
            "{bytes:x?}: {error:?}"
        );
        // The same where the arguments were not checked before.
        let argument = Bytes::from([b"\x81", bytes].concat());
        let end = argument.len();
        let payload = Payload::encoded(Format::Cbor, argument, end, end);
        assert!(payload.parse_args::<[Value; 1]>().is_err(), "{bytes:x?}");
        assert!(
            payload.parse_args::<[IgnoredAny; 1]>().is_err(),
            "{bytes:x?}"
        );
    }
}

#[test]
fn ids_have_every_form_of_an_integer_and_no_other() {
    for id in [
        &b"\x01"[..],
        b"\x18\x01",
        b"\x19\0\x01",
        b"\x1a\0\0\0\x01",
        b"\x1b\0\0\0\0\0\0\0\x01",
    ] {
        let message = decode(&[b"\x83\x18\x32", id, b"\xa0"].concat()).unwrap();
        assert_eq!(message.request(), Some(RequestId::MIN));
    }
    for id in [
        &b"\x20"[..],
        b"\xf9\x3c\0",
        b"\xfb\x3f\xf0\0\0\0\0\0\0",
        b"\xf6",
        b"\x611",
        b"\x41\x01",
        b"\xc2\x41\x01",
        b"\xc1\x01",
    ] {
        let error = decode(&[b"\x83\x18\x32", id, b"\xa0"].concat()).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("RESULT.CALL.Request must be an id"),
            "{error}"
        );
    }
}

#[test]
fn big_integers_are_read_where_they_fit() {
    assert_eq!(value_of(b"\xc2\x42\x01\0"), Value::from(256));
    assert_eq!(value_of(b"\xc2\x40"), Value::from(0));
    assert_eq!(value_of(b"\xc3\x41\x01"), Value::from(-2));
    assert_eq!(
        value_of(b"\xc2\x4a\0\0\xff\xff\xff\xff\xff\xff\xff\xff"),
        Value::from(u64::MAX)
    );
    assert_eq!(
        value_of(b"\xc3\x48\x7f\xff\xff\xff\xff\xff\xff\xff"),
        Value::from(i64::MIN)
    );
    let large = b"\xc2\x49\x01\0\0\0\0\0\0\0\0";
    assert_eq!(read::<u128>(large).unwrap(), 1 << 64);
    assert_eq!(
        read::<i128>(b"\xc3\x49\x01\0\0\0\0\0\0\0\0").unwrap(),
        -(1 << 64) - 1
    );
    // Too large for the type, but the message is in order and passes through.
    assert!(read::<Value>(large).is_err());
    assert!(read::<u64>(large).is_err());
    assert!(read::<Value>(b"\x3b\xff\xff\xff\xff\xff\xff\xff\xff").is_err());
    assert!(read::<u128>(&[b"\xc2\x51\x01", &[0; 16][..]].concat()).is_err());
    assert_eq!(encode(&decode(&result(large)).unwrap()), result(large));
}

#[test]
fn tags_are_skipped_by_all_types() {
    assert_eq!(read::<u8>(b"\xc1\x05").unwrap(), 5);
    assert_eq!(read::<String>(b"\xd8\x20\x61a").unwrap(), "a");
    assert_eq!(read::<Option<u8>>(b"\xc1\xf6").unwrap(), None);
    assert_eq!(read::<Option<u8>>(b"\xc1\x05").unwrap(), Some(5));
    assert_eq!(read::<Vec<u8>>(b"\xc5\x82\x01\xc1\x02").unwrap(), [1, 2]);
    assert_eq!(
        read::<HashMap<String, u8>>(b"\xc1\xa1\xc0\x61a\xc1\x01").unwrap()["a"],
        1
    );
    // Decimal fraction: a list, as far as serde knows.
    assert_eq!(
        read::<(i8, u32)>(b"\xc4\x82\x21\x19\x6a\xb3").unwrap(),
        (-2, 27_315)
    );
    read::<IgnoredAny>(b"\xc1\xc1\xa1\x61a\xc1\x01").unwrap();
}

#[test]
fn simple_values_without_a_meaning_are_errors_only_where_they_are_read() {
    for simple in [&b"\xe0"[..], b"\xf3", b"\xf8\x20", b"\xf8\xff"] {
        assert!(read::<Value>(simple).is_err());
        read::<IgnoredAny>(simple).unwrap();
    }
}

#[test]
fn types_without_a_known_length_are_sent_with_one() {
    #[derive(serde::Serialize)]
    struct Outer {
        a: u8,
        #[serde(flatten)]
        rest: Dict,
    }
    struct Unknown;
    impl serde::Serialize for Unknown {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_seq((0..300).filter(|_| true))
        }
    }
    let outer = Outer {
        a: 1,
        rest: Dict::from([("b", 2)]),
    };
    let payload = payload::encode(Format::Cbor, &(Unknown,), Some(&outer)).unwrap();
    assert!(payload.args().starts_with(b"\x81\x99\x01\x2c\x00\x01"));
    assert_eq!(payload.kwargs(), b"\xa2\x61a\x01\x61b\x02");
    assert_eq!(payload.parse_args::<[Vec<u16>; 1]>().unwrap()[0].len(), 300);
}

#[test]
fn long_texts_lists_and_dictionaries_survive() {
    for size in [23, 24, 255, 256, 65_535, 65_536] {
        let text = "x".repeat(size);
        let dict: Dict = (0..size)
            .map(|key| (key.to_string(), Value::Null))
            .collect();
        let list = vec![Value::from(1); size];
        let all = (Value::from(text), Value::from(dict), Value::from(list));
        let payload = payload::encode(Format::Cbor, &all, None::<&()>).unwrap();
        assert_eq!(payload.parse_args::<(Value, Value, Value)>().unwrap(), all);
    }
}

/// What the library makes of one value, which must be all there is.
fn library(bytes: &[u8]) -> bool {
    use cbor4ii::core::{Value, dec::Decode, utils::SliceReader};

    let mut reader = SliceReader::new(bytes);
    let value = Value::decode(&mut reader);
    let has_rest =
        cbor4ii::core::dec::Read::fill(&mut reader, 1).is_ok_and(|rest| !rest.as_ref().is_empty());
    value.is_ok() && !has_rest
}

/// Whether the boundaries in a frame are right; `None` when they were not looked at, or the two
/// may differ: the library knows no simple values without a meaning, and more depth.
fn boundaries(frame: &[u8]) -> Option<bool> {
    if frame.iter().any(|byte| matches!(byte, 0xe0..=0xf3 | 0xf8)) {
        return None;
    }
    match decode(frame) {
        Err(DecodeError::Malformed { .. } | DecodeError::TrailingBytes { .. }) => Some(false),
        Err(
            DecodeError::NotAList { .. }
            | DecodeError::Empty
            | DecodeError::Code { .. }
            | DecodeError::TooDeep { .. },
        )
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
            .prop_flat_map(|kind| strategies::message_of(kind, Format::Cbor)),
        at in any::<prop::sample::Index>(),
        remove in 0..3_usize,
        insert in prop::collection::vec(any::<u8>(), 0..3),
    ) {
        let frame = encode(&message);
        let at = at.index(frame.len());
        let end = (at + remove).min(frame.len());
        let frame = [&frame[..at], &insert, &frame[end..]].concat();
        // The fields of unknown messages are read at once, where more can be wrong.
        let is_known = matches!(frame[..], [0x80..=0x97, 0x18, 0x20..=0x24 | 0x30..=0x32 | 0x40..=0x46, ..]);
        if let Some(boundaries) = boundaries(&frame).filter(|_| is_known) {
            prop_assert_eq!(boundaries, library(&frame));
        }
    }

    /// An argument that was not checked before, straight into types.
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        let end = bytes.len();
        let payload = Payload::encoded(Format::Cbor, bytes.into(), end, end);
        let by_type = payload.parse_args::<Value>();
        if let Ok(value) = &by_type {
            let again = payload::encode(Format::Cbor, &[value], None::<&()>).unwrap();
            let [again] = again.parse_args::<[Value; 1]>().unwrap();
            // By their text, where NaN equals itself.
            prop_assert_eq!(format!("{:?}", again), format!("{:?}", value));
        }
        let _ = payload.parse_args::<(u8, Option<String>, HashMap<u8, Bytes>)>();
        let _: Result<IgnoredAny, Box<dyn Error>> = payload.parse_args().map_err(Into::into);
    }
}
