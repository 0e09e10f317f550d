//! From types to [`Value`].

use bytes::Bytes;
use serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use super::key::KeySerializer;
use super::{Dict, List, Value};
use crate::ValueError;

/// Makes a value of any type that serde can serialize.
///
/// Structs become dictionaries and tuples lists. Of an enum, a variant without data becomes its
/// name and one with data a dictionary with this name as the only key. Bytes stay bytes where the
/// type gives them as such, as with `serde_bytes`; `Vec<u8>` alone is a list. Characters,
/// integers and booleans that are keys of a map become text.
///
/// # Errors
///
/// [`ValueError`] for integers of more than 64 bits, keys of other types, a key that comes twice,
/// and what the type itself reports.
///
/// ```
/// use spell_message::{Dict, Value, to_value};
///
/// #[derive(serde::Serialize)]
/// struct Point { x: i32, y: i32 }
///
/// let value = to_value(&Point { x: 3, y: -4 })?;
/// assert_eq!(value, Value::from(Dict::from([("x", 3), ("y", -4)])));
/// # Ok::<(), spell_message::ValueError>(())
/// ```
pub fn to_value<T: Serialize + ?Sized>(value: &T) -> Result<Value, ValueError> {
    value.serialize(ValueSerializer)
}

struct ValueSerializer;

impl Serializer for ValueSerializer {
    type Ok = Value;
    type Error = ValueError;
    type SerializeSeq = ListSerializer;
    type SerializeTuple = ListSerializer;
    type SerializeTupleStruct = ListSerializer;
    type SerializeTupleVariant = ListSerializer;
    type SerializeMap = DictSerializer;
    type SerializeStruct = DictSerializer;
    type SerializeStructVariant = DictSerializer;

    fn serialize_bool(self, value: bool) -> Result<Value, ValueError> {
        Ok(value.into())
    }

    fn serialize_i8(self, value: i8) -> Result<Value, ValueError> {
        Ok(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<Value, ValueError> {
        Ok(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<Value, ValueError> {
        Ok(value.into())
    }

    fn serialize_i64(self, value: i64) -> Result<Value, ValueError> {
        Ok(value.into())
    }

    fn serialize_i128(self, value: i128) -> Result<Value, ValueError> {
        value.try_into()
    }

    fn serialize_u8(self, value: u8) -> Result<Value, ValueError> {
        Ok(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<Value, ValueError> {
        Ok(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<Value, ValueError> {
        Ok(value.into())
    }

    fn serialize_u64(self, value: u64) -> Result<Value, ValueError> {
        Ok(value.into())
    }

    fn serialize_u128(self, value: u128) -> Result<Value, ValueError> {
        value.try_into()
    }

    fn serialize_f32(self, value: f32) -> Result<Value, ValueError> {
        Ok(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<Value, ValueError> {
        Ok(value.into())
    }

    fn serialize_char(self, value: char) -> Result<Value, ValueError> {
        Ok(Value::String(value.into()))
    }

    fn serialize_str(self, value: &str) -> Result<Value, ValueError> {
        Ok(value.into())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<Value, ValueError> {
        Ok(Value::Bytes(Bytes::copy_from_slice(value)))
    }

    fn serialize_none(self) -> Result<Value, ValueError> {
        Ok(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Value, ValueError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Value, ValueError> {
        Ok(Value::Null)
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<Value, ValueError> {
        Ok(Value::Null)
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<Value, ValueError> {
        Ok(variant.into())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<Value, ValueError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Value, ValueError> {
        value
            .serialize(self)
            .map(|value| tagged(Some(variant), value))
    }

    fn serialize_seq(self, _len: Option<usize>) -> Result<ListSerializer, ValueError> {
        Ok(ListSerializer::new(None))
    }

    fn serialize_tuple(self, _len: usize) -> Result<ListSerializer, ValueError> {
        Ok(ListSerializer::new(None))
    }

    fn serialize_tuple_struct(
        self,
        _name: &'static str,
        _len: usize,
    ) -> Result<ListSerializer, ValueError> {
        Ok(ListSerializer::new(None))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<ListSerializer, ValueError> {
        Ok(ListSerializer::new(Some(variant)))
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<DictSerializer, ValueError> {
        Ok(DictSerializer::new(None))
    }

    fn serialize_struct(
        self,
        _name: &'static str,
        _len: usize,
    ) -> Result<DictSerializer, ValueError> {
        Ok(DictSerializer::new(None))
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<DictSerializer, ValueError> {
        Ok(DictSerializer::new(Some(variant)))
    }
}

/// A list under way, and the variant of the enum that it is the data of.
struct ListSerializer {
    variant: Option<&'static str>,
    list: List,
}

impl ListSerializer {
    fn new(variant: Option<&'static str>) -> Self {
        Self {
            variant,
            list: List::new(),
        }
    }

    fn push<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), ValueError> {
        self.list.push(to_value(item)?);
        Ok(())
    }

    fn finish(self) -> Value {
        tagged(self.variant, self.list.into())
    }
}

/// A dictionary under way, and the variant of the enum that it is the data of.
struct DictSerializer {
    variant: Option<&'static str>,
    dict: Dict,
    key: Option<String>,
}

impl DictSerializer {
    fn new(variant: Option<&'static str>) -> Self {
        Self {
            variant,
            dict: Dict::new(),
            key: None,
        }
    }

    fn insert<T: Serialize + ?Sized>(&mut self, key: String, value: &T) -> Result<(), ValueError> {
        self.dict.insert_new(key, to_value(value)?)
    }

    fn finish(self) -> Value {
        tagged(self.variant, self.dict.into())
    }
}

impl SerializeMap for DictSerializer {
    type Ok = Value;
    type Error = ValueError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), ValueError> {
        self.key = Some(key.serialize(KeySerializer)?);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ValueError> {
        let key = self.key.take().ok_or_else(|| {
            ValueError::Custom("a value of a dictionary was given before its key".into())
        })?;
        self.insert(key, value)
    }

    fn end(self) -> Result<Value, ValueError> {
        Ok(self.finish())
    }
}

macro_rules! serialize_items {
    ($($trait:ident $method:ident;)*) => {$(
        impl $trait for ListSerializer {
            type Ok = Value;
            type Error = ValueError;

            fn $method<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), ValueError> {
                self.push(item)
            }

            fn end(self) -> Result<Value, ValueError> {
                Ok(self.finish())
            }
        }
    )*};
}

macro_rules! serialize_fields {
    ($($trait:ident)*) => {$(
        impl $trait for DictSerializer {
            type Ok = Value;
            type Error = ValueError;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), ValueError> {
                self.insert(name.to_owned(), value)
            }

            fn end(self) -> Result<Value, ValueError> {
                Ok(self.finish())
            }
        }
    )*};
}

serialize_items! {
    SerializeSeq serialize_element;
    SerializeTuple serialize_element;
    SerializeTupleStruct serialize_field;
    SerializeTupleVariant serialize_field;
}
serialize_fields! { SerializeStruct SerializeStructVariant }

/// The data of a variant, named as serde does by default.
fn tagged(variant: Option<&'static str>, data: Value) -> Value {
    match variant {
        Some(variant) => Dict::from([(variant, data)]).into(),
        None => data,
    }
}
