//! Where the elements of a message stand: a check of the whole text against the grammar of JSON,
//! without recursion and without reading any value.

use super::binary::ESCAPED_MARK;
use crate::{
    list::Shape,
    scan::{Budget, Fault, Found, Refused, Scanner, not_utf8},
};

/// Goes over a JSON text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JsonScanner<'a> {
    text: &'a [u8],
    /// What is left of it.
    rest: &'a [u8],
    budget: Budget<'a>,
    /// Whether an element came already.
    is_started: bool,
    /// Whether the elements are the keys and values of a dictionary.
    is_dict: bool,
    /// Whether the next element is the value of a key.
    is_value: bool,
    /// How many lists and dictionaries there are around the current place, below the message.
    open: u32,
    /// Which of them are dictionaries, a bit each, the innermost in the lowest. There is room for
    /// all: the message included, there are at most [`Limits::DEPTH`](crate::Limits::DEPTH).
    dicts: u128,
}

impl<'a> Scanner<'a> for JsonScanner<'a> {
    const FORMAT: &'static str = "JSON";

    fn new(frame: &'a [u8], budget: Budget<'a>) -> Self {
        Self {
            text: frame,
            rest: frame,
            budget,
            is_started: false,
            is_dict: false,
            is_value: false,
            open: 0,
            dicts: 0,
        }
    }

    fn budget(&mut self) -> &mut Budget<'a> {
        &mut self.budget
    }

    fn position(&self) -> usize {
        self.text.len().saturating_sub(self.rest.len())
    }

    fn left(&self) -> usize {
        self.rest.len()
    }

    fn begin(&mut self, wanted: Shape) -> Result<Shape, Refused> {
        // One pass for the whole frame, which is much faster than one for each string.
        if let Some(at) = not_utf8(self.text) {
            self.skip(at);
            return Err(&Fault::Malformed("a character that is not UTF-8"));
        }
        self.skip_space();
        match self.peek().map(|byte| (byte, shape(byte))) {
            Some((b'[' | b'{', found)) if found == wanted => {
                self.advance();
                self.is_dict = found == Shape::Dict;
                Ok(found)
            }
            Some((_, found)) => {
                // Not JSON at all is another error than JSON that is something else.
                self.value()?;
                Ok(found)
            }
            None => Err(&Fault::Malformed(ENDS_EARLY)),
        }
    }

    #[expect(
        clippy::inline_always,
        reason = "most of what was found is not asked for"
    )]
    #[inline(always)]
    fn element(&mut self) -> Result<Option<Found<'a>>, Refused> {
        if self.is_value {
            self.is_value = false;
            self.colon()?;
        } else {
            self.skip_space();
            match self.peek() {
                Some(end @ (b']' | b'}')) if self.is_dict == (end == b'}') => {
                    self.advance();
                    self.skip_space();
                    return Ok(None);
                }
                Some(b',') if self.is_started => {
                    self.advance();
                    self.skip_space();
                }
                Some(_) if self.is_started => return Err(&Fault::Malformed("a comma is missing")),
                _ => {}
            }
            self.is_started = true;
            self.is_value = self.is_dict;
        }
        let start = self.position();
        let (shape, integer) = if self.is_value {
            self.name()?;
            (Shape::Text, None)
        } else {
            self.value()?
        };
        Ok(Some(Found::new(
            self.text, start, self.rest, shape, integer,
        )))
    }
}

