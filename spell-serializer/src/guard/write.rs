//! A serde serializer around another one, for what the other does not do as WAMP wants it.

use std::{fmt::Display, marker::PhantomData};

use serde::ser::{
    Error, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use super::write_key::TextKey;
use crate::Limits;

/// How a format writes what [`WriteGuard`] asks it about.
pub(crate) trait WriteRules {
    /// Whether the length of a list or dictionary stands before its entries, so that a wrong one
    /// would spoil the message.
    const LENGTHS_ARE_SENT: bool = false;
    /// Whether the format would write any value as a key.
    const KEYS_ARE_ANY_VALUE: bool = false;

    fn text<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(text)
    }

    fn bytes<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    /// Checks a float, given as the most exact type.
    fn check_float<E: Error>(_float: f64) -> Result<(), E> {
        Ok(())
    }
}

/// Passes values on, at any depth, by the rules of a format, and checks their depth.
#[derive(Debug)]
pub(crate) struct WriteGuard<S, R> {
    inner: S,
    level: usize,
    rules: PhantomData<R>,
}

impl<S: Serializer, R: WriteRules> WriteGuard<S, R> {
    /// For a value that this many lists and dictionaries stand around.
    pub(crate) fn new(inner: S, level: usize) -> Self {
        Self {
            inner,
            level,
            rules: PhantomData,
        }
    }

    /// Begins a list or dictionary, after so many others that begin with it.
    fn enter<C>(
        self,
        others: usize,
        len: Option<usize>,
        begin: impl FnOnce(S) -> Result<C, S::Error>,
    ) -> Result<Collection<C, R>, S::Error> {
        let level = self.level.saturating_add(others).saturating_add(1);
        if level > Limits::DEPTH {
            return Err(too_deep());
        }
        Ok(Collection {
            inner: begin(self.inner)?,
            level,
            missing: if R::LENGTHS_ARE_SENT { len } else { None },
            rules: PhantomData,
        })
    }
}

pub(crate) fn too_deep<E: Error>() -> E {
    E::custom(format_args!(
        "nested deeper than {} levels, the message included",
        Limits::DEPTH
    ))
}

macro_rules! pass {
    ($($method:ident $type:ty;)*) => {$(
        fn $method(self, value: $type) -> Result<S::Ok, S::Error> {
            self.inner.$method(value)
        }
    )*};
}

impl<S: Serializer, R: WriteRules> Serializer for WriteGuard<S, R> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Collection<S::SerializeSeq, R>;
    type SerializeTuple = Collection<S::SerializeTuple, R>;
    type SerializeTupleStruct = Collection<S::SerializeTupleStruct, R>;
    type SerializeTupleVariant = Collection<S::SerializeTupleVariant, R>;
    type SerializeMap = Collection<S::SerializeMap, R>;
    type SerializeStruct = Collection<S::SerializeStruct, R>;
    type SerializeStructVariant = Collection<S::SerializeStructVariant, R>;

    pass! {
        serialize_bool bool;
        serialize_i8 i8;
        serialize_i16 i16;
        serialize_i32 i32;
        serialize_i64 i64;
        serialize_u8 u8;
        serialize_u16 u16;
        serialize_u32 u32;
        serialize_u64 u64;
    }

    fn serialize_i128(self, value: i128) -> Result<S::Ok, S::Error> {
        match (u64::try_from(value), i64::try_from(value)) {
            (Ok(value), _) => self.inner.serialize_u64(value),
            (_, Ok(value)) => self.inner.serialize_i64(value),
            _ => Err(S::Error::custom("an integer does not fit into 64 bits")),
        }
    }

    fn serialize_u128(self, value: u128) -> Result<S::Ok, S::Error> {
        match u64::try_from(value) {
            Ok(value) => self.inner.serialize_u64(value),
            Err(_) => Err(S::Error::custom("an integer does not fit into 64 bits")),
        }
    }

    fn serialize_f32(self, value: f32) -> Result<S::Ok, S::Error> {
        R::check_float(value.into())?;
        self.inner.serialize_f32(value)
    }

    fn serialize_f64(self, value: f64) -> Result<S::Ok, S::Error> {
        R::check_float(value)?;
        self.inner.serialize_f64(value)
    }

    fn serialize_char(self, value: char) -> Result<S::Ok, S::Error> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<S::Ok, S::Error> {
        R::text(value, self.inner)
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.serialize_str(&value.to_string())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<S::Ok, S::Error> {
        R::bytes(value, self.inner)
    }

    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.inner.serialize_none()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        self.inner.serialize_unit()
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<S::Ok, S::Error> {
        self.inner.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<S::Ok, S::Error> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        // The dictionary that names the variant is a level of its own.
        let level = self.level.saturating_add(1);
        if level > Limits::DEPTH {
            return Err(too_deep());
        }
        let value = Guarded::<T, R>::new(value, level);
        self.inner
            .serialize_newtype_variant(name, index, variant, &value)
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        self.enter(0, len, |inner| inner.serialize_seq(len))
    }

    fn serialize_tuple(self, len: usize) -> Result<Self::SerializeTuple, S::Error> {
        self.enter(0, Some(len), |inner| inner.serialize_tuple(len))
    }

    fn serialize_tuple_struct(
        self,
        name: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleStruct, S::Error> {
        self.enter(0, Some(len), |inner| {
            inner.serialize_tuple_struct(name, len)
        })
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        self.enter(1, Some(len), |inner| {
            inner.serialize_tuple_variant(name, index, variant, len)
        })
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        self.enter(0, len, |inner| inner.serialize_map(len))
    }

    fn serialize_struct(
        self,
        name: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStruct, S::Error> {
        self.enter(0, Some(len), |inner| inner.serialize_struct(name, len))
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        self.enter(1, Some(len), |inner| {
            inner.serialize_struct_variant(name, index, variant, len)
        })
    }

    // The same in all formats, so that what changes its format can still be read.
    fn is_human_readable(&self) -> bool {
        true
    }
}

/// A list or dictionary under way.
#[derive(Debug)]
pub(crate) struct Collection<C, R> {
    inner: C,
    level: usize,
    /// How many entries are still to come, where that was sent.
    missing: Option<usize>,
    rules: PhantomData<R>,
}

impl<C, R> Collection<C, R> {
    fn guarded<'a, T: ?Sized>(&self, value: &'a T) -> Guarded<'a, T, R> {
        Guarded::new(value, self.level)
    }

    /// Counts an entry.
    fn entry<E: Error>(&mut self) -> Result<(), E> {
        if let Some(missing) = &mut self.missing {
            *missing = missing.checked_sub(1).ok_or_else(wrong_length)?;
        }
        Ok(())
    }

    fn check_end<E: Error>(&self) -> Result<(), E> {
        match self.missing {
            None | Some(0) => Ok(()),
            Some(_) => Err(wrong_length()),
        }
    }
}

