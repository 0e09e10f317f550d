//! What the scanners of all formats have in common.

use std::ops::Range;

use crate::{DecodeError, Limits, list::Shape};

/// Finds where the elements of a message stand, without decoding them.
pub(crate) trait Scanner<'a>: Sized {
    /// The name of the format, for messages to people.
    const FORMAT: &'static str;

    fn new(frame: &'a [u8], budget: Budget<'a>) -> Self;
    fn budget(&mut self) -> &mut Budget<'a>;
    /// How many bytes were gone over.
    fn position(&self) -> usize;
    /// How many bytes are left.
    fn left(&self) -> usize;
    /// Goes over what begins the list or the dictionary that is wanted, and says what is there.
    fn begin(&mut self, wanted: Shape) -> Result<Shape, Refused>;
    /// Goes over the next element of what was begun, in a dictionary the next key or value; `None` at
    /// the end.
    fn element(&mut self) -> Result<Option<Found<'a>>, Refused>;

    /// Begins with a message.
    #[inline]
    fn open(&mut self) -> Result<(), DecodeError> {
        self.open_as(Shape::List)?
            .map_err(|found| DecodeError::NotAList {
                found: found.name(),
            })
    }

    /// Begins with a list or a dictionary; says what there is instead.
    #[expect(clippy::inline_always, reason = "the wanted shape is a constant")]
    #[inline(always)]
    fn open_as(&mut self, wanted: Shape) -> Result<Result<(), Shape>, DecodeError> {
        let begin = |scanner: &mut Self| {
            scanner.budget().values.count()?;
            scanner.budget().check_depth(1)?;
            scanner.begin(wanted)
        };
        match begin(self) {
            Ok(found) if found == wanted => Ok(Ok(())),
            Ok(found) => Ok(Err(found)),
            Err(fault) => Err(self.error(fault)),
        }
    }

    /// The next element; `None` at the end, which must be that of the frame.
    #[expect(
        clippy::inline_always,
        reason = "most of what was found is not asked for"
    )]
    #[inline(always)]
    fn next(&mut self) -> Result<Option<Found<'a>>, Refused> {
        let found = self.element()?;
        if found.is_none() && self.left() > 0 {
            return Err(&Fault::TrailingBytes);
        }
        Ok(found)
    }

    #[cold]
    fn error(&mut self, fault: Refused) -> DecodeError {
        let position = self.position();
        let limits = self.budget().limits;
        match *fault {
            Fault::TooDeep => DecodeError::TooDeep {
                limit: limits.depth,
            },
            Fault::TooManyElements => DecodeError::TooManyElements {
                limit: limits.elements,
            },
            Fault::EnvelopeTooLarge => DecodeError::EnvelopeTooLarge {
                limit: limits.envelope,
            },
            Fault::TrailingBytes => DecodeError::TrailingBytes { count: self.left() },
            Fault::Malformed(problem) => DecodeError::Malformed {
                format: Self::FORMAT,
                source: Problem { problem, position }.into(),
            },
        }
    }
}

/// An element, and what its first bytes say about it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found<'a> {
    pub(crate) bytes: &'a [u8],
    /// Where it stands in the frame.
    pub(crate) start: usize,
    pub(crate) shape: Shape,
    /// The integer, if it is one that is not negative and fits.
    pub(crate) integer: Option<u64>,
}

impl<'a> Found<'a> {
    /// What stands between this place and the rest of the frame.
    #[inline]
    pub(crate) fn new(
        frame: &'a [u8],
        start: usize,
        rest: &[u8],
        shape: Shape,
        integer: Option<u64>,
    ) -> Self {
        let end = frame.len().saturating_sub(rest.len());
        Self {
            bytes: frame.get(start..end).unwrap_or_default(),
            start,
            shape,
            integer,
        }
    }

    pub(crate) fn range(&self) -> Range<usize> {
        self.start..self.end()
    }

    pub(crate) fn end(&self) -> usize {
        self.start.saturating_add(self.bytes.len())
    }
}

