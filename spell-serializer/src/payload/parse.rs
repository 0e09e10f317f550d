use serde::{
    Deserialize,
    de::{
        IgnoredAny,
        value::{Error, MapDeserializer, SeqDeserializer, UnitDeserializer},
    },
};
use spell_message::{Format, Payload};

use super::{custom, format::by_format};
#[cfg(any(feature = "json", feature = "msgpack", feature = "cbor"))]
use crate::codec::Codec;
use crate::{DecodeError, error::Source};

/// Reads arguments straight into your types.
///
/// ```
/// # #[cfg(feature = "json")] {
/// use spell_message::Format;
/// use spell_serializer::{PayloadExt, payload};
///
/// let payload = payload::encode(Format::Json, &("Ada", 1815), None::<&()>)?;
/// let (name, born): (String, u16) = payload.parse_args()?;
/// assert_eq!((name.as_str(), born), ("Ada", 1815));
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait PayloadExt {
    /// The positional arguments, as a tuple, a list, or a struct read in order; an empty list when
    /// there are none, which `()` takes.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Args`] if they are not of this type.
    fn parse_args<'a, T: Deserialize<'a>>(&'a self) -> Result<T, DecodeError>;

    /// The keyword arguments, as a struct or a map; an empty dictionary when there are none,
    /// which `()` takes.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Kwargs`] if they are not of this type.
    fn parse_kwargs<'a, T: Deserialize<'a>>(&'a self) -> Result<T, DecodeError>;
}

impl PayloadExt for Payload {
    fn parse_args<'a, T: Deserialize<'a>>(&'a self) -> Result<T, DecodeError> {
        let absent = SeqDeserializer::<_, Error>::new(std::iter::empty::<()>());
        let result = match self.args() {
            [] => T::deserialize(absent).map_err(Into::into),
            args => parse(self.format(), args)?,
        };
        let is_empty = || match self.args() {
            [] => true,
            args => parse::<Vec<IgnoredAny>>(self.format(), args)
                .is_ok_and(|list| list.is_ok_and(|list| list.is_empty())),
        };
        or_unit(result, is_empty).map_err(|source| DecodeError::Args { source })
    }

    fn parse_kwargs<'a, T: Deserialize<'a>>(&'a self) -> Result<T, DecodeError> {
        let absent = MapDeserializer::<_, Error>::new(std::iter::empty::<((), ())>());
        let result = match self.kwargs() {
            [] => T::deserialize(absent).map_err(Into::into),
            kwargs => parse(self.format(), kwargs)?,
        };
        let is_empty = || match self.kwargs() {
            [] => true,
            kwargs => parse::<NoEntries>(self.format(), kwargs).is_ok_and(|dict| dict.is_ok()),
        };
        or_unit(result, is_empty).map_err(|source| DecodeError::Kwargs { source })
    }
}

type Parsed<T> = Result<T, Source>;

/// A dictionary without entries.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoEntries {}

/// Makes the type of nothing where there is nothing and it takes neither a list nor a dictionary.
fn or_unit<'a, T: Deserialize<'a>>(
    result: Parsed<T>,
    is_empty: impl FnOnce() -> bool,
) -> Parsed<T> {
    result.or_else(|error| {
        if is_empty() {
            T::deserialize(UnitDeserializer::<Error>::new()).map_err(|_| error)
        } else {
            Err(error)
        }
    })
}

fn parse<'a, T: Deserialize<'a>>(
    format: Option<Format>,
    bytes: &'a [u8],
) -> Result<Parsed<T>, DecodeError> {
    let Some(format) = format else {
        return Err(DecodeError::Unsupported { format: "none" });
    };
    by_format!(
        format,
        C => Ok(C::read(bytes)),
        custom format => Ok(custom::parse(format, bytes)),
        unsupported format => Err(DecodeError::Unsupported { format }),
    )
}
