mod answers;
mod events;
mod requests;

use proptest::prelude::*;
use serde::Serialize;
use spell_message::{Dict, Format, List, Payload, RoleFeatures, RoleName, Value};
use spell_peer::Role;
use spell_serializer::{DecodeError, PayloadExt, payload};

use super::*;
use crate::harness::Harness;

const FORMATS: [Format; 3] = [Format::Json, Format::MsgPack, Format::Cbor];
const URI: &str = "com.example.secret";

/// Seals as JSON, so that what is sent can be read in tests.
fn json() -> Plain {
    let codec = Plain::custom("x_own").unwrap();
    codec.serializer(PassthruSerializer::Json)
}

const ATTRIBUTES: &str = r#""ppt_scheme":"x_own","ppt_serializer":"json""#;

/// The same in Autobahn's form.
const OLDER: &str = r#""enc_algo":"x_own","enc_serializer":"json""#;

/// `{"args":[1],"kwargs":{}}`, and with another number.
const ONE: &str = r#""\u0000eyJhcmdzIjpbMV0sImt3YXJncyI6e319""#;
const TWO: &str = r#""\u0000eyJhcmdzIjpbMl0sImt3YXJncyI6e319""#;

/// Not JSON.
const GARBAGE: &str = r#""\u0000AAEC""#;

/// Joined to a router that announced these features of both of its roles, by their keys.
fn joined<R: Role>(role: R, keys: &[&str]) -> Harness<R> {
    let mut roles = RoleFeatures::new();
    for role in [RoleName::Broker, RoleName::Dealer] {
        roles.add(role, []);
        for key in keys {
            roles.set(role.as_str(), *key, true);
        }
    }
    Harness::joined_to(role, roles)
}

const ANNOUNCED: &[&str] = &["payload_passthru_mode"];

/// Why arguments could not be opened.
fn cause<T: std::fmt::Debug>(read: Result<T, DecodeError>) -> PassthruError {
    let error = read.unwrap_err();
    assert!(matches!(error, DecodeError::Sealed { .. }), "{error:?}");
    PassthruError::cause_of(&error).unwrap().clone()
}

fn plain(serializers: &[PassthruSerializer], codec: &Plain) -> Vec<Passthru> {
    let with = |serializer: &PassthruSerializer| codec.clone().serializer(*serializer).into();
    serializers.iter().map(with).collect()
}

/// Every codec there is, with every serializer that it can have.
fn codecs() -> Vec<Passthru> {
    use PassthruSerializer::{Cbor, Json, MsgPack, Native};
    let mut codecs = vec![Plain::mqtt().into(), Plain::wamp().into()];
    codecs.extend(plain(&[Native, Json, MsgPack, Cbor], &Plain::mqtt()));
    let custom = Plain::custom("x_own").unwrap();
    codecs.extend(plain(&[Native, Json, MsgPack, Cbor], &custom));
    #[cfg(feature = "encryption")]
    codecs.extend(encryption::codecs());
    codecs
}

fn arguments(format: Format, args: &impl Serialize) -> Payload {
    payload::encode(format, args, None::<&()>).unwrap()
}

fn binary(format: Format, bytes: &'static [u8]) -> Payload {
    arguments(format, &[Value::bytes(bytes)])
}

fn meaning(payload: &Payload) -> (List, Dict) {
    (
        payload.parse_args().unwrap(),
        payload.parse_kwargs().unwrap(),
    )
}

fn attributes(scheme: &str, serializer: Option<&str>) -> PassthruAttributes {
    let mut attributes = PassthruAttributes::new(scheme);
    attributes.serializer = serializer.map(str::to_owned);
    attributes
}

fn list() -> impl Strategy<Value = List> {
    prop::collection::vec(value(), 0..4)
}

fn dict() -> impl Strategy<Value = Dict> {
    let entries = prop::collection::vec(("[a-z]{1,4}", value()), 0..4);
    entries.prop_map(|entries| entries.into_iter().collect())
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        "[a-zäß ]{0,20}".prop_map(Value::from),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(Value::bytes),
        prop::collection::vec(any::<u8>(), 0..4).prop_map(Value::from_iter),
    ]
}