impl Default for Found<'_> {
    fn default() -> Self {
        Self {
            bytes: &[],
            start: 0,
            shape: Shape::Other,
            integer: None,
        }
    }
}

/// What a scanner refuses.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    TooDeep,
    TooManyElements,
    EnvelopeTooLarge,
    TrailingBytes,
    /// The bytes do not follow the rules of the format; how.
    Malformed(&'static str),
}

/// A reference, so that the result of a step fits into registers.
pub(crate) type Refused = &'static Fault;

/// What a message may still take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget<'a> {
    limits: &'a Limits,
    pub(crate) values: Values,
    /// How many values are left when there are as many as may stand before the arguments.
    behind_envelope: usize,
}

/// How many values there may still be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Values(usize);

impl Values {
    /// Takes one.
    #[inline]
    pub(crate) fn count(&mut self) -> Result<(), Refused> {
        self.0 = self.0.checked_sub(1).ok_or(&Fault::TooManyElements)?;
        Ok(())
    }
}

impl<'a> Budget<'a> {
    #[inline]
    pub(crate) fn new(limits: &'a Limits) -> Self {
        Self {
            limits,
            values: Values(limits.elements),
            behind_envelope: limits.elements.saturating_sub(limits.envelope),
        }
    }

    /// Whether there were more values than may stand before the arguments.
    #[inline]
    pub(crate) fn is_beyond_envelope(&self) -> bool {
        self.values.0 < self.behind_envelope
    }

    /// Checks the depth of a list or dictionary, the message having depth 1.
    #[inline]
    pub(crate) fn check_depth(&self, depth: usize) -> Result<(), Refused> {
        if depth > self.limits.depth {
            return Err(&Fault::TooDeep);
        }
        Ok(())
    }
}

/// Whether this is UTF-8.
#[cfg(any(feature = "msgpack", feature = "cbor"))]
#[inline]
pub(crate) fn is_utf8(text: &[u8]) -> bool {
    is_short_ascii(text) || not_utf8(text).is_none()
}

/// Where what is not UTF-8 begins. Most texts are plain, which is seen in half as many steps.
pub(crate) fn not_utf8(text: &[u8]) -> Option<usize> {
    let blocks = text.chunks(1024).take_while(|block| block.is_ascii());
    let plain = blocks.fold(0_usize, |plain, block| plain.saturating_add(block.len()));
    let error = std::str::from_utf8(text.get(plain..)?).err()?;
    Some(plain.saturating_add(error.valid_up_to()))
}

/// Looks at the beginning and the end, which meet or overlap.
#[cfg(any(feature = "msgpack", feature = "cbor"))]
#[inline]
fn is_short_ascii(text: &[u8]) -> bool {
    if text.len() > 32 {
        return false;
    }
    if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        let bits = u128::from_ne_bytes(*first) | u128::from_ne_bytes(*last);
        return bits & (u128::MAX / 0xff * 0x80) == 0;
    }
    if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        let bits = u64::from_ne_bytes(*first) | u64::from_ne_bytes(*last);
        return bits & (u64::MAX / 0xff * 0x80) == 0;
    }
    if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        let bits = u32::from_ne_bytes(*first) | u32::from_ne_bytes(*last);
        return bits & (u32::MAX / 0xff * 0x80) == 0;
    }
    text.iter().all(u8::is_ascii)
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
        for length in 0..200 {
            assert!(is_utf8(&vec![b'a'; length]));
            for at in 0..length {
                let mut text = vec![b'a'; length];
                text[at] = 0xc3;
                assert!(!is_utf8(&text), "{at} of {length}");
                assert_eq!(not_utf8(&text), Some(at), "{at} of {length}");
                if let Some(behind) = text.get_mut(at + 1) {
                    *behind = 0xa4;
                    assert!(is_utf8(&text), "{at} of {length}");
                    assert_eq!(not_utf8(&text), None, "{at} of {length}");
                }
            }
        }
    }
}
