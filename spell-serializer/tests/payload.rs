//! Arguments from and into the types of users, and from one format to another.
#![cfg(all(feature = "json", feature = "msgpack", feature = "cbor"))]
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

mod formats;

use std::{
    cell::OnceCell,
    collections::{BTreeMap, HashMap},
    error::Error,
    net::Ipv4Addr,
    sync::mpsc,
    thread,
};

use bytes::Bytes;
use formats::{Backwards, FORMATS};
use proptest::prelude::*;
use serde::{Deserialize, Serialize, de::DeserializeOwned, ser::SerializeSeq};
use spell_message::{Dict, Format, Payload, Value};
use spell_serializer::{DecodeError, EncodeError, PayloadBuilder, PayloadExt, payload};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Everything {
    unit: (),
    none: Option<u8>,
    some: Option<u8>,
    flag: bool,
    smallest: i64,
    largest: u64,
    ratio: f64,
    short: f32,
    letter: char,
    text: String,
    #[serde(with = "serde_bytes")]
    plain_bytes: Vec<u8>,
    shared_bytes: Bytes,
    list: Vec<i32>,
    pair: (u8, String),
    array: [u16; 3],
    nested: Nested,
    many: Vec<Nested>,
    by_name: BTreeMap<String, Nested>,
    by_number: BTreeMap<i32, bool>,
    by_flag: BTreeMap<bool, u8>,
    by_letter: BTreeMap<char, u8>,
    by_kind: BTreeMap<Kind, u8>,
    newtype: Meters,
    kinds: Vec<Kind>,
    untagged: Vec<Untagged>,
    tagged: Vec<Tagged>,
    #[serde(flatten)]
    flat: Flat,
    address: Option<Ipv4Addr>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Nested {
    #[serde(with = "serde_bytes")]
    bytes: Vec<u8>,
    deeper: Option<Box<Self>>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Meters(f64);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Kind {
    Unit,
    Newtype(Bytes),
    Tuple(u8, Bytes),
    Struct { bytes: Bytes },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Number(u64),
    Text(String),
    Bytes(Bytes),
    Fields { inner: Bytes },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
enum Tagged {
    One { bytes: Bytes },
    Two { number: i64 },
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Flat {
    flat_number: u8,
    flat_bytes: Bytes,
}

fn everything() -> Everything {
    let bytes = Bytes::from_static(&[0, 1, 255]);
    let nested = Nested {
        bytes: vec![1, 2, 3],
        deeper: Some(Box::new(Nested::default())),
    };
    Everything {
        unit: (),
        none: None,
        some: Some(7),
        flag: true,
        smallest: i64::MIN,
        largest: u64::MAX,
        ratio: 0.1,
        short: 0.25,
        letter: 'ß',
        text: "text \u{1F600} \" \\ / \u{1}".into(),
        plain_bytes: vec![0, 255],
        shared_bytes: bytes.clone(),
        list: vec![-1, 0, 1],
        pair: (1, "two".into()),
        array: [1, 2, 3],
        nested: nested.clone(),
        many: vec![nested.clone(), Nested::default()],
        by_name: [("one".to_owned(), nested)].into(),
        by_number: [(-1, true), (70_000, false)].into(),
        by_flag: [(true, 1)].into(),
        by_letter: [('x', 1)].into(),
        by_kind: [(Kind::Unit, 1)].into(),
        newtype: Meters(1.5),
        kinds: vec![
            Kind::Unit,
            Kind::Newtype(bytes.clone()),
            Kind::Tuple(1, bytes.clone()),
            Kind::Struct {
                bytes: bytes.clone(),
            },
        ],
        untagged: vec![
            Untagged::Number(1),
            Untagged::Text("text".into()),
            Untagged::Fields {
                inner: bytes.clone(),
            },
        ],
        tagged: vec![
            Tagged::One {
                bytes: bytes.clone(),
            },
            Tagged::Two { number: -2 },
        ],
        flat: Flat {
            flat_number: 9,
            flat_bytes: bytes,
        },
        address: None,
    }
}

fn args<T: Serialize + ?Sized>(format: Format, args: &T) -> Result<Payload, EncodeError> {
    payload::encode(format, args, None::<&()>)
}

/// Sends one argument and receives it.
fn there_and_back<T: Serialize + DeserializeOwned>(format: Format, value: &T) -> T {
    let payload = args(format, &(value,)).unwrap();
    let (value,) = payload.parse_args().unwrap();
    value
}

fn source_of(error: &dyn Error) -> String {
    error.source().map(ToString::to_string).unwrap_or_default()
}

#[test]
fn every_kind_of_type_survives_in_every_format() {
    for format in FORMATS {
        assert_eq!(
            there_and_back(format, &everything()),
            everything(),
            "{format:?}"
        );
    }
}

#[test]
fn every_kind_of_type_survives_a_change_of_format() {
    for from in FORMATS {
        let payload = payload::encode(from, &(everything(),), Some(&everything())).unwrap();
        for to in FORMATS {
            let other = payload::transcode(&payload, to).unwrap();
            assert_eq!(other.format(), Some(to));
            let (positional,) = other.parse_args::<(Everything,)>().unwrap();
            assert_eq!(positional, everything());
            assert_eq!(other.parse_kwargs::<Everything>().unwrap(), everything());
        }
    }
}

#[test]
fn structs_travel_as_dictionaries_and_the_like() {
    for format in FORMATS {
        let payload = args(format, &(everything(),)).unwrap();
        let (value,) = payload.parse_args::<(Value,)>().unwrap();
        let dict = value.as_dict().unwrap();
        let get = |key| dict.get(key).unwrap();
        assert_eq!(
            dict.keys().next(),
            Some("unit"),
            "the order is that of the type"
        );
        assert!(get("unit").is_null());
        assert!(get("none").is_null());
        assert_eq!(get("smallest"), &Value::from(i64::MIN));
        assert_eq!(get("largest"), &Value::from(u64::MAX));
        assert_eq!(get("plain_bytes"), &Value::bytes(vec![0, 255]));
        assert_eq!(get("list"), &Value::from([-1, 0, 1]));
        assert_eq!(
            get("nested").as_dict().unwrap().get("bytes"),
            Some(&Value::bytes(vec![1, 2, 3]))
        );
        assert!(
            get("by_number")
                .as_dict()
                .unwrap()
                .keys()
                .eq(["-1", "70000"])
        );
        assert!(get("by_flag").as_dict().unwrap().keys().eq(["true"]));
        let kinds = get("kinds").as_list().unwrap();
        assert_eq!(kinds[0], Value::from("Unit"));
        let bytes = Value::bytes(vec![0, 1, 255]);
        assert_eq!(kinds[1], Dict::from([("Newtype", bytes.clone())]).into());
        assert_eq!(
            kinds[2],
            Dict::from([("Tuple", vec![1.into(), bytes])]).into()
        );
        assert_eq!(get("flat_number"), &Value::from(9));
    }
}

#[test]
fn what_has_a_form_for_people_travels_in_it() {
    let address = Ipv4Addr::new(192, 0, 2, 1);
    let by_address = BTreeMap::from([(address, Some(address))]);
    for from in FORMATS {
        let payload = args(from, &(address, &by_address)).unwrap();
        for to in FORMATS {
            let other = payload::transcode(&payload, to).unwrap();
            let value = other.parse_args::<Value>().unwrap();
            let text = Value::from("192.0.2.1");
            let dict = Value::from(Dict::from([("192.0.2.1", text.clone())]));
            assert_eq!(value, Value::from([text, dict]), "{from:?} to {to:?}");
            let types = other.parse_args::<(Ipv4Addr, BTreeMap<Ipv4Addr, Option<Ipv4Addr>>)>();
            assert_eq!(
                types.unwrap(),
                (address, by_address.clone()),
                "{from:?} to {to:?}"
            );
        }
    }
}

/// Says whether it was written and read in a form for people.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Probe;

impl Serialize for Probe {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        assert!(serializer.is_human_readable());
        serializer.serialize_str("probe")
    }
}

impl<'de> Deserialize<'de> for Probe {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        assert!(deserializer.is_human_readable());
        String::deserialize(deserializer).map(|_| Self)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Probes {
    Newtype(Probe),
    Tuple(Probe, Option<Probe>),
    Struct {
        list: Vec<Probe>,
        map: HashMap<Probe, Option<Probe>>,
    },
}

#[test]
fn all_types_see_a_form_for_people_wherever_they_stand() {
    let map = || HashMap::from([(Probe, Some(Probe))]);
    let probes = vec![
        Probes::Newtype(Probe),
        Probes::Tuple(Probe, Some(Probe)),
        Probes::Struct {
            list: vec![Probe],
            map: map(),
        },
    ];
    for format in FORMATS {
        assert_eq!(there_and_back(format, &probes), probes);
        let payload = PayloadBuilder::new(format)
            .arg(&Probe)
            .kwarg("probe", &Probe)
            .finish()
            .unwrap();
        assert_eq!(payload.parse_args::<(Probe,)>().unwrap(), (Probe,));
        assert_eq!(
            payload
                .parse_kwargs::<HashMap<Probe, Option<Probe>>>()
                .unwrap(),
            map()
        );
    }
    let value = spell_message::to_value(&probes).unwrap();
    assert_eq!(Vec::<Probes>::deserialize(&value).unwrap(), probes);
    assert_eq!(
        spell_message::from_value::<Vec<Probes>>(value).unwrap(),
        probes
    );
}

#[test]
fn integers_stand_in_for_floats_as_javascript_sends_them() {
    for format in FORMATS {
        let payload = args(format, &(3, -2, u64::MAX)).unwrap();
        assert_eq!(
            payload.parse_args::<(f64, f32, f64)>().unwrap(),
            (3.0, -2.0, 18_446_744_073_709_551_615.0)
        );
    }
}

#[test]
fn floats_do_not_stand_in_for_integers() {
    for format in FORMATS {
        let payload = args(format, &(3.0,)).unwrap();
        assert!(payload.parse_args::<(u64,)>().is_err(), "{format:?}");
    }
}

#[derive(Debug, PartialEq, Deserialize)]
struct Optional {
    one: Option<u8>,
    #[serde(default)]
    two: u8,
}

#[test]
fn absent_arguments_are_an_empty_list_and_an_empty_dictionary() {
    let absent = Payload::default();
    assert!(absent.parse_args::<Vec<u8>>().unwrap().is_empty());
    assert!(absent.parse_args::<[u8; 0]>().unwrap().is_empty());
    assert_eq!(absent.parse_args::<Value>().unwrap(), Value::List(vec![]));
    assert_eq!(
        absent.parse_kwargs::<HashMap<String, u8>>().unwrap(),
        HashMap::new()
    );
    assert_eq!(absent.parse_kwargs::<Value>().unwrap(), Dict::new().into());

    let expected = Optional { one: None, two: 0 };
    assert_eq!(absent.parse_kwargs::<Optional>().unwrap(), expected);
    assert!(matches!(
        absent.parse_args::<(u8,)>(),
        Err(DecodeError::Args { .. })
    ));
    assert!(matches!(
        absent.parse_kwargs::<Nested>(),
        Err(DecodeError::Kwargs { .. })
    ));
}

#[test]
fn empty_arguments_count_as_absent() {
    for format in FORMATS {
        for payload in [
            args(format, &()).unwrap(),
            args(format, &[0_u8; 0]).unwrap(),
            args(format, &None::<Vec<u8>>).unwrap(),
            payload::encode(format, &(), Some(&())).unwrap(),
            payload::encode(format, &(), Some(&Dict::new())).unwrap(),
            PayloadBuilder::new(format).finish().unwrap(),
            PayloadBuilder::new(format)
                .args(&())
                .kwargs(&())
                .finish()
                .unwrap(),
            PayloadBuilder::new(format)
                .args(&[0_u8; 0])
                .kwargs(&Dict::new())
                .finish()
                .unwrap(),
        ] {
            assert!(payload.is_absent(), "{payload:?}");
        }
        let only_args = payload::encode(format, &(1,), Some(&Dict::new())).unwrap();
        assert_eq!(only_args, args(format, &(1,)).unwrap());
        assert!(only_args.kwargs().is_empty());
    }
}

/// WAMP spec, "Application Payloads".
#[test]
fn keyword_arguments_alone_come_after_an_empty_list() {
    let kwargs = Dict::from([("a", 1)]);
    let expected: [(Format, &[u8]); 4] = [
        (Format::Json, br#"[],{"a":1}"#),
        (Format::MsgPack, b"\x90\x81\xa1a\x01"),
        (Format::Cbor, b"\x80\xa1\x61a\x01"),
        (Format::Custom(&Backwards), br#"][}1:"a"{"#),
    ];
    for (format, tail) in expected {
        for payload in [
            payload::encode(format, &(), Some(&kwargs)).unwrap(),
            PayloadBuilder::new(format)
                .kwargs(&kwargs)
                .finish()
                .unwrap(),
            PayloadBuilder::new(format).kwarg("a", &1).finish().unwrap(),
        ] {
            assert_eq!(payload.tail(), tail);
            assert!(payload.parse_args::<Vec<u8>>().unwrap().is_empty());
            assert_eq!(
                payload.parse_kwargs::<Value>().unwrap(),
                kwargs.clone().into()
            );
        }
    }
}

#[test]
fn arguments_of_a_wrong_form_are_errors() {
    for format in FORMATS {
        for (result, found) in [
            (args(format, &1), "an integer"),
            (args(format, &-1), "a negative integer"),
            (args(format, "text"), "a string"),
            (args(format, &true), "a boolean"),
            (args(format, &Dict::new()), "a dictionary"),
            (args(format, &Kind::Unit), "a string"),
            (
                PayloadBuilder::new(format).args("text").finish(),
                "a string",
            ),
        ] {
            match result {
                Err(EncodeError::ArgsNotAList { found: other }) => assert_eq!(found, other),
                other => panic!("{other:?}"),
            }
        }
        for result in [
            payload::encode(format, &(), Some("text")),
            payload::encode(format, &(), Some(&(1,))),
            PayloadBuilder::new(format).kwargs(&(1,)).finish(),
        ] {
            assert!(
                matches!(result, Err(EncodeError::KwargsNotADict { .. })),
                "{result:?}"
            );
        }
    }
}

#[test]
fn the_builder_gives_the_same_as_encoding_at_once() {
    let kwargs = || Dict::from([("a", Value::from(1)), ("b", "two".into())]);
    for format in FORMATS {
        let at_once = payload::encode(format, &(1, "two", [3]), Some(&kwargs())).unwrap();
        let new = || PayloadBuilder::new(format);
        for built in [
            new().args(&(1, "two", [3])).kwargs(&kwargs()),
            new()
                .arg(&1)
                .arg("two")
                .arg(&[3])
                .kwarg("a", &1)
                .kwarg("b", "two"),
            new().args(&(1,)).arg("two").arg(&[3]).kwargs(&kwargs()),
            new()
                .kwargs(&Dict::from([("a", 1)]))
                .kwarg("b", "two")
                .args(&(1, "two", [3])),
            new()
                .arg("dropped")
                .args(&(1, "two", [3]))
                .kwarg("c", &0)
                .kwargs(&kwargs()),
        ] {
            let built = built.finish().unwrap();
            assert_eq!(built, at_once);
            assert_eq!(built.tail(), at_once.tail());
        }
    }
}

#[test]
fn the_builder_counts_many_arguments() {
    for format in FORMATS {
        for count in [0, 1, 15, 16, 17, 23, 24, 255, 256, 65_535, 65_536] {
            let numbers: Vec<u32> = (0..count).collect();
            let start = usize::try_from(count / 2).unwrap();
            let mut builder = PayloadBuilder::new(format).args(&numbers[..start]);
            for number in &numbers[start..] {
                builder = builder.arg(number);
            }
            let built = builder.finish().unwrap();
            assert_eq!(built.tail(), args(format, &numbers).unwrap().tail());
        }
    }
}

#[test]
fn the_builder_keeps_the_first_error() {
    for format in FORMATS {
        let result = PayloadBuilder::new(format)
            .args("no list")
            .kwargs("no dictionary")
            .args(&(1,))
            .finish();
        assert!(
            matches!(result, Err(EncodeError::ArgsNotAList { .. })),
            "{result:?}"
        );
    }
}

#[test]
fn what_a_type_reports_is_the_source_of_the_error() {
    struct Broken;

    impl Serialize for Broken {
        fn serialize<S: serde::Serializer>(&self, _serializer: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("broken on purpose"))
        }
    }

    for format in FORMATS {
        let error = args(format, &(Broken,)).unwrap_err();
        assert!(matches!(error, EncodeError::Value { .. }));
        assert_eq!(source_of(&error), "broken on purpose");
        let error = args(format, &("text",))
            .unwrap()
            .parse_args::<(u64,)>()
            .unwrap_err();
        assert!(
            source_of(&error).contains("expected u64"),
            "{}",
            source_of(&error)
        );
    }
}

/// It would spoil the message, and with it the session.
#[test]
fn a_type_that_announces_a_wrong_length_is_an_error() {
    struct Liar(usize);

    impl Serialize for Liar {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut list = serializer.serialize_seq(Some(2))?;
            (0..self.0).try_for_each(|number| list.serialize_element(&number))?;
            list.end()
        }
    }

    for format in [Format::MsgPack, Format::Cbor] {
        assert!(args(format, &Liar(2)).is_ok());
        for count in [0, 1, 3] {
            let error = args(format, &Liar(count)).unwrap_err();
            assert!(
                source_of(&error).contains("another number of entries"),
                "{error:?}"
            );
        }
    }
}

#[test]
fn integers_beyond_64_bits_are_errors_and_others_are_not() {
    for format in FORMATS {
        assert_eq!(there_and_back::<u64>(format, &u64::MAX), u64::MAX);
        let payload = args(
            format,
            &(i128::from(u64::MAX), i128::from(i64::MIN), 5_u128),
        )
        .unwrap();
        assert_eq!(
            payload.parse_args::<(u64, i64, u8)>().unwrap(),
            (u64::MAX, i64::MIN, 5)
        );
        for result in [
            args(format, &(u128::MAX,)),
            args(format, &(i128::MIN,)),
            args(format, &(i128::from(u64::MAX) + 1,)),
        ] {
            assert!(
                matches!(result, Err(EncodeError::Value { .. })),
                "{result:?}"
            );
        }
    }
}

#[test]
fn keys_must_have_a_text() {
    for format in FORMATS {
        let by_list = BTreeMap::from([(vec![1], 1)]);
        assert!(args(format, &(by_list,)).is_err(), "{format:?}");
        let by_bytes = BTreeMap::from([(Bytes::from_static(b"a"), 1)]);
        assert!(args(format, &(by_bytes,)).is_err(), "{format:?}");
    }
}

#[test]
fn bytes_after_the_arguments_are_an_error() {
    for (format, tail) in [
        (Format::Json, &b"[1] 2"[..]),
        (Format::MsgPack, b"\x91\x01\x02"),
        (Format::MsgPack, b"\x91\x01\xff\xff"),
        (Format::MsgPack, b"\x91\x01\xc1"),
        (Format::MsgPack, b"\x91\x01\xd9"),
        (Format::Cbor, b"\x81\x01\x02"),
        (Format::Cbor, b"\x81\x01\xff"),
    ] {
        let payload = Payload::encoded(format, Bytes::from_static(tail), tail.len(), tail.len());
        assert!(payload.parse_args::<(u8,)>().is_err(), "{tail:x?}");
        assert!(payload.parse_args::<Value>().is_err(), "{tail:x?}");
    }
}

#[test]
fn too_many_arguments_for_the_type_are_an_error() {
    for format in FORMATS {
        let payload = args(format, &(1, 2, 3)).unwrap();
        assert!(payload.parse_args::<(u8, u8)>().is_err(), "{format:?}");
        assert!(
            payload.parse_args::<(u8, u8, u8, u8)>().is_err(),
            "{format:?}"
        );
        assert_eq!(payload.parse_args::<(u8, u8, u8)>().unwrap(), (1, 2, 3));
    }
}

#[test]
fn the_same_format_is_the_same_bytes() {
    // Not the shortest form, and a tag: both stay.
    let tail = Bytes::from_static(b"\x81\xc1\x1a\0\0\0\x01");
    let payload = Payload::encoded(Format::Cbor, tail.clone(), tail.len(), tail.len());
    let same = payload::transcode(&payload, Format::Cbor).unwrap();
    assert_eq!(same.tail().as_ptr(), tail.as_ptr());
    let other = payload::transcode(&payload, Format::Json).unwrap();
    assert_eq!(other.tail(), "[1]");
}

#[test]
fn what_the_other_format_cannot_hold_is_an_error() {
    let nan = args(Format::MsgPack, &(f64::NAN,)).unwrap();
    assert!(payload::transcode(&nan, Format::Cbor).is_ok());
    let error = payload::transcode(&nan, Format::Json).unwrap_err();
    assert!(
        matches!(error, EncodeError::Transcode { format: "JSON", .. }),
        "{error:?}"
    );
    let text = args(Format::Cbor, &("\0text",)).unwrap();
    assert!(payload::transcode(&text, Format::MsgPack).is_ok());
    assert!(payload::transcode(&text, Format::Json).is_err());
}

#[test]
fn dictionaries_keep_their_order() {
    let dict: Dict = ["z", "a", "m", "B", "1"]
        .map(|key| (key, Value::Null))
        .into();
    for from in FORMATS {
        let mut payload = payload::encode(from, &(), Some(&dict)).unwrap();
        for to in FORMATS {
            payload = payload::transcode(&payload, to).unwrap();
            let read: Dict = payload.parse_kwargs().unwrap();
            assert!(read.keys().eq(["z", "a", "m", "B", "1"]));
        }
    }
}

proptest! {
    #[test]
    fn floats_keep_every_bit(bits in any::<u64>(), short in any::<u32>()) {
        let float = f64::from_bits(bits);
        let short = f32::from_bits(short);
        prop_assume!(float.is_finite() && short.is_finite());
        for format in FORMATS {
            prop_assert_eq!(there_and_back(format, &float).to_bits(), float.to_bits());
            prop_assert_eq!(there_and_back(format, &short).to_bits(), short.to_bits());
        }
    }

    #[test]
    fn bytes_survive(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for format in FORMATS {
            let payload = args(format, &(serde_bytes::Bytes::new(&bytes), [Bytes::from(bytes.clone())])).unwrap();
            let (one, [two]) = payload.parse_args::<(serde_bytes::ByteBuf, [Bytes; 1])>().unwrap();
            prop_assert_eq!(&one[..], &bytes[..]);
            prop_assert_eq!(&two[..], &bytes[..]);
        }
    }
}

#[test]
fn a_keyword_argument_that_is_given_twice_is_an_error() {
    for format in FORMATS {
        let one = || PayloadBuilder::new(format).kwarg("one", &1);
        let whole = || PayloadBuilder::new(format).kwargs(&Dict::from([("one", 1), ("two", 2)]));
        for builder in [one(), whole(), whole().kwarg("three", &3)] {
            let error = builder.kwarg("one", &"other").finish().unwrap_err();
            assert_eq!(
                error.to_string(),
                r#"the keyword argument "one" is given twice"#,
                "{format:?}"
            );
        }
        let payload = one().kwarg("two", &2).kwargs(&()).kwarg("one", &3);
        let payload = payload.kwarg("two", &4).finish().unwrap();
        let kwargs = payload.parse_kwargs::<Dict>().unwrap();
        assert_eq!(kwargs, Dict::from([("one", 3), ("two", 4)]));
    }
}

/// Encodes itself as the arguments it holds, which are encoded meanwhile.
struct Sealed<'a>(Format, &'a str);

impl Serialize for Sealed<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let inner = payload::encode(self.0, &(self.1, 1), None::<&()>).unwrap();
        serializer.serialize_bytes(inner.args())
    }
}

#[test]
fn arguments_may_encode_others_meanwhile() {
    for format in FORMATS {
        let text = "a".repeat(100);
        let arguments = ("before", Sealed(format, &text), "behind");
        let payload = payload::encode(format, &arguments, None::<&()>).unwrap();
        let (before, inner, behind): (String, Bytes, String) = payload.parse_args().unwrap();
        assert_eq!((before.as_str(), behind.as_str()), ("before", "behind"));
        let end = inner.len();
        let inner = Payload::encoded(format, inner, end, end);
        assert_eq!(inner.parse_args::<(String, u8)>().unwrap(), (text, 1));
    }
}

#[test]
fn arguments_of_any_size_follow_one_another() {
    for format in FORMATS {
        for size in [10, 4000, 5000, 3, 100_000, 4096, 0] {
            let text = "ä".repeat(size);
            let kwargs = BTreeMap::from([("size", size)]);
            let encoded = payload::encode(format, &(&text,), Some(&kwargs)).unwrap();
            assert_eq!(encoded.parse_args::<(String,)>().unwrap(), (text,));
            let parsed: BTreeMap<String, usize> = encoded.parse_kwargs().unwrap();
            assert_eq!(parsed["size"], size);
            assert!(payload::encode(format, &1, None::<&()>).is_err());
        }
    }
}

/// What a thread says last, when it takes down what it kept for itself.
struct Parting(mpsc::Sender<Payload>);

impl Drop for Parting {
    fn drop(&mut self) {
        let payload = payload::encode(Format::Json, &("gone",), None::<&()>).unwrap();
        self.0.send(payload).unwrap();
    }
}

#[test]
fn arguments_are_encoded_while_a_thread_ends() {
    thread_local! {
        static PARTING: OnceCell<Parting> = const { OnceCell::new() };
    }
    let (sender, receiver) = mpsc::channel();
    thread::spawn(|| {
        PARTING.with(|parting| parting.set(Parting(sender)).is_ok());
        payload::encode(Format::Json, &("here",), None::<&()>).unwrap();
    })
    .join()
    .unwrap();
    assert_eq!(receiver.recv().unwrap().tail(), r#"["gone"]"#);
}
