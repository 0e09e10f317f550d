//! What the scanners of all formats have in common.

use std::ops::Range;

use crate::{DecodeError, Limits, list::Shape};

/// Finds where the elements of a message stand, without decoding them.
pub(crate) trait Scanner<'a>: Sized {
    /// The name of the format, for messages to people.
    const FORMAT: &'static str;

    fn new(frame: &'a [u8], budget: Budget) -> Self;
    fn budget(&mut self) -> &mut Budget;
    /// How many bytes were gone over.
    fn position(&self) -> usize;
    /// How many bytes are left.
    fn left(&self) -> usize;
    /// Goes over what begins the list or the dictionary that is wanted, and says what is there.
    fn begin(&mut self, wanted: Shape) -> Result<Shape, Fault>;
    /// Goes over the next element of what was begun, in a dictionary the next key or value, and says
    /// where it began; `None` at the end.
    fn element(&mut self) -> Result<Option<usize>, Fault>;

    /// Begins with a message.
    #[inline]
    fn open(frame: &'a [u8], limits: &Limits) -> Result<Self, DecodeError> {
        Self::open_as(Shape::List, frame, limits)?.map_err(|found| DecodeError::NotAList {
            found: found.name(),
        })
    }

    /// Begins with a list or a dictionary; says what there is instead.
    #[inline]
    fn open_as(
        wanted: Shape,
        frame: &'a [u8],
        limits: &Limits,
    ) -> Result<Result<Self, Shape>, DecodeError> {
        let mut scanner = Self::new(frame, Budget::new(limits));
        let begin = |scanner: &mut Self| {
            scanner.budget().count()?;
            scanner.budget().check_depth(1)?;
            scanner.begin(wanted)
        };
        match begin(&mut scanner) {
            Ok(found) if found == wanted => Ok(Ok(scanner)),
            Ok(found) => Ok(Err(found)),
            Err(fault) => Err(scanner.error(fault)),
        }
    }

    /// Where the next element stands; `None` at the end, which must be that of the frame.
    #[inline]
    fn next(&mut self) -> Result<Option<Range<usize>>, DecodeError> {
        match self.element() {
            Ok(Some(start)) => Ok(Some(start..self.position())),
            Ok(None) => match self.left() {
                0 => Ok(None),
                count => Err(DecodeError::TrailingBytes { count }),
            },
            Err(fault) => Err(self.error(fault)),
        }
    }

    /// Checks how many values there were so far, if all are to be decoded.
    #[inline]
    fn check_envelope(&mut self, is_envelope: impl FnOnce() -> bool) -> Result<(), DecodeError> {
        let budget = self.budget();
        let limit = budget.limits.envelope;
        if budget.used() > limit && is_envelope() {
            return Err(DecodeError::EnvelopeTooLarge { limit });
        }
        Ok(())
    }

    #[cold]
    fn error(&mut self, fault: Fault) -> DecodeError {
        let position = self.position();
        let limits = self.budget().limits;
        match fault {
            Fault::TooDeep => DecodeError::TooDeep {
                limit: limits.depth,
            },
            Fault::TooManyElements => DecodeError::TooManyElements {
                limit: limits.elements,
            },
            Fault::Malformed(problem) => DecodeError::Malformed {
                format: Self::FORMAT,
                source: Problem { problem, position }.into(),
            },
        }
    }
}

/// What a scanner refuses; small, for it stands in the result of every step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    TooDeep,
    TooManyElements,
    /// The bytes do not follow the rules of the format; how.
    Malformed(&'static str),
}

/// What a message may still take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    limits: Limits,
    pub(crate) values: Values,
}

/// How many values there may still be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Values(usize);

impl Values {
    /// Takes one.
    #[inline]
    pub(crate) fn count(&mut self) -> Result<(), Fault> {
        self.0 = self.0.checked_sub(1).ok_or(Fault::TooManyElements)?;
        Ok(())
    }
}

impl Budget {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            limits: *limits,
            values: Values(limits.elements),
        }
    }

    /// Takes one value.
    #[inline]
    pub(crate) fn count(&mut self) -> Result<(), Fault> {
        self.values.count()
    }

    fn used(&self) -> usize {
        self.limits.elements.saturating_sub(self.values.0)
    }

    /// Checks the depth of a list or dictionary, the message having depth 1.
    #[inline]
    pub(crate) fn check_depth(&self, depth: usize) -> Result<(), Fault> {
        if depth > self.limits.depth {
            return Err(Fault::TooDeep);
        }
        Ok(())
    }
}

/// Whether this is UTF-8. Most texts are short and plain, and are seen to be so in a few steps.
#[cfg(any(feature = "msgpack", feature = "cbor"))]
#[inline]
pub(crate) fn is_utf8(text: &[u8]) -> bool {
    is_short_ascii(text) || std::str::from_utf8(text).is_ok()
}

/// Looks at whole words, the last of which may overlap the one before it.
#[cfg(any(feature = "msgpack", feature = "cbor"))]
#[inline]
fn is_short_ascii(text: &[u8]) -> bool {
    const LONGEST: usize = 64;
    if text.len() > LONGEST {
        return false;
    }
    if let Some(last) = text.last_chunk() {
        let (words, _) = text.as_chunks();
        let words = words.iter().copied().map(u64::from_ne_bytes);
        let bits = words.fold(u64::from_ne_bytes(*last), |bits, word| bits | word);
        return bits & 0x8080_8080_8080_8080 == 0;
    }
    if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        let bits = u32::from_ne_bytes(*first) | u32::from_ne_bytes(*last);
        return bits & 0x8080_8080 == 0;
    }
    text.iter().all(u8::is_ascii)
}

/// The number in these bytes, which are at most 8.
#[cfg(any(feature = "msgpack", feature = "cbor"))]
#[inline]
pub(crate) fn unsigned(bytes: &[u8]) -> u64 {
    match *bytes {
        [a] => a.into(),
        [a, b] => u16::from_be_bytes([a, b]).into(),
        [a, b, c, d] => u32::from_be_bytes([a, b, c, d]).into(),
        _ => bytes.try_into().map_or_else(
            |_| {
                let bytes = bytes.iter();
                bytes.fold(0, |number, byte| (number << 8) | u64::from(*byte))
            },
            u64::from_be_bytes,
        ),
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{problem} at byte {position}")]
struct Problem {
    problem: &'static str,
    position: usize,
}

#[cfg(all(test, any(feature = "msgpack", feature = "cbor")))]
mod tests {
    use super::*;

    #[test]
    fn texts_are_judged_as_the_standard_library_does() {
        for length in 0..80 {
            assert!(is_utf8(&vec![b'a'; length]));
            for at in 0..length {
                let mut text = vec![b'a'; length];
                text[at] = 0xc3;
                assert!(!is_utf8(&text), "{at} of {length}");
                if let Some(behind) = text.get_mut(at + 1) {
                    *behind = 0xa4;
                    assert!(is_utf8(&text), "{at} of {length}");
                }
            }
        }
    }
}