impl JsonScanner<'_> {
    /// Goes over one value, and over all that is in it; says what it is.
    #[expect(
        clippy::inline_always,
        reason = "most of what was found is not asked for"
    )]
    #[inline(always)]
    fn value(&mut self) -> Result<(Shape, Option<u64>), Refused> {
        debug_assert!(
            self.open == 0,
            "a value begins when the one before it is over"
        );
        match self.begin_value()? {
            Begun::Value(shape, integer) => Ok((shape, integer)),
            Begun::Open(shape) => {
                self.inside()?;
                Ok((shape, None))
            }
        }
    }

    /// Goes over what is in a list or dictionary that has begun, and over all that is in that.
    fn inside(&mut self) -> Result<(), Refused> {
        // A copy, which need not be in memory. How far it came is noted in any case.
        let mut scanner = *self;
        let result = scanner.skip_inside();
        *self = scanner;
        result
    }

    #[inline]
    fn skip_inside(&mut self) -> Result<(), Refused> {
        loop {
            match self.begin_value()? {
                Begun::Value(..) if self.end_value()? => return Ok(()),
                _ => {}
            }
        }
    }

    /// Goes over a value, or over what begins a list or dictionary that is not empty: then the
    /// place is that of its first value.
    #[expect(
        clippy::inline_always,
        reason = "most of what was found is not asked for"
    )]
    #[inline(always)]
    fn begin_value(&mut self) -> Result<Begun, Refused> {
        self.budget.values.count()?;
        let shape = match self.peek() {
            Some(b'"') => {
                let is_marked = self
                    .rest
                    .get(1..)
                    .is_some_and(|text| text.starts_with(ESCAPED_MARK));
                self.string()?;
                if is_marked { Shape::Bytes } else { Shape::Text }
            }
            Some(b'-' | b'0'..=b'9') => return self.number(),
            Some(b't') => self.word(b"true", Shape::Bool)?,
            Some(b'f') => self.word(b"false", Shape::Bool)?,
            Some(b'n') => self.word(b"null", Shape::Null)?,
            Some(b'[') => return self.enter(Shape::List, b']'),
            Some(b'{') => return self.enter(Shape::Dict, b'}'),
            Some(_) => return Err(&Fault::Malformed("a value is missing")),
            None => return Err(&Fault::Malformed(ENDS_EARLY)),
        };
        Ok(Begun::Value(shape, None))
    }

    fn enter(&mut self, shape: Shape, end: u8) -> Result<Begun, Refused> {
        let depth = usize::try_from(self.open).unwrap_or(usize::MAX);
        self.budget.check_depth(depth.saturating_add(2))?;
        self.advance();
        self.skip_space();
        if self.peek() == Some(end) {
            self.advance();
            return Ok(Begun::Value(shape, None));
        }
        self.open = self.open.saturating_add(1);
        self.dicts = (self.dicts << 1) | u128::from(shape == Shape::Dict);
        if shape == Shape::Dict {
            self.key()?;
        }
        Ok(Begun::Open(shape))
    }

    /// Goes over what follows a value: the ends of lists and dictionaries, and what stands before
    /// the next value. Whether the value is over that stands in the message itself.
    fn end_value(&mut self) -> Result<bool, Refused> {
        while self.open > 0 {
            let is_dict = self.dicts & 1 == 1;
            self.skip_space();
            match (self.peek(), is_dict) {
                (Some(b','), _) => {
                    self.advance();
                    self.skip_space();
                    if is_dict {
                        self.key()?;
                    }
                    return Ok(false);
                }
                (Some(b']'), false) | (Some(b'}'), true) => {
                    self.advance();
                    self.open = self.open.saturating_sub(1);
                    self.dicts >>= 1;
                }
                (None, _) => return Err(&Fault::Malformed(ENDS_EARLY)),
                (Some(_), false) => return Err(&Fault::Malformed("a comma or ] is missing")),
                (Some(_), true) => return Err(&Fault::Malformed("a comma or } is missing")),
            }
        }
        Ok(true)
    }

    /// Goes over a key and what follows it.
    fn key(&mut self) -> Result<(), Refused> {
        self.name()?;
        self.colon()
    }

    /// Goes over a key.
    fn name(&mut self) -> Result<(), Refused> {
        self.budget.values.count()?;
        if self.peek() != Some(b'"') {
            return Err(&Fault::Malformed("a key is missing"));
        }
        self.string()
    }

    /// Goes over what stands between a key and its value.
    fn colon(&mut self) -> Result<(), Refused> {
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err(&Fault::Malformed("a colon is missing"));
        }
        self.advance();
        self.skip_space();
        Ok(())
    }

    fn string(&mut self) -> Result<(), Refused> {
        self.advance();
        loop {
            self.skip(plain(self.rest));
            match self.peek() {
                Some(b'"') => {
                    self.advance();
                    return Ok(());
                }
                Some(b'\\') => self.escape()?,
                Some(_) => return Err(&Fault::Malformed("a control character is not escaped")),
                None => return Err(&Fault::Malformed(ENDS_EARLY)),
            }
        }
    }

    fn escape(&mut self) -> Result<(), Refused> {
        self.advance();
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.advance(),
            Some(b'u') => {
                self.advance();
                let digits = self.rest.get(..4).unwrap_or_default();
                if digits.len() != 4 || !digits.iter().all(u8::is_ascii_hexdigit) {
                    return Err(&Fault::Malformed("an escape lacks digits"));
                }
                // Half of a pair is legal, though it has no meaning; JavaScript writes such.
                self.skip(4);
            }
            _ => return Err(&Fault::Malformed("an unknown escape")),
        }
        Ok(())
    }

    fn number(&mut self) -> Result<Begun, Refused> {
        // A copy, which need not be in memory. How far it came is noted in any case.
        let mut rest = self.rest;
        let result = number(&mut rest);
        self.rest = rest;
        result
    }

    fn word(&mut self, word: &'static [u8], shape: Shape) -> Result<Shape, Refused> {
        if !self.rest.starts_with(word) {
            return Err(&Fault::Malformed("an unknown word"));
        }
        self.skip(word.len());
        Ok(shape)
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    #[inline]
    fn advance(&mut self) {
        self.skip(1);
    }

    #[inline]
    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    #[inline]
    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.advance();
        }
    }
}

