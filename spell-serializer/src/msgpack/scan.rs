//! Where the elements of a message stand, found without recursion and without reading any value.

use std::ops::Range;

use crate::{DecodeError, Limits, codec::Scanner, list::Shape};

/// Goes over a message.
#[derive(Debug)]
pub(crate) struct MsgPackScanner<'a> {
    bytes: &'a [u8],
    position: usize,
    limits: Limits,
    /// How many values were seen.
    elements: usize,
    /// How many elements of the message are still to come.
    remaining: usize,
    /// How many values are still to come in each list and dictionary around the current place,
    /// below the message.
    open: Vec<usize>,
}

#[derive(Debug, thiserror::Error)]
#[error("{problem} at byte {position}")]
struct Problem {
    problem: &'static str,
    position: usize,
}

/// What a value begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Head {
    Null,
    Bool,
    /// An integer, whose value follows in so many bytes.
    Unsigned(usize),
    Signed(usize),
    /// An integer that stands in the head itself.
    Small(i8),
    /// So many bytes follow.
    Float(usize),
    /// A length of so many bytes follows, or none for a length that stands in the head itself.
    Text(Length),
    Bytes(Length),
    /// The same, and a byte for the type.
    Extension(Length),
    List(Length),
    Dict(Length),
    /// 0xc1, which means nothing.
    Reserved,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    Here(u8),
    Follows(usize),
}

impl Head {
    pub(super) fn of(byte: u8) -> Self {
        use Length::{Follows, Here};
        match byte {
            0x00..=0x7f | 0xe0..=0xff => Self::Small(i8::from_ne_bytes([byte])),
            0x80..=0x8f => Self::Dict(Here(byte & 0x0f)),
            0x90..=0x9f => Self::List(Here(byte & 0x0f)),
            0xa0..=0xbf => Self::Text(Here(byte & 0x1f)),
            0xc0 => Self::Null,
            0xc1 => Self::Reserved,
            0xc2 | 0xc3 => Self::Bool,
            0xc4 => Self::Bytes(Follows(1)),
            0xc5 => Self::Bytes(Follows(2)),
            0xc6 => Self::Bytes(Follows(4)),
            0xc7 => Self::Extension(Follows(1)),
            0xc8 => Self::Extension(Follows(2)),
            0xc9 => Self::Extension(Follows(4)),
            0xca => Self::Float(4),
            0xcb => Self::Float(8),
            0xcc => Self::Unsigned(1),
            0xcd => Self::Unsigned(2),
            0xce => Self::Unsigned(4),
            0xcf => Self::Unsigned(8),
            0xd0 => Self::Signed(1),
            0xd1 => Self::Signed(2),
            0xd2 => Self::Signed(4),
            0xd3 => Self::Signed(8),
            0xd4 => Self::Extension(Here(1)),
            0xd5 => Self::Extension(Here(2)),
            0xd6 => Self::Extension(Here(4)),
            0xd7 => Self::Extension(Here(8)),
            0xd8 => Self::Extension(Here(16)),
            0xd9 => Self::Text(Follows(1)),
            0xda => Self::Text(Follows(2)),
            0xdb => Self::Text(Follows(4)),
            0xdc => Self::List(Follows(2)),
            0xdd => Self::List(Follows(4)),
            0xde => Self::Dict(Follows(2)),
            0xdf => Self::Dict(Follows(4)),
        }
    }

    pub(super) fn shape(self) -> Shape {
        match self {
            Self::Null => Shape::Null,
            Self::Bool => Shape::Bool,
            Self::Small(..0) => Shape::Negative,
            Self::Unsigned(_) | Self::Signed(_) | Self::Small(_) => Shape::Integer,
            Self::Float(_) => Shape::Float,
            Self::Text(_) => Shape::Text,
            Self::Bytes(_) => Shape::Bytes,
            Self::List(_) => Shape::List,
            Self::Dict(_) => Shape::Dict,
            Self::Extension(_) | Self::Reserved => Shape::Other,
        }
    }
}

