//! What the router says in its own words: results of its procedures, and events of its topics.

use serde::Serialize;
use spell_message::{Format, Payload, Value};
use spell_serializer::{EncodeError, PayloadBuilder};

use crate::meta::Refused;

/// What a procedure of the router answers: its only result, or none, or an error.
pub(crate) type Answer = Result<Option<Value>, Refused>;

/// Positional arguments, in this format if that is one of the specification.
///
/// They are encoded under the lock of the realm, where a format of the user has no business: for
/// that, as for everyone who takes another format, the connection transcodes them later.
pub(crate) fn encoded<T: Serialize>(format: Format, args: &[T]) -> Result<Payload, EncodeError> {
    let format = match format {
        Format::Custom(_) => own_format().unwrap_or(format),
        known => known,
    };
    PayloadBuilder::new(format).args(args).finish()
}

/// A format of the specification that is compiled in.
pub(crate) fn own_format() -> Option<Format> {
    if cfg!(feature = "msgpack") {
        Some(Format::MsgPack)
    } else if cfg!(feature = "cbor") {
        Some(Format::Cbor)
    } else if cfg!(feature = "json") {
        Some(Format::Json)
    } else {
        None
    }
}
