//! What every value begins with.

use bytes::BufMut;

use crate::list::Shape;

/// The head of a value. A length of `None` is indefinite: a break follows.
///
/// RFC 8949, section 3.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Head {
    Unsigned(u64),
    /// The integer -1 - n.
    Negative(u64),
    Bytes(Option<u64>),
    Text(Option<u64>),
    List(Option<u64>),
    Dict(Option<u64>),
    /// What a value means that follows.
    Tag(u64),
    Bool(bool),
    Null,
    Undefined,
    /// A simple value without a meaning.
    Simple,
    Float(f64),
    /// The end of an indefinite length.
    Break,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum HeadError {
    #[error("the message ends early")]
    EndsEarly,
    #[error("a byte that begins no value")]
    Reserved,
}

/// The tags of integers that are given as bytes.
pub(super) const POSITIVE: u64 = 2;
pub(super) const NEGATIVE: u64 = 3;

impl Head {
    /// Reads a head and gives what follows it.
    #[expect(
        clippy::inline_always,
        reason = "the value is matched at once, and never stored"
    )]
    #[inline(always)]
    pub(super) fn read(bytes: &[u8]) -> Result<(Self, &[u8]), HeadError> {
        let (first, rest) = bytes.split_first().ok_or(HeadError::EndsEarly)?;
        let (major, info) = (first >> 5, first & 0x1f);
        let (number, rest) = match info {
            _ if major == 7 => return Self::simple(info, rest),
            0..=23 => (info.into(), rest),
            24 => argument(rest, |bytes| u8::from_be_bytes(bytes).into())?,
            25 => argument(rest, |bytes| u16::from_be_bytes(bytes).into())?,
            26 => argument(rest, |bytes| u32::from_be_bytes(bytes).into())?,
            27 => argument(rest, u64::from_be_bytes)?,
            31 => return Ok((Self::indefinite(major)?, rest)),
            _ => return Err(HeadError::Reserved),
        };
        let head = match major {
            0 => Self::Unsigned(number),
            1 => Self::Negative(number),
            2 => Self::Bytes(Some(number)),
            3 => Self::Text(Some(number)),
            4 => Self::List(Some(number)),
            5 => Self::Dict(Some(number)),
            _ => Self::Tag(number),
        };
        Ok((head, rest))
    }

    fn indefinite(major: u8) -> Result<Self, HeadError> {
        match major {
            2 => Ok(Self::Bytes(None)),
            3 => Ok(Self::Text(None)),
            4 => Ok(Self::List(None)),
            5 => Ok(Self::Dict(None)),
            _ => Err(HeadError::Reserved),
        }
    }

    fn simple(info: u8, rest: &[u8]) -> Result<(Self, &[u8]), HeadError> {
        let head = match info {
            20 => Self::Bool(false),
            21 => Self::Bool(true),
            22 => Self::Null,
            23 => Self::Undefined,
            24 => {
                return match argument(rest, u8::from_be_bytes)? {
                    // What has a short form must not have a long one.
                    (..32, _) => Err(HeadError::Reserved),
                    (_, rest) => Ok((Self::Simple, rest)),
                };
            }
            25 => {
                let (float, rest) = argument(rest, |bytes| half(u16::from_be_bytes(bytes)))?;
                return Ok((Self::Float(float), rest));
            }
            26 => {
                let (float, rest) = argument(rest, |bytes| f32::from_be_bytes(bytes).into())?;
                return Ok((Self::Float(float), rest));
            }
            27 => {
                let (float, rest) = argument(rest, f64::from_be_bytes)?;
                return Ok((Self::Float(float), rest));
            }
            31 => Self::Break,
            0..20 => Self::Simple,
            _ => return Err(HeadError::Reserved),
        };
        Ok((head, rest))
    }

    pub(super) fn shape(self) -> Shape {
        match self {
            Self::Unsigned(_) => Shape::Integer,
            Self::Negative(_) => Shape::Negative,
            Self::Bytes(_) => Shape::Bytes,
            Self::Text(_) => Shape::Text,
            Self::List(_) => Shape::List,
            Self::Dict(_) => Shape::Dict,
            Self::Bool(_) => Shape::Bool,
            Self::Null | Self::Undefined => Shape::Null,
            Self::Float(_) => Shape::Float,
            Self::Tag(_) | Self::Simple | Self::Break => Shape::Other,
        }
    }

    /// Writes a head in its shortest form; what has no argument, not at all.
    pub(super) fn write<B: BufMut>(self, out: &mut B) {
        let (major, number) = match self {
            Self::Unsigned(number) => (0, number),
            Self::Negative(number) => (1, number),
            Self::Bytes(Some(number)) => (2, number),
            Self::Text(Some(number)) => (3, number),
            Self::List(Some(number)) => (4, number),
            Self::Dict(Some(number)) => (5, number),
            Self::Bool(false) => return out.put_u8(0xf4),
            Self::Bool(true) => return out.put_u8(0xf5),
            _ => return out.put_u8(0xf6),
        };
        let major: u8 = major << 5;
        if let Ok(number @ ..24) = u8::try_from(number) {
            out.put_u8(major | number);
        } else if let Ok(number) = u8::try_from(number) {
            out.put_u8(major | 0x18);
            out.put_u8(number);
        } else if let Ok(number) = u16::try_from(number) {
            out.put_u8(major | 0x19);
            out.put_u16(number);
        } else if let Ok(number) = u32::try_from(number) {
            out.put_u8(major | 0x1a);
            out.put_u32(number);
        } else {
            out.put_u8(major | 0x1b);
            out.put_u64(number);
        }
    }
}

