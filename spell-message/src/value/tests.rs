use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;

use bytes::Bytes;
use proptest::prelude::*;
use serde::de::value::{
    I128Deserializer, MapDeserializer, SeqAccessDeserializer, U128Deserializer,
};
use serde::de::{self, DeserializeOwned, DeserializeSeed, IntoDeserializer, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::*;
use crate::{SessionId, Uri, ValueError};

type Error = de::value::Error;

fn dict<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Dict(entries.into())
}

fn list<const N: usize>(items: [Value; N]) -> Value {
    Value::List(items.into())
}

mod values {
    use super::*;

    #[test]
    fn integers_that_are_not_negative_are_unsigned() {
        for value in [
            Value::from(5_i8),
            Value::from(5_i64),
            Value::from(5_isize),
            Value::from(5_u8),
            Value::from(5_usize),
            Value::try_from(5_i128).unwrap(),
            Value::try_from(5_u128).unwrap(),
            serde_json::from_str("5").unwrap(),
            Value::deserialize(IntoDeserializer::<Error>::into_deserializer(5_i64)).unwrap(),
        ] {
            assert!(matches!(value, Value::Unsigned(5)), "{value:?}");
        }
        assert!(matches!(Value::from(-1_i8), Value::Signed(-1)));
        assert!(matches!(Value::from(0_i32), Value::Unsigned(0)));
    }

    #[test]
    fn integers_are_equal_by_number_and_never_equal_floats() {
        assert_eq!(Value::Signed(5), Value::Unsigned(5));
        assert_eq!(Value::Unsigned(5), Value::Signed(5));
        assert_ne!(Value::Signed(-1), Value::Unsigned(u64::MAX));
        assert_ne!(Value::Unsigned(5), Value::Float(5.0));
        assert_ne!(Value::Signed(-5), Value::Float(-5.0));
        assert_ne!(Value::Float(f64::NAN), Value::Float(f64::NAN));
        assert_eq!(Value::Float(0.0), Value::Float(-0.0));
    }

    #[test]
    fn a_text_is_not_the_bytes_of_it() {
        assert_ne!(Value::from("a"), Value::bytes("a"));
        assert_ne!(Value::bytes(vec![1, 2]), Value::from(vec![1_u8, 2]));
    }

    #[test]
    fn integers_are_given_where_they_fit() {
        assert_eq!(Value::Unsigned(u64::MAX).as_u64(), Some(u64::MAX));
        assert_eq!(Value::Unsigned(u64::MAX).as_i64(), None);
        assert_eq!(Value::Signed(-1).as_u64(), None);
        assert_eq!(Value::Signed(5).as_u64(), Some(5));
        assert_eq!(Value::Signed(i64::MIN).as_i64(), Some(i64::MIN));
        assert_eq!(Value::from(i64::MAX).as_i64(), Some(i64::MAX));
        assert_eq!(Value::Float(5.0).as_u64(), None);
        assert_eq!(Value::Unsigned(5).as_f64(), Some(5.0));
        assert_eq!(Value::Signed(-5).as_f64(), Some(-5.0));
    }

    #[test]
    fn each_kind_is_given_as_itself_alone() {
        let values = [
            ("null", Value::Null),
            ("boolean", true.into()),
            ("integer", 1.into()),
            ("float", 1.5.into()),
            ("string", "a".into()),
            ("bytes", Value::bytes("a")),
            ("list", list([])),
            ("dictionary", dict([])),
        ];
        for (kind, value) in &values {
            assert_eq!(value.kind(), *kind);
            assert_eq!(value.is_null(), *kind == "null");
            assert_eq!(value.as_bool().is_some(), *kind == "boolean");
            assert_eq!(value.as_u64().is_some(), *kind == "integer");
            assert_eq!(value.as_str().is_some(), *kind == "string");
            assert_eq!(value.as_bytes().is_some(), *kind == "bytes");
            assert_eq!(value.as_list().is_some(), *kind == "list");
            assert_eq!(value.as_dict().is_some(), *kind == "dictionary");
        }
    }