proptest! {
    #[test]
    fn what_is_sealed_is_opened_whatever_the_codec_and_the_session(
        args in list(), kwargs in dict(),
    ) {
        for codec in codecs() {
            for format in FORMATS {
                let arguments = payload::encode(format, &args, Some(&kwargs)).unwrap();
                let sealed = codec.seal(URI, &arguments).unwrap();
                let (attributes, sealed) = sealed.into_parts(format).unwrap();
                let details = Dict::from(attributes);
                // What travels may be carried over to another session's format.
                for other in FORMATS {
                    let sealed = payload::transcode(&sealed, other).unwrap();
                    let opened = open(&*codec, &details, &sealed).unwrap();
                    prop_assert_eq!(meaning(&opened), (args.clone(), kwargs.clone()));
                }
            }
        }
    }

    #[test]
    fn any_binary_is_opened_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let payload = arguments(Format::MsgPack, &[Value::bytes(bytes)]);
        for codec in codecs() {
            let sealed = codec.seal(URI, &Payload::default()).unwrap();
            let (attributes, _) = sealed.into_parts(Format::MsgPack).unwrap();
            if let Ok(opened) = codec.open(&attributes, &payload) {
                let _list: Result<List, _> = opened.parse_args();
            }
        }
    }
}

#[test]
fn what_travels_is_one_binary_that_holds_args_and_kwargs() {
    let codec = Plain::custom("x_own").unwrap();
    let codec = codec.serializer(PassthruSerializer::Json);
    let payload = payload::encode(Format::MsgPack, &(1,), Some(&Dict::from([("a", 2)]))).unwrap();
    let sealed = codec.seal(URI, &payload).unwrap();
    let (attributes, sealed) = sealed.into_parts(Format::Json).unwrap();
    let expected = [("ppt_scheme", "x_own"), ("ppt_serializer", "json")];
    assert_eq!(Dict::from(attributes), Dict::from(expected));
    // In JSON, U+0000 and Base64.
    let base64 = r#"["\u0000eyJhcmdzIjpbMV0sImt3YXJncyI6eyJhIjoyfX0="]"#;
    assert_eq!(sealed.tail(), base64);
    assert_eq!(
        Sealed::read_binary(&sealed).unwrap(),
        r#"{"args":[1],"kwargs":{"a":2}}"#
    );
}

#[test]
fn native_arguments_of_mqtt_stay_as_they_are() {
    let payload = arguments(Format::Json, &("text", 7));
    for (codec, named) in [
        (Plain::mqtt(), None),
        (
            Plain::mqtt().serializer(PassthruSerializer::Native),
            Some("native"),
        ),
    ] {
        let sealed = codec.seal(URI, &payload).unwrap();
        let (attributes, sealed) = sealed.into_parts(Format::MsgPack).unwrap();
        assert_eq!(attributes.serializer.as_deref(), named);
        assert_eq!(sealed, payload);
        assert_eq!(codec.open(&attributes, &sealed).unwrap(), payload);
    }
}

