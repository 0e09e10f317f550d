//! The arguments of a message, undecoded.

use std::{error::Error, fmt};

use bytes::Bytes;

use crate::Value;

/// The arguments of a message, still encoded: the tail of the frame they came in.
///
/// Nothing is decoded until someone asks for a type, and nothing is copied: a clone shares the
/// frame, and a router whose two sides speak one format forwards the bytes as they are.
///
/// Positional and keyword arguments are neighbours in every format, so one slice holds both; `args`
/// and `kwargs` are cut out of it. Decoding and encoding is the business of `spell-serializer`.
///
/// WAMP spec, "Application Payloads" (`Arguments` and `ArgumentsKw`).
#[derive(Clone, Default)]
pub struct Payload {
    format: Option<Format>,
    tail: Bytes,
    args_end: usize,
    kwargs_start: usize,
}

impl Payload {
    /// Arguments that are already encoded.
    ///
    /// `tail` is one encoded list that ends at `args_end` and, unless `kwargs_start` is the length
    /// of `tail`, one encoded dictionary from `kwargs_start` on. Between the two stands what the
    /// format puts there: a comma in JSON, nothing in the binary formats. Offsets beyond the tail
    /// count as its end.
    pub fn encoded(format: Format, tail: Bytes, args_end: usize, kwargs_start: usize) -> Self {
        let args_end = args_end.min(tail.len());
        let kwargs_start = kwargs_start.clamp(args_end, tail.len());
        Self {
            format: Some(format),
            tail,
            args_end,
            kwargs_start,
        }
    }

    /// How the arguments are encoded; `None` when there are none.
    pub fn format(&self) -> Option<Format> {
        self.format
    }

    /// Positional and keyword arguments as they stand in a frame of this format; empty when absent.
    pub fn tail(&self) -> &Bytes {
        &self.tail
    }

    /// The encoded list of positional arguments; empty when absent.
    pub fn args(&self) -> &[u8] {
        self.tail.get(..self.args_end).unwrap_or_default()
    }

    /// The encoded dictionary of keyword arguments; empty when absent.
    pub fn kwargs(&self) -> &[u8] {
        self.tail.get(self.kwargs_start..).unwrap_or_default()
    }

    /// Whether there are no arguments at all, not even an empty list.
    pub fn is_absent(&self) -> bool {
        self.tail.is_empty()
    }

    /// How many bytes the arguments take in a frame.
    pub fn len(&self) -> usize {
        self.tail.len()
    }

    /// Whether there are no arguments: none at all, or an empty list and an empty dictionary.
    pub fn is_empty(&self) -> bool {
        self.args_or_absent().is_empty() && self.kwargs_or_absent().is_empty()
    }

    /// The arguments, where an empty list counts as absent.
    fn args_or_absent(&self) -> &[u8] {
        match self.args() {
            [b'[', b']'] if self.format == Some(Format::Json) => &[],
            [0x90] if self.format == Some(Format::MsgPack) => &[],
            [0x80] if self.format == Some(Format::Cbor) => &[],
            args => args,
        }
    }

    /// The keyword arguments, where an empty dictionary counts as absent.
    fn kwargs_or_absent(&self) -> &[u8] {
        match self.kwargs() {
            [b'{', b'}'] if self.format == Some(Format::Json) => &[],
            [0x80] if self.format == Some(Format::MsgPack) => &[],
            [0xa0] if self.format == Some(Format::Cbor) => &[],
            kwargs => kwargs,
        }
    }
}

/// Compares format and bytes, not meaning; absent arguments equal empty ones.
impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        self.args_or_absent() == other.args_or_absent()
            && self.kwargs_or_absent() == other.kwargs_or_absent()
            && (self.format == other.format || self.is_empty())
    }
}

/// Shows the format and the sizes, not the arguments: they may be secret.
#[expect(clippy::missing_fields_in_debug, reason = "arguments may be secret")]
impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.format {
            None => f.write_str("Payload(absent)"),
            Some(format) => f
                .debug_struct("Payload")
                .field("format", &format)
                .field("args", &self.args().len())
                .field("kwargs", &self.kwargs().len())
                .finish(),
        }
    }
}

/// How a payload is encoded.
///
/// The formats of the specification are named, so that decoding them is a `match` and the codec is
/// called directly. Others go by way of a [`Value`], which costs more.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Format {
    /// JSON; binaries are strings that begin with U+0000, then Base64.
    Json,
    /// MessagePack.
    MsgPack,
    /// CBOR.
    Cbor,
    /// A format the specification does not name.
    Custom(&'static dyn CustomFormat),
}

/// Custom formats are told apart by their names.
impl PartialEq for Format {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Json, Self::Json)
            | (Self::MsgPack, Self::MsgPack)
            | (Self::Cbor, Self::Cbor) => true,
            (Self::Custom(this), Self::Custom(other)) => this.name() == other.name(),
            _ => false,
        }
    }
}

impl Eq for Format {}

/// A payload format the specification does not name.
pub trait CustomFormat: fmt::Debug + Send + Sync {
    /// Tells one custom format from another.
    fn name(&self) -> &str;

    /// Decode exactly one value out of `bytes`.
    fn decode(&self, bytes: &[u8]) -> Result<Value, Box<dyn Error + Send + Sync>>;

    /// Encode one value.
    fn encode(&self, value: &Value) -> Result<Bytes, Box<dyn Error + Send + Sync>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(args: &'static str, kwargs: &'static str) -> Payload {
        let start = if kwargs.is_empty() {
            args.to_owned()
        } else {
            format!("{args},")
        };
        let kwargs_start = start.len();
        let tail = Bytes::from(start + kwargs);
        Payload::encoded(Format::Json, tail, args.len(), kwargs_start)
    }

    #[test]
    fn args_and_kwargs_are_cut_out_of_the_tail() {
        let payload = json("[1]", r#"{"a":2}"#);
        assert_eq!(payload.args(), b"[1]");
        assert_eq!(payload.kwargs(), br#"{"a":2}"#);
        assert_eq!(json("[1]", "").kwargs(), b"");
    }

    #[test]
    fn absent_equals_empty_and_keeps_its_bytes() {
        assert_eq!(Payload::default(), json("[]", ""));
        assert_eq!(json("[]", "{}"), Payload::default());
        assert_eq!(json("[]", "{}").tail().as_ref(), b"[],{}");
        assert_ne!(json("[1]", ""), Payload::default());
    }

    #[test]
    fn offsets_beyond_the_tail_are_its_end() {
        let payload = Payload::encoded(Format::Json, Bytes::from_static(b"[]"), 9, 7);
        assert_eq!((payload.args(), payload.kwargs()), (&b"[]"[..], &b""[..]));
    }

    #[test]
    fn debug_shows_no_argument() {
        assert!(!format!("{:?}", json(r#"["secret"]"#, "")).contains("secret"));
    }
}
