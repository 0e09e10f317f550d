//! Where the elements of a message stand, found without recursion and without reading any value.

use super::head::{Head, HeadError};
use crate::{
    DecodeError, Limits,
    list::Shape,
    scan::{Budget, Fault, Found, Refused, Scanner, is_utf8},
};

/// Goes over a message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CborScanner<'a> {
    bytes: &'a [u8],
    /// What is left of them.
    rest: &'a [u8],
    budget: Budget<'a>,
    /// The list or dictionary whose elements are wanted.
    outermost: Open,
}

/// What is still to come in a list or dictionary.
#[derive(Clone, Copy, Debug)]
enum Open {
    /// So many values.
    Values(usize),
    /// Values up to a break.
    Items,
    /// Entries up to a break; whether a value is next that belongs to a key.
    Entries { is_value: bool },
}

impl<'a> Scanner<'a> for CborScanner<'a> {
    const FORMAT: &'static str = "CBOR";

    #[inline]
    fn new(frame: &'a [u8], budget: Budget<'a>) -> Self {
        Self {
            bytes: frame,
            rest: frame,
            budget,
            outermost: Open::Items,
        }
    }

    fn budget(&mut self) -> &mut Budget<'a> {
        &mut self.budget
    }

    fn position(&self) -> usize {
        self.bytes.len().saturating_sub(self.rest.len())
    }

    fn left(&self) -> usize {
        self.rest.len()
    }

    #[inline]
    fn begin(&mut self, wanted: Shape) -> Result<Shape, Refused> {
        let head = self.head()?;
        match head {
            Head::List(length) if wanted == Shape::List => self.outermost = self.list(length)?,
            Head::Dict(length) if wanted == Shape::Dict => self.outermost = self.dict(length)?,
            Head::Break => return Err(&Fault::Malformed(BREAK)),
            _ => {}
        }
        Ok(head.shape())
    }

    #[expect(
        clippy::inline_always,
        reason = "most of what was found is not asked for"
    )]
    #[inline(always)]
    fn element(&mut self) -> Result<Option<Found<'a>>, Refused> {
        let mut outermost = self.outermost;
        let has_next = self.has_next(&mut outermost);
        self.outermost = outermost;
        if !has_next {
            return Ok(None);
        }
        let start = self.position();
        let (shape, integer) = self.value()?;
        Ok(Some(Found::new(
            self.bytes, start, self.rest, shape, integer,
        )))
    }
}

impl<'a> CborScanner<'a> {
    /// How many bytes the value takes that these begin with.
    pub(super) fn skip(bytes: &'a [u8]) -> Result<usize, DecodeError> {
        let limits = Limits::new().max_elements(usize::MAX);
        let mut scanner = CborScanner::new(bytes, Budget::new(&limits));
        match scanner.value() {
            Ok(_) => Ok(scanner.position()),
            Err(fault) => Err(scanner.error(fault)),
        }
    }

