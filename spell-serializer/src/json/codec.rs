use std::{borrow::Cow, ops::Range};

use serde::{Deserialize, Serialize};
use spell_message::Format;

use super::{
    binary::{ESCAPED_MARK, JsonRules},
    scan::{JsonScanner, shape},
};
use crate::{
    buffer::{Appender, Buffer},
    codec::Codec,
    error::Source,
    guard::{ReadGuard, WriteGuard},
    list::Shape,
};

/// JSON.
#[derive(Debug)]
pub(crate) enum JsonCodec {}

impl Codec for JsonCodec {
    const FORMAT: Format = Format::Json;
    const NAME: &'static str = "JSON";
    const SEPARATOR: &'static [u8] = b",";
    const EMPTY_LIST: &'static [u8] = b"[]";
    const EMPTY_DICT: &'static [u8] = b"{}";

    type Scanner<'a> = JsonScanner<'a>;

    fn begin_list<B: Buffer>(_elements: usize, out: &mut B) {
        out.put_u8(b'[');
    }

    fn end_list<B: Buffer>(out: &mut B) {
        out.put_u8(b']');
    }

    fn begin_dict<B: Buffer>(_entries: usize, out: &mut B) {
        out.put_u8(b'{');
    }

    fn end_dict<B: Buffer>(out: &mut B) {
        out.put_u8(b'}');
    }

    fn write_key<B: Buffer>(key: &str, out: &mut B) -> Result<(), Source> {
        serde_json::to_writer(Appender(out), key)?;
        out.put_u8(b':');
        Ok(())
    }

    fn entries(collection: &[u8]) -> (usize, Range<usize>) {
        (0, 1..collection.len().saturating_sub(1))
    }

    fn write<T: Serialize + ?Sized, B: Buffer>(
        value: &T,
        level: usize,
        out: &mut B,
    ) -> Result<(), Source> {
        let mut serializer = serde_json::Serializer::new(Appender(out));
        value.serialize(WriteGuard::<_, JsonRules>::new(&mut serializer, level))?;
        Ok(())
    }

    fn read<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Source> {
        let mut deserializer = serde_json::Deserializer::from_slice(bytes);
        let value = T::deserialize(ReadGuard::<_, JsonRules>::new(&mut deserializer))?;
        deserializer.end()?;
        Ok(value)
    }

    fn text(value: &[u8]) -> Option<Cow<'_, str>> {
        let inside = value.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
        if !inside.contains(&b'\\') {
            return std::str::from_utf8(inside).ok().map(Cow::Borrowed);
        }
        if inside.starts_with(ESCAPED_MARK) {
            return None;
        }
        serde_json::from_slice(value).ok().map(Cow::Owned)
    }

    fn shape(value: &[u8]) -> Shape {
        match value {
            [b'"', inside @ ..] if inside.starts_with(ESCAPED_MARK) => Shape::Bytes,
            [b'-' | b'0'..=b'9', rest @ ..]
                if rest.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E')) =>
            {
                Shape::Float
            }
            [first, ..] => shape(*first),
            [] => Shape::Other,
        }
    }
}
