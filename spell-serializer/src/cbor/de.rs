//! From CBOR to types.

use std::{borrow::Cow, fmt::Display};

use serde::{
    de::{DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor},
    forward_to_deserialize_any,
};

use super::{
    head::{Head, HeadError, NEGATIVE, POSITIVE},
    scan::CborScanner,
};
use crate::{DecodeError, Limits};

/// Reads one value after the other. Tags are skipped but for those of big integers.
#[derive(Debug)]
pub(super) struct CborDeserializer<'de> {
    rest: &'de [u8],
    /// How many more lists and dictionaries may begin inside each other.
    depth: usize,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum CborReadError {
    #[error(transparent)]
    Head(#[from] HeadError),
    #[error("a text is not UTF-8")]
    NotUtf8,
    #[error("a chunk of another kind")]
    Chunk,
    #[error("a break without a beginning")]
    Break,
    #[error("a simple value without a meaning")]
    Simple,
    #[error("an integer of more than 128 bits")]
    TooBig,
    #[error("nested deeper than {} levels", Limits::DEPTH)]
    TooDeep,
    #[error("the list or dictionary has more entries than the type")]
    TooLong,
    #[error("{0} bytes follow the value")]
    Trailing(usize),
    #[error("a part that the type does not want: {0}")]
    Ignored(Box<DecodeError>),
    #[error("{0}")]
    Custom(Box<str>),
}

impl serde::de::Error for CborReadError {
    fn custom<T: Display>(message: T) -> Self {
        Self::Custom(message.to_string().into())
    }
}

type Result<T> = std::result::Result<T, CborReadError>;

impl<'de> CborDeserializer<'de> {
    pub(super) fn new(bytes: &'de [u8]) -> Self {
        Self {
            rest: bytes,
            depth: Limits::DEPTH,
        }
    }

    /// Checks that nothing follows.
    pub(super) fn end(&self) -> Result<()> {
        match self.rest.len() {
            0 => Ok(()),
            count => Err(CborReadError::Trailing(count)),
        }
    }

    /// The next head, which may be a tag.
    #[inline]
    fn head(&mut self) -> Result<Head> {
        let (head, rest) = Head::read(self.rest)?;
        self.rest = rest;
        Ok(head)
    }

    /// Goes over tags and gives the last of them, and the head after it.
    #[cold]
    fn skip_tags(&mut self, first: u64) -> Result<(u64, Head)> {
        let mut tag = first;
        loop {
            match self.head()? {
                Head::Tag(next) => tag = next,
                head => return Ok((tag, head)),
            }
        }
    }

    /// Reads a value whose head was read.
    #[inline]
    fn value<V: Visitor<'de>>(&mut self, head: Head, visitor: V) -> Result<V::Value> {
        match head {
            Head::Unsigned(number) => visitor.visit_u64(number),
            Head::Negative(number) => negative(number.into(), visitor),
            Head::Bytes(length) => match self.bytes(length)? {
                Cow::Borrowed(bytes) => visitor.visit_borrowed_bytes(bytes),
                Cow::Owned(bytes) => visitor.visit_byte_buf(bytes),
            },
            Head::Text(length) => match self.text(length)? {
                Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
                Cow::Owned(text) => visitor.visit_string(text),
            },
            Head::List(length) => self.collection(length, |items| visitor.visit_seq(items)),
            Head::Dict(length) => self.collection(length, |entries| visitor.visit_map(entries)),
            Head::Bool(value) => visitor.visit_bool(value),
            Head::Float(value) => visitor.visit_f64(value),
            Head::Null | Head::Undefined => visitor.visit_unit(),
            Head::Simple => Err(CborReadError::Simple),
            Head::Break | Head::Tag(_) => Err(CborReadError::Break),
        }
    }

    /// Looks at the next head that is no tag, and at what follows it.
    fn peek(&self) -> Result<(Head, &'de [u8])> {
        let mut rest = self.rest;
        loop {
            match Head::read(rest)? {
                (Head::Tag(_), after) => rest = after,
                found => return Ok(found),
            }
        }
    }

    #[inline]
    fn skip_break(&mut self) -> bool {
        let rest = self.rest.strip_prefix(&[0xff]);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn bytes(&mut self, length: Option<u64>) -> Result<Cow<'de, [u8]>> {
        let (bytes, rest) = bytes(length, self.rest)?;
        self.rest = rest;
        Ok(bytes)
    }

    fn text(&mut self, length: Option<u64>) -> Result<Cow<'de, str>> {
        let (text, rest) = text(length, self.rest)?;
        self.rest = rest;
        Ok(text)
    }

    /// Reads a list or dictionary of so many entries, one level deeper.
    fn collection<T>(
        &mut self,
        length: Option<u64>,
        read: impl FnOnce(&mut Entries<'_, 'de>) -> Result<T>,
    ) -> Result<T> {
        self.depth = self.depth.checked_sub(1).ok_or(CborReadError::TooDeep)?;
        let mut entries = Entries {
            remaining: length,
            is_over: false,
            deserializer: self,
        };
        let value = read(&mut entries)?;
        if !entries.is_over && entries.next() {
            return Err(CborReadError::TooLong);
        }
        self.depth = self.depth.saturating_add(1);
        Ok(value)
    }
}

