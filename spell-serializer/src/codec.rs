//! What the formats differ in. What they have in common is done once, with this trait.

use std::{borrow::Cow, marker::PhantomData, ops::Range};

use bytes::{Bytes, BytesMut};
use serde::{Deserialize, Serialize};
use spell_message::{Dict, Format, List, Message, Payload, Value, message::Kind};

use crate::{
    DecodeError, EncodeError, Limits,
    buffer::Buffer,
    error::Source,
    list::{Element, Shape, Writer, check_length, envelope, may_be_bare, read, write},
    payload::{join, listed, transcode},
    scan::Scanner,
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

    /// The integer that this one value is.
    fn integer(value: &[u8]) -> Option<u64>;
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

/// Reads a message, whose payload shares the frame.
pub(crate) fn decode<C: Codec>(frame: &Bytes, limits: &Limits) -> Result<Message, DecodeError> {
    if frame.len() > limits.size {
        return Err(DecodeError::TooLarge {
            size: frame.len(),
            limit: limits.size,
        });
    }
    let mut scanner = C::Scanner::open(frame, limits)?;
    let Some(code) = scanner.next()? else {
        return Err(DecodeError::Empty);
    };
    let code = Encoded::<C>::new(frame, code);
    let number = code.integer().ok_or_else(|| DecodeError::Code {
        found: code.shape().name(),
    })?;
    match Kind::from_code(number) {
        Some(kind) => decode_known::<C>(kind, frame, scanner),
        None => decode_unknown::<C>(number, frame, scanner),
    }
}

fn decode_known<'a, C: Codec>(
    kind: Kind,
    frame: &'a Bytes,
    mut scanner: C::Scanner<'a>,
) -> Result<Message, DecodeError> {
    // No message has more elements after its code; those that it must not have are counted.
    let mut elements: [Encoded<'a, C>; 6] = [Encoded::default(); 6];
    let mut length = 0_usize;
    while let Some(range) = scanner.next()? {
        if let Some(element) = elements.get_mut(length) {
            *element = Encoded::new(frame, range);
        }
        length = length.saturating_add(1);
        scanner.check_envelope(|| length <= envelope(kind, length))?;
    }
    check_length(kind, length.saturating_add(1))?;
    let envelope = envelope(kind, length);
    let (fields, arguments) = elements.split_at_checked(envelope).unwrap_or_default();
    let arguments = arguments
        .get(..length.saturating_sub(envelope))
        .unwrap_or_default();
    let payload = match arguments {
        [] => Payload::default(),
        [args] if may_be_bare(kind, fields, args) => listed::<C>(args.bytes),
        [args, rest @ ..] => payload::<C>(kind, frame, args, rest.first())?,
    };
    read(kind, fields, payload)
}

/// Cuts the arguments out of the frame. Null counts as absent: some peers send it.
fn payload<C: Codec>(
    kind: Kind,
    frame: &Bytes,
    args: &Encoded<'_, C>,
    kwargs: Option<&Encoded<'_, C>>,
) -> Result<Payload, DecodeError> {
    let has_args = args.is_args(kind)?;
    let kwargs = match kwargs {
        Some(kwargs) if kwargs.is_kwargs(kind)? => Some(kwargs),
        _ => None,
    };
    Ok(match (has_args, kwargs) {
        (false, None) => Payload::default(),
        (false, Some(kwargs)) => join::<C>(C::EMPTY_LIST, kwargs.bytes),
        (true, kwargs) => {
            let end = kwargs.unwrap_or(args).end();
            let kwargs_start = kwargs.map_or(end, |kwargs| kwargs.start);
            Payload::encoded(
                C::FORMAT,
                frame.slice(args.start..end),
                args.bytes.len(),
                kwargs_start.saturating_sub(args.start),
            )
        }
    })
}

fn decode_unknown<'a, C: Codec>(
    code: u64,
    frame: &'a Bytes,
    mut scanner: C::Scanner<'a>,
) -> Result<Message, DecodeError> {
    let mut fields = List::new();
    while let Some(range) = scanner.next()? {
        scanner.check_envelope(|| true)?;
        let bytes = frame.get(range).unwrap_or_default();
        let field: Value = C::read(bytes).map_err(|source| DecodeError::Malformed {
            format: C::NAME,
            source,
        })?;
        fields.push(field);
    }
    Ok(Message::Unknown(spell_message::message::Unknown {
        code,
        fields,
    }))
}

/// One element of a message, still encoded.
struct Encoded<'a, C> {
    bytes: &'a [u8],
    /// Where it stands in the frame.
    start: usize,
    codec: PhantomData<C>,
}

impl<'a, C> Encoded<'a, C> {
    fn new(frame: &'a [u8], range: Range<usize>) -> Self {
        Self {
            start: range.start,
            bytes: frame.get(range).unwrap_or_default(),
            codec: PhantomData,
        }
    }

    fn end(&self) -> usize {
        self.start.saturating_add(self.bytes.len())
    }
}

impl<C> Clone for Encoded<'_, C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C> Copy for Encoded<'_, C> {}

impl<C> Default for Encoded<'_, C> {
    fn default() -> Self {
        Self {
            bytes: &[],
            start: 0,
            codec: PhantomData,
        }
    }
}

impl<C: Codec> Element for Encoded<'_, C> {
    fn shape(&self) -> Shape {
        C::shape(self.bytes)
    }

    fn integer(&self) -> Option<u64> {
        C::integer(self.bytes)
    }

    fn text(&self) -> Option<Cow<'_, str>> {
        C::text(self.bytes)
    }

    fn dict(&self) -> Result<Dict, Option<Source>> {
        match self.shape() {
            Shape::Dict if self.bytes == C::EMPTY_DICT => Ok(Dict::new()),
            Shape::Dict => C::read(self.bytes).map_err(Some),
            _ => Err(None),
        }
    }
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
    let args = payload.args();
    let mut scanner = C::Scanner::open(args, &Limits::new()).ok()?;
    let only = scanner.next().ok()??;
    let is_only = scanner.next().ok()?.is_none() && payload.kwargs().is_empty();
    args.get(only).filter(|_| is_only)
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
                crate::codec::decode::<$Codec>(frame, &self.limits)
            }
        }
    };
}

pub(crate) use serializer;
