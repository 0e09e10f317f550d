use spell_message::{Format, Payload, Value};

use super::{PayloadExt, encode, format::name};
use crate::EncodeError;

/// Carries arguments over to another format; in the same format they stay the bytes they are.
///
/// Integers keep their values, bytes stay bytes, and dictionaries keep their order. What only one
/// format knows, such as the tags of CBOR, is dropped.
///
/// # Errors
///
/// [`EncodeError::Transcode`] if the arguments cannot be read or have no form in this format, such
/// as NaN in JSON.
pub fn transcode(payload: &Payload, format: Format) -> Result<Payload, EncodeError> {
    match payload.format() {
        Some(from) if from != format => {
            let failed = |source| EncodeError::Transcode {
                format: name(format),
                source,
            };
            let args: Value = payload.parse_args().map_err(|error| failed(error.into()))?;
            let kwargs: Value = payload
                .parse_kwargs()
                .map_err(|error| failed(error.into()))?;
            encode(format, &args, Some(&kwargs)).map_err(|error| failed(error.into()))
        }
        _ => Ok(payload.clone()),
    }
}
