use spell_message::Payload;
use spell_serializer::payload;

use super::{PassthruAttributes, PassthruCodec, PassthruError, PassthruSerializer, Sealed};

/// Seals arguments without encrypting them: a format of their own inside of that of the session.
///
/// It opens what is of the same scheme, whatever the serializer, and takes payloads that are not
/// sealed.
///
/// ```
/// use spell_roles::passthru::{PassthruSerializer, Plain};
///
/// // Arguments as they are, marked as those of MQTT.
/// let gateway = Plain::mqtt();
/// // Arguments as one binary, which is JSON.
/// let json = Plain::mqtt().serializer(PassthruSerializer::Json);
/// let own = Plain::custom("x_telemetry")?.serializer(PassthruSerializer::MsgPack);
/// assert!(Plain::custom("telemetry").is_err());
/// # Ok::<(), spell_roles::passthru::PassthruError>(())
/// ```
///
/// WAMP spec, "Payload Passthru Mode" ("ppt_ Predefined Schemes").
#[derive(Clone, Debug)]
#[must_use]
pub struct Plain {
    scheme: String,
    serializer: Option<PassthruSerializer>,
}

impl Plain {
    /// The scheme `mqtt`, for gateways; the serializer is `native` unless another one is set.
    pub fn mqtt() -> Self {
        Self {
            scheme: MQTT.into(),
            serializer: None,
        }
    }

    /// The scheme `wamp`, which can also be encrypted; the serializer is `cbor`, which alone the
    /// specification has for it.
    pub fn wamp() -> Self {
        Self {
            scheme: WAMP.into(),
            serializer: Some(PassthruSerializer::Cbor),
        }
    }

    /// A scheme of your own, which must begin with `x_`; the serializer is `cbor` unless another one
    /// is set.
    ///
    /// # Errors
    ///
    /// [`PassthruError::InvalidScheme`] if the name is none that a scheme of yours may have.
    pub fn custom(scheme: impl Into<String>) -> Result<Self, PassthruError> {
        let scheme = scheme.into();
        if !is_custom(&scheme) {
            return Err(PassthruError::InvalidScheme { scheme });
        }
        Ok(Self {
            scheme,
            serializer: Some(PassthruSerializer::Cbor),
        })
    }

    /// How to make bytes of the arguments that are sealed.
    pub fn serializer(mut self, serializer: PassthruSerializer) -> Self {
        self.serializer = Some(serializer);
        self
    }
}

impl PassthruCodec for Plain {
    fn seal(&self, _uri: &str, arguments: &Payload) -> Result<Sealed, PassthruError> {
        let mut attributes = PassthruAttributes::new(&self.scheme);
        attributes.serializer = self.serializer.map(|serializer| serializer.as_str().into());
        // WAMP spec, "End-to-End Encryption Predefined Scheme": others can read no other one.
        if self.scheme == WAMP && self.serializer != Some(PassthruSerializer::Cbor) {
            return Err(unknown_serializer(&attributes));
        }
        match self.serializer.and_then(PassthruSerializer::format) {
            None => Ok(Sealed::native(attributes, arguments.clone())),
            Some(format) => {
                let packed = payload::pack(arguments, format)?;
                Ok(Sealed::binary(attributes, packed))
            }
        }
    }

    fn open(
        &self,
        attributes: &PassthruAttributes,
        payload: &Payload,
    ) -> Result<Payload, PassthruError> {
        if let Some(cipher) = &attributes.cipher {
            return Err(PassthruError::UnknownCipher {
                cipher: Some(cipher.clone()),
            });
        }
        let serializer = read_serializer(&self.scheme, attributes)?;
        match serializer.format() {
            None => Ok(payload.clone()),
            Some(format) => Ok(payload::unpack(&Sealed::read_binary(payload)?, format)?),
        }
    }
}

/// How the arguments of a payload were made bytes that must be of this scheme.
pub(super) fn read_serializer(
    scheme: &str,
    attributes: &PassthruAttributes,
) -> Result<PassthruSerializer, PassthruError> {
    if attributes.scheme != scheme {
        return Err(PassthruError::UnknownScheme {
            scheme: attributes.scheme.clone(),
        });
    }
    let serializer = match &attributes.serializer {
        // WAMP spec, "MQTT Predefined Scheme": without a serializer it is `native`. What a scheme of
        // the user means by none cannot be known.
        None if scheme == MQTT => Some(PassthruSerializer::Native),
        None => None,
        Some(name) => PassthruSerializer::from_name(name),
    };
    match serializer {
        // What is of this scheme is always bytes.
        Some(PassthruSerializer::Native) if scheme == WAMP => Err(unknown_serializer(attributes)),
        Some(serializer) => Ok(serializer),
        None => Err(unknown_serializer(attributes)),
    }
}

fn unknown_serializer(attributes: &PassthruAttributes) -> PassthruError {
    PassthruError::UnknownSerializer {
        serializer: attributes.serializer.clone(),
    }
}

/// Whether a scheme of the user may have this name.
pub(super) fn is_custom(scheme: &str) -> bool {
    let is_inside = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
    scheme.strip_prefix("x_").is_some_and(|name| {
        name.len() > 1
            && name.starts_with(|first: char| first.is_ascii_lowercase())
            && name.bytes().all(is_inside)
    })
}

pub(super) const WAMP: &str = "wamp";
pub(super) const MQTT: &str = "mqtt";