/// The bytes of this length, and what follows them. Chunks are put together.
fn bytes(length: Option<u64>, rest: &[u8]) -> Result<(Cow<'_, [u8]>, &[u8])> {
    let Some(length) = length else {
        return chunks(rest);
    };
    let (bytes, rest) = split(length, rest)?;
    Ok((Cow::Borrowed(bytes), rest))
}

fn chunks(mut rest: &[u8]) -> Result<(Cow<'_, [u8]>, &[u8])> {
    let mut bytes = Vec::new();
    loop {
        let (head, after) = Head::read(rest)?;
        match head {
            Head::Break => return Ok((bytes.into(), after)),
            Head::Bytes(Some(length)) => {
                let (chunk, after) = split(length, after)?;
                bytes.extend_from_slice(chunk);
                rest = after;
            }
            _ => return Err(CborReadError::Chunk),
        }
    }
}

/// The text of this length, and what follows it. Chunks are put together.
pub(super) fn text(length: Option<u64>, rest: &[u8]) -> Result<(Cow<'_, str>, &[u8])> {
    let Some(length) = length else {
        return text_chunks(rest);
    };
    let (text, rest) = split(length, rest)?;
    Ok((Cow::Borrowed(utf8(text)?), rest))
}

fn text_chunks(mut rest: &[u8]) -> Result<(Cow<'_, str>, &[u8])> {
    let mut text = String::new();
    loop {
        let (head, after) = Head::read(rest)?;
        match head {
            Head::Break => return Ok((text.into(), after)),
            Head::Text(Some(length)) => {
                let (chunk, after) = split(length, after)?;
                // RFC 8949, section 3.2.3: a character must not be split between chunks.
                text.push_str(utf8(chunk)?);
                rest = after;
            }
            _ => return Err(CborReadError::Chunk),
        }
    }
}

fn split(length: u64, rest: &[u8]) -> Result<(&[u8], &[u8])> {
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    Ok(rest.split_at_checked(length).ok_or(HeadError::EndsEarly)?)
}

fn utf8(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|_| CborReadError::NotUtf8)
}

/// The integer that bytes with a tag stand for, the highest first.
fn big<'de, V: Visitor<'de>>(is_negative: bool, bytes: &[u8], visitor: V) -> Result<V::Value> {
    let first = bytes.iter().position(|byte| *byte != 0);
    let digits = bytes
        .get(first.unwrap_or(bytes.len())..)
        .unwrap_or_default();
    if digits.len() > 16 {
        return Err(CborReadError::TooBig);
    }
    let number = digits
        .iter()
        .fold(0_u128, |number, byte| (number << 8) | u128::from(*byte));
    match (is_negative, u64::try_from(number)) {
        (false, Ok(number)) => visitor.visit_u64(number),
        (false, Err(_)) => visitor.visit_u128(number),
        (true, _) => {
            let number = i128::try_from(number).map_err(|_| CborReadError::TooBig)?;
            negative(number, visitor)
        }
    }
}

/// The integer -1 - n.
fn negative<'de, V: Visitor<'de>>(number: i128, visitor: V) -> Result<V::Value> {
    // Turning all bits gives just that, for any number that is not negative.
    let number = !number;
    match i64::try_from(number) {
        Ok(number) => visitor.visit_i64(number),
        Err(_) => visitor.visit_i128(number),
    }
}