    #[test]
    fn options_and_lists_become_values() {
        assert_eq!(Value::from(None::<u8>), Value::Null);
        assert_eq!(Value::from(Some("a")), Value::from("a"));
        assert_eq!(
            Value::from(vec![Some(1), None]),
            list([1.into(), Value::Null])
        );
        assert_eq!(Value::from([1, 2]), Value::from(vec![1, 2]));
    }

    #[test]
    fn ids_and_uris_become_values() {
        assert_eq!(Value::from(SessionId::MAX), Value::Unsigned(1 << 53));
        assert_eq!(Value::from(Uri::new("a.b").unwrap()), Value::from("a.b"));
    }
}

mod dicts {
    use super::*;

    #[test]
    fn a_key_that_is_set_again_keeps_its_place() {
        let mut dict = Dict::from([("a", 1), ("b", 2), ("c", 3)]);
        assert_eq!(dict.insert("a", 9), Some(1.into()));
        assert_eq!(dict.insert("d", 4), None);
        assert!(dict.keys().eq(["a", "b", "c", "d"]));
        assert_eq!(dict.get("a"), Some(&9.into()));
    }

    #[test]
    fn a_clone_is_not_changed_with_the_other() {
        let dict = Dict::from([("a", 1), ("b", 2)]);
        let mut changed = [dict.clone(), dict.clone(), dict.clone(), dict.clone()];
        changed[0].insert("a", 9);
        changed[1].remove("a");
        *changed[2].get_mut("a").unwrap() = 9.into();
        for (_, value) in changed[3].iter_mut() {
            *value = 9.into();
        }
        assert!(changed.iter().all(|changed| *changed != dict));
        assert!(dict.clone().into_iter().eq([
            ("a".to_owned(), Value::from(1)),
            ("b".to_owned(), Value::from(2))
        ]));
        assert_eq!(dict, Dict::from([("a", 1), ("b", 2)]));
    }

    #[test]
    fn removing_keeps_the_order_of_the_others() {
        let mut dict = Dict::from([("a", 1), ("b", 2), ("c", 3)]);
        assert_eq!(dict.remove("a"), Some(1.into()));
        assert_eq!(dict.remove("a"), None);
        assert!(dict.keys().eq(["b", "c"]));
        assert_eq!(dict.len(), 2);
    }

    #[test]
    fn the_order_of_entries_has_no_meaning() {
        assert_eq!(
            Dict::from([("a", 1), ("b", 2)]),
            Dict::from([("b", 2), ("a", 1)])
        );
        assert_ne!(Dict::from([("a", 1)]), Dict::from([("a", 2)]));
    }

    #[test]
    fn entries_are_given_in_order_in_every_way() {
        let mut dict: Dict = [("b", 1), ("a", 2)].into_iter().collect();
        dict.extend([("c", 3)]);
        for (_, value) in dict.iter_mut() {
            *value = Value::from(value.as_u64().unwrap() * 10);
        }
        *dict.get_mut("c").unwrap() = 5.into();
        let expected = [("b", 10), ("a", 20), ("c", 5)].map(|(key, value)| (key, value.into()));
        assert!(
            dict.iter()
                .eq(expected.iter().map(|(key, value)| (*key, value)))
        );
        assert!(dict.values().eq(expected.iter().map(|(_, value)| value)));
        assert_eq!(dict.iter().len(), 3);
        assert_eq!(
            format!("{dict:?}"),
            r#"{"b": Unsigned(10), "a": Unsigned(20), "c": Unsigned(5)}"#
        );
        let owned = dict.into_iter().collect::<Vec<_>>();
        assert_eq!(owned, expected.map(|(key, value)| (key.to_owned(), value)));
    }
}

mod reading {
    use super::*;

