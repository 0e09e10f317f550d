use spell_message::Format;

/// Runs one expression for each format that is compiled in, where the name before `=>` is its
/// codec; another for formats of users, and a third for those that are not compiled in.
macro_rules! by_format {
    (
        $format:expr,
        $Codec:ident => $known:expr,
        custom $custom:ident => $of_user:expr,
        unsupported $name:ident => $unsupported:expr $(,)?
    ) => {
        match $format {
            #[cfg(feature = "json")]
            spell_message::Format::Json => {
                type $Codec = $crate::json::JsonCodec;
                $known
            }
            #[cfg(feature = "msgpack")]
            spell_message::Format::MsgPack => {
                type $Codec = $crate::msgpack::MsgPackCodec;
                $known
            }
            #[cfg(feature = "cbor")]
            spell_message::Format::Cbor => {
                type $Codec = $crate::cbor::CborCodec;
                $known
            }
            spell_message::Format::Custom($custom) => $of_user,
            other => {
                let $name = $crate::payload::format::name(other);
                $unsupported
            }
        }
    };
}

pub(super) use by_format;

/// The name of a format, for messages to people.
pub(super) fn name(format: Format) -> &'static str {
    match format {
        Format::Json => "JSON",
        Format::MsgPack => "MessagePack",
        Format::Cbor => "CBOR",
        Format::Custom(format) => format.name(),
        _ => "of an unknown name",
    }
}
