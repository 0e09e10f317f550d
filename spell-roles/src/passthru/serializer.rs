use spell_message::Format;

/// How arguments are made the bytes that pass through.
///
/// Each is behind the feature of `spell-serializer` that has its name; without it, sealing and
/// opening is an error. The specification has `flatbuffers` besides, which is not supported.
///
/// WAMP spec, "Payload Passthru Mode" ("`ppt_serializer` Attribute").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PassthruSerializer {
    /// `native`: not at all. The arguments stay arguments.
    Native,
    /// `json`
    Json,
    /// `msgpack`
    MsgPack,
    /// `cbor`
    Cbor,
}

impl PassthruSerializer {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Json => "json",
            Self::MsgPack => "msgpack",
            Self::Cbor => "cbor",
        }
    }

    /// The serializer with this name on the wire.
    pub fn from_name(name: &str) -> Option<Self> {
        let all = [Self::Native, Self::Json, Self::MsgPack, Self::Cbor];
        all.into_iter()
            .find(|serializer| serializer.as_str() == name)
    }

    /// The format of the bytes; `None` if there are none.
    pub(super) fn format(self) -> Option<Format> {
        match self {
            Self::Native => None,
            Self::Json => Some(Format::Json),
            Self::MsgPack => Some(Format::MsgPack),
            Self::Cbor => Some(Format::Cbor),
        }
    }
}
