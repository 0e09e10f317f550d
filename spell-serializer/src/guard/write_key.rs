//! Keys of dictionaries, which WAMP wants to be text.
//!
//! WAMP spec, "Serializers": dictionaries have keys of type string.

use std::fmt::Display;

use serde::ser::{Error, Impossible, Serialize, Serializer};

/// A key that is written as text: integers and booleans by their digits and names.
pub(super) struct TextKey<'a, T: ?Sized>(pub(super) &'a T);

impl<T: Serialize + ?Sized> Serialize for TextKey<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(TextKeySerializer(serializer))
    }
}

struct TextKeySerializer<S>(S);

macro_rules! by_display {
    ($($method:ident $type:ty;)*) => {$(
        fn $method(self, key: $type) -> Result<S::Ok, S::Error> {
            self.collect_str(&key)
        }
    )*};
}

/// What a key cannot be.
fn not_text<T, E: Error>(found: &str) -> Result<T, E> {
    Err(E::custom(format_args!(
        "a key of a dictionary must be a text, an integer or a boolean, not {found}"
    )))
}

impl<S: Serializer> Serializer for TextKeySerializer<S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Impossible<S::Ok, S::Error>;
    type SerializeTuple = Impossible<S::Ok, S::Error>;
    type SerializeTupleStruct = Impossible<S::Ok, S::Error>;
    type SerializeTupleVariant = Impossible<S::Ok, S::Error>;
    type SerializeMap = Impossible<S::Ok, S::Error>;
    type SerializeStruct = Impossible<S::Ok, S::Error>;
    type SerializeStructVariant = Impossible<S::Ok, S::Error>;

    by_display! {
        serialize_bool bool;
        serialize_i8 i8;
        serialize_i16 i16;
        serialize_i32 i32;
        serialize_i64 i64;
        serialize_i128 i128;
        serialize_u8 u8;
        serialize_u16 u16;
        serialize_u32 u32;
        serialize_u64 u64;
        serialize_u128 u128;
        serialize_char char;
    }

    fn serialize_str(self, key: &str) -> Result<S::Ok, S::Error> {
        self.0.serialize_str(key)
    }

    fn collect_str<T: Display + ?Sized>(self, key: &T) -> Result<S::Ok, S::Error> {
        self.0.serialize_str(&key.to_string())
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<S::Ok, S::Error> {
        self.0.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        key: &T,
    ) -> Result<S::Ok, S::Error> {
        key.serialize(self)
    }

    fn serialize_f32(self, _key: f32) -> Result<S::Ok, S::Error> {
        not_text("a float")
    }

    fn serialize_f64(self, _key: f64) -> Result<S::Ok, S::Error> {
        not_text("a float")
    }

    fn serialize_bytes(self, _key: &[u8]) -> Result<S::Ok, S::Error> {
        not_text("bytes")
    }

    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        not_text("an option")
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _key: &T) -> Result<S::Ok, S::Error> {
        not_text("an option")
    }

    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        not_text("a unit")
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<S::Ok, S::Error> {
        not_text("a unit")
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _key: &T,
    ) -> Result<S::Ok, S::Error> {
        not_text("a variant with data")
    }

    fn serialize_seq(self, _len: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        not_text("a list")
    }

    fn serialize_tuple(self, _len: usize) -> Result<Self::SerializeTuple, S::Error> {
        not_text("a tuple")
    }

    fn serialize_tuple_struct(
        self,
        _name: &'static str,
        _len: usize,
    ) -> Result<Self::SerializeTupleStruct, S::Error> {
        not_text("a tuple")
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _len: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        not_text("a variant with data")
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        not_text("a dictionary")
    }

    fn serialize_struct(
        self,
        _name: &'static str,
        _len: usize,
    ) -> Result<Self::SerializeStruct, S::Error> {
        not_text("a struct")
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _len: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        not_text("a variant with data")
    }
}
