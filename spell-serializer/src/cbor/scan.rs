//! Where the elements of a message stand, found without recursion and without reading any value.

use super::head::{Head, HeadError};
use crate::{
    DecodeError, Limits,
    list::Shape,
    scan::{Budget, Fault, Scanner, is_utf8},
};

/// Goes over a message.
#[derive(Debug)]
pub(crate) struct CborScanner<'a> {
    bytes: &'a [u8],
    /// What is left of them.
    rest: &'a [u8],
    budget: Budget,
    /// The list or dictionary whose elements are wanted.
    outermost: Open,
    /// The lists and dictionaries around the current place, below that.
    open: Vec<Open>,
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

    fn new(frame: &'a [u8], budget: Budget) -> Self {
        Self {
            bytes: frame,
            rest: frame,
            budget,
            outermost: Open::Items,
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
            Head::List(length) if wanted == Shape::List => self.outermost = self.list(length)?,
            Head::Dict(length) if wanted == Shape::Dict => self.outermost = self.dict(length)?,
            Head::Break => return Err(Fault::Malformed(BREAK)),
            _ => {}
        }
        Ok(head.shape())
    }

    fn element(&mut self) -> Result<Option<usize>, Fault> {
        let is_over = match &mut self.outermost {
            Open::Values(0) => true,
            Open::Values(remaining) => {
                *remaining = remaining.saturating_sub(1);
                false
            }
            Open::Items => self.skip_break(),
            Open::Entries { is_value } => {
                *is_value = !*is_value;
                // It was the turn of a key, or the end.
                *is_value && self.skip_break()
            }
        };
        if is_over {
            return Ok(None);
        }
        let start = self.position();
        self.value()?;
        Ok(Some(start))
    }
}

impl<'a> CborScanner<'a> {
    /// How many bytes the value takes that these begin with.
    pub(super) fn skip(bytes: &'a [u8]) -> Result<usize, DecodeError> {
        let limits = Limits::new().max_elements(usize::MAX);
        let mut scanner = Self::new(bytes, Budget::new(&limits));
        match scanner.value() {
            Ok(()) => Ok(scanner.position()),
            Err(fault) => Err(scanner.error(fault)),
        }
    }

    /// Goes over one value, and over all that is in it.
    fn value(&mut self) -> Result<(), Fault> {
        loop {
            self.begin_value()?;
            // What ends with this value is over, and so may be what is around it.
            loop {
                let is_over = match self.open.last_mut() {
                    None => return Ok(()),
                    Some(Open::Values(0)) => true,
                    Some(Open::Values(remaining)) => {
                        *remaining = remaining.saturating_sub(1);
                        false
                    }
                    Some(Open::Items) => self.skip_break(),
                    Some(Open::Entries { is_value: true }) => {
                        self.turn(false);
                        false
                    }
                    Some(Open::Entries { is_value: false }) => {
                        let is_over = self.skip_break();
                        self.turn(true);
                        is_over
                    }
                };
                if !is_over {
                    break;
                }
                self.open.pop();
            }
        }
    }

    /// Notes whether the value after the next is that of a key.
    fn turn(&mut self, is_value: bool) {
        if let Some(open) = self.open.last_mut() {
            *open = Open::Entries { is_value };
        }
    }

    /// Goes over a value, or over the head of a list or dictionary.
    #[inline]
    fn begin_value(&mut self) -> Result<(), Fault> {
        self.budget.count()?;
        // Keys are short texts, and most values are keys or have one.
        if let [first @ 0x60..=0x77, behind @ ..] = self.rest {
            self.rest = behind;
            return self.text(u64::from(first & 0x1f));
        }
        let mut head = self.head()?;
        while let Head::Tag(_) = head {
            self.budget.count()?;
            head = self.head()?;
        }
        match head {
            Head::Bytes(Some(size)) => {
                self.take(size)?;
            }
            Head::Text(Some(size)) => self.text(size)?,
            Head::Bytes(None) => {
                while !self.skip_break() {
                    let Head::Bytes(Some(size)) = self.head()? else {
                        return Err(Fault::Malformed(CHUNK));
                    };
                    self.take(size)?;
                }
            }
            Head::Text(None) => {
                while !self.skip_break() {
                    let Head::Text(Some(size)) = self.head()? else {
                        return Err(Fault::Malformed(CHUNK));
                    };
                    self.text(size)?;
                }
            }
            Head::List(length) => {
                self.budget.check_depth(self.open.len().saturating_add(2))?;
                let open = self.list(length)?;
                self.open.push(open);
            }
            Head::Dict(length) => {
                self.budget.check_depth(self.open.len().saturating_add(2))?;
                let open = self.dict(length)?;
                self.open.push(open);
            }
            Head::Break => return Err(Fault::Malformed(BREAK)),
            Head::Unsigned(_)
            | Head::Negative(_)
            | Head::Bool(_)
            | Head::Null
            | Head::Undefined
            | Head::Simple
            | Head::Float(_)
            | Head::Tag(_) => {}
        }
        Ok(())
    }

    fn list(&self, length: Option<u64>) -> Result<Open, Fault> {
        match length {
            Some(items) => self.values(items, 1),
            None => Ok(Open::Items),
        }
    }

    fn dict(&self, length: Option<u64>) -> Result<Open, Fault> {
        match length {
            Some(entries) => self.values(entries, 2),
            None => Ok(Open::Entries { is_value: false }),
        }
    }

    /// So many entries, each being so many values.
    fn values(&self, entries: u64, values: usize) -> Result<Open, Fault> {
        let count = usize::try_from(entries)
            .unwrap_or(usize::MAX)
            .saturating_mul(values);
        // Each takes a byte at least.
        if count > self.rest.len() {
            return Err(Fault::Malformed(ENDS_EARLY));
        }
        Ok(Open::Values(count))
    }

    #[inline]
    fn text(&mut self, size: u64) -> Result<(), Fault> {
        if !is_utf8(self.take(size)?) {
            return Err(Fault::Malformed("a text that is not UTF-8 ends"));
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

    #[inline]
    fn head(&mut self) -> Result<Head, Fault> {
        let (head, rest) = Head::read(self.rest).map_err(|error| {
            Fault::Malformed(match error {
                HeadError::EndsEarly => ENDS_EARLY,
                HeadError::Reserved => "a byte that begins no value",
            })
        })?;
        self.rest = rest;
        Ok(head)
    }

    #[inline]
    fn take(&mut self, size: u64) -> Result<&'a [u8], Fault> {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let Some((taken, rest)) = self.rest.split_at_checked(size) else {
            return Err(Fault::Malformed(ENDS_EARLY));
        };
        self.rest = rest;
        Ok(taken)
    }
}

const ENDS_EARLY: &str = "the message ends early";
const BREAK: &str = "a break without a beginning";
const CHUNK: &str = "a chunk of another kind";
