//! Arguments under way, in a format this crate knows.

use std::{cell::Cell, collections::BTreeSet};

use bytes::Bytes;
use serde::Serialize;
use spell_message::{Dict, Payload};

use crate::{EncodeError, codec::Codec, list::Shape};

/// Encodes arguments in one go.
pub(super) fn encode<C: Codec, A, K>(args: &A, kwargs: Option<&K>) -> Result<Payload, EncodeError>
where
    A: Serialize + ?Sized,
    K: Serialize + ?Sized,
{
    let mut tail = SCRATCH.try_with(Cell::take).unwrap_or_default();
    tail.clear();
    let has_args = write_args::<C, A>(args, &mut tail)?;
    let mut args_end = None;
    if let Some(kwargs) = kwargs {
        if !has_args {
            tail.extend_from_slice(C::EMPTY_LIST);
        }
        let end = tail.len();
        tail.extend_from_slice(C::SEPARATOR);
        let has_kwargs = write_kwargs::<C, K>(kwargs, &mut tail)?;
        if has_kwargs {
            args_end = Some(end);
        } else {
            tail.truncate(end);
        }
    }
    if tail.capacity() > LARGEST_SCRATCH {
        return Ok(payload::<C>(tail.into(), has_args, args_end));
    }
    let payload = payload::<C>(Bytes::copy_from_slice(&tail), has_args, args_end);
    // A thread that ends keeps nothing.
    let _ = SCRATCH.try_with(|scratch| scratch.set(tail));
    Ok(payload)
}

