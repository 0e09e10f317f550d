//! `wamp.2.msgpack`.

mod codec;
mod head;
mod scan;

pub(crate) use codec::MsgPackCodec;

crate::codec::serializer! {
    /// `wamp.2.msgpack`: messages as MessagePack.
    ///
    /// Writes every value in its shortest form and reads any. Text is `str` and bytes are `bin`;
    /// a `str` that is not UTF-8 is an error. Extension types in arguments are kept when these are
    /// passed on, and read as a list of their type and their bytes.
    ///
    /// WAMP spec, "Serializers".
    MsgPack, MsgPackCodec, Serialization::MSGPACK
}
