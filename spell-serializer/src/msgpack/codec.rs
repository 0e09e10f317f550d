use std::{borrow::Cow, io, ops::Range};

use rmp_serde::{Deserializer, Serializer, decode};
use serde::{Deserialize, Serialize, de::IgnoredAny};
use spell_message::Format;

use super::{head::Head, scan::MsgPackScanner};
use crate::{
    Limits,
    buffer::{Appender, Buffer},
    codec::Codec,
    error::Source,
    guard::{ReadGuard, ReadRules, WriteGuard, WriteRules},
    list::Shape,
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
        let mut rest = collection;
        match Head::read(&mut rest) {
            Ok(Head::List(entries) | Head::Dict(entries)) => {
                let start = collection.len().saturating_sub(rest.len());
                (entries, start..collection.len())
            }
            _ => (0, collection.len()..collection.len()),
        }
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
            let mut bytes = [0xcf; 9];
            let [_, number @ ..] = &mut bytes;
            *number = integer.to_be_bytes();
            out.put_slice(&bytes);
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

    fn text(value: &[u8]) -> Option<Cow<'_, str>> {
        let mut rest = value;
        match Head::read(&mut rest) {
            Ok(Head::Text(_)) => std::str::from_utf8(rest).ok().map(Cow::Borrowed),
            _ => None,
        }
    }

    fn shape(value: &[u8]) -> Shape {
        let mut rest = value;
        Head::read(&mut rest).map_or(Shape::Other, Head::shape)
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
