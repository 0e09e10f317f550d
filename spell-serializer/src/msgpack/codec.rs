use std::{borrow::Cow, io, ops::Range};

use rmp_serde::{Deserializer, Serializer, decode};
use serde::{Deserialize, Serialize, de::IgnoredAny};
use spell_message::Format;

use super::scan::{Head, Length, MsgPackScanner};
use crate::{
    Limits,
    buffer::{Appender, Buffer},
    codec::Codec,
    error::Source,
    guard::{ReadGuard, ReadRules, WriteGuard, WriteRules},
    list::Shape,
    scan::unsigned,
};

/// MessagePack.
#[derive(Debug)]
pub(crate) enum MsgPackCodec {}

impl Codec for MsgPackCodec {
    const FORMAT: Format = Format::MsgPack;
    const NAME: &'static str = "MessagePack";
    const SEPARATOR: &'static [u8] = b"";
    const EMPTY_LIST: &'static [u8] = &[0x90];
    const EMPTY_DICT: &'static [u8] = &[0x80];

    type Scanner<'a> = MsgPackScanner<'a>;

    fn begin_list<B: Buffer>(elements: usize, out: &mut B) {
        begin(elements, 0x90, 0xdc, out);
    }

    fn end_list<B: Buffer>(_out: &mut B) {}

    fn begin_dict<B: Buffer>(entries: usize, out: &mut B) {
        begin(entries, 0x80, 0xde, out);
    }

    fn end_dict<B: Buffer>(_out: &mut B) {}

    fn write_key<B: Buffer>(key: &str, out: &mut B) -> Result<(), Source> {
        Self::write(key, 0, out)
    }

    fn entries(collection: &[u8]) -> (usize, Range<usize>) {
        let (count, start) = match head(collection) {
            Head::List(length) | Head::Dict(length) => match length {
                Length::Here(count) => (count.into(), 1),
                Length::Follows(size) => {
                    let end = size.saturating_add(1);
                    (unsigned(collection.get(1..end).unwrap_or_default()), end)
                }
            },
            _ => (0, collection.len()),
        };
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        (count, start..collection.len())
    }

    fn write_integer<B: Buffer>(integer: u64, out: &mut B) -> Result<(), Source> {
        if let Ok(integer @ ..0x80) = u8::try_from(integer) {
            out.put_slice(&[integer]);
        } else if let Ok(integer) = u8::try_from(integer) {
            out.put_slice(&[0xcc, integer]);
        } else if let Ok(integer) = u16::try_from(integer) {
            let [a, b] = integer.to_be_bytes();
            out.put_slice(&[0xcd, a, b]);
        } else if let Ok(integer) = u32::try_from(integer) {
            let [a, b, c, d] = integer.to_be_bytes();
            out.put_slice(&[0xce, a, b, c, d]);
        } else {
            out.put_u8(0xcf);
            out.put_u64(integer);
        }
        Ok(())
    }

    fn write<T: Serialize + ?Sized, B: Buffer>(
        value: &T,
        level: usize,
        out: &mut B,
    ) -> Result<(), Source> {
        let mut serializer = Serializer::new(Appender(out)).with_struct_map();
        value.serialize(WriteGuard::<_, MsgPackRules>::new(&mut serializer, level))?;
        Ok(())
    }

    fn read<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Source> {
        let mut deserializer = Deserializer::from_read_ref(bytes);
        deserializer.set_max_depth(Limits::DEPTH);
        let value = T::deserialize(ReadGuard::<_, MsgPackRules>::new(&mut deserializer))?;
        // The library does not say where it stopped, only that there is nothing left to read.
        match IgnoredAny::deserialize(&mut deserializer) {
            Err(decode::Error::InvalidMarkerRead(error))
                if error.kind() == io::ErrorKind::UnexpectedEof =>
            {
                Ok(value)
            }
            _ => Err("bytes follow the value".into()),
        }
    }

    fn integer(value: &[u8]) -> Option<u64> {
        let rest = value.get(1..)?;
        match head(value) {
            Head::Small(number) => number.try_into().ok(),
            Head::Unsigned(_) => Some(unsigned(rest)),
            Head::Signed(_) if rest.first()?.leading_zeros() > 0 => Some(unsigned(rest)),
            _ => None,
        }
    }

    fn text(value: &[u8]) -> Option<Cow<'_, str>> {
        let Head::Text(length) = head(value) else {
            return None;
        };
        let start = match length {
            Length::Here(_) => 1,
            Length::Follows(size) => size.saturating_add(1),
        };
        let text = std::str::from_utf8(value.get(start..)?);
        text.ok().map(Cow::Borrowed)
    }

    fn shape(value: &[u8]) -> Shape {
        match (head(value), value.get(1)) {
            (Head::Signed(_), Some(0x80..)) => Shape::Negative,
            (head, _) => head.shape(),
        }
    }
}

/// What is not left to the MessagePack library.
#[derive(Debug)]
enum MsgPackRules {}

impl WriteRules for MsgPackRules {
    const LENGTHS_ARE_SENT: bool = true;
    const KEYS_ARE_ANY_VALUE: bool = true;
}

impl ReadRules for MsgPackRules {
    const KEYS_NEED_PARSING: bool = true;
    const NUMBERS_NAME_THEMSELVES: bool = true;
}

fn head(value: &[u8]) -> Head {
    value.first().map_or(Head::Reserved, |byte| Head::of(*byte))
}

/// Writes what begins a collection, in the shortest form.
fn begin<B: Buffer>(count: usize, short: u8, long: u8, out: &mut B) {
    match (u8::try_from(count), u16::try_from(count)) {
        (Ok(count @ ..=15), _) => out.put_u8(short | count),
        (_, Ok(count)) => {
            out.put_u8(long);
            out.put_u16(count);
        }
        _ => {
            out.put_u8(long.saturating_add(1));
            // No memory holds more, for each takes a byte at least.
            out.put_u32(u32::try_from(count).unwrap_or(u32::MAX));
        }
    }
}
