//! Where the elements of a message stand: a check of the whole text against the grammar of JSON,
//! without recursion and without reading any value.

use std::ops::Range;

use crate::{DecodeError, Limits, codec::Scanner, list::Shape};

/// Goes over a JSON text.
#[derive(Debug)]
pub(crate) struct JsonScanner<'a> {
    text: &'a [u8],
    position: usize,
    limits: Limits,
    elements: usize,
    /// Whether an element came already.
    is_started: bool,
    /// For each list or dictionary around the current place, below the message, whether it is a
    /// dictionary.
    open: Vec<bool>,
}

#[derive(Debug, thiserror::Error)]
#[error("{problem} at byte {position}")]
struct Problem {
    problem: &'static str,
    position: usize,
}

impl<'a> Scanner<'a> for JsonScanner<'a> {
    fn open(frame: &'a [u8], limits: &Limits) -> Result<Self, DecodeError> {
        // One pass for the whole frame, which is much faster than one for each string.
        if let Err(error) = std::str::from_utf8(frame) {
            return Err(DecodeError::Malformed {
                format: "JSON",
                source: error.into(),
            });
        }
        let mut scanner = Self {
            text: frame,
            position: 0,
            limits: *limits,
            elements: 0,
            is_started: false,
            open: Vec::new(),
        };
        scanner.skip_space();
        scanner.count()?;
        scanner.check_depth(1)?;
        match scanner.peek() {
            Some(b'[') => scanner.advance(),
            Some(byte) => {
                let found = shape(byte);
                // Not JSON at all is another error than JSON that is no list.
                scanner.value()?;
                return Err(DecodeError::NotAList {
                    found: found.name(),
                });
            }
            None => return Err(scanner.malformed("the text ends early")),
        }
        Ok(scanner)
    }

    fn next(&mut self) -> Result<Option<Range<usize>>, DecodeError> {
        self.skip_space();
        match self.peek() {
            Some(b']') => {
                self.advance();
                self.skip_space();
                return match self.text.len().saturating_sub(self.position) {
                    0 => Ok(None),
                    count => Err(DecodeError::TrailingBytes { count }),
                };
            }
            Some(b',') if self.is_started => {
                self.advance();
                self.skip_space();
            }
            Some(_) if self.is_started => return Err(self.malformed("a comma is missing")),
            _ => {}
        }
        self.is_started = true;
        let start = self.position;
        self.value()?;
        Ok(Some(start..self.position))
    }
}

impl JsonScanner<'_> {
    /// Goes over one value, and over all that is in it.
    fn value(&mut self) -> Result<(), DecodeError> {
        debug_assert!(
            self.open.is_empty(),
            "a value begins when the one before it is over"
        );
        loop {
            if !self.begin_value()? && self.end_value()? {
                return Ok(());
            }
        }
    }

    /// Goes over a value, or over what begins a list or dictionary that is not empty: then the
    /// place is that of its first value, and the result true.
    fn begin_value(&mut self) -> Result<bool, DecodeError> {
        self.count()?;
        match self.peek() {
            Some(b'"') => self.string()?,
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b't') => self.word(b"true")?,
            Some(b'f') => self.word(b"false")?,
            Some(b'n') => self.word(b"null")?,
            Some(b'[') => return self.begin(false, b']'),
            Some(b'{') => return self.begin(true, b'}'),
            Some(_) => return Err(self.malformed("a value is missing")),
            None => return Err(self.malformed("the text ends early")),
        }
        Ok(false)
    }

    fn begin(&mut self, is_dict: bool, end: u8) -> Result<bool, DecodeError> {
        self.check_depth(self.open.len().saturating_add(2))?;
        self.advance();
        self.skip_space();
        if self.peek() == Some(end) {
            self.advance();
            return Ok(false);
        }
        self.open.push(is_dict);
        if is_dict {
            self.key()?;
        }
        Ok(true)
    }

    /// Goes over what follows a value: the ends of lists and dictionaries, and what stands before
    /// the next value. Whether the value is over that stands in the message itself.
    fn end_value(&mut self) -> Result<bool, DecodeError> {
        while let Some(is_dict) = self.open.last().copied() {
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
                    self.open.pop();
                }
                (None, _) => return Err(self.malformed("the text ends early")),
                (Some(_), false) => return Err(self.malformed("a comma or ] is missing")),
                (Some(_), true) => return Err(self.malformed("a comma or } is missing")),
            }
        }
        Ok(true)
    }

    /// Goes over a key and what follows it.
    fn key(&mut self) -> Result<(), DecodeError> {
        self.count()?;
        if self.peek() != Some(b'"') {
            return Err(self.malformed("a key is missing"));
        }
        self.string()?;
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err(self.malformed("a colon is missing"));
        }
        self.advance();
        self.skip_space();
        Ok(())
    }

    fn string(&mut self) -> Result<(), DecodeError> {
        self.advance();
        loop {
            // All bytes but the quote, the backslash and control characters stand for themselves.
            let rest = self.rest();
            let plain = rest
                .iter()
                .position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f))
                .unwrap_or(rest.len());
            self.position = self.position.saturating_add(plain);
            match self.peek() {
                Some(b'"') => {
                    self.advance();
                    return Ok(());
                }
                Some(b'\\') => self.escape()?,
                Some(_) => return Err(self.malformed("a control character is not escaped")),
                None => return Err(self.malformed("the text ends early")),
            }
        }
    }

    fn escape(&mut self) -> Result<(), DecodeError> {
        self.advance();
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.advance(),
            Some(b'u') => {
                self.advance();
                let digits = self.rest().get(..4).unwrap_or_default();
                if digits.len() != 4 || !digits.iter().all(u8::is_ascii_hexdigit) {
                    return Err(self.malformed("an escape lacks digits"));
                }
                // Half of a pair is legal, though it has no meaning; JavaScript writes such.
                self.position = self.position.saturating_add(4);
            }
            _ => return Err(self.malformed("an unknown escape")),
        }
        Ok(())
    }

    fn number(&mut self) -> Result<(), DecodeError> {
        if self.peek() == Some(b'-') {
            self.advance();
        }
        match self.peek() {
            Some(b'0') => self.advance(),
            _ => self.digits()?,
        }
        if self.peek() == Some(b'.') {
            self.advance();
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.advance();
            if let Some(b'+' | b'-') = self.peek() {
                self.advance();
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), DecodeError> {
        let digits = self
            .rest()
            .iter()
            .take_while(|b| b.is_ascii_digit())
            .count();
        if digits == 0 {
            return Err(self.malformed("a digit is missing"));
        }
        self.position = self.position.saturating_add(digits);
        Ok(())
    }

    fn word(&mut self, word: &'static [u8]) -> Result<(), DecodeError> {
        if !self.rest().starts_with(word) {
            return Err(self.malformed("an unknown word"));
        }
        self.position = self.position.saturating_add(word.len());
        Ok(())
    }

    fn rest(&self) -> &[u8] {
        self.text.get(self.position..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.position).copied()
    }

    fn advance(&mut self) {
        self.position = self.position.saturating_add(1);
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.advance();
        }
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
            format: "JSON",
            source: Problem {
                problem,
                position: self.position,
            }
            .into(),
        }
    }
}

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