/// What was gone over: a value, with the integer that it is, or what begins a list or dictionary.
enum Begun {
    Value(Shape, Option<u64>),
    Open(Shape),
}

#[inline]
fn number(rest: &mut &[u8]) -> Result<Begun, Refused> {
    let is_negative = skip_one(rest, |byte| byte == b'-');
    let integer = if skip_one(rest, |byte| byte == b'0') {
        Some(0)
    } else {
        digits(rest)?
    };
    let mut is_float = false;
    if skip_one(rest, |byte| byte == b'.') {
        is_float = true;
        digits(rest)?;
    }
    if skip_one(rest, |byte| matches!(byte, b'e' | b'E')) {
        is_float = true;
        skip_one(rest, |byte| matches!(byte, b'+' | b'-'));
        digits(rest)?;
    }
    Ok(match (is_float, is_negative) {
        (true, _) => Begun::Value(Shape::Float, None),
        (_, true) => Begun::Value(Shape::Negative, None),
        _ => Begun::Value(Shape::Integer, integer),
    })
}

/// Goes over digits and gives their number, if it fits.
#[inline]
fn digits(rest: &mut &[u8]) -> Result<Option<u64>, Refused> {
    let mut number = 0_u64;
    let mut count = 0_usize;
    for byte in *rest {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        number = number.wrapping_mul(10).wrapping_add(digit.into());
        count = count.wrapping_add(1);
    }
    let (digits, behind) = rest.split_at_checked(count).unwrap_or_default();
    *rest = behind;
    match count {
        1..20 => Ok(Some(number)),
        0 => Err(&Fault::Malformed("a digit is missing")),
        // It may not have fitted.
        _ => Ok(parse(digits)),
    }
}

#[cold]
fn parse(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Goes over a byte, if it is such a one.
#[inline]
fn skip_one(rest: &mut &[u8], is_wanted: impl FnOnce(u8) -> bool) -> bool {
    match **rest {
        [byte, ref behind @ ..] if is_wanted(byte) => {
            *rest = behind;
            true
        }
        _ => false,
    }
}

/// How many bytes stand for themselves in a string: all but the quote, the backslash and control
/// characters do.
#[inline]
fn plain(text: &[u8]) -> usize {
    let mut rest = text;
    // Most strings are short, so that words are looked at before the longer runs of vectors.
    for _ in 0..4 {
        let Some((word, behind)) = rest.split_first_chunk() else {
            break;
        };
        if let Some(at) = special(u64::from_le_bytes(*word)) {
            return text.len().saturating_sub(rest.len()).saturating_add(at);
        }
        rest = behind;
    }
    while let Some((run, behind)) = rest.split_first_chunk::<32>() {
        if run.iter().fold(false, |any, byte| any | is_special(*byte)) {
            break;
        }
        rest = behind;
    }
    let special = rest.iter().position(|byte| is_special(*byte));
    text.len()
        .saturating_sub(rest.len())
        .saturating_add(special.unwrap_or(rest.len()))
}

#[expect(
    clippy::needless_bitwise_bool,
    reason = "branches would keep vectors away"
)]
#[inline]
fn is_special(byte: u8) -> bool {
    (byte == b'"') | (byte == b'\\') | (byte < b' ')
}

/// Which of eight bytes, the first being the lowest, is the first that [`is_special`].
#[inline]
fn special(word: u64) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    // Sets the high bit of bytes that are below the limit, and perhaps of some above the first.
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES.wrapping_mul(limit)) & !word;
    let is = |byte: u8| below(word ^ ONES.wrapping_mul(byte.into()), 1);
    let found = (below(word, 0x20) | is(b'"') | is(b'\\')) & HIGH;
    let at = usize::try_from(found.trailing_zeros()).ok()?;
    (found != 0).then_some(at / 8)
}

const ENDS_EARLY: &str = "the text ends early";

/// What a value is that begins with this byte.
pub(super) fn shape(byte: u8) -> Shape {
    match byte {
        b'"' => Shape::Text,
        b'[' => Shape::List,
        b'{' => Shape::Dict,
        b't' | b'f' => Shape::Bool,
        b'n' => Shape::Null,
        b'-' => Shape::Negative,
        b'0'..=b'9' => Shape::Integer,
        _ => Shape::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_a_run_is_found_wherever_it_stands() {
        let bytes = b"\0\x1f !\"#[\\]\x7f\x80\x9f\xa2\xdc\xff";
        for (length, filler) in (0..100).flat_map(|length| [(length, b'a'), (length, 0xff)]) {
            for (at, byte) in (0..length).flat_map(|at| bytes.map(|byte| (at, byte))) {
                let mut text = vec![filler; length];
                text[at] = byte;
                let expected = if is_special(byte) { at } else { length };
                assert_eq!(plain(&text), expected, "{byte:#x} at {at} of {length}");
            }
        }
    }
}