fn wrong_length<E: Error>() -> E {
    E::custom("a type announced another number of entries than it has")
}

/// A value that is passed on by the rules.
struct Guarded<'a, T: ?Sized, R> {
    value: &'a T,
    level: usize,
    rules: PhantomData<R>,
}

impl<'a, T: ?Sized, R> Guarded<'a, T, R> {
    fn new(value: &'a T, level: usize) -> Self {
        Self {
            value,
            level,
            rules: PhantomData,
        }
    }
}

impl<T: Serialize + ?Sized, R: WriteRules> Serialize for Guarded<'_, T, R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value
            .serialize(WriteGuard::<S, R>::new(serializer, self.level))
    }
}

macro_rules! items {
    ($($trait:ident $method:ident;)*) => {$(
        impl<C: $trait, R: WriteRules> $trait for Collection<C, R> {
            type Ok = C::Ok;
            type Error = C::Error;

            fn $method<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), C::Error> {
                self.entry()?;
                let item = self.guarded(item);
                self.inner.$method(&item)
            }

            fn end(self) -> Result<C::Ok, C::Error> {
                self.check_end()?;
                self.inner.end()
            }
        }
    )*};
}

macro_rules! fields {
    ($($trait:ident)*) => {$(
        impl<C: $trait, R: WriteRules> $trait for Collection<C, R> {
            type Ok = C::Ok;
            type Error = C::Error;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), C::Error> {
                self.entry()?;
                let value = self.guarded(value);
                self.inner.serialize_field(name, &value)
            }

            fn skip_field(&mut self, name: &'static str) -> Result<(), C::Error> {
                self.inner.skip_field(name)
            }

            fn end(self) -> Result<C::Ok, C::Error> {
                self.check_end()?;
                self.inner.end()
            }
        }
    )*};
}

items! {
    SerializeSeq serialize_element;
    SerializeTuple serialize_element;
    SerializeTupleStruct serialize_field;
    SerializeTupleVariant serialize_field;
}
fields! { SerializeStruct SerializeStructVariant }

impl<C: SerializeMap, R: WriteRules> SerializeMap for Collection<C, R> {
    type Ok = C::Ok;
    type Error = C::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), C::Error> {
        self.entry()?;
        if R::KEYS_ARE_ANY_VALUE {
            self.inner.serialize_key(&TextKey(key))
        } else {
            self.inner.serialize_key(key)
        }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
        let value = self.guarded(value);
        self.inner.serialize_value(&value)
    }

    fn end(self) -> Result<C::Ok, C::Error> {
        self.check_end()?;
        self.inner.end()
    }
}
