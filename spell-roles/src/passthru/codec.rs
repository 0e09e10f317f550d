use std::{fmt::Debug, ops::Deref, sync::Arc};

use bytes::Bytes;
use spell_message::{Dict, Format, Payload, Value};
use spell_serializer::{EncodeError, PayloadExt, payload};

use super::{PassthruAttributes, PassthruError};

/// Seals arguments into a payload that passes the router, and opens them again.
///
/// Its methods run in the task of the user who publishes, calls, answers or reads, and may take
/// their time there. [`payload::pack`] and [`payload::unpack`] make bytes of arguments and back;
/// [`PassthruError::other`] is for what can go wrong besides.
///
/// ```
/// use spell_message::{Format, Payload};
/// use spell_roles::passthru::{PassthruAttributes, PassthruCodec, PassthruError, Sealed};
/// use spell_serializer::payload;
///
/// /// Arguments as CBOR, backwards.
/// #[derive(Debug)]
/// struct Backwards;
///
/// impl PassthruCodec for Backwards {
///     fn seal(&self, _uri: &str, arguments: &Payload) -> Result<Sealed, PassthruError> {
///         let packed = payload::pack(arguments, Format::Cbor)?;
///         let backwards: Vec<u8> = packed.iter().rev().copied().collect();
///         Ok(Sealed::binary(PassthruAttributes::new("x_backwards"), backwards))
///     }
///
///     fn open(
///         &self,
///         attributes: &PassthruAttributes,
///         payload: &Payload,
///     ) -> Result<Payload, PassthruError> {
///         if attributes.scheme != "x_backwards" {
///             return Err(PassthruError::UnknownScheme { scheme: attributes.scheme.clone() });
///         }
///         let forwards = Sealed::read_binary(payload)?.iter().rev().copied().collect();
///         Ok(payload::unpack(&forwards, Format::Cbor)?)
///     }
/// }
/// ```
///
/// WAMP spec, "Payload Passthru Mode".
pub trait PassthruCodec: Debug + Send + Sync + 'static {
    /// Seal the arguments of a publication, a call, or the answer to one; `uri` is the topic or the
    /// procedure.
    fn seal(&self, uri: &str, arguments: &Payload) -> Result<Sealed, PassthruError>;

    /// Open a payload that came with these attributes.
    ///
    /// Both are as the other side, or the router, has sent them: nothing of it is to be trusted.
    fn open(
        &self,
        attributes: &PassthruAttributes,
        payload: &Payload,
    ) -> Result<Payload, PassthruError>;

    /// Whether to take events, invocations and results that come without payload passthru mode;
    /// default yes.
    ///
    /// Otherwise their arguments are [`PassthruError::NotSealed`]. Errors are always taken, since
    /// routers send some of their own.
    fn takes_plain(&self) -> bool {
        true
    }
}

/// A payload, and how it is sealed, if it is; boxed, as few are.
pub(crate) type SealedParts = (Payload, Option<Box<PassthruAttributes>>);

/// Seal arguments for a session of this format.
pub(crate) fn seal(
    codec: &Passthru,
    uri: &str,
    arguments: &Payload,
    format: Format,
) -> Result<SealedParts, EncodeError> {
    let sealed = codec.seal(uri, arguments);
    match sealed.and_then(|sealed| sealed.into_parts(format)) {
        Ok((attributes, payload)) => Ok((payload, Some(Box::new(attributes)))),
        Err(error) => Err(EncodeError::Sealed {
            source: error.into(),
        }),
    }
}

/// Any codec, chosen at run time. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Passthru(Arc<dyn PassthruCodec>);

impl<C: PassthruCodec> From<C> for Passthru {
    fn from(codec: C) -> Self {
        Self(Arc::new(codec))
    }
}

impl From<&Self> for Passthru {
    fn from(codec: &Self) -> Self {
        codec.clone()
    }
}

impl Deref for Passthru {
    type Target = dyn PassthruCodec;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

/// Arguments that are sealed, and what the other side must know to open them.
#[derive(Clone, Debug)]
pub struct Sealed {
    attributes: PassthruAttributes,
    content: Content,
}

#[derive(Clone, Debug)]
enum Content {
    Binary(Bytes),
    Native(Payload),
}

impl Sealed {
    /// Arguments that became one binary.
    pub fn binary(attributes: PassthruAttributes, binary: impl Into<Bytes>) -> Self {
        Self {
            attributes,
            content: Content::Binary(binary.into()),
        }
    }

    /// Arguments that stay as they are, for the scheme `mqtt` and its serializer `native`.
    pub fn native(attributes: PassthruAttributes, payload: Payload) -> Self {
        Self {
            attributes,
            content: Content::Native(payload),
        }
    }

    /// What to send: the attributes for the options, and the payload in the format of the session.
    pub fn into_parts(
        self,
        format: Format,
    ) -> Result<(PassthruAttributes, Payload), PassthruError> {
        let payload = match self.content {
            Content::Native(payload) => payload,
            // WAMP spec, "Payload Passthru Mode": one binary item, and no keyword arguments.
            Content::Binary(binary) => {
                payload::encode(format, &[Value::Bytes(binary)], None::<&()>)?
            }
        };
        Ok((self.attributes, payload))
    }

    /// The one binary that a payload must be that came.
    ///
    /// # Errors
    ///
    /// [`PassthruError::NotOneBinary`] if it is more, less or something else.
    pub fn read_binary(payload: &Payload) -> Result<Bytes, PassthruError> {
        match payload.parse_args() {
            Ok((Value::Bytes(binary),)) if payload.parse_kwargs::<()>().is_ok() => Ok(binary),
            _ => Err(PassthruError::NotOneBinary),
        }
    }
}

/// Open the payload of a message by hand, where its details, or options, say that it is sealed.
///
/// One that is not sealed is given as it is, if the codec takes such. Whoever gives a codec to a
/// publication, a call, a subscription or a registration does not need this.
///
/// ```
/// use spell_message::{Dict, Format, Value};
/// use spell_roles::passthru::{self, Plain};
/// use spell_serializer::{PayloadExt, payload};
///
/// let binary = Value::bytes(br#"{"args":[7]}"#.as_slice());
/// let payload = payload::encode(Format::MsgPack, &(binary,), None::<&()>)?;
/// let details = Dict::from([("ppt_scheme", "mqtt"), ("ppt_serializer", "json")]);
/// let opened = passthru::open(&Plain::mqtt(), &details, &payload)?;
/// assert_eq!(opened.parse_args::<(u8,)>()?, (7,));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn open(
    codec: &dyn PassthruCodec,
    details: &Dict,
    payload: &Payload,
) -> Result<Payload, PassthruError> {
    match PassthruAttributes::from_dict(details) {
        Some(attributes) => codec.open(&attributes, payload),
        None if codec.takes_plain() => Ok(payload.clone()),
        None => Err(PassthruError::NotSealed),
    }
}
