use std::{borrow::Cow, ops::Range};

use serde::{Deserialize, Serialize};
use spell_message::Format;

use super::{
    de::{CborDeserializer, text},
    head::Head,
    scan::CborScanner,
    ser::CborSerializer,
};
use crate::{
    buffer::Buffer,
    codec::Codec,
    error::Source,
    guard::{ReadGuard, ReadRules, WriteGuard, WriteRules},
    list::Shape,
};

/// CBOR.
#[derive(Debug)]
pub(crate) enum CborCodec {}

impl Codec for CborCodec {
    const FORMAT: Format = Format::Cbor;
    const NAME: &'static str = "CBOR";
    const SEPARATOR: &'static [u8] = b"";
    const EMPTY_LIST: &'static [u8] = &[0x80];
    const EMPTY_DICT: &'static [u8] = &[0xa0];

    type Scanner<'a> = CborScanner<'a>;

    fn begin_list<B: Buffer>(elements: usize, out: &mut B) {
        Head::List(Some(wide(elements))).write(out);
    }

    fn end_list<B: Buffer>(_out: &mut B) {}

    fn begin_dict<B: Buffer>(entries: usize, out: &mut B) {
        Head::Dict(Some(wide(entries))).write(out);
    }

    fn end_dict<B: Buffer>(_out: &mut B) {}

    fn write_key<B: Buffer>(key: &str, out: &mut B) -> Result<(), Source> {
        Self::write(key, 0, out)
    }

    fn entries(collection: &[u8]) -> (usize, Range<usize>) {
        match Head::read(collection) {
            Ok((Head::List(Some(entries)) | Head::Dict(Some(entries)), rest)) => {
                let start = collection.len().saturating_sub(rest.len());
                let entries = usize::try_from(entries).unwrap_or(usize::MAX);
                (entries, start..collection.len())
            }
            _ => (0, collection.len()..collection.len()),
        }
    }

    fn write<T: Serialize + ?Sized, B: Buffer>(
        value: &T,
        level: usize,
        out: &mut B,
    ) -> Result<(), Source> {
        value.serialize(WriteGuard::<_, CborRules>::new(CborSerializer(out), level))?;
        Ok(())
    }

    fn read<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Source> {
        let mut deserializer = CborDeserializer::new(bytes);
        let value = T::deserialize(ReadGuard::<_, CborRules>::new(&mut deserializer))?;
        deserializer.end()?;
        Ok(value)
    }

    fn text(value: &[u8]) -> Option<Cow<'_, str>> {
        match Head::read(value) {
            Ok((Head::Text(length), rest)) => text(length, rest).ok().map(|(text, _)| text),
            _ => None,
        }
    }

    fn shape(value: &[u8]) -> Shape {
        Head::read(value).map_or(Shape::Other, |(head, _)| head.shape())
    }
}

/// What is left to the guards: integers beyond 64 bits, depth, lengths, keys.
#[derive(Debug)]
enum CborRules {}

impl WriteRules for CborRules {
    const LENGTHS_ARE_SENT: bool = true;
    const KEYS_ARE_ANY_VALUE: bool = true;
}

impl ReadRules for CborRules {
    const KEYS_NEED_PARSING: bool = true;
}

/// A length as it is written.
pub(super) fn wide(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