#[test]
fn a_payload_that_is_not_exactly_one_binary_is_refused() {
    let attributes = attributes("mqtt", Some("json"));
    let packed = || Value::bytes(br#"{"args":[]}"#.as_slice());
    for format in FORMATS {
        let open = |payload: &Payload| Plain::mqtt().open(&attributes, payload);
        let one = payload::encode(format, &[packed()], Some(&Dict::new())).unwrap();
        assert!(open(&one).is_ok(), "no keyword arguments are none");
        for payload in [
            Payload::default(),
            arguments(format, &[packed(), packed()]),
            arguments(format, &("text",)),
            arguments(format, &[List::from([packed()])]),
            payload::encode(format, &[packed()], Some(&Dict::from([("a", 1)]))).unwrap(),
        ] {
            let refused = open(&payload);
            assert!(
                matches!(refused, Err(PassthruError::NotOneBinary)),
                "{refused:?}"
            );
        }
    }
}

#[test]
fn unknown_schemes_serializers_and_ciphers_are_refused() {
    let payload = binary(Format::Cbor, b"{}");
    for (codec, scheme, serializer) in [
        (Plain::mqtt(), "wamp", Some("cbor")),
        (Plain::mqtt(), "x_own", Some("json")),
        (Plain::wamp(), "mqtt", None),
    ] {
        let refused = codec.open(&attributes(scheme, serializer), &payload);
        assert!(
            matches!(refused, Err(PassthruError::UnknownScheme { .. })),
            "{refused:?}"
        );
    }
    for (codec, scheme, serializer) in [
        (Plain::mqtt(), "mqtt", Some("flatbuffers")),
        (Plain::mqtt(), "mqtt", Some("JSON")),
        (Plain::wamp(), "wamp", None),
        (Plain::wamp(), "wamp", Some("native")),
        (Plain::custom("x_own").unwrap(), "x_own", None),
    ] {
        let refused = codec.open(&attributes(scheme, serializer), &payload);
        assert!(
            matches!(refused, Err(PassthruError::UnknownSerializer { .. })),
            "{refused:?}"
        );
    }
    let mut encrypted = attributes("wamp", Some("cbor"));
    encrypted.cipher = Some("aes256gcm".into());
    let refused = Plain::wamp().open(&encrypted, &payload);
    assert!(
        matches!(refused, Err(PassthruError::UnknownCipher { .. })),
        "{refused:?}"
    );
}

#[test]
fn the_scheme_wamp_is_sealed_as_cbor_alone() {
    let codec = Plain::wamp().serializer(PassthruSerializer::Json);
    let refused = codec.seal(URI, &Payload::default());
    assert!(
        matches!(refused, Err(PassthruError::UnknownSerializer { .. })),
        "{refused:?}"
    );
}

#[test]
fn schemes_of_ones_own_have_the_names_that_the_specification_leaves() {
    for scheme in ["x_own", "x_my_ppt", "x_a1"] {
        assert!(Plain::custom(scheme).is_ok(), "{scheme}");
    }
    for scheme in [
        "own", "wamp", "mqtt", "x_", "x_a", "x_1a", "x_Own", "x_a b", "",
    ] {
        let refused = Plain::custom(scheme);
        assert!(
            matches!(refused, Err(PassthruError::InvalidScheme { .. })),
            "{scheme}"
        );
    }
}

#[test]
fn a_binary_that_holds_something_else_is_refused() {
    for (serializer, bytes) in [
        ("json", &b"not JSON"[..]),
        ("json", b"[1]"),
        ("msgpack", b"\x93\x01"),
        ("cbor", b"\xa1\x64args\x01"),
    ] {
        let payload = binary(Format::MsgPack, bytes);
        let refused = Plain::mqtt().open(&attributes("mqtt", Some(serializer)), &payload);
        assert!(
            matches!(refused, Err(PassthruError::Unpack(_))),
            "{refused:?}"
        );
    }
}

#[test]
fn what_is_not_sealed_is_taken_where_the_codec_takes_it() {
    let payload = arguments(Format::Json, &(1,));
    for details in [
        Dict::new(),
        Dict::from([("ppt_scheme", "")]),
        Dict::from([("ppt_serializer", "cbor")]),
    ] {
        assert_eq!(open(&Plain::mqtt(), &details, &payload).unwrap(), payload);
    }
}

#[test]
fn names_from_outside_are_escaped_and_shortened_in_errors() {
    let scheme = format!("two\nlines{}", "x".repeat(1000));
    let refused = Plain::mqtt().open(&PassthruAttributes::new(scheme), &Payload::default());
    let text = refused.unwrap_err().to_string();
    assert!(text.contains(r"two\nlines") && text.len() < 200, "{text}");
}

#[cfg(feature = "encryption")]
mod encryption {
    use super::*;

    const CIPHERS: [Cipher; 2] = [Cipher::XSalsa20Poly1305, Cipher::Aes256Gcm];

    fn key(cipher: Cipher) -> Key {
        Key::new(cipher.as_str(), cipher, [7; 32])
    }

    fn codec(cipher: Cipher) -> Encryption {
        Encryption::new(Keys::new().default_key(key(cipher)))
    }

    pub(super) fn codecs() -> impl Iterator<Item = Passthru> {
        CIPHERS.into_iter().map(|cipher| codec(cipher).into())
    }

    fn sealed(codec: &Encryption) -> (PassthruAttributes, Payload) {
        let arguments = arguments(Format::Json, &("secret",));
        let sealed = codec.seal(URI, &arguments).unwrap();
        sealed.into_parts(Format::Json).unwrap()
    }

    #[test]
    fn the_attributes_say_how_to_decrypt() {
        let (attributes, _) = sealed(&codec(Cipher::Aes256Gcm));
        let expected = [
            ("ppt_scheme", "wamp"),
            ("ppt_serializer", "cbor"),
            ("ppt_cipher", "aes256gcm"),
            ("ppt_keyid", "aes256gcm"),
        ];
        assert_eq!(Dict::from(attributes), Dict::from(expected));
    }

    #[test]
    fn nothing_of_the_arguments_can_be_seen() {
        let arguments = arguments(Format::Json, &("secret",));
        for cipher in CIPHERS {
            let sealed = codec(cipher).seal(URI, &arguments).unwrap();
            let (_, payload) = sealed.into_parts(Format::Cbor).unwrap();
            let binary = Sealed::read_binary(&payload).unwrap();
            assert!(!binary.windows(6).any(|window| window == b"secret"));
        }
    }

    #[test]
    fn another_key_of_the_same_id_does_not_decrypt() {
        for cipher in CIPHERS {
            let (attributes, payload) = sealed(&codec(cipher));
            let other = Key::new(cipher.as_str(), cipher, [8; 32]);
            let other = Encryption::new(Keys::new().default_key(other));
            let refused = other.open(&attributes, &payload);
            assert!(
                matches!(refused, Err(PassthruError::Undecipherable)),
                "{refused:?}"
            );
        }
    }

    #[test]
    fn a_binary_too_short_to_be_encrypted_does_not_decrypt() {
        for cipher in CIPHERS {
            let (attributes, _) = sealed(&codec(cipher));
            let refused = codec(cipher).open(&attributes, &binary(Format::Json, b"short"));
            assert!(
                matches!(refused, Err(PassthruError::Undecipherable)),
                "{refused:?}"
            );
        }
    }

    #[test]
    fn unknown_and_missing_keys_and_ciphers_are_refused() {
        let codec = codec(Cipher::Aes256Gcm);
        let (attributes, payload) = sealed(&codec);
        for keyid in [None, Some("other".to_owned())] {
            let mut attributes = attributes.clone();
            attributes.keyid = keyid;
            let refused = codec.open(&attributes, &payload);
            assert!(
                matches!(refused, Err(PassthruError::UnknownKey { .. })),
                "{refused:?}"
            );
        }
        for cipher in [None, Some("rot13".to_owned())] {
            let mut attributes = attributes.clone();
            attributes.cipher = cipher;
            let refused = codec.open(&attributes, &payload);
            assert!(
                matches!(refused, Err(PassthruError::UnknownCipher { .. })),
                "{refused:?}"
            );
        }
        // A key is good for its own cipher only.
        let mut attributes = attributes;
        attributes.cipher = Some(Cipher::XSalsa20Poly1305.as_str().into());
        let refused = codec.open(&attributes, &payload);
        assert!(
            matches!(refused, Err(PassthruError::UnknownKey { .. })),
            "{refused:?}"
        );
    }

    #[test]
    fn nothing_is_sealed_without_a_key() {
        let refused = Encryption::new(Keys::new()).seal(URI, &Payload::default());
        assert!(
            matches!(&refused, Err(PassthruError::NoKey { uri }) if uri == URI),
            "{refused:?}"
        );
    }

    #[test]
    fn what_is_not_sealed_is_refused_unless_it_is_wanted() {
        let payload = arguments(Format::Json, &(1,));
        let codec = codec(Cipher::Aes256Gcm);
        let refused = open(&codec, &Dict::new(), &payload);
        assert!(
            matches!(refused, Err(PassthruError::NotSealed)),
            "{refused:?}"
        );
        let taken = open(&codec.take_plain(), &Dict::new(), &payload);
        assert_eq!(taken.unwrap(), payload);
    }

    #[test]
    fn what_is_not_encrypted_is_refused_under_the_scheme_too() {
        let sealed = Plain::wamp().seal(URI, &Payload::default()).unwrap();
        let (attributes, payload) = sealed.into_parts(Format::Json).unwrap();
        let refused = codec(Cipher::Aes256Gcm).open(&attributes, &payload);
        assert!(
            matches!(refused, Err(PassthruError::UnknownCipher { cipher: None })),
            "{refused:?}"
        );
    }

    #[test]
    fn secrets_are_not_shown() {
        let key = Key::new("id", Cipher::Aes256Gcm, [0xab; 32]);
        let codec = Passthru::from(Encryption::new(Keys::new().default_key(key.clone())));
        for text in [format!("{key:?}"), format!("{codec:?}")] {
            assert!(text.contains("id") && !text.contains("171"), "{text}");
        }
    }
}