/// The number in these bytes, which are at most 8.
pub(super) fn unsigned(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

impl<'a> Scanner<'a> for MsgPackScanner<'a> {
    fn open(frame: &'a [u8], limits: &Limits) -> Result<Self, DecodeError> {
        let mut scanner = Self {
            bytes: frame,
            position: 0,
            limits: *limits,
            elements: 0,
            remaining: 0,
            open: Vec::new(),
        };
        scanner.count()?;
        scanner.check_depth(1)?;
        match scanner.head()? {
            Head::List(length) => scanner.remaining = scanner.collection(length, 1)?,
            Head::Reserved => return Err(scanner.malformed(UNKNOWN)),
            other => {
                return Err(DecodeError::NotAList {
                    found: other.shape().name(),
                });
            }
        }
        Ok(scanner)
    }

    fn next(&mut self) -> Result<Option<Range<usize>>, DecodeError> {
        let Some(remaining) = self.remaining.checked_sub(1) else {
            return match self.bytes.len().saturating_sub(self.position) {
                0 => Ok(None),
                count => Err(DecodeError::TrailingBytes { count }),
            };
        };
        self.remaining = remaining;
        let start = self.position;
        self.value()?;
        Ok(Some(start..self.position))
    }
}

impl MsgPackScanner<'_> {
    /// Goes over one value, and over all that is in it.
    fn value(&mut self) -> Result<(), DecodeError> {
        loop {
            self.begin_value()?;
            // What ends with this value is over, and so may be what is around it.
            loop {
                let Some(remaining) = self.open.last_mut() else {
                    return Ok(());
                };
                if let Some(fewer) = remaining.checked_sub(1) {
                    *remaining = fewer;
                    break;
                }
                self.open.pop();
            }
        }
    }

    /// Goes over a value, or over the head of a list or dictionary.
    fn begin_value(&mut self) -> Result<(), DecodeError> {
        self.count()?;
        match self.head()? {
            Head::Null | Head::Bool | Head::Small(_) => {}
            Head::Unsigned(size) | Head::Signed(size) | Head::Float(size) => {
                self.take(size)?;
            }
            Head::Text(length) => {
                let start = self.position;
                let size = self.length(length)?;
                if std::str::from_utf8(self.take(size)?).is_err() {
                    self.position = start;
                    return Err(self.malformed("a text that is not UTF-8"));
                }
            }
            Head::Bytes(length) => {
                let size = self.length(length)?;
                self.take(size)?;
            }
            Head::Extension(length) => {
                let size = self.length(length)?;
                self.take(size.saturating_add(1))?;
            }
            Head::List(length) => self.begin(length, 1)?,
            Head::Dict(length) => self.begin(length, 2)?,
            Head::Reserved => return Err(self.malformed(UNKNOWN)),
        }
        Ok(())
    }

    fn begin(&mut self, length: Length, values: usize) -> Result<(), DecodeError> {
        self.check_depth(self.open.len().saturating_add(2))?;
        let remaining = self.collection(length, values)?;
        self.open.push(remaining);
        Ok(())
    }

    /// How many values stand in a list or dictionary, each entry being so many of them.
    fn collection(&mut self, length: Length, values: usize) -> Result<usize, DecodeError> {
        let count = self.length(length)?.saturating_mul(values);
        // Each takes a byte at least.
        if count > self.bytes.len().saturating_sub(self.position) {
            return Err(self.malformed(ENDS_EARLY));
        }
        Ok(count)
    }

    fn head(&mut self) -> Result<Head, DecodeError> {
        let head = self.take(1)?.first().copied();
        head.map(Head::of).ok_or_else(|| self.malformed(ENDS_EARLY))
    }

    fn length(&mut self, length: Length) -> Result<usize, DecodeError> {
        match length {
            Length::Here(length) => Ok(length.into()),
            Length::Follows(size) => {
                let length = unsigned(self.take(size)?);
                Ok(usize::try_from(length).unwrap_or(usize::MAX))
            }
        }
    }

    fn take(&mut self, size: usize) -> Result<&[u8], DecodeError> {
        let end = self.position.saturating_add(size);
        let Some(taken) = self.bytes.get(self.position..end) else {
            return Err(self.malformed(ENDS_EARLY));
        };
        self.position = end;
        Ok(taken)
    }

    fn count(&mut self) -> Result<(), DecodeError> {
        let limit = self.limits.elements;
        self.elements = self.elements.saturating_add(1);
        if self.elements > limit {
            return Err(DecodeError::TooManyElements { limit });
        }
        Ok(())
    }

    fn check_depth(&self, depth: usize) -> Result<(), DecodeError> {
        let limit = self.limits.depth;
        if depth > limit {
            return Err(DecodeError::TooDeep { limit });
        }
        Ok(())
    }

    fn malformed(&self, problem: &'static str) -> DecodeError {
        DecodeError::Malformed {
            format: "MessagePack",
            source: Problem {
                problem,
                position: self.position,
            }
            .into(),
        }
    }
}

const ENDS_EARLY: &str = "the message ends early";
const UNKNOWN: &str = "0xc1, which begins no value,";