thread_local! {
    /// Where small arguments are put together, to be copied into as much memory as they take: that is
    /// one allocation, and no room is left over. Empty while arguments encode others.
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// What a thread keeps at most, in bytes.
const LARGEST_SCRATCH: usize = 4096;

/// A payload out of encoded arguments; `kwargs` may be empty, which means none.
pub(crate) fn join<C: Codec>(args: &[u8], kwargs: &[u8]) -> Payload {
    let mut tail = args.to_vec();
    let args_end = append_kwargs::<C>(&mut tail, kwargs);
    payload::<C>(tail.into(), !args.is_empty(), args_end)
}

/// The positional arguments whose list has this one element.
pub(crate) fn listed<C: Codec>(element: &[u8]) -> Payload {
    let mut list = Vec::with_capacity(element.len().saturating_add(2));
    C::begin_list(1, &mut list);
    list.extend_from_slice(element);
    C::end_list(&mut list);
    payload::<C>(list.into(), true, None)
}

/// Appends keyword arguments and gives the place where the positional ones end, if there are some.
fn append_kwargs<C: Codec>(tail: &mut Vec<u8>, kwargs: &[u8]) -> Option<usize> {
    if kwargs.is_empty() {
        return None;
    }
    // WAMP spec, "Application Payloads": keyword arguments need a list before them.
    if tail.is_empty() {
        tail.extend_from_slice(C::EMPTY_LIST);
    }
    let args_end = tail.len();
    tail.extend_from_slice(C::SEPARATOR);
    tail.extend_from_slice(kwargs);
    Some(args_end)
}

/// The payload that this tail is; `args_end` only where keyword arguments follow.
fn payload<C: Codec>(tail: Bytes, has_args: bool, args_end: Option<usize>) -> Payload {
    match args_end {
        Some(args_end) => {
            let kwargs_start = args_end.saturating_add(C::SEPARATOR.len());
            Payload::encoded(C::FORMAT, tail, args_end, kwargs_start)
        }
        None if has_args => {
            let end = tail.len();
            Payload::encoded(C::FORMAT, tail, end, end)
        }
        None => Payload::default(),
    }
}

/// Room for typical arguments, in bytes, so that it need not be made in steps.
const TYPICAL: usize = 128;

/// Positional and keyword arguments, each encoded as far as they are known.
#[derive(Debug, Default)]
pub(super) struct Parts {
    args: Part,
    /// Boxed, as the parts are moved with each step, and few have any.
    named: Option<Box<Named>>,
}

#[derive(Debug, Default)]
struct Named {
    kwargs: Part,
    /// The keyword arguments that were given one by one, and those before them.
    names: BTreeSet<String>,
}

impl Parts {
    pub(super) fn set_args<C: Codec, T: Serialize + ?Sized>(
        &mut self,
        args: &T,
    ) -> Result<(), EncodeError> {
        let mut out = Vec::with_capacity(TYPICAL);
        write_args::<C, T>(args, &mut out)?;
        self.args = Part::whole(out);
        Ok(())
    }

    pub(super) fn set_kwargs<C: Codec, T: Serialize + ?Sized>(
        &mut self,
        kwargs: &T,
    ) -> Result<(), EncodeError> {
        let mut out = Vec::with_capacity(TYPICAL);
        write_kwargs::<C, T>(kwargs, &mut out)?;
        self.named = Some(Box::new(Named {
            kwargs: Part::whole(out),
            names: BTreeSet::new(),
        }));
        Ok(())
    }

    pub(super) fn push_arg<C: Codec, T: Serialize + ?Sized>(
        &mut self,
        arg: &T,
    ) -> Result<(), EncodeError> {
        write::<C, T>(arg, 2, self.args.next_entry::<C>())
    }

    pub(super) fn push_kwarg<C: Codec, T: Serialize + ?Sized>(
        &mut self,
        name: &str,
        kwarg: &T,
    ) -> Result<(), EncodeError> {
        let failed = |source| EncodeError::Value {
            format: C::NAME,
            source,
        };
        let Named { kwargs, names } = &mut **self.named.get_or_insert_default();
        if kwargs.is_whole {
            let kwargs: Dict = C::read(&kwargs.bytes).map_err(failed)?;
            *names = kwargs.into_iter().map(|(name, _)| name).collect();
        }
        if !names.insert(name.to_owned()) {
            return Err(EncodeError::DuplicateKwarg { name: name.into() });
        }
        let body = kwargs.next_entry::<C>();
        C::write_key(name, body).map_err(failed)?;
        write::<C, T>(kwarg, 2, body)
    }

    pub(super) fn finish<C: Codec>(self) -> Payload {
        let mut tail = self.args.finish(C::begin_list, C::end_list);
        let has_args = !tail.is_empty();
        let kwargs = self.named.map_or_else(Vec::new, |named| {
            named.kwargs.finish(C::begin_dict, C::end_dict)
        });
        let args_end = append_kwargs::<C>(&mut tail, &kwargs);
        // Where room is left over, to share what is in it takes one more allocation than to copy it.
        let tail = match tail.len() {
            ..=LARGEST_SCRATCH => Bytes::copy_from_slice(&tail),
            _ => tail.into(),
        };
        payload::<C>(tail, has_args, args_end)
    }
}

/// A list or a dictionary; without bytes, an empty one.
#[derive(Debug, Default)]
struct Part {
    /// Whether it was given as a whole. Otherwise the bytes lack what begins and ends it.
    is_whole: bool,
    entries: usize,
    bytes: Vec<u8>,
}

impl Part {
    fn whole(bytes: Vec<u8>) -> Self {
        Self {
            is_whole: !bytes.is_empty(),
            entries: 0,
            bytes,
        }
    }

    /// The place for one more entry.
    fn next_entry<C: Codec>(&mut self) -> &mut Vec<u8> {
        if self.is_whole {
            let (entries, place) = C::entries(&self.bytes);
            self.entries = entries;
            self.bytes.truncate(place.end);
            self.bytes.drain(..place.start.min(self.bytes.len()));
            self.is_whole = false;
        }
        if self.bytes.is_empty() {
            self.bytes.reserve(TYPICAL);
        } else {
            self.bytes.extend_from_slice(C::SEPARATOR);
        }
        self.entries = self.entries.saturating_add(1);
        &mut self.bytes
    }

    fn finish(
        self,
        begin: impl FnOnce(usize, &mut Vec<u8>),
        end: impl FnOnce(&mut Vec<u8>),
    ) -> Vec<u8> {
        let mut collection = self.bytes;
        if self.is_whole || collection.is_empty() {
            return collection;
        }
        // What begins it is known only now, and goes before the entries where they are.
        let entries = collection.len();
        begin(self.entries, &mut collection);
        let beginning = collection.len().saturating_sub(entries);
        collection.rotate_right(beginning);
        end(&mut collection);
        collection
    }
}

fn write_args<C: Codec, T: Serialize + ?Sized>(
    args: &T,
    out: &mut Vec<u8>,
) -> Result<bool, EncodeError> {
    let start = out.len();
    write::<C, T>(args, 1, out)?;
    let written = out.get(start..).unwrap_or_default();
    match C::shape(written) {
        Shape::List if !C::entries(written).1.is_empty() => Ok(true),
        Shape::List | Shape::Null => {
            out.truncate(start);
            Ok(false)
        }
        found => Err(EncodeError::ArgsNotAList {
            found: found.name(),
        }),
    }
}

fn write_kwargs<C: Codec, T: Serialize + ?Sized>(
    kwargs: &T,
    out: &mut Vec<u8>,
) -> Result<bool, EncodeError> {
    let start = out.len();
    write::<C, T>(kwargs, 1, out)?;
    let written = out.get(start..).unwrap_or_default();
    match C::shape(written) {
        Shape::Dict if !C::entries(written).1.is_empty() => Ok(true),
        Shape::Dict | Shape::Null => {
            out.truncate(start);
            Ok(false)
        }
        found => Err(EncodeError::KwargsNotADict {
            found: found.name(),
        }),
    }
}

fn write<C: Codec, T: Serialize + ?Sized>(
    value: &T,
    level: usize,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    C::write(value, level, out).map_err(|source| EncodeError::Value {
        format: C::NAME,
        source,
    })
}

#[cfg(all(test, feature = "json", feature = "msgpack", feature = "cbor"))]
mod tests {
    use super::*;
    use crate::{cbor::CborCodec, json::JsonCodec, msgpack::MsgPackCodec};

    /// What ends a large value, its list, and what begins that, has room behind it.
    fn grows_once_for_a_large_value<C: Codec>() -> Result<(), EncodeError> {
        let mut parts = Parts::default();
        let text = "x".repeat(64 << 10);
        parts.push_arg::<C, _>(&text)?;
        let capacity = parts.args.bytes.capacity();
        let args = parts.args.finish(C::begin_list, C::end_list);
        assert!(args.len() > text.len());
        assert_eq!(args.capacity(), capacity, "{}", C::NAME);
        let behind = capacity.saturating_sub(text.len());
        assert!(behind < 256, "{}: {behind}", C::NAME);
        Ok(())
    }

    #[test]
    fn arguments_grow_once_for_a_large_value() {
        grows_once_for_a_large_value::<JsonCodec>().unwrap();
        grows_once_for_a_large_value::<MsgPackCodec>().unwrap();
        grows_once_for_a_large_value::<CborCodec>().unwrap();
    }

    #[test]
    fn a_thread_keeps_no_room_for_large_arguments() {
        for size in [10, 100_000, 10] {
            let text = "x".repeat(size);
            encode::<JsonCodec, _, ()>(&(&text,), None).unwrap();
            let scratch = SCRATCH.take();
            assert!(scratch.capacity() <= LARGEST_SCRATCH, "{size}");
            SCRATCH.set(scratch);
        }
    }
}
