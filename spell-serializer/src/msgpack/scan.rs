//! Where the elements of a message stand, found without recursion and without reading any value.

use super::head::{Head, HeadError};
use crate::{
    list::Shape,
    scan::{Budget, Fault, Found, Refused, Scanner, Values, is_utf8},
};

/// Goes over a message.
#[derive(Debug)]
pub(crate) struct MsgPackScanner<'a> {
    bytes: &'a [u8],
    /// What is left of them.
    rest: &'a [u8],
    budget: Budget<'a>,
    /// How many elements are still to come of what was begun.
    remaining: usize,
}

impl<'a> Scanner<'a> for MsgPackScanner<'a> {
    const FORMAT: &'static str = "MessagePack";

    #[inline]
    fn new(frame: &'a [u8], budget: Budget<'a>) -> Self {
        Self {
            bytes: frame,
            rest: frame,
            budget,
            remaining: 0,
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
        let head = head(&mut self.rest)?;
        match head {
            Head::List(items) if wanted == Shape::List => {
                self.remaining = values(self.rest, items, 1)?;
            }
            Head::Dict(entries) if wanted == Shape::Dict => {
                self.remaining = values(self.rest, entries, 2)?;
            }
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
        let Some(remaining) = self.remaining.checked_sub(1) else {
            return Ok(None);
        };
        self.remaining = remaining;
        let start = self.position();
        self.budget.values.count()?;
        let head = begin_value(&mut self.rest)?;
        let integer = match head {
            Head::Unsigned(integer) => Some(integer),
            Head::List(items) => {
                self.inside(items, 1)?;
                None
            }
            // Most options are empty.
            Head::Dict(0) => self.budget.check_depth(2).map(|()| None)?,
            Head::Dict(entries) => {
                self.inside(entries, 2)?;
                None
            }
            _ => None,
        };
        let shape = head.shape();
        Ok(Some(Found::new(
            self.bytes, start, self.rest, shape, integer,
        )))
    }
}

impl MsgPackScanner<'_> {
    /// Goes over what is in a list or dictionary of so many entries, each being so many values.
    fn inside(&mut self, entries: usize, values: usize) -> Result<(), Refused> {
        // Copies, which need not be in memory. How far they came is noted in any case.
        let (mut rest, mut left) = (self.rest, self.budget.values);
        let result = skip(&mut rest, &mut left, &self.budget, entries, values);
        (self.rest, self.budget.values) = (rest, left);
        result
    }
}

/// Goes over what is in a list or dictionary, and over all that is in that.
#[inline]
fn skip(
    rest: &mut &[u8],
    left: &mut Values,
    budget: &Budget<'_>,
    entries: usize,
    values_each: usize,
) -> Result<(), Refused> {
    // How many values are still to come in the innermost list or dictionary, and in each around it
    // below the message.
    let mut around: Vec<usize> = Vec::new();
    budget.check_depth(2)?;
    let mut remaining = values(rest, entries, values_each)?;
    loop {
        if let Some(fewer) = remaining.checked_sub(1) {
            remaining = fewer;
        } else if let Some(outer) = around.pop() {
            remaining = outer;
            continue;
        } else {
            return Ok(());
        }
        left.count()?;
        let (entries, values_each) = match begin_value(rest)? {
            Head::List(items) => (items, 1),
            Head::Dict(entries) => (entries, 2),
            _ => continue,
        };
        around.push(remaining);
        budget.check_depth(around.len().saturating_add(2))?;
        remaining = values(rest, entries, values_each)?;
    }
}

/// Goes over a value, or over the head of a list or dictionary.
#[expect(
    clippy::inline_always,
    reason = "the value is matched at once, and never stored"
)]
#[inline(always)]
fn begin_value(rest: &mut &[u8]) -> Result<Head, Refused> {
    let head = head(rest)?;
    match head {
        Head::Text(size) if !is_utf8(take(rest, size)?) => {
            return Err(&Fault::Malformed("a text that is not UTF-8 ends"));
        }
        Head::Bytes(size) => {
            take(rest, size)?;
        }
        Head::Extension(size) => {
            take(rest, size.saturating_add(1))?;
        }
        _ => {}
    }
    Ok(head)
}

/// How many values stand in a list or dictionary, each entry being so many of them.
#[inline]
fn values(rest: &[u8], entries: usize, values: usize) -> Result<usize, Refused> {
    let count = entries.saturating_mul(values);
    // Each takes a byte at least.
    if count > rest.len() {
        return Err(&Fault::Malformed(ENDS_EARLY));
    }
    Ok(count)
}

#[expect(
    clippy::inline_always,
    reason = "the value is matched at once, and never stored"
)]
#[inline(always)]
fn head(rest: &mut &[u8]) -> Result<Head, Refused> {
    Head::read(rest).map_err(|error| match error {
        HeadError::EndsEarly => &Fault::Malformed(ENDS_EARLY),
        HeadError::Reserved => &Fault::Malformed("0xc1, which begins no value,"),
    })
}

#[inline]
fn take<'a>(rest: &mut &'a [u8], size: usize) -> Result<&'a [u8], Refused> {
    let taken = rest.split_at_checked(size);
    let (taken, behind) = taken.ok_or(&Fault::Malformed(ENDS_EARLY))?;
    *rest = behind;
    Ok(taken)
}

const ENDS_EARLY: &str = "the message ends early";
