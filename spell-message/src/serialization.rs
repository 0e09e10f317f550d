//! The names under which a serialization is negotiated.

/// How messages become bytes, as the transports negotiate it.
///
/// Only the names: a transport offers them and learns which one the router took; the codec behind
/// a name lives in `spell-serializer`, so that transports need to know no codec.
///
/// WAMP spec, "Serializers", "WebSocket Transport" and "RawSocket Transport".
///
/// ```
/// use spell_message::Serialization;
///
/// assert_eq!(Serialization::JSON.subprotocol(), "wamp.2.json");
/// assert!(Serialization::JSON.is_text());
/// assert_eq!(Serialization::CBOR.rawsocket(), 3);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Serialization {
    subprotocol: &'static str,
    text: bool,
    rawsocket: u8,
}

impl Serialization {
    /// `wamp.2.json`: text, RawSocket number 1.
    pub const JSON: Self = Self::text("wamp.2.json", 1);
    /// `wamp.2.msgpack`: binary, RawSocket number 2.
    pub const MSGPACK: Self = Self::binary("wamp.2.msgpack", 2);
    /// `wamp.2.cbor`: binary, RawSocket number 3.
    pub const CBOR: Self = Self::binary("wamp.2.cbor", 3);

    /// A serialization whose messages are UTF-8 text.
    ///
    /// `rawsocket` is its number in the RawSocket handshake, 1 to 15; 0 when it has none and can
    /// only be negotiated over a WebSocket.
    pub const fn text(subprotocol: &'static str, rawsocket: u8) -> Self {
        Self {
            subprotocol,
            text: true,
            rawsocket,
        }
    }

    /// A serialization whose messages are arbitrary bytes; see [`text`](Self::text).
    pub const fn binary(subprotocol: &'static str, rawsocket: u8) -> Self {
        Self {
            subprotocol,
            text: false,
            rawsocket,
        }
    }

    /// The WebSocket subprotocol.
    pub const fn subprotocol(&self) -> &'static str {
        self.subprotocol
    }

    /// Whether messages are UTF-8 text, which decides the type of a WebSocket message.
    pub const fn is_text(&self) -> bool {
        self.text
    }

    /// The number in the RawSocket handshake; 0 when there is none.
    pub const fn rawsocket(&self) -> u8 {
        self.rawsocket
    }
}