    /// Goes over one value, and over all that is in it; says what it is.
    #[expect(
        clippy::inline_always,
        reason = "most of what was found is not asked for"
    )]
    #[inline(always)]
    fn value(&mut self) -> Result<(Shape, Option<u64>), Refused> {
        let (shape, head) = self.begin_value()?;
        match head {
            Head::List(_) | Head::Dict(_) => self.inside(head)?,
            Head::Unsigned(integer) if shape == Shape::Integer => {
                return Ok((shape, Some(integer)));
            }
            _ => {}
        }
        Ok((shape, None))
    }

    /// Goes over what is in a list or dictionary, and over all that is in that.
    fn inside(&mut self, head: Head) -> Result<(), Refused> {
        // A copy, which need not be in memory. How far it came is noted in any case.
        let mut scanner = *self;
        let result = scanner.skip_inside(head);
        *self = scanner;
        result
    }

    #[inline]
    fn skip_inside(&mut self, head: Head) -> Result<(), Refused> {
        // Those around the innermost, below the message.
        let mut around: Vec<Open> = Vec::new();
        let mut innermost = self.enter(head, 2)?;
        loop {
            if !self.has_next(&mut innermost) {
                match around.pop() {
                    Some(open) => innermost = open,
                    None => return Ok(()),
                }
            } else if let (_, head @ (Head::List(_) | Head::Dict(_))) = self.begin_value()? {
                around.push(innermost);
                innermost = self.enter(head, around.len().saturating_add(2))?;
            }
        }
    }

    /// Whether there is one more value, which must then be gone over.
    #[inline]
    fn has_next(&mut self, open: &mut Open) -> bool {
        match open {
            Open::Values(remaining) => match remaining.checked_sub(1) {
                Some(fewer) => {
                    *remaining = fewer;
                    true
                }
                None => false,
            },
            Open::Items => !self.skip_break(),
            Open::Entries { is_value } => {
                *is_value = !*is_value;
                // It was the turn of a key, or the end.
                !(*is_value && self.skip_break())
            }
        }
    }

    /// Goes over a value, or over the head of a list or dictionary; says what it is, with its tags and
    /// without.
    #[expect(
        clippy::inline_always,
        reason = "the value is matched at once, and never stored"
    )]
    #[inline(always)]
    fn begin_value(&mut self) -> Result<(Shape, Head), Refused> {
        self.budget.values.count()?;
        let mut head = self.head()?;
        let shape = head.shape();
        while let Head::Tag(_) = head {
            self.budget.values.count()?;
            head = self.head()?;
        }
        match head {
            Head::Text(Some(size)) => self.text(size)?,
            Head::Bytes(Some(size)) => {
                self.take(size)?;
            }
            Head::Bytes(None) => {
                while !self.skip_break() {
                    let Head::Bytes(Some(size)) = self.head()? else {
                        return Err(&Fault::Malformed(CHUNK));
                    };
                    self.take(size)?;
                }
            }
            Head::Text(None) => {
                while !self.skip_break() {
                    let Head::Text(Some(size)) = self.head()? else {
                        return Err(&Fault::Malformed(CHUNK));
                    };
                    self.text(size)?;
                }
            }
            Head::Break => return Err(&Fault::Malformed(BREAK)),
            Head::List(_)
            | Head::Dict(_)
            | Head::Unsigned(_)
            | Head::Negative(_)
            | Head::Bool(_)
            | Head::Null
            | Head::Undefined
            | Head::Simple
            | Head::Float(_)
            | Head::Tag(_) => {}
        }
        Ok((shape, head))
    }

    /// Begins what has this head, at this depth.
    #[inline]
    fn enter(&self, head: Head, depth: usize) -> Result<Open, Refused> {
        self.budget.check_depth(depth)?;
        match head {
            Head::Dict(length) => self.dict(length),
            Head::List(length) => self.list(length),
            _ => Ok(Open::Values(0)),
        }
    }

    fn list(&self, length: Option<u64>) -> Result<Open, Refused> {
        match length {
            Some(items) => self.values(items, 1),
            None => Ok(Open::Items),
        }
    }

    fn dict(&self, length: Option<u64>) -> Result<Open, Refused> {
        match length {
            Some(entries) => self.values(entries, 2),
            None => Ok(Open::Entries { is_value: false }),
        }
    }

    /// So many entries, each being so many values.
    fn values(&self, entries: u64, values: usize) -> Result<Open, Refused> {
        let count = usize::try_from(entries)
            .unwrap_or(usize::MAX)
            .saturating_mul(values);
        // Each takes a byte at least.
        if count > self.rest.len() {
            return Err(&Fault::Malformed(ENDS_EARLY));
        }
        Ok(Open::Values(count))
    }

    #[inline]
    fn text(&mut self, size: u64) -> Result<(), Refused> {
        if !is_utf8(self.take(size)?) {
            return Err(&Fault::Malformed("a text that is not UTF-8 ends"));
        }
        Ok(())
    }

    /// Goes over a break, if there is one.
    #[inline]
    fn skip_break(&mut self) -> bool {
        let rest = self.rest.strip_prefix(&[0xff]);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    #[expect(
        clippy::inline_always,
        reason = "the value is matched at once, and never stored"
    )]
    #[inline(always)]
    fn head(&mut self) -> Result<Head, Refused> {
        let (head, rest) = Head::read(self.rest).map_err(|error| match error {
            HeadError::EndsEarly => &Fault::Malformed(ENDS_EARLY),
            HeadError::Reserved => &Fault::Malformed("a byte that begins no value"),
        })?;
        self.rest = rest;
        Ok(head)
    }

    #[inline]
    fn take(&mut self, size: u64) -> Result<&'a [u8], Refused> {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let Some((taken, rest)) = self.rest.split_at_checked(size) else {
            return Err(&Fault::Malformed(ENDS_EARLY));
        };
        self.rest = rest;
        Ok(taken)
    }
}

const ENDS_EARLY: &str = "the message ends early";
const BREAK: &str = "a break without a beginning";
const CHUNK: &str = "a chunk of another kind";
