use std::{fmt::Debug, ops::Deref, sync::Arc};

use bytes::{Bytes, BytesMut};
use spell_message::{Format, Message, Serialization};

use crate::{DecodeError, EncodeError};

/// One WAMP serialization: messages to bytes and back.
///
/// `Json`, `MsgPack` and `Cbor` come with this crate, each by its feature. For one of your own, [`list`](crate::list) does what all have in common.
///
/// WAMP spec, "Serializers".
pub trait Serializer: Debug + Send + Sync + 'static {
    /// The names under which transports negotiate it.
    fn serialization(&self) -> Serialization;

    /// How the arguments in its messages are encoded.
    fn format(&self) -> Format;

    /// Appends one message to `out`; arguments in another format are carried over to this one.
    ///
    /// # Errors
    ///
    /// [`EncodeError`] when something in the message has no form in this format; `out` is then as
    /// it was before.
    fn encode(&self, message: &Message, out: &mut BytesMut) -> Result<(), EncodeError>;

    /// Reads the one message that `frame` is. Its arguments stay undecoded and share `frame`.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] when the frame is no message, or beyond the limits of the serializer.
    fn decode(&self, frame: &Bytes) -> Result<Message, DecodeError>;
}

/// Any serializer, chosen at run time. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct AnySerializer(Arc<dyn Serializer>);

impl AnySerializer {
    /// Every serializer that is compiled in, with default limits, the best first: MessagePack,
    /// CBOR, JSON.
    pub fn all() -> Vec<Self> {
        vec![
            #[cfg(feature = "msgpack")]
            crate::MsgPack::new().into(),
            #[cfg(feature = "cbor")]
            crate::Cbor::new().into(),
            #[cfg(feature = "json")]
            crate::Json::new().into(),
        ]
    }
}

impl<S: Serializer> From<S> for AnySerializer {
    fn from(serializer: S) -> Self {
        Self(Arc::new(serializer))
    }
}

impl Deref for AnySerializer {
    type Target = dyn Serializer;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}