    #[test]
    fn json_is_read_as_it_stands() {
        let value: Value = serde_json::from_str(
            r#"{"z": [null, true, -1, 18446744073709551615], "a": 1.0, "é": "\u0000"}"#,
        )
        .unwrap();
        let Value::Dict(entries) = &value else {
            panic!("{value:?}")
        };
        assert!(entries.keys().eq(["z", "a", "é"]));
        assert_eq!(
            value,
            dict([
                (
                    "z",
                    list([Value::Null, true.into(), (-1).into(), u64::MAX.into()])
                ),
                ("a", Value::Float(1.0)),
                ("é", "\0".into()),
            ])
        );
    }

    #[test]
    fn integers_beyond_64_bits_are_an_error() {
        let signed = |value| Value::deserialize(I128Deserializer::<Error>::new(value));
        let unsigned = |value| Value::deserialize(U128Deserializer::<Error>::new(value));
        assert_eq!(signed(i64::MIN.into()).unwrap(), i64::MIN.into());
        assert_eq!(signed(u64::MAX.into()).unwrap(), u64::MAX.into());
        assert_eq!(unsigned(u64::MAX.into()).unwrap(), u64::MAX.into());
        assert!(signed(i128::from(i64::MIN) - 1).is_err());
        assert!(signed(i128::from(u64::MAX) + 1).is_err());
        assert!(unsigned(u128::from(u64::MAX) + 1).is_err());
    }

    #[test]
    fn a_key_that_comes_twice_is_an_error() {
        let error = serde_json::from_str::<Value>(r#"{"a": 1, "b": 2, "a": 1}"#).unwrap_err();
        assert!(
            error.to_string().contains("the key \"a\" comes twice"),
            "{error}"
        );
        assert!(serde_json::from_str::<Dict>(r#"{"a": {"b": 1, "b": 1}}"#).is_err());
    }

    #[test]
    fn a_key_that_is_no_text_is_an_error() {
        let entries = MapDeserializer::<_, Error>::new([(1_u8, 2_u8)].into_iter());
        assert!(Value::deserialize(entries).is_err());
    }

    #[test]
    fn a_dictionary_is_not_made_of_anything_else() {
        assert!(serde_json::from_str::<Dict>("[]").is_err());
        assert!(serde_json::from_str::<Dict>("null").is_err());
        assert_eq!(serde_json::from_str::<Dict>("{}").unwrap(), Dict::new());
    }

    #[test]
    fn a_declared_length_is_not_believed() {
        struct Liar(Option<u8>);

        impl<'de> SeqAccess<'de> for Liar {
            type Error = Error;

            fn next_element_seed<T: DeserializeSeed<'de>>(
                &mut self,
                seed: T,
            ) -> Result<Option<T::Value>, Error> {
                let next = self.0.take();
                next.map(|item| seed.deserialize(item.into_deserializer()))
                    .transpose()
            }

            fn size_hint(&self) -> Option<usize> {
                Some(usize::MAX)
            }
        }

        let read = Value::deserialize(SeqAccessDeserializer::new(Liar(Some(7))));
        assert_eq!(read.unwrap(), Value::from([7]));
    }
}

mod types {
    use super::*;

    /// Bytes as such, as `serde_bytes` has them.
    #[derive(Clone, Debug, PartialEq)]
    struct Blob(Vec<u8>);

    impl Serialize for Blob {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_bytes(&self.0)
        }
    }

    impl<'de> Deserialize<'de> for Blob {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct BlobVisitor;

            impl Visitor<'_> for BlobVisitor {
                type Value = Blob;

                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("bytes")
                }

                fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Blob, E> {
                    Ok(Blob(bytes.to_vec()))
                }
            }

