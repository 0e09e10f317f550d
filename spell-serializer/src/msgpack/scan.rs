//! Where the elements of a message stand, found without recursion and without reading any value.

use crate::{
    list::Shape,
    scan::{Budget, Fault, Scanner, Values, is_utf8, unsigned},
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
    /// How many values are still to come in each list and dictionary around the innermost one, below
    /// the message.
    around: Vec<usize>,
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
    #[inline]
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

impl<'a> Scanner<'a> for MsgPackScanner<'a> {
    const FORMAT: &'static str = "MessagePack";

    fn new(frame: &'a [u8], budget: Budget) -> Self {
        Self {
            bytes: frame,
            rest: frame,
            budget,
            remaining: 0,
            around: Vec::new(),
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
        let head = head(&mut self.rest)?;
        match head {
            Head::List(length) if wanted == Shape::List => {
                self.remaining = collection(&mut self.rest, length, 1)?;
            }
            Head::Dict(length) if wanted == Shape::Dict => {
                self.remaining = collection(&mut self.rest, length, 2)?;
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

impl MsgPackScanner<'_> {
    /// Goes over one value, and over all that is in it.
    fn value(&mut self) -> Result<(), Fault> {
        // Copies, which need not be in memory. How far they came is noted in any case.
        let (mut rest, mut values) = (self.rest, self.budget.values);
        let result = skip(&mut rest, &mut values, &self.budget, &mut self.around);
        (self.rest, self.budget.values) = (rest, values);
        result
    }
}

/// Goes over one value, and over all that is in it.
#[inline]
fn skip(
    rest: &mut &[u8],
    left: &mut Values,
    budget: &Budget,
    around: &mut Vec<usize>,
) -> Result<(), Fault> {
    // Of the innermost list or dictionary, and its depth: 1 is the message.
    let mut remaining = 0_usize;
    let mut depth = 1_usize;
    loop {
        left.count()?;
        if let Some((length, values)) = begin_value(rest)? {
            if depth > 1 {
                around.push(remaining);
            }
            depth = depth.saturating_add(1);
            budget.check_depth(depth)?;
            remaining = collection(rest, length, values)?;
        }
        // What ends with this value is over, and so may be what is around it.
        loop {
            if let Some(fewer) = remaining.checked_sub(1) {
                remaining = fewer;
                break;
            }
            if depth == 1 {
                return Ok(());
            }
            depth = depth.saturating_sub(1);
            remaining = around.pop().unwrap_or(0);
        }
    }
}

/// Goes over a value, or over the first byte of a list or dictionary: the result is its length, and
/// how many values each entry is.
#[inline]
fn begin_value(rest: &mut &[u8]) -> Result<Option<(Length, usize)>, Fault> {
    match head(rest)? {
        Head::Small(_) | Head::Null | Head::Bool => {}
        Head::Text(length) => {
            let size = self::length(rest, length)?;
            if !is_utf8(take(rest, size)?) {
                return Err(Fault::Malformed("a text that is not UTF-8 ends"));
            }
        }
        Head::Unsigned(size) | Head::Signed(size) | Head::Float(size) => {
            take(rest, size)?;
        }
        Head::Bytes(length) => {
            let size = self::length(rest, length)?;
            take(rest, size)?;
        }
        Head::Extension(length) => {
            let size = self::length(rest, length)?;
            take(rest, size.saturating_add(1))?;
        }
        Head::List(length) => return Ok(Some((length, 1))),
        Head::Dict(length) => return Ok(Some((length, 2))),
        Head::Reserved => return Err(Fault::Malformed(UNKNOWN)),
    }
    Ok(None)
}

/// How many values stand in a list or dictionary, each entry being so many of them.
#[inline]
fn collection(rest: &mut &[u8], length: Length, values: usize) -> Result<usize, Fault> {
    let count = self::length(rest, length)?.saturating_mul(values);
    // Each takes a byte at least.
    if count > rest.len() {
        return Err(Fault::Malformed(ENDS_EARLY));
    }
    Ok(count)
}

#[inline]
fn head(rest: &mut &[u8]) -> Result<Head, Fault> {
    let (byte, behind) = rest.split_first().ok_or(Fault::Malformed(ENDS_EARLY))?;
    *rest = behind;
    Ok(Head::of(*byte))
}

#[inline]
fn length(rest: &mut &[u8], length: Length) -> Result<usize, Fault> {
    match length {
        Length::Here(length) => Ok(length.into()),
        Length::Follows(size) => {
            let length = unsigned(take(rest, size)?);
            Ok(usize::try_from(length).unwrap_or(usize::MAX))
        }
    }
}

#[inline]
fn take<'a>(rest: &mut &'a [u8], size: usize) -> Result<&'a [u8], Fault> {
    let taken = rest.split_at_checked(size);
    let (taken, behind) = taken.ok_or(Fault::Malformed(ENDS_EARLY))?;
    *rest = behind;
    Ok(taken)
}

const ENDS_EARLY: &str = "the message ends early";
const UNKNOWN: &str = "0xc1, which begins no value,";
