//! From [`Value`] to types.

use std::borrow::Cow;

use serde::de::value::{MapAccessDeserializer, MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, Deserializer, Error, IntoDeserializer, Unexpected, Visitor};
use serde::forward_to_deserialize_any;

use super::key::Key;
use super::{Dict, Value};
use crate::ValueError;

/// Makes any type that serde can deserialize out of a value: the reverse of
/// [`to_value`](crate::to_value).
///
/// To leave the value as it is, or to borrow from it, use the reference as a deserializer:
/// `T::deserialize(&value)`.
///
/// # Errors
///
/// [`ValueError`] if the value does not fit the type.
///
/// ```
/// use spell_message::{Value, from_value};
///
/// let value = Value::from(vec![Value::from("Ada"), Value::from(1815)]);
/// let (name, born): (String, u16) = from_value(value)?;
/// assert_eq!((name.as_str(), born), ("Ada", 1815));
/// # Ok::<(), spell_message::ValueError>(())
/// ```
pub fn from_value<T: DeserializeOwned>(value: Value) -> Result<T, ValueError> {
    T::deserialize(value)
}

/// What both deserializers do alike.
macro_rules! same_for_owned_and_borrowed {
    () => {
        fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
            if self.is_null() {
                visitor.visit_none()
            } else {
                visitor.visit_some(self)
            }
        }

        fn deserialize_newtype_struct<V: Visitor<'de>>(
            self,
            _name: &'static str,
            visitor: V,
        ) -> Result<V::Value, ValueError> {
            visitor.visit_newtype_struct(self)
        }

        fn deserialize_ignored_any<V: Visitor<'de>>(
            self,
            visitor: V,
        ) -> Result<V::Value, ValueError> {
            visitor.visit_unit()
        }

        forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
            unit unit_struct seq tuple tuple_struct map struct identifier
        }
    };
}

impl<'de> Deserializer<'de> for Value {
    type Error = ValueError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self {
            Self::Null => visitor.visit_unit(),
            Self::Bool(value) => visitor.visit_bool(value),
            Self::Unsigned(value) => visitor.visit_u64(value),
            Self::Signed(value) => visitor.visit_i64(value),
            Self::Float(value) => visitor.visit_f64(value),
            Self::String(value) => visitor.visit_string(value),
            Self::Bytes(value) => visitor.visit_byte_buf(value.into()),
            Self::List(items) => SeqDeserializer::new(items.into_iter()).deserialize_any(visitor),
            Self::Dict(dict) => owned_entries(dict).deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        match self {
            Self::String(variant) => visitor.visit_enum(Key(Cow::Owned(variant)).text()),
            Self::Dict(dict) if dict.len() == 1 => {
                visitor.visit_enum(MapAccessDeserializer::new(owned_entries(dict)))
            }
            other => Err(not_a_variant(&other)),
        }
    }

    same_for_owned_and_borrowed!();
}

impl<'de> Deserializer<'de> for &'de Value {
    type Error = ValueError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Unsigned(value) => visitor.visit_u64(*value),
            Value::Signed(value) => visitor.visit_i64(*value),
            Value::Float(value) => visitor.visit_f64(*value),
            Value::String(value) => visitor.visit_borrowed_str(value),
            Value::Bytes(value) => visitor.visit_borrowed_bytes(value),
            Value::List(items) => SeqDeserializer::new(items.iter()).deserialize_any(visitor),
            Value::Dict(dict) => borrowed_entries(dict).deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        match self {
            Value::String(variant) => visitor.visit_enum(Key(Cow::Borrowed(variant)).text()),
            Value::Dict(dict) if dict.len() == 1 => {
                visitor.visit_enum(MapAccessDeserializer::new(borrowed_entries(dict)))
            }
            other => Err(not_a_variant(other)),
        }
    }

    same_for_owned_and_borrowed!();
}

impl IntoDeserializer<'_, ValueError> for Value {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> IntoDeserializer<'de, ValueError> for &'de Value {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

type Entries<'de, I> = MapDeserializer<'de, I, ValueError>;

fn owned_entries<'de>(dict: Dict) -> Entries<'de, impl Iterator<Item = (Key<'de>, Value)>> {
    MapDeserializer::new(
        dict.into_iter()
            .map(|(key, value)| (Key(Cow::Owned(key)), value)),
    )
}

fn borrowed_entries(dict: &Dict) -> Entries<'_, impl Iterator<Item = (Key<'_>, &Value)>> {
    MapDeserializer::new(
        dict.iter()
            .map(|(key, value)| (Key(Cow::Borrowed(key)), value)),
    )
}

fn not_a_variant(found: &Value) -> ValueError {
    let expected = &"the name of a variant, or a dictionary with it as the only key";
    match found {
        Value::Dict(_) => ValueError::invalid_value(Unexpected::Map, expected),
        other => ValueError::invalid_type(Unexpected::Other(other.kind()), expected),
    }
}
