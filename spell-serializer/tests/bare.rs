//! Payloads that stand in a message without a list, as Autobahn sends them.
#![cfg(all(feature = "json", feature = "msgpack", feature = "cbor"))]
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

mod formats;

use bytes::{Bytes, BytesMut};
use spell_message::{Dict, List, Message, Value};
use spell_serializer::{AnySerializer, Cbor, DecodeError, Json, MsgPack, PayloadExt, list};

use formats::FORMATS;

const SECRET: &[u8] = b"\x00\xffsecret";

fn serializers() -> [AnySerializer; 3] {
    [
        Json::new().into(),
        MsgPack::new().into(),
        Cbor::new().into(),
    ]
}

fn secret() -> Value {
    Value::bytes(SECRET)
}

/// A message of each kind that may have such a payload: what stands before its options, and after.
fn kinds() -> [(Vec<Value>, Vec<Value>); 7] {
    let uri = || vec![Value::from("com.example")];
    let start = |numbers: &[u64]| numbers.iter().map(|number| Value::from(*number)).collect();
    [
        (start(&[16, 1]), uri()),
        (start(&[36, 1, 2]), vec![]),
        (start(&[48, 1]), uri()),
        (start(&[50, 1]), vec![]),
        (start(&[68, 1, 2]), vec![]),
        (start(&[70, 1]), vec![]),
        (start(&[8, 48, 1]), uri()),
    ]
}

fn message(
    (start, end): (Vec<Value>, Vec<Value>),
    options: Dict,
    payload: impl IntoIterator<Item = Value>,
) -> List {
    let options = std::iter::once(Value::from(options));
    start
        .into_iter()
        .chain(options)
        .chain(end)
        .chain(payload)
        .collect()
}

fn marked(algorithm: &str) -> Dict {
    Dict::from([("enc_algo", algorithm)])
}

/// The list as a frame.
fn frame(serializer: &AnySerializer, values: &List) -> Bytes {
    let encoded = spell_serializer::payload::encode(serializer.format(), values, None::<&()>);
    encoded.unwrap().tail().clone()
}

#[test]
fn one_binary_without_a_list_is_read_as_a_list_and_written_as_it_was() {
    for serializer in serializers() {
        for kind in kinds() {
            let frame = frame(&serializer, &message(kind, marked("cryptobox"), [secret()]));
            let decoded = serializer.decode(&frame).unwrap();
            let (binary,): (Value,) = decoded.payload().unwrap().parse_args().unwrap();
            assert_eq!(binary, secret(), "{decoded:?}");
            let mut encoded = BytesMut::new();
            serializer.encode(&decoded, &mut encoded).unwrap();
            assert_eq!(encoded, frame, "{decoded:?}");
        }
    }
}

#[test]
fn it_is_carried_over_to_other_formats() {
    for from in serializers() {
        for to in serializers() {
            let [publish, ..] = kinds();
            let values = message(publish, marked("x_own"), [secret()]);
            let decoded = from.decode(&frame(&from, &values)).unwrap();
            let mut encoded = BytesMut::new();
            to.encode(&decoded, &mut encoded).unwrap();
            assert_eq!(encoded, frame(&to, &values));
        }
    }
}

#[test]
fn serializers_of_users_read_and_write_it_too() {
    for kind in kinds() {
        let values = message(kind, marked("mqtt"), [secret()]);
        for format in FORMATS {
            let decoded = list::from_values(values.clone(), format).unwrap();
            assert_eq!(list::to_values(&decoded).unwrap(), values);
        }
    }
}

#[test]
fn without_the_mark_of_an_algorithm_it_is_refused() {
    let unknown = ["invalid", "", "x", "X_own", "wamp"];
    let options = unknown.map(marked).into_iter().chain([
        Dict::new(),
        Dict::from([("enc_algo", 1)]),
        Dict::from([("enc_key", "key")]),
        Dict::from([("ppt_scheme", "wamp")]),
    ]);
    for options in options {
        for serializer in serializers() {
            for kind in kinds() {
                for payload in [secret(), "text".into()] {
                    let values = message(kind.clone(), options.clone(), [payload]);
                    let error = serializer.decode(&frame(&serializer, &values)).unwrap_err();
                    assert!(error.to_string().contains("enc_algo"), "{error}");
                    let error = list::from_values(values, serializer.format()).unwrap_err();
                    assert!(error.to_string().contains("enc_algo"), "{error}");
                }
            }
        }
    }
}

#[test]
fn keyword_arguments_beside_it_and_other_values_are_refused() {
    for serializer in serializers() {
        for kind in kinds() {
            for payload in [
                vec![secret(), Dict::new().into()],
                vec![1.into()],
                vec![Dict::new().into()],
            ] {
                let values = message(kind.clone(), marked("cryptobox"), payload);
                let refused = serializer.decode(&frame(&serializer, &values));
                assert!(
                    matches!(refused, Err(DecodeError::Field { .. })),
                    "{refused:?}"
                );
            }
        }
    }
}

#[test]
fn messages_without_options_for_it_never_have_it() {
    let abort = vec![
        3.into(),
        marked("cryptobox").into(),
        "com.example".into(),
        secret(),
    ];
    for serializer in serializers() {
        assert!(serializer.decode(&frame(&serializer, &abort)).is_err());
    }
}

#[test]
fn arguments_that_are_no_single_binary_keep_their_list() {
    let lists: [List; 4] = [
        vec![],
        vec![secret(), secret()],
        vec![1.into()],
        vec![vec![secret()].into()],
    ];
    for args in lists {
        for serializer in serializers() {
            for kind in kinds() {
                let args = (!args.is_empty()).then(|| args.clone().into());
                let values = message(kind, marked("cryptobox"), args);
                let frame = frame(&serializer, &values);
                let decoded = serializer.decode(&frame).unwrap();
                let mut encoded = BytesMut::new();
                serializer.encode(&decoded, &mut encoded).unwrap();
                assert_eq!(encoded, frame, "{decoded:?}");
                assert_eq!(list::to_values(&decoded).unwrap(), values);
            }
        }
    }
}

#[test]
fn the_text_of_other_peers_is_a_payload_too() {
    let [publish, ..] = kinds();
    let values = message(publish, marked("cryptobox"), ["a1666e".into()]);
    for serializer in serializers() {
        let frame = frame(&serializer, &values);
        let decoded = serializer.decode(&frame).unwrap();
        let Message::Publish(publish) = &decoded else {
            panic!("{decoded:?}");
        };
        assert_eq!(
            publish.payload.parse_args::<(String,)>().unwrap().0,
            "a1666e"
        );
        let mut encoded = BytesMut::new();
        serializer.encode(&decoded, &mut encoded).unwrap();
        assert_eq!(encoded, frame);
    }
}
