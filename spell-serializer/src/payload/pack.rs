use bytes::Bytes;
use spell_message::{CustomFormat, Dict, Format, List, Payload, Value};

#[cfg(any(feature = "json", feature = "msgpack", feature = "cbor"))]
use super::parts::join;
use super::{encode, format::by_format, transcode};
use crate::{DecodeError, EncodeError};
#[cfg(any(feature = "json", feature = "msgpack", feature = "cbor"))]
use crate::{
    Limits,
    codec::Codec,
    list::Shape,
    scan::{Budget, Scanner},
};

/// Packs arguments into the one dictionary `{"args": …, "kwargs": …}`, encoded in this format.
///
/// Such bytes pass a router as one binary, so that it cannot look into them; encrypted or not.
///
/// ```
/// # #[cfg(all(feature = "json", feature = "cbor"))] {
/// use spell_message::Format;
/// use spell_serializer::{PayloadExt, payload};
///
/// let payload = payload::encode(Format::Json, &("Ada", 1815), None::<&()>)?;
/// let packed = payload::pack(&payload, Format::Json)?;
/// assert_eq!(packed, r#"{"args":["Ada",1815],"kwargs":{}}"#);
/// assert_eq!(payload::unpack(&packed, Format::Json)?, payload);
///
/// // In another format than that of the session, too.
/// let packed = payload::pack(&payload, Format::Cbor)?;
/// let payload = payload::unpack(&packed, Format::Cbor)?;
/// assert_eq!(payload.parse_args::<(String, u16)>()?, ("Ada".to_owned(), 1815));
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// WAMP spec, "Payload Passthru Mode" ("Message Structure").
///
/// # Errors
///
/// [`EncodeError::Transcode`] if the arguments have no form in this format.
pub fn pack(payload: &Payload, format: Format) -> Result<Bytes, EncodeError> {
    let payload = transcode(payload, format)?;
    by_format!(
        format,
        C => pack_in::<C>(&payload),
        custom format => pack_custom(&payload, format),
        unsupported format => Err(EncodeError::Unsupported { format }),
    )
}

/// Unpacks what [`pack`] has packed. The arguments share the bytes where they can.
///
/// What comes from elsewhere is read, too: in any order, with null for what is absent, and with
/// other keys, which are ignored. The bytes are checked as a message is, with the default
/// [`Limits`](crate::Limits) but for their size.
///
/// # Errors
///
/// [`DecodeError::Packed`] if the bytes are something else, or the error that a message with such
/// bytes would give.
pub fn unpack(packed: &Bytes, format: Format) -> Result<Payload, DecodeError> {
    by_format!(
        format,
        C => unpack_from::<C>(packed),
        custom format => unpack_custom(packed, format),
        unsupported format => Err(DecodeError::Unsupported { format }),
    )
}

#[cfg(any(feature = "json", feature = "msgpack", feature = "cbor"))]
fn pack_in<C: Codec>(payload: &Payload) -> Result<Bytes, EncodeError> {
    let failed = |source| EncodeError::Value {
        format: C::NAME,
        source,
    };
    let mut out = Vec::with_capacity(payload.len().saturating_add(OVERHEAD));
    C::begin_dict(2, &mut out);
    C::write_key(ARGS, &mut out).map_err(failed)?;
    out.extend_from_slice(match payload.args() {
        [] => C::EMPTY_LIST,
        args => args,
    });
    out.extend_from_slice(C::SEPARATOR);
    C::write_key(KWARGS, &mut out).map_err(failed)?;
    out.extend_from_slice(match payload.kwargs() {
        [] => C::EMPTY_DICT,
        kwargs => kwargs,
    });
    C::end_dict(&mut out);
    Ok(out.into())
}

#[cfg(any(feature = "json", feature = "msgpack", feature = "cbor"))]
fn unpack_from<C: Codec>(packed: &Bytes) -> Result<Payload, DecodeError> {
    let mut scanner = C::Scanner::new(packed, Budget::new(const { &Limits::new() }));
    let opened = scanner.open_as(Shape::Dict)?;
    opened.map_err(|_| DecodeError::Packed { problem: NO_DICT })?;
    let (mut args, mut kwargs) = (None, None);
    while let Some(key) = scanner.next().map_err(|fault| scanner.error(fault))? {
        let Some(value) = scanner.next().map_err(|fault| scanner.error(fault))? else {
            break;
        };
        let (slot, wanted) = match C::text(key.bytes).as_deref() {
            Some(ARGS) => (&mut args, Shape::List),
            Some(KWARGS) => (&mut kwargs, Shape::Dict),
            _ => continue,
        };
        let found = value.shape;
        if slot.is_some() {
            return Err(DecodeError::Packed { problem: TWICE });
        }
        if found != wanted && found != Shape::Null {
            return Err(DecodeError::Packed {
                problem: WRONG_TYPE,
            });
        }
        *slot = Some(value.range()).filter(|_| found == wanted);
    }
    let kwargs = kwargs.map(|range| packed.get(range).unwrap_or_default());
    let kwargs = kwargs.filter(|kwargs| *kwargs != C::EMPTY_DICT);
    Ok(match (args, kwargs) {
        (None, None) => Payload::default(),
        (None, Some(kwargs)) => join::<C>(&[], kwargs),
        (Some(args), Some(kwargs)) => join::<C>(packed.get(args).unwrap_or_default(), kwargs),
        (Some(args), None) => {
            let length = args.len();
            Payload::encoded(C::FORMAT, packed.slice(args), length, length)
        }
    })
}

fn pack_custom(payload: &Payload, format: &'static dyn CustomFormat) -> Result<Bytes, EncodeError> {
    let failed = |source| EncodeError::Value {
        format: format.name(),
        source,
    };
    let part = |bytes: &[u8], absent: Value| match bytes {
        [] => Ok(absent),
        bytes => format.decode(bytes).map_err(failed),
    };
    let packed = Dict::from([
        (ARGS, part(payload.args(), List::new().into())?),
        (KWARGS, part(payload.kwargs(), Dict::new().into())?),
    ]);
    format.encode(&packed.into()).map_err(failed)
}

fn unpack_custom(
    packed: &Bytes,
    format: &'static dyn CustomFormat,
) -> Result<Payload, DecodeError> {
    let decoded = format.decode(packed);
    let decoded = decoded.map_err(|source| DecodeError::Malformed {
        format: format.name(),
        source,
    })?;
    let packed = decoded.as_dict();
    let packed = packed.ok_or(DecodeError::Packed { problem: NO_DICT })?;
    let part = |key| packed.get(key).unwrap_or(&Value::Null);
    encode(Format::Custom(format), part(ARGS), Some(part(KWARGS))).map_err(|_| {
        DecodeError::Packed {
            problem: WRONG_TYPE,
        }
    })
}

const ARGS: &str = "args";
const KWARGS: &str = "kwargs";

/// More than what stands around the arguments takes, in bytes.
#[cfg(any(feature = "json", feature = "msgpack", feature = "cbor"))]
const OVERHEAD: usize = 32;

const NO_DICT: &str = "must be a dictionary";
#[cfg(any(feature = "json", feature = "msgpack", feature = "cbor"))]
const TWICE: &str = "must not have `args` or `kwargs` twice";
const WRONG_TYPE: &str = "must have a list as `args` and a dictionary as `kwargs`";
