//! What every value begins with.

use crate::list::Shape;

/// The head of a value, and the value itself if it is no more than that. What has a length is
/// followed by so many bytes, entries or keys and values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Head {
    Null,
    Bool,
    Unsigned(u64),
    Negative,
    Float,
    Text(usize),
    Bytes(usize),
    /// A byte more follows, which is the type.
    Extension(usize),
    List(usize),
    Dict(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeadError {
    EndsEarly,
    /// 0xc1, which means nothing.
    Reserved,
}

impl Head {
    /// Reads a head, and goes over as much as could be read.
    #[expect(
        clippy::inline_always,
        reason = "the value is matched at once, and never stored"
    )]
    #[inline(always)]
    pub(super) fn read(rest: &mut &[u8]) -> Result<Self, HeadError> {
        let [first] = bytes(rest)?;
        Ok(match first {
            0xa0..=0xbf => Self::Text((first & 0x1f).into()),
            0x00..=0x7f => Self::Unsigned(first.into()),
            0x80..=0x8f => Self::Dict((first & 0x0f).into()),
            0x90..=0x9f => Self::List((first & 0x0f).into()),
            0xe0..=0xff => Self::Negative,
            0xc0 => Self::Null,
            0xc1 => return Err(HeadError::Reserved),
            0xc2 | 0xc3 => Self::Bool,
            0xc4 => Self::Bytes(u8::from_be_bytes(bytes(rest)?).into()),
            0xc5 => Self::Bytes(u16::from_be_bytes(bytes(rest)?).into()),
            0xc6 => Self::Bytes(length(rest)?),
            0xc7 => Self::Extension(u8::from_be_bytes(bytes(rest)?).into()),
            0xc8 => Self::Extension(u16::from_be_bytes(bytes(rest)?).into()),
            0xc9 => Self::Extension(length(rest)?),
            0xca => bytes::<4>(rest).map(|_| Self::Float)?,
            0xcb => bytes::<8>(rest).map(|_| Self::Float)?,
            0xcc => Self::Unsigned(u8::from_be_bytes(bytes(rest)?).into()),
            0xcd => Self::Unsigned(u16::from_be_bytes(bytes(rest)?).into()),
            0xce => Self::Unsigned(u32::from_be_bytes(bytes(rest)?).into()),
            0xcf => Self::Unsigned(u64::from_be_bytes(bytes(rest)?)),
            0xd0 => Self::signed(i8::from_be_bytes(bytes(rest)?).into()),
            0xd1 => Self::signed(i16::from_be_bytes(bytes(rest)?).into()),
            0xd2 => Self::signed(i32::from_be_bytes(bytes(rest)?).into()),
            0xd3 => Self::signed(i64::from_be_bytes(bytes(rest)?)),
            0xd4 => Self::Extension(1),
            0xd5 => Self::Extension(2),
            0xd6 => Self::Extension(4),
            0xd7 => Self::Extension(8),
            0xd8 => Self::Extension(16),
            0xd9 => Self::Text(u8::from_be_bytes(bytes(rest)?).into()),
            0xda => Self::Text(u16::from_be_bytes(bytes(rest)?).into()),
            0xdb => Self::Text(length(rest)?),
            0xdc => Self::List(u16::from_be_bytes(bytes(rest)?).into()),
            0xdd => Self::List(length(rest)?),
            0xde => Self::Dict(u16::from_be_bytes(bytes(rest)?).into()),
            0xdf => Self::Dict(length(rest)?),
        })
    }

    fn signed(integer: i64) -> Self {
        u64::try_from(integer).map_or(Self::Negative, Self::Unsigned)
    }

    #[inline]
    pub(super) fn shape(self) -> Shape {
        match self {
            Self::Null => Shape::Null,
            Self::Bool => Shape::Bool,
            Self::Unsigned(_) => Shape::Integer,
            Self::Negative => Shape::Negative,
            Self::Float => Shape::Float,
            Self::Text(_) => Shape::Text,
            Self::Bytes(_) => Shape::Bytes,
            Self::List(_) => Shape::List,
            Self::Dict(_) => Shape::Dict,
            Self::Extension(_) => Shape::Other,
        }
    }
}

#[inline]
fn bytes<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], HeadError> {
    let (bytes, behind) = rest.split_first_chunk().ok_or(HeadError::EndsEarly)?;
    *rest = behind;
    Ok(*bytes)
}

#[inline]
fn length(rest: &mut &[u8]) -> Result<usize, HeadError> {
    let length = u32::from_be_bytes(bytes(rest)?);
    Ok(usize::try_from(length).unwrap_or(usize::MAX))
}