            deserializer.deserialize_byte_buf(BlobVisitor)
        }
    }

    #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
    enum Shape {
        Point,
        Circle(u32),
        Line(i8, i8),
        Rectangle { width: u16, height: u16 },
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Unit;

    #[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
    struct Newtype(u64);

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "type")]
    enum Tagged {
        Named { name: String },
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Rich {
        signed: (i8, i16, i32, i64, i128),
        unsigned: (u8, u16, u32, u64),
        float: f64,
        single: f32,
        flag: bool,
        character: char,
        text: String,
        blob: Blob,
        numbers: Vec<u8>,
        some: Option<Box<Self>>,
        none: Option<u8>,
        unit: Unit,
        newtype: Newtype,
        shapes: Vec<Shape>,
        tagged: Tagged,
        by_number: HashMap<i64, String>,
        by_flag: BTreeMap<bool, u8>,
        by_character: BTreeMap<char, u8>,
        by_newtype: HashMap<Newtype, u8>,
        by_id: BTreeMap<SessionId, Uri>,
        #[serde(flatten)]
        rest: BTreeMap<String, Value>,
    }

    fn shapes() -> impl Strategy<Value = Shape> {
        prop_oneof![
            Just(Shape::Point),
            any::<u32>().prop_map(Shape::Circle),
            any::<(i8, i8)>().prop_map(|(x, y)| Shape::Line(x, y)),
            any::<(u16, u16)>().prop_map(|(width, height)| Shape::Rectangle { width, height }),
        ]
    }

    fn rich() -> impl Strategy<Value = Rich> {
        (
            any::<((i8, i16, i32, i64), (u8, u16, u32, u64))>(),
            any::<(f32, bool, char, String)>(),
            prop::collection::vec(any::<u8>(), 0..16),
            prop::collection::vec(shapes(), 0..4),
            prop::collection::hash_map(any::<i64>(), any::<String>(), 0..4),
        )
            .prop_map(
                |((signed, unsigned), scalars, numbers, shapes, by_number)| Rich {
                    signed: (signed.0, signed.1, signed.2, signed.3, signed.3.into()),
                    unsigned,
                    float: scalars.0.into(),
                    single: scalars.0,
                    flag: scalars.1,
                    character: scalars.2,
                    text: scalars.3.clone(),
                    blob: Blob(numbers.clone()),
                    numbers,
                    some: None,
                    none: None,
                    unit: Unit,
                    newtype: Newtype(unsigned.3),
                    shapes,
                    tagged: Tagged::Named {
                        name: scalars.3.clone(),
                    },
                    by_number,
                    by_flag: [(true, 1), (false, 0)].into(),
                    by_character: [(scalars.2, 7)].into(),
                    by_newtype: [(Newtype(unsigned.3), 7)].into(),
                    by_id: [(SessionId::from_random(unsigned.3), Uri::new("a.b").unwrap())].into(),
                    rest: [("of the rest".to_owned(), signed.3.into())].into(),
                },
            )
    }

    proptest! {
        #[test]
        fn a_rich_struct_comes_back_from_its_value(one in rich(), two in rich()) {
            let rich = Rich { some: Some(one.into()), ..two };
            let value = to_value(&rich).unwrap();
            prop_assert_eq!(&Rich::deserialize(&value).unwrap(), &rich);
            prop_assert_eq!(from_value::<Rich>(value).unwrap(), rich);
        }
    }

    fn both_ways<T: Serialize + DeserializeOwned + PartialEq + Debug>(typed: &T, value: Value) {
        assert_eq!(to_value(typed).unwrap(), value);
        assert_eq!(&T::deserialize(&value).unwrap(), typed);
        assert_eq!(&from_value::<T>(value).unwrap(), typed);
    }

    fn refused<T: DeserializeOwned + Debug>(value: Value) -> String {
        let borrowed = T::deserialize(&value).unwrap_err().to_string();
        let owned = from_value::<T>(value).unwrap_err().to_string();
        assert_eq!(owned, borrowed);
        owned
    }

    #[test]
    fn variants_are_named_as_serde_does() {
        both_ways(&Shape::Point, "Point".into());
        both_ways(&Shape::Circle(1), dict([("Circle", 1.into())]));
        both_ways(
            &Shape::Line(-1, 1),
            dict([("Line", list([(-1).into(), 1.into()]))]),
        );
        both_ways(
            &Shape::Rectangle {
                width: 1,
                height: 2,
            },
            dict([(
                "Rectangle",
                dict([("width", 1.into()), ("height", 2.into())]),
            )]),
        );
    }

    #[test]
    fn what_names_no_variant_is_refused() {
        assert!(refused::<Shape>("Square".into()).contains("Square"));
        assert!(refused::<Shape>(1.into()).contains("integer"));
        refused::<Shape>(dict([]));
        refused::<Shape>(dict([("Circle", 1.into()), ("Point", Value::Null)]));
        refused::<Shape>("Circle".into());
        refused::<Shape>(dict([("Line", list([1.into()]))]));
    }

    #[test]
    fn bytes_stay_bytes_and_numbers_a_list() {
        both_ways(&Blob(vec![1, 2]), Value::bytes(vec![1, 2]));
        both_ways(&vec![1_u8, 2], list([1.into(), 2.into()]));
    }

    #[test]
    fn nothing_is_null() {
        both_ways(&(), Value::Null);
        both_ways(&Unit, Value::Null);
        both_ways(&None::<u8>, Value::Null);
        both_ways(&Some(1_u8), 1.into());
    }

    #[test]
    fn keys_that_are_numbers_flags_or_variants_are_texts_in_values() {
        both_ways(
            &BTreeMap::from([(-1, 'a'), (2, 'b')]),
            dict([("-1", "a".into()), ("2", "b".into())]),
        );
        both_ways(&BTreeMap::from([(true, 1)]), dict([("true", 1.into())]));
        both_ways(
            &BTreeMap::from([(Shape::Point, 1)]),
            dict([("Point", 1.into())]),
        );
        let error = refused::<BTreeMap<u8, u8>>(dict([("256", 1.into())]));
        assert!(error.contains("u8"), "{error}");
        refused::<BTreeMap<bool, u8>>(dict([("yes", 1.into())]));
    }

    #[test]
    fn keys_without_a_text_are_refused() {
        for (kind, error) in [
            ("a tuple", to_value(&BTreeMap::from([((1, 2), 3)]))),
            ("a list", to_value(&BTreeMap::from([(vec![1], 3)]))),
            ("an option", to_value(&BTreeMap::from([(Some(1), 3)]))),
            ("a unit", to_value(&BTreeMap::from([((), 3)]))),
            (
                "a variant with data",
                to_value(&BTreeMap::from([(Shape::Circle(1), 3)])),
            ),
        ] {
            assert_eq!(error, Err(ValueError::KeyNotText(kind)));
        }
    }

    #[test]
    fn a_type_that_gives_a_key_twice_is_refused() {
        #[derive(Serialize)]
        struct Twice {
            a: u8,
            #[serde(flatten)]
            rest: BTreeMap<&'static str, u8>,
        }

        let twice = Twice {
            a: 1,
            rest: [("a", 2)].into(),
        };
        assert_eq!(to_value(&twice), Err(ValueError::DuplicateKey("a".into())));
    }

    #[test]
    fn integers_beyond_64_bits_are_refused() {
        assert_eq!(to_value(&i128::from(i64::MIN)), Ok(i64::MIN.into()));
        assert_eq!(to_value(&u128::from(u64::MAX)), Ok(u64::MAX.into()));
        for error in [
            to_value(&i128::MIN),
            to_value(&i128::MAX),
            to_value(&u128::MAX),
        ] {
            assert_eq!(error, Err(ValueError::IntegerOutOfRange));
        }
    }

    #[test]
    fn what_does_not_fit_the_type_is_refused() {
        refused::<u8>(256.into());
        refused::<u8>((-1).into());
        refused::<u8>(1.0.into());
        refused::<u8>("1".into());
        refused::<String>(1.into());
        refused::<(u8, u8)>(list([1.into()]));
        refused::<(u8, u8)>(list([1.into(), 2.into(), 3.into()]));
        refused::<Newtype>(Value::Null);
        refused::<SessionId>(0.into());
        refused::<Uri>("a..b".into());
        assert_eq!(
            refused::<Tagged>(dict([("type", "Named".into())])),
            "missing field `name`"
        );
    }

    #[test]
    fn floats_are_read_from_integers_too() {
        assert_eq!(from_value::<f64>(1.into()), Ok(1.0));
        assert_eq!(from_value::<f64>((-1).into()), Ok(-1.0));
    }

    #[test]
    fn texts_and_bytes_are_borrowed_from_the_value() {
        #[derive(Deserialize)]
        struct Borrowed<'a> {
            text: &'a str,
            bytes: &'a [u8],
            #[serde(borrow)]
            names: BTreeMap<&'a str, Cow<'a, str>>,
        }

        let value = dict([
            ("text", "a".into()),
            ("bytes", Value::bytes("b")),
            ("names", dict([("c", "d".into())])),
            ("unknown", list([])),
        ]);
        let borrowed = Borrowed::deserialize(&value).unwrap();
        assert_eq!((borrowed.text, borrowed.bytes), ("a", &b"b"[..]));
        assert_eq!(borrowed.names, BTreeMap::from([("c", "d".into())]));
    }
}

