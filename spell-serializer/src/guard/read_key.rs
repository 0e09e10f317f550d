//! Keys of dictionaries, which are text, as types see them.

use std::{fmt, marker::PhantomData, str::FromStr};

use serde::de::{DeserializeSeed, Deserializer, Error, Visitor};

/// Reads a key as the integer or boolean that its text names, where the type asks for one.
pub(super) struct KeySeed<S>(pub(super) S);

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for KeySeed<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.0.deserialize(Key(deserializer))
    }
}

struct Key<D>(D);

macro_rules! by_parsing {
    ($($method:ident $type:ty;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.0.deserialize_any(Parse::<V, $type>(visitor, PhantomData))
        }
    )*};
}

macro_rules! as_text {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.0.$method(TextOnly(visitor))
        }
    )*};
}

macro_rules! pass {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.0.$method(visitor)
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Key<D> {
    type Error = D::Error;

    by_parsing! {
        deserialize_bool bool;
        deserialize_i8 i64;
        deserialize_i16 i64;
        deserialize_i32 i64;
        deserialize_i64 i64;
        deserialize_i128 i64;
        deserialize_u8 u64;
        deserialize_u16 u64;
        deserialize_u32 u64;
        deserialize_u64 u64;
        deserialize_u128 u64;
    }

    as_text! { deserialize_any deserialize_str deserialize_string deserialize_identifier }

    pass! {
        deserialize_f32 deserialize_f64 deserialize_char deserialize_bytes deserialize_byte_buf
        deserialize_option deserialize_unit deserialize_seq deserialize_map
        deserialize_ignored_any
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_enum(name, variants, visitor)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_unit_struct(name, visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_tuple(len, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_tuple_struct(name, len, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_struct(name, fields, visitor)
    }

    fn is_human_readable(&self) -> bool {
        true
    }
}

/// Gives a visitor a text, and nothing else: types that want a text take bytes as well.
struct TextOnly<V>(V);

impl<'de, V: Visitor<'de>> Visitor<'de> for TextOnly<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text as the key of a dictionary")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<V::Value, E> {
        self.0.visit_str(key)
    }

    fn visit_borrowed_str<E: Error>(self, key: &'de str) -> Result<V::Value, E> {
        self.0.visit_borrowed_str(key)
    }

    fn visit_string<E: Error>(self, key: String) -> Result<V::Value, E> {
        self.0.visit_string(key)
    }
}

/// Gives a visitor what the text of a key names.
struct Parse<V, T>(V, PhantomData<T>);

impl<'de, V: Visitor<'de>, T: Named> Visitor<'de> for Parse<V, T> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<V::Value, E> {
        match key.parse::<T>() {
            Ok(key) => key.visit(self.0),
            // The visitor says what it wanted instead of this text.
            Err(_) => self.0.visit_str(key),
        }
    }

    // Not text, as it should be, but clear enough.
    fn visit_bool<E: Error>(self, key: bool) -> Result<V::Value, E> {
        self.0.visit_bool(key)
    }

    fn visit_i64<E: Error>(self, key: i64) -> Result<V::Value, E> {
        self.0.visit_i64(key)
    }

    fn visit_u64<E: Error>(self, key: u64) -> Result<V::Value, E> {
        self.0.visit_u64(key)
    }
}

/// What a key can name.
trait Named: FromStr {
    fn visit<'de, V: Visitor<'de>, E: Error>(self, visitor: V) -> Result<V::Value, E>;
}

impl Named for bool {
    fn visit<'de, V: Visitor<'de>, E: Error>(self, visitor: V) -> Result<V::Value, E> {
        visitor.visit_bool(self)
    }
}

impl Named for i64 {
    fn visit<'de, V: Visitor<'de>, E: Error>(self, visitor: V) -> Result<V::Value, E> {
        visitor.visit_i64(self)
    }
}

impl Named for u64 {
    fn visit<'de, V: Visitor<'de>, E: Error>(self, visitor: V) -> Result<V::Value, E> {
        visitor.visit_u64(self)
    }
}
