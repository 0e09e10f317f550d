//! What the formats differ in. What they have in common is done once, with this trait.

use std::{borrow::Cow, marker::PhantomData, ops::Range};

use bytes::BytesMut;
use serde::{Deserialize, Serialize};
use spell_message::{Dict, Format, Message, Payload};

use crate::{
    EncodeError, Limits,
    buffer::Buffer,
    error::Source,
    list::{Shape, Writer, write},
    payload::transcode,
    scan::{Budget, Scanner},
};

/// One format.
pub(crate) trait Codec: 'static {
    const FORMAT: Format;
    const NAME: &'static str;
    /// What stands between two elements of a list.
    const SEPARATOR: &'static [u8];
    const EMPTY_LIST: &'static [u8];
    const EMPTY_DICT: &'static [u8];

    type Scanner<'a>: Scanner<'a>;

    /// Writes what begins a list of this many elements.
    fn begin_list<B: Buffer>(elements: usize, out: &mut B);
    /// Writes what ends a list.
    fn end_list<B: Buffer>(out: &mut B);
    /// Writes what begins a dictionary of this many entries.
    fn begin_dict<B: Buffer>(entries: usize, out: &mut B);
    /// Writes what ends a dictionary.
    fn end_dict<B: Buffer>(out: &mut B);
    /// Writes a key, and what stands between it and its value.
    fn write_key<B: Buffer>(key: &str, out: &mut B) -> Result<(), Source>;
    /// How many entries a list or dictionary has that `write` wrote (0 where `begin_list` and
    /// `begin_dict` need no number), and where they stand.
    fn entries(collection: &[u8]) -> (usize, Range<usize>);

    /// Appends an integer.
    fn write_integer<B: Buffer>(integer: u64, out: &mut B) -> Result<(), Source> {
        Self::write(&integer, 1, out)
    }
    /// Appends one value, which stands so many levels deep; on error `out` is undefined.
    fn write<T: Serialize + ?Sized, B: Buffer>(
        value: &T,
        level: usize,
        out: &mut B,
    ) -> Result<(), Source>;
    /// Reads exactly one value.
    fn read<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Source>;

    /// The text that this one value is.
    fn text(value: &[u8]) -> Option<Cow<'_, str>>;
    /// What this value is, from its first byte.
    fn shape(value: &[u8]) -> Shape;
}

/// Appends a message; on error `out` is as it was.
pub(crate) fn encode<C: Codec>(message: &Message, out: &mut BytesMut) -> Result<(), EncodeError> {
    let start = out.len();
    let mut writer = FrameWriter::<C> {
        out,
        is_first: true,
        codec: PhantomData,
    };
    let result = write(message, &mut writer);
    if result.is_err() {
        out.truncate(start);
    }
    result
}

/// Writes the elements of a message into a frame.
struct FrameWriter<'a, C> {
    out: &'a mut BytesMut,
    is_first: bool,
    codec: PhantomData<C>,
}

impl<C: Codec> FrameWriter<'_, C> {
    fn separate(&mut self) {
        if !self.is_first {
            self.out.extend_from_slice(C::SEPARATOR);
        }
        self.is_first = false;
    }
}

impl<C: Codec> Writer for FrameWriter<'_, C> {
    fn prepare<'p>(&self, payload: &'p Payload) -> Result<Cow<'p, Payload>, EncodeError> {
        match payload.format() {
            Some(format) if format != C::FORMAT => transcode(payload, C::FORMAT).map(Cow::Owned),
            _ => Ok(Cow::Borrowed(payload)),
        }
    }

    fn begin(&mut self, elements: usize, payload: &Payload) {
        self.out.reserve(payload.len().saturating_add(TYPICAL));
        C::begin_list(elements, self.out);
    }

    fn integer(&mut self, integer: u64) -> Result<(), EncodeError> {
        self.separate();
        C::write_integer(integer, self.out).map_err(failed::<C>)
    }

    fn dict(&mut self, dict: &Dict) -> Result<(), EncodeError> {
        if dict.is_empty() {
            self.separate();
            self.out.extend_from_slice(C::EMPTY_DICT);
            return Ok(());
        }
        self.element(dict)
    }

    fn element<T: Serialize + ?Sized>(&mut self, element: &T) -> Result<(), EncodeError> {
        self.separate();
        C::write(element, 1, self.out).map_err(failed::<C>)
    }

    fn payload(&mut self, payload: &Payload) -> Result<(), EncodeError> {
        match (payload.args(), payload.kwargs()) {
            ([], []) => return Ok(()),
            (args, []) => {
                self.separate();
                self.out.extend_from_slice(args);
            }
            // WAMP spec, "Application Payloads": keyword arguments need a list before them.
            ([], kwargs) => {
                self.separate();
                self.out.extend_from_slice(C::EMPTY_LIST);
                self.separate();
                self.out.extend_from_slice(kwargs);
            }
            _ => {
                self.separate();
                self.out.extend_from_slice(payload.tail());
            }
        }
        Ok(())
    }

    fn bare(&mut self, payload: &Payload) -> Result<bool, EncodeError> {
        let Some(only) = only_element::<C>(payload) else {
            return Ok(false);
        };
        let is_bare = matches!(C::shape(only), Shape::Bytes | Shape::Text);
        if is_bare {
            self.separate();
            self.out.extend_from_slice(only);
        }
        Ok(is_bare)
    }

    fn end(&mut self) {
        C::end_list(self.out);
    }
}

fn failed<C: Codec>(source: Source) -> EncodeError {
    EncodeError::Value {
        format: C::NAME,
        source,
    }
}

/// Room for what stands before the arguments, in bytes, so that it need not be made in steps.
const TYPICAL: usize = 64;

/// The element of a list that has no other, where there are no keyword arguments either.
fn only_element<C: Codec>(payload: &Payload) -> Option<&[u8]> {
    let budget = Budget::new(const { &Limits::new() });
    let mut scanner = C::Scanner::new(payload.args(), budget);
    scanner.open().ok()?;
    let only = scanner.next().ok()??.bytes;
    let is_only = scanner.next().ok()?.is_none() && payload.kwargs().is_empty();
    is_only.then_some(only)
}

/// Defines the public serializer of a format.
macro_rules! serializer {
    ($(#[$doc:meta])* $Name:ident, $Codec:ident, $serialization:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default)]
        pub struct $Name {
            limits: crate::Limits,
        }

        impl $Name {
            /// The serializer with default limits.
            pub const fn new() -> Self {
                Self {
                    limits: crate::Limits::new(),
                }
            }

            /// Sets what a message that comes in may take.
            #[must_use]
            pub const fn limits(self, limits: crate::Limits) -> Self {
                Self { limits }
            }
        }

        impl crate::Serializer for $Name {
            fn serialization(&self) -> spell_message::Serialization {
                use spell_message::Serialization;
                $serialization
            }

            fn format(&self) -> spell_message::Format {
                <$Codec as crate::codec::Codec>::FORMAT
            }

            fn encode(
                &self,
                message: &spell_message::Message,
                out: &mut bytes::BytesMut,
            ) -> Result<(), crate::EncodeError> {
                crate::codec::encode::<$Codec>(message, out)
            }

            fn decode(
                &self,
                frame: &bytes::Bytes,
            ) -> Result<spell_message::Message, crate::DecodeError> {
                crate::decode::decode::<$Codec>(frame, &self.limits)
            }
        }
    };
}

pub(crate) use serializer;
