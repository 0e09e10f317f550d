//! Arguments packed into one dictionary, for payloads that pass through.
#![cfg(all(feature = "json", feature = "msgpack", feature = "cbor"))]
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

mod formats;

use bytes::Bytes;
use spell_message::{Dict, Format, List, Payload, Value};
use spell_serializer::{
    DecodeError, PayloadExt,
    payload::{encode, pack, unpack},
};

use formats::FORMATS;

fn value(format: Format, value: &Value) -> Bytes {
    // A list of one value, without what begins and ends it.
    match format {
        Format::Json => {
            let list = encode(format, &[value], None::<&()>).unwrap();
            list.tail().slice(1..list.tail().len() - 1)
        }
        Format::Custom(format) => format.encode(value).unwrap(),
        _ => encode(format, &[value], None::<&()>)
            .unwrap()
            .tail()
            .slice(1..),
    }
}

fn parts(payload: &Payload) -> (List, Dict) {
    (
        payload.parse_args().unwrap(),
        payload.parse_kwargs().unwrap(),
    )
}

#[test]
fn no_arguments_are_packed_as_empty_ones_and_unpacked_as_none() {
    for format in FORMATS {
        let packed = pack(&Payload::default(), format).unwrap();
        let expected = Dict::from([
            ("args", Value::from(List::new())),
            ("kwargs", Dict::new().into()),
        ]);
        assert_eq!(packed, value(format, &expected.into()));
        assert!(unpack(&packed, format).unwrap().is_empty());
    }
}

#[test]
fn unpacked_arguments_share_the_bytes() {
    for format in [Format::Json, Format::MsgPack, Format::Cbor] {
        let payload = encode(format, &("text", 7), None::<&()>).unwrap();
        let packed = pack(&payload, format).unwrap();
        let unpacked = unpack(&packed, format).unwrap();
        assert!(
            packed
                .as_ptr_range()
                .contains(&unpacked.tail().as_ref().as_ptr())
        );
    }
}

#[test]
fn other_orders_nulls_and_unknown_keys_are_read() {
    let args = Value::from(vec![Value::from(1)]);
    let kwargs = Value::from(Dict::from([("a", 2)]));
    for format in FORMATS {
        for (packed, expected) in [
            (
                Dict::from([
                    ("kwargs", kwargs.clone()),
                    ("uri", "com.example".into()),
                    ("args", args.clone()),
                ]),
                (vec![Value::from(1)], Dict::from([("a", 2)])),
            ),
            (
                Dict::from([("args", args.clone()), ("kwargs", Value::Null)]),
                (vec![Value::from(1)], Dict::new()),
            ),
            (
                Dict::from([("args", Value::Null), ("kwargs", kwargs.clone())]),
                (vec![], Dict::from([("a", 2)])),
            ),
            (
                Dict::from([("kwargs", kwargs.clone())]),
                (vec![], Dict::from([("a", 2)])),
            ),
            (Dict::new(), (vec![], Dict::new())),
        ] {
            let unpacked = unpack(&value(format, &packed.into()), format).unwrap();
            assert_eq!(parts(&unpacked), expected);
        }
    }
}

#[test]
fn indefinite_lengths_are_read() {
    // {_ "kwargs": {_ "a": 2}, "args": [_ 1]}
    let packed = b"\xbf\x66kwargs\xbf\x61a\x02\xff\x64args\x9f\x01\xff\xff";
    let unpacked = unpack(&Bytes::from_static(packed), Format::Cbor).unwrap();
    assert_eq!(
        parts(&unpacked),
        (vec![Value::from(1)], Dict::from([("a", 2)]))
    );
}

#[test]
fn white_space_is_read() {
    let packed = Bytes::from_static(b" { \"args\" : [ 1 ] , \"kwargs\" : { \"a\" : 2 } } ");
    let unpacked = unpack(&packed, Format::Json).unwrap();
    assert_eq!(
        parts(&unpacked),
        (vec![Value::from(1)], Dict::from([("a", 2)]))
    );
}

#[test]
fn what_is_no_dictionary_of_a_list_and_a_dictionary_is_refused() {
    for format in FORMATS {
        for wrong in [
            Value::Null,
            vec![Value::from(1)].into(),
            "text".into(),
            Dict::from([("args", 1)]).into(),
            Dict::from([("args", Dict::new())]).into(),
            Dict::from([("kwargs", Value::from(List::new()))]).into(),
        ] {
            let refused = unpack(&value(format, &wrong), format);
            // A format of the user knows no wrong type but that of the whole.
            let is_refused = matches!(refused, Err(DecodeError::Packed { .. }));
            assert!(is_refused, "{format:?} {wrong:?} {refused:?}");
        }
    }
}

#[test]
fn malformed_bytes_are_refused() {
    for (format, bytes) in [
        (Format::Json, &br#"{"args":[1],"args":[2]}"#[..]),
        (Format::Json, br#"{"args":[1]"#),
        (Format::Json, br#"{"args" [1]}"#),
        (Format::Json, br#"{"args":[1],}"#),
        (Format::Json, br#"{"args":[1]]"#),
        (Format::Json, br#"{"args":[1]} 1"#),
        (Format::Json, b""),
        (Format::MsgPack, b"\x81\xa4args"),
        (Format::MsgPack, b"\x82\xa4args\x90"),
        (Format::MsgPack, b"\x81\xa4args\x90\x00"),
        (Format::Cbor, b"\xa1\x64args"),
        (Format::Cbor, b"\xbf\x64args\x80"),
        (Format::Cbor, b"\xbf\x64args\xff"),
        (Format::Cbor, b"\xa1\x64args\x80\x00"),
    ] {
        let refused = unpack(&Bytes::from_static(bytes), format);
        assert!(
            refused.is_err(),
            "{format:?} {} {refused:?}",
            bytes.escape_ascii()
        );
    }
}

#[test]
fn what_is_nested_too_deep_is_refused_and_not_followed() {
    for (format, begin, end) in [
        (Format::Json, &b"["[..], &b"]"[..]),
        (Format::MsgPack, b"\x91", b"\xc0"),
        (Format::Cbor, b"\x81", b"\xf6"),
    ] {
        let head = value(format, &Dict::from([("args", Value::Null)]).into());
        let head = match format {
            Format::Json => &head[..head.len() - "null}".len()],
            _ => &head[..head.len() - 1],
        };
        let mut packed = head.to_vec();
        packed.extend(begin.repeat(100_000));
        packed.extend(end.repeat(100_000));
        packed.extend(b"}");
        let refused = unpack(&packed.into(), format);
        assert!(
            matches!(refused, Err(DecodeError::TooDeep { .. })),
            "{refused:?}"
        );
    }
}
