//! A serde deserializer around another one, for what the other does not do as WAMP wants it.

use std::{fmt, marker::PhantomData};

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use super::read_key::KeySeed;

/// How a format reads what [`ReadGuard`] asks it about.
pub(crate) trait ReadRules {
    /// Whether the library reads integers and booleans only from such keys, and not from text.
    const KEYS_NEED_PARSING: bool = false;

    /// Whether numbers are read without saying which are wanted. Where the library looks for their
    /// encoding it says which encoding it found; types say what they wanted instead.
    const NUMBERS_NAME_THEMSELVES: bool = false;

    /// The bytes that a text stands for.
    fn bytes_in_text<E: Error>(_text: &[u8]) -> Result<Option<Vec<u8>>, E> {
        Ok(None)
    }
}

/// Passes on what it wraps, at any depth, by the rules of a format.
#[derive(Debug)]
pub(crate) struct ReadGuard<T, R> {
    inner: T,
    rules: PhantomData<R>,
}

impl<T, R> ReadGuard<T, R> {
    pub(crate) fn new(inner: T) -> Self {
        Self {
            inner,
            rules: PhantomData,
        }
    }
}

fn guard<T, R>(inner: T) -> ReadGuard<T, R> {
    ReadGuard::new(inner)
}

macro_rules! numbers {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            if R::NUMBERS_NAME_THEMSELVES {
                self.inner.deserialize_any(guard::<_, R>(visitor))
            } else {
                self.inner.$method(guard::<_, R>(visitor))
            }
        }
    )*};
}

macro_rules! pass {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.inner.$method(guard::<_, R>(visitor))
        }
    )*};
}

impl<'de, D: Deserializer<'de>, R: ReadRules> Deserializer<'de> for ReadGuard<D, R> {
    type Error = D::Error;

    numbers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64
    }

    pass! {
        deserialize_any deserialize_bool deserialize_char deserialize_str deserialize_string
        deserialize_bytes deserialize_byte_buf deserialize_option deserialize_unit deserialize_seq
        deserialize_map deserialize_identifier
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner
            .deserialize_unit_struct(name, guard::<_, R>(visitor))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner
            .deserialize_newtype_struct(name, guard::<_, R>(visitor))
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner.deserialize_tuple(len, guard::<_, R>(visitor))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner
            .deserialize_tuple_struct(name, len, guard::<_, R>(visitor))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner
            .deserialize_struct(name, fields, guard::<_, R>(visitor))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner
            .deserialize_enum(name, variants, guard::<_, R>(visitor))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_ignored_any(visitor)
    }

    // The same in all formats, so that what changes its format can still be read.
    fn is_human_readable(&self) -> bool {
        true
    }
}

macro_rules! visit {
    ($($method:ident $type:ty;)*) => {$(
        fn $method<E: Error>(self, value: $type) -> Result<V::Value, E> {
            self.inner.$method(value)
        }
    )*};
}

impl<'de, V: Visitor<'de>, R: ReadRules> Visitor<'de> for ReadGuard<V, R> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    visit! {
        visit_bool bool;
        visit_i8 i8;
        visit_i16 i16;
        visit_i32 i32;
        visit_i64 i64;
        visit_i128 i128;
        visit_u8 u8;
        visit_u16 u16;
        visit_u32 u32;
        visit_u64 u64;
        visit_u128 u128;
        visit_f32 f32;
        visit_f64 f64;
        visit_char char;
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<V::Value, E> {
        match R::bytes_in_text(value.as_bytes())? {
            Some(bytes) => self.inner.visit_byte_buf(bytes),
            None => self.inner.visit_str(value),
        }
    }

    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<V::Value, E> {
        match R::bytes_in_text(value.as_bytes())? {
            Some(bytes) => self.inner.visit_byte_buf(bytes),
            None => self.inner.visit_borrowed_str(value),
        }
    }

    fn visit_string<E: Error>(self, value: String) -> Result<V::Value, E> {
        match R::bytes_in_text(value.as_bytes())? {
            Some(bytes) => self.inner.visit_byte_buf(bytes),
            None => self.inner.visit_string(value),
        }
    }

    // The JSON library gives the bytes of a text for these, where bytes are wanted.
    fn visit_bytes<E: Error>(self, value: &[u8]) -> Result<V::Value, E> {
        match R::bytes_in_text(value)? {
            Some(bytes) => self.inner.visit_byte_buf(bytes),
            None => self.inner.visit_bytes(value),
        }
    }

    fn visit_borrowed_bytes<E: Error>(self, value: &'de [u8]) -> Result<V::Value, E> {
        match R::bytes_in_text(value)? {
            Some(bytes) => self.inner.visit_byte_buf(bytes),
            None => self.inner.visit_borrowed_bytes(value),
        }
    }

    fn visit_byte_buf<E: Error>(self, value: Vec<u8>) -> Result<V::Value, E> {
        match R::bytes_in_text(&value)? {
            Some(bytes) => self.inner.visit_byte_buf(bytes),
            None => self.inner.visit_byte_buf(value),
        }
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.inner.visit_some(guard::<_, R>(deserializer))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<V::Value, D::Error> {
        self.inner.visit_newtype_struct(guard::<_, R>(deserializer))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<V::Value, A::Error> {
        self.inner.visit_seq(guard::<_, R>(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<V::Value, A::Error> {
        self.inner.visit_map(guard::<_, R>(entries))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<V::Value, A::Error> {
        self.inner.visit_enum(guard::<_, R>(data))
    }
}

impl<'de, S: DeserializeSeed<'de>, R: ReadRules> DeserializeSeed<'de> for ReadGuard<S, R> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.inner.deserialize(guard::<_, R>(deserializer))
    }
}

impl<'de, A: SeqAccess<'de>, R: ReadRules> SeqAccess<'de> for ReadGuard<A, R> {
    type Error = A::Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, A::Error> {
        self.inner.next_element_seed(guard::<_, R>(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'de, A: MapAccess<'de>, R: ReadRules> MapAccess<'de> for ReadGuard<A, R> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        if R::KEYS_NEED_PARSING {
            self.inner.next_key_seed(KeySeed(seed))
        } else {
            self.inner.next_key_seed(seed)
        }
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, A::Error> {
        self.inner.next_value_seed(guard::<_, R>(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'de, A: EnumAccess<'de>, R: ReadRules> EnumAccess<'de> for ReadGuard<A, R> {
    type Error = A::Error;
    type Variant = ReadGuard<A::Variant, R>;

    fn variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<(T::Value, Self::Variant), A::Error> {
        let (variant, data) = self.inner.variant_seed(seed)?;
        Ok((variant, guard::<_, R>(data)))
    }
}

impl<'de, A: VariantAccess<'de>, R: ReadRules> VariantAccess<'de> for ReadGuard<A, R> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.inner.unit_variant()
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, A::Error> {
        self.inner.newtype_variant_seed(guard::<_, R>(seed))
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        self.inner.tuple_variant(len, guard::<_, R>(visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.inner.struct_variant(fields, guard::<_, R>(visitor))
    }
}