/// What follows the first byte of a head, and what is behind that.
#[inline]
fn argument<const N: usize, T>(
    rest: &[u8],
    read: impl FnOnce([u8; N]) -> T,
) -> Result<(T, &[u8]), HeadError> {
    let (bytes, rest) = rest.split_first_chunk().ok_or(HeadError::EndsEarly)?;
    Ok((read(*bytes), rest))
}

/// The value of a float of 16 bits: a sign, 5 bits of exponent, 10 of fraction.
fn half(bits: u16) -> f64 {
    let (exponent, fraction) = ((bits >> 10) & 0x1f, bits & 0x3ff);
    let magnitude = match (exponent, fraction) {
        (0, _) => f64::from(fraction) * 2_f64.powi(-24),
        (31, 0) => f64::INFINITY,
        (31, _) => f64::NAN,
        _ => f64::from(fraction | 0x400) * 2_f64.powi(i32::from(exponent).saturating_sub(25)),
    };
    if bits & 0x8000 == 0 {
        magnitude
    } else {
        -magnitude
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8949, appendix A.
    #[test]
    fn halves_are_those_of_the_standard() {
        for (bits, value) in [
            (0x0000, 0.0),
            (0x3c00, 1.0),
            (0x3e00, 1.5),
            (0x7bff, 65504.0),
            (0x0001, 5.960_464_477_539_063e-8),
            (0x0400, 0.000_061_035_156_25),
            (0xc400, -4.0),
            (0x7c00, f64::INFINITY),
            (0xfc00, f64::NEG_INFINITY),
        ] {
            assert_eq!(half(bits).to_bits(), value.to_bits(), "{bits:x}");
        }
        assert!(half(0x7e00).is_nan());
        assert!(half(0x8000).is_sign_negative());
    }

    #[test]
    fn heads_are_written_in_their_shortest_form() {
        for (number, expected) in [
            (0, &[0x00][..]),
            (23, &[0x17]),
            (24, &[0x18, 24]),
            (255, &[0x18, 255]),
            (256, &[0x19, 1, 0]),
            (65_535, &[0x19, 255, 255]),
            (65_536, &[0x1a, 0, 1, 0, 0]),
            (u64::from(u32::MAX) + 1, &[0x1b, 0, 0, 0, 1, 0, 0, 0, 0]),
        ] {
            let mut out = Vec::new();
            Head::Unsigned(number).write(&mut out);
            assert_eq!(out, expected);
            assert_eq!(Head::read(&out), Ok((Head::Unsigned(number), &[][..])));
        }
    }

    #[test]
    fn what_begins_no_value_is_refused() {
        let reserved = [
            &[0x1c][..],
            &[0x1d],
            &[0x1e],
            &[0x1f],
            &[0x3f],
            &[0xdf],
            &[0xfc],
            &[0xf8, 0],
            &[0xf8, 24],
            &[0xf8, 31],
        ];
        for bytes in reserved {
            assert_eq!(Head::read(bytes), Err(HeadError::Reserved), "{bytes:x?}");
        }
        for bytes in [&[][..], &[0x18], &[0x19, 0], &[0xf8], &[0xfb, 0, 0, 0]] {
            assert_eq!(Head::read(bytes), Err(HeadError::EndsEarly), "{bytes:x?}");
        }
        assert_eq!(Head::read(&[0xf8, 32]), Ok((Head::Simple, &[][..])));
    }
}
