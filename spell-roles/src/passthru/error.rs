use std::{error::Error, sync::Arc};

use spell_serializer::{DecodeError, EncodeError};

use crate::error::Excerpt;

/// Arguments could not be sealed, or could not be opened again.
///
/// It concerns the one message that it came with: the session goes on, and so does the subscription
/// or the registration. Neither arguments nor keys are shown.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PassthruError {
    /// The message does not use payload passthru mode, though the codec demands it.
    #[error("the payload is not sealed")]
    NotSealed,
    /// The payload must be exactly one binary, without keyword arguments.
    #[error("a sealed payload must be one binary and nothing else")]
    NotOneBinary,
    /// A name of a scheme that the specification does not have must be `x_`, a lower-case letter,
    /// and at least one letter, digit or underscore.
    #[error("{} is no name of a scheme of your own", Excerpt(scheme))]
    InvalidScheme {
        /// The name.
        scheme: String,
    },
    /// The codec does not know the scheme of the payload.
    #[error("the scheme {} is not that of the codec", Excerpt(scheme))]
    UnknownScheme {
        /// `ppt_scheme`, or `enc_algo` of Autobahn.
        scheme: String,
    },
    /// The serializer of the payload is unknown, missing, or none that the scheme allows.
    #[error("the serializer {} is not known, or not of the scheme", shown(serializer.as_deref()))]
    UnknownSerializer {
        /// `ppt_serializer`
        serializer: Option<String>,
    },
    /// The cipher of the payload is unknown or missing.
    #[error("the cipher {} is not known", shown(cipher.as_deref()))]
    UnknownCipher {
        /// `ppt_cipher`
        cipher: Option<String>,
    },
    /// There is no key with the id that the payload names, or it names none.
    #[error("the key {} is not known", shown(keyid.as_deref()))]
    UnknownKey {
        /// `ppt_keyid`
        keyid: Option<String>,
    },
    /// There is no key to seal with for this topic or procedure.
    #[error("there is no key for {}", Excerpt(uri))]
    NoKey {
        /// The topic or procedure.
        uri: String,
    },
    /// The router hands on sealed payloads, but did not announce that it takes any, so that the
    /// answer to one was not sent.
    #[error("the router did not announce payload_passthru_mode")]
    NotAnnounced,
    /// More arguments of a progressive call were sealed otherwise than the first ones, as by another
    /// key; what they were sealed with is told with the first ones alone.
    #[error("the arguments are not sealed as the first ones of the call were")]
    Changed,
    /// The payload does not decrypt: another key, or it was changed on its way.
    #[error("the payload does not decrypt")]
    Undecipherable,
    /// The operating system gives no random numbers, without which nothing can be encrypted.
    #[error("there are no random numbers")]
    NoRandomness,
    /// The arguments could not be encoded.
    #[error("the arguments cannot be packed")]
    Pack(#[source] Arc<EncodeError>),
    /// What was sealed is no packed arguments.
    #[error("the opened payload cannot be unpacked")]
    Unpack(#[source] Arc<DecodeError>),
    /// What a codec of yours reports.
    #[error("the codec failed")]
    Other(#[source] Arc<dyn Error + Send + Sync>),
}

impl PassthruError {
    /// An error of a codec of yours. It must not show a secret.
    pub fn other(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Other(Arc::from(error.into()))
    }

    /// The error of this kind that is the cause of another one, as of a
    /// [`CallError`](crate::CallError) or a [`DecodeError`]; `None` if there is none.
    pub fn cause_of<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Self> {
        let mut error = Some(error);
        while let Some(cause) = error {
            if let Some(found) = cause.downcast_ref() {
                return Some(found);
            }
            error = cause.source();
        }
        None
    }
}

impl From<EncodeError> for PassthruError {
    fn from(error: EncodeError) -> Self {
        Self::Pack(Arc::new(error))
    }
}

impl From<DecodeError> for PassthruError {
    fn from(error: DecodeError) -> Self {
        Self::Unpack(Arc::new(error))
    }
}

fn shown(name: Option<&str>) -> Excerpt<'_> {
    Excerpt(name.unwrap_or("(none)"))
}
