//! `wamp.2.json`.

mod binary;
mod codec;
mod scan;

pub(crate) use codec::JsonCodec;

crate::codec::serializer! {
    /// `wamp.2.json`: messages as JSON text.
    ///
    /// Bytes are strings that begin with U+0000, followed by Base64, as the values of lists and
    /// dictionaries of any depth; keys are always text. So a text that itself begins with U+0000
    /// has no form in JSON, neither have NaN and the infinities: all are an error when encoded.
    ///
    /// Integers of 64 bits keep their value; larger ones, which JSON can hold, do not fit a
    /// [`Value`](spell_message::Value) as an integer and are read as floats.
    ///
    /// WAMP spec, "Serializers" and "Binary conversion of JSON Strings".
    Json, JsonCodec, Serialization::JSON
}
