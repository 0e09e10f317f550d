//! `wamp.2.cbor`.

mod codec;
mod de;
mod head;
mod scan;
mod ser;

pub(crate) use codec::CborCodec;

crate::codec::serializer! {
    /// `wamp.2.cbor`: messages as CBOR.
    ///
    /// Writes integers and lengths in their shortest form and lists, dictionaries and texts with
    /// their length; reads any form. Tags in arguments are kept when these are passed on, and
    /// skipped when they are read, but for those of big integers, which are read as integers.
    ///
    /// WAMP spec, "Serializers".
    Cbor, CborCodec, Serialization::CBOR
}
