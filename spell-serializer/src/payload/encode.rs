use serde::Serialize;
use spell_message::{Format, Payload};

#[cfg(any(feature = "json", feature = "msgpack", feature = "cbor"))]
use super::parts;
use super::{custom, format::by_format};
use crate::EncodeError;

/// Encodes positional and keyword arguments.
///
/// `args` must be a list (a tuple, a slice, a `Vec`), `kwargs` a dictionary (a struct, a map);
/// `()` stands for none, and empty ones count as none. Structs travel as dictionaries in every
/// format, and bytes that the type gives as such (`serde_bytes`, `bytes::Bytes`) as bytes.
///
/// # Errors
///
/// [`EncodeError`] if they are no list and no dictionary, or have no form in this format.
///
/// ```
/// # #[cfg(feature = "json")] {
/// use spell_message::Format;
/// use spell_serializer::payload;
///
/// let payload = payload::encode(Format::Json, &("Ada", 1815), None::<&()>)?;
/// assert_eq!(payload.args(), br#"["Ada",1815]"#);
/// # }
/// # Ok::<(), spell_serializer::EncodeError>(())
/// ```
pub fn encode<A, K>(format: Format, args: &A, kwargs: Option<&K>) -> Result<Payload, EncodeError>
where
    A: Serialize + ?Sized,
    K: Serialize + ?Sized,
{
    by_format!(
        format,
        Codec => parts::encode::<Codec, A, K>(args, kwargs),
        custom format => custom::encode(format, args, kwargs),
        unsupported format => Err(EncodeError::Unsupported { format }),
    )
}