impl<'de> Deserializer<'de> for &mut CborDeserializer<'de> {
    type Error = CborReadError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.head()? {
            Head::Tag(tag) => match self.skip_tags(tag)? {
                (tag @ (POSITIVE | NEGATIVE), Head::Bytes(length)) => {
                    big(tag == NEGATIVE, &self.bytes(length)?, visitor)
                }
                (_, head) => self.value(head, visitor),
            },
            head => self.value(head, visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.peek()? {
            (Head::Null | Head::Undefined, rest) => {
                self.rest = rest;
                visitor.visit_none()
            }
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        match self.peek()? {
            (Head::Dict(length), rest) => {
                self.rest = rest;
                self.collection(length, |entries| {
                    if entries.next() {
                        visitor.visit_enum(Variant(entries.deserializer))
                    } else {
                        Err(serde::de::Error::custom("the dictionary names no variant"))
                    }
                })
            }
            _ => visitor.visit_enum(UnitVariant(self)),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let size =
            CborScanner::skip(self.rest).map_err(|error| CborReadError::Ignored(error.into()))?;
        self.rest = self.rest.get(size..).unwrap_or_default();
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct identifier
    }
}

/// The rest of a list or dictionary.
#[derive(Debug)]
struct Entries<'a, 'de> {
    /// `None` up to a break.
    remaining: Option<u64>,
    is_over: bool,
    deserializer: &'a mut CborDeserializer<'de>,
}

impl Entries<'_, '_> {
    /// Whether there is one more entry, which must then be read.
    fn next(&mut self) -> bool {
        let has_next = match &mut self.remaining {
            Some(0) => false,
            Some(remaining) => {
                *remaining = remaining.saturating_sub(1);
                true
            }
            None => !self.deserializer.skip_break(),
        };
        self.is_over = !has_next;
        has_next
    }

    fn size_hint(&self) -> Option<usize> {
        usize::try_from(self.remaining?).ok()
    }
}

impl<'de> SeqAccess<'de> for &mut Entries<'_, 'de> {
    type Error = CborReadError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        if self.is_over || !self.next() {
            return Ok(None);
        }
        seed.deserialize(&mut *self.deserializer).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Entries::size_hint(self)
    }
}

impl<'de> MapAccess<'de> for &mut Entries<'_, 'de> {
    type Error = CborReadError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        if self.is_over || !self.next() {
            return Ok(None);
        }
        seed.deserialize(&mut *self.deserializer).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value> {
        seed.deserialize(&mut *self.deserializer)
    }

    fn size_hint(&self) -> Option<usize> {
        Entries::size_hint(self)
    }
}

/// A variant that is named by a text alone.
#[derive(Debug)]
struct UnitVariant<'a, 'de>(&'a mut CborDeserializer<'de>);

impl<'de> EnumAccess<'de> for UnitVariant<'_, 'de> {
    type Error = CborReadError;
    type Variant = NoData;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, NoData)> {
        Ok((seed.deserialize(self.0)?, NoData))
    }
}

/// What a variant has that is named by a text alone.
#[derive(Debug)]
struct NoData;

fn no_data() -> CborReadError {
    serde::de::Error::custom("the variant lacks its data")
}

impl<'de> VariantAccess<'de> for NoData {
    type Error = CborReadError;

    fn unit_variant(self) -> Result<()> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _seed: T) -> Result<T::Value> {
        Err(no_data())
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, _visitor: V) -> Result<V::Value> {
        Err(no_data())
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value> {
        Err(no_data())
    }
}

/// The only entry of a dictionary: the name of a variant and its data.
#[derive(Debug)]
struct Variant<'a, 'de>(&'a mut CborDeserializer<'de>);

impl<'de> EnumAccess<'de> for Variant<'_, 'de> {
    type Error = CborReadError;
    type Variant = Self;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Self)> {
        Ok((seed.deserialize(&mut *self.0)?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_, 'de> {
    type Error = CborReadError;

    fn unit_variant(self) -> Result<()> {
        serde::Deserialize::deserialize(self.0)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value> {
        seed.deserialize(self.0)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value> {
        self.0.deserialize_tuple(len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.0.deserialize_struct("", fields, visitor)
    }
}
