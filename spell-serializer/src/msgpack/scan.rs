//! Where the elements of a message stand, found without recursion and without reading any value.

use crate::{
    list::Shape,
    scan::{Budget, Fault, Scanner},
};

/// Goes over a message.
#[derive(Debug)]
pub(crate) struct MsgPackScanner<'a> {
    bytes: &'a [u8],
    /// What is left of them.
    rest: &'a [u8],
    budget: Budget,
    /// How many elements are still to come of what was begun.
    remaining: usize,
    /// How many values are still to come in each list and dictionary around the current place,
    /// below the message.
    open: Vec<usize>,
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
    const FORMAT: &'static str = "MessagePack";

    fn new(frame: &'a [u8], budget: Budget) -> Self {
        Self {
            bytes: frame,
            rest: frame,
            budget,
            remaining: 0,
            open: Vec::new(),
        }
    }

    fn budget(&mut self) -> &mut Budget {
        &mut self.budget
    }

    fn position(&self) -> usize {
        self.bytes.len().saturating_sub(self.rest.len())
    }

    fn left(&self) -> usize {
        self.rest.len()
    }

    fn begin(&mut self, wanted: Shape) -> Result<Shape, Fault> {
        let head = self.head()?;
        match head {
            Head::List(length) if wanted == Shape::List => {
                self.remaining = self.collection(length, 1)?;
            }
            Head::Dict(length) if wanted == Shape::Dict => {
                self.remaining = self.collection(length, 2)?;
            }
            Head::Reserved => return Err(Fault::Malformed(UNKNOWN)),
            _ => {}
        }
        Ok(head.shape())
    }

    fn element(&mut self) -> Result<Option<usize>, Fault> {
        let Some(remaining) = self.remaining.checked_sub(1) else {
            return Ok(None);
        };
        self.remaining = remaining;
        let start = self.position();
        self.value()?;
        Ok(Some(start))
    }
}

impl<'a> MsgPackScanner<'a> {
    /// Goes over one value, and over all that is in it.
    fn value(&mut self) -> Result<(), Fault> {
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
    fn begin_value(&mut self) -> Result<(), Fault> {
        self.budget.count()?;
        match self.head()? {
            Head::Null | Head::Bool | Head::Small(_) => {}
            Head::Unsigned(size) | Head::Signed(size) | Head::Float(size) => {
                self.take(size)?;
            }
            Head::Text(length) => {
                let size = self.length(length)?;
                if std::str::from_utf8(self.take(size)?).is_err() {
                    return Err(Fault::Malformed("a text that is not UTF-8 ends"));
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
            Head::List(length) => self.open(length, 1)?,
            Head::Dict(length) => self.open(length, 2)?,
            Head::Reserved => return Err(Fault::Malformed(UNKNOWN)),
        }
        Ok(())
    }

    fn open(&mut self, length: Length, values: usize) -> Result<(), Fault> {
        self.budget.check_depth(self.open.len().saturating_add(2))?;
        let remaining = self.collection(length, values)?;
        self.open.push(remaining);
        Ok(())
    }

    /// How many values stand in a list or dictionary, each entry being so many of them.
    fn collection(&mut self, length: Length, values: usize) -> Result<usize, Fault> {
        let count = self.length(length)?.saturating_mul(values);
        // Each takes a byte at least.
        if count > self.rest.len() {
            return Err(Fault::Malformed(ENDS_EARLY));
        }
        Ok(count)
    }

    #[inline]
    fn head(&mut self) -> Result<Head, Fault> {
        let (byte, rest) = self
            .rest
            .split_first()
            .ok_or(Fault::Malformed(ENDS_EARLY))?;
        self.rest = rest;
        Ok(Head::of(*byte))
    }

    #[inline]
    fn length(&mut self, length: Length) -> Result<usize, Fault> {
        match length {
            Length::Here(length) => Ok(length.into()),
            Length::Follows(size) => {
                let length = unsigned(self.take(size)?);
                Ok(usize::try_from(length).unwrap_or(usize::MAX))
            }
        }
    }

    #[inline]
    fn take(&mut self, size: usize) -> Result<&'a [u8], Fault> {
        let taken = self.rest.split_at_checked(size);
        let (taken, rest) = taken.ok_or(Fault::Malformed(ENDS_EARLY))?;
        self.rest = rest;
        Ok(taken)
    }
}

const ENDS_EARLY: &str = "the message ends early";
const UNKNOWN: &str = "0xc1, which begins no value,";