fn values(leaf: BoxedStrategy<Value>) -> impl Strategy<Value = Value> {
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
            prop::collection::vec((any::<String>(), inner), 0..4)
                .prop_map(|entries| Value::Dict(entries.into_iter().collect())),
        ]
    })
}

fn json_leaves() -> BoxedStrategy<Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        // Only floats with few digits: serde_json reads others up to one bit wrong by default.
        any::<i32>().prop_map(|eighths| Value::from(f64::from(eighths) / 8.0)),
        any::<String>().prop_map(Value::from),
    ]
    .boxed()
}

fn all_leaves() -> BoxedStrategy<Value> {
    prop_oneof![
        json_leaves(),
        any::<f64>().prop_map(Value::from),
        any::<Vec<u8>>().prop_map(Value::bytes),
    ]
    .boxed()
}

/// As text, for the order of entries, which `==` ignores.
fn shown(value: &Value) -> String {
    format!("{value:?}")
}

proptest! {
    #[test]
    fn a_value_comes_back_from_json_with_its_order(value in values(json_leaves())) {
        let text = serde_json::to_string(&value).unwrap();
        let back: Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(shown(&back), shown(&value));
        prop_assert_eq!(back, value);
    }

    #[test]
    fn a_value_made_of_a_value_is_the_same(value in values(all_leaves())) {
        prop_assert_eq!(shown(&to_value(&value).unwrap()), shown(&value));
        prop_assert_eq!(shown(&Value::deserialize(&value).unwrap()), shown(&value));
        prop_assert_eq!(shown(&from_value::<Value>(value.clone()).unwrap()), shown(&value));
    }
}

