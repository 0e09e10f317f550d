//! From types to CBOR.

use std::fmt::Display;

use serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use super::{codec::wide, head::Head};
use crate::buffer::Buffer;

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct CborWriteError(Box<str>);

impl serde::ser::Error for CborWriteError {
    fn custom<T: Display>(message: T) -> Self {
        Self(message.to_string().into())
    }
}

/// Appends values.
#[derive(Debug)]
pub(super) struct CborSerializer<'a, B>(pub(super) &'a mut B);

impl<B: Buffer> CborSerializer<'_, B> {
    fn variant(&mut self, variant: &str) {
        Head::Dict(Some(1)).write(self.0);
        Head::Text(Some(wide(variant.len()))).write(self.0);
        self.0.put_slice(variant.as_bytes());
    }
}

macro_rules! integers {
    ($($method:ident $type:ty;)*) => {$(
        fn $method(self, value: $type) -> Result<(), CborWriteError> {
            self.serialize_i64(value.into())
        }
    )*};
}

macro_rules! unsigned {
    ($($method:ident $type:ty;)*) => {$(
        fn $method(self, value: $type) -> Result<(), CborWriteError> {
            Head::Unsigned(value.into()).write(self.0);
            Ok(())
        }
    )*};
}

impl<'a, B: Buffer> Serializer for CborSerializer<'a, B> {
    type Ok = ();
    type Error = CborWriteError;
    type SerializeSeq = CborCollection<'a, B>;
    type SerializeTuple = CborCollection<'a, B>;
    type SerializeTupleStruct = CborCollection<'a, B>;
    type SerializeTupleVariant = CborCollection<'a, B>;
    type SerializeMap = CborCollection<'a, B>;
    type SerializeStruct = CborCollection<'a, B>;
    type SerializeStructVariant = CborCollection<'a, B>;

    integers! {
        serialize_i8 i8;
        serialize_i16 i16;
        serialize_i32 i32;
    }
    unsigned! {
        serialize_u8 u8;
        serialize_u16 u16;
        serialize_u32 u32;
        serialize_u64 u64;
    }

    fn serialize_i64(self, value: i64) -> Result<(), CborWriteError> {
        let head = match u64::try_from(value) {
            Ok(value) => Head::Unsigned(value),
            Err(_) => Head::Negative(value.unsigned_abs().saturating_sub(1)),
        };
        head.write(self.0);
        Ok(())
    }

    fn serialize_bool(self, value: bool) -> Result<(), CborWriteError> {
        Head::Bool(value).write(self.0);
        Ok(())
    }

    fn serialize_f32(self, value: f32) -> Result<(), CborWriteError> {
        self.0.put_u8(0xfa);
        self.0.put_f32(value);
        Ok(())
    }

    fn serialize_f64(self, value: f64) -> Result<(), CborWriteError> {
        self.0.put_u8(0xfb);
        self.0.put_f64(value);
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), CborWriteError> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), CborWriteError> {
        Head::Text(Some(wide(value.len()))).write(self.0);
        self.0.append(value.as_bytes());
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), CborWriteError> {
        Head::Bytes(Some(wide(value.len()))).write(self.0);
        self.0.append(value);
        Ok(())
    }

    fn serialize_none(self) -> Result<(), CborWriteError> {
        Head::Null.write(self.0);
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), CborWriteError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), CborWriteError> {
        Head::Null.write(self.0);
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), CborWriteError> {
        Head::Null.write(self.0);
        Ok(())
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<(), CborWriteError> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<(), CborWriteError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        mut self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), CborWriteError> {
        self.variant(variant);
        value.serialize(self)
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<CborCollection<'a, B>, CborWriteError> {
        Ok(CborCollection::new(self.0, Head::List, len))
    }

    fn serialize_tuple(self, len: usize) -> Result<CborCollection<'a, B>, CborWriteError> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_struct(
        self,
        _name: &'static str,
        len: usize,
    ) -> Result<CborCollection<'a, B>, CborWriteError> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_variant(
        mut self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<CborCollection<'a, B>, CborWriteError> {
        self.variant(variant);
        self.serialize_seq(Some(len))
    }

    fn serialize_map(self, len: Option<usize>) -> Result<CborCollection<'a, B>, CborWriteError> {
        Ok(CborCollection::new(self.0, Head::Dict, len))
    }

    fn serialize_struct(
        self,
        _name: &'static str,
        len: usize,
    ) -> Result<CborCollection<'a, B>, CborWriteError> {
        self.serialize_map(Some(len))
    }

    fn serialize_struct_variant(
        mut self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<CborCollection<'a, B>, CborWriteError> {
        self.variant(variant);
        self.serialize_map(Some(len))
    }
}

/// Makes the head of a list or dictionary of its length.
type MakeHead = fn(Option<u64>) -> Head;

/// A list or dictionary under way.
#[derive(Debug)]
pub(super) struct CborCollection<'a, B> {
    out: &'a mut B,
    /// Where it begins and how its head is made, if its length is not known yet.
    late: Option<(usize, MakeHead)>,
    entries: u64,
}

impl<'a, B: Buffer> CborCollection<'a, B> {
    fn new(out: &'a mut B, head: MakeHead, len: Option<usize>) -> Self {
        let late = match len {
            Some(len) => {
                head(Some(wide(len))).write(out);
                None
            }
            None => Some((out.length(), head)),
        };
        Self {
            out,
            late,
            entries: 0,
        }
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CborWriteError> {
        value.serialize(CborSerializer(self.out))
    }

    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CborWriteError> {
        self.entries = self.entries.saturating_add(1);
        self.value(value)
    }

    fn finish(self) {
        if let Some((start, head)) = self.late {
            let mut written = Vec::with_capacity(9);
            head(Some(self.entries)).write(&mut written);
            self.out.insert(start, &written);
        }
    }
}

macro_rules! items {
    ($($trait:ident $method:ident;)*) => {$(
        impl<B: Buffer> $trait for CborCollection<'_, B> {
            type Ok = ();
            type Error = CborWriteError;

            fn $method<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), CborWriteError> {
                self.item(item)
            }

            fn end(self) -> Result<(), CborWriteError> {
                self.finish();
                Ok(())
            }
        }
    )*};
}

macro_rules! fields {
    ($($trait:ident)*) => {$(
        impl<B: Buffer> $trait for CborCollection<'_, B> {
            type Ok = ();
            type Error = CborWriteError;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), CborWriteError> {
                self.item(name)?;
                self.value(value)
            }

            fn end(self) -> Result<(), CborWriteError> {
                self.finish();
                Ok(())
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

impl<B: Buffer> SerializeMap for CborCollection<'_, B> {
    type Ok = ();
    type Error = CborWriteError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), CborWriteError> {
        self.item(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CborWriteError> {
        self.value(value)
    }

    fn end(self) -> Result<(), CborWriteError> {
        self.finish();
        Ok(())
    }
}