#[test]
fn bytes_are_not_copied_when_a_value_is_made_of_a_value() {
    let bytes = Bytes::from(vec![7; 100]);
    let address = bytes.as_ptr();
    let value: Value = from_value(Value::Bytes(bytes)).unwrap();
    assert_eq!(value.as_bytes().unwrap().as_ptr(), address);
}

#[test]
fn values_and_dictionaries_are_small() {
    assert!(size_of::<Value>() <= 40);
    assert_eq!(size_of::<Dict>(), size_of::<usize>());
}

#[test]
fn a_dictionary_that_was_emptied_is_as_a_new_one() {
    let mut dict = Dict::from([("a", 1)]);
    assert_ne!(dict, Dict::new());
    assert_eq!(dict.remove("a"), Some(1.into()));
    for empty in [dict, Dict::with_capacity(8), Dict::from_iter([("", 0); 0])] {
        assert_eq!(empty, Dict::new());
        assert_eq!(Dict::new(), empty);
        assert!(empty.is_empty() && empty.iter().next().is_none());
        assert_eq!(empty.keys().len() + empty.values().len(), 0);
        assert_eq!(empty.get("a"), None);
        assert_eq!(format!("{empty:?}"), "{}");
        assert_eq!(empty.into_iter().next(), None);
    }
}
