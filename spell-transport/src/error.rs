//! What can go wrong, one type per operation.

use std::{io, time::Duration};

/// Why a transport ended, or why it refused one message.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// The connection failed.
    #[error("the connection failed")]
    Io(#[source] io::Error),
    /// The connection ended without the goodbye of its transport: a WebSocket without a close
    /// frame, TLS without `close_notify`, in the middle of a frame, or the other end in memory
    /// was dropped. What was under way may be lost.
    #[error("the connection was cut")]
    Interrupted,
    /// The other side closed a WebSocket and gave a reason other than that it is done.
    #[error("the other side closed the connection with code {code}: {reason:?}")]
    Closed {
        /// The WebSocket close code, as 1002 for a protocol error or 1009 for a message too big.
        code: u16,
        /// What it wrote with it.
        reason: String,
    },
    /// A message to be sent is larger than the other side takes, or than configured.
    ///
    /// Nothing of it was sent; the transport stays usable.
    #[error("a message of {size} bytes is too large, the limit is {limit}")]
    TooLarge {
        /// Size of the message in bytes.
        size: usize,
        /// The most that can be sent, in bytes.
        limit: usize,
    },
    /// A message to be sent in a serialization that is text is not UTF-8.
    ///
    /// Nothing of it was sent; the transport stays usable.
    #[error("a message to be sent as text is not UTF-8")]
    NotText,
    /// The other side sent a message larger than this side said, or was configured, to take.
    /// It was refused by its header, before it was read.
    #[error("the other side sent a message of {size} bytes, the limit is {limit}")]
    Oversized {
        /// The size it announced, in bytes; of a fragmented message, that of the parts so far.
        size: usize,
        /// The most this side takes, in bytes.
        limit: usize,
    },
    /// The other side broke the rules of the transport.
    #[error("the other side broke the transport's protocol")]
    Protocol(#[source] ProtocolError),
    /// This side sent after it had closed the transport.
    #[error("the transport is closed")]
    AlreadyClosed,
    /// An error of a transport from outside this crate.
    #[error("the transport failed")]
    Other(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// How the other side broke the rules of a transport.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// A WebSocket message is binary though the negotiated serialization is text.
    #[error("a binary message came in where {subprotocol} needs text")]
    BinaryForText {
        /// What was negotiated.
        subprotocol: &'static str,
    },
    /// A WebSocket message is text though the negotiated serialization is binary.
    #[error("a text message came in where {subprotocol} needs binary")]
    TextForBinary {
        /// What was negotiated.
        subprotocol: &'static str,
    },
    /// A WebSocket text message is not UTF-8.
    #[error("a text message that is not UTF-8")]
    NotUtf8,
    /// A WebSocket frame breaks RFC 6455.
    #[error("invalid WebSocket frame: {detail}")]
    WebSocket {
        /// What is wrong with it.
        detail: String,
    },
    /// One of the four reserved bits of a RawSocket frame is set.
    #[error("reserved bits set in the first octet {octet:#04x} of a RawSocket frame")]
    ReservedBits {
        /// The first octet of the frame.
        octet: u8,
    },
    /// A RawSocket frame of a type, 3 to 7, that is reserved.
    #[error("RawSocket frame of the reserved type {kind}")]
    ReservedType {
        /// The type.
        kind: u8,
    },
    /// A RawSocket frame has the bit for a length of 2^24 set, and a length besides.
    #[error("RawSocket frame with the 2^24 bit set and a length of {length} besides")]
    LengthBit {
        /// The length in the other bits.
        length: u32,
    },
    /// A RawSocket PING is larger than what its sender takes, so it cannot be answered.
    #[error("RawSocket ping of {size} bytes from a side that takes {limit}")]
    PingTooLarge {
        /// Size of its payload in bytes.
        size: usize,
        /// The most its sender takes, in bytes.
        limit: usize,
    },
}

/// Why no connection came about, from the side that dials.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The host name was not resolved.
    #[error("cannot resolve the host {host:?}")]
    Resolve {
        /// The name.
        host: String,
        /// Why.
        source: io::Error,
    },
    /// Nobody answered at the address, or the system did not let us try.
    #[error("cannot reach {address}")]
    Dial {
        /// The address tried last.
        address: String,
        /// Why.
        source: io::Error,
    },
    /// TLS failed: a certificate that is not trusted, or not for this name, or no common version.
    /// No byte of the application was sent.
    ///
    /// The source's inner error is a `rustls::Error` when TLS itself failed.
    #[error("TLS handshake failed")]
    Tls(#[source] io::Error),
    /// The connection failed during the handshake.
    #[error("the connection failed during the handshake")]
    Io(#[source] io::Error),
    /// The other side closed the connection during the handshake.
    #[error("the other side closed the connection during the handshake")]
    Closed,
    /// None of the offered serializations can be negotiated by this transport, or none was
    /// offered.
    #[error("no serialization to offer")]
    NothingToOffer,
    /// The other side supports none of the serializations offered.
    #[error("the other side supports none of the offered serializations")]
    UnsupportedSerialization,
    /// The WebSocket handshake failed.
    #[cfg(feature = "websocket")]
    #[error("WebSocket handshake failed")]
    WebSocket(#[source] crate::websocket::UpgradeError),
    /// The RawSocket handshake failed.
    #[cfg(feature = "rawsocket")]
    #[error("RawSocket handshake failed")]
    RawSocket(#[source] crate::rawsocket::HandshakeError),
    /// An error of a connector from outside this crate.
    #[error("cannot connect")]
    Other(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Why a client was turned away, from the side that listens.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AcceptError {
    /// The handshake took too long.
    #[error("the handshake was not done within {limit:?}")]
    Timeout {
        /// The time it had.
        limit: Duration,
    },
    /// TLS failed.
    #[error("TLS handshake failed")]
    Tls(#[source] io::Error),
    /// The connection failed during the handshake.
    #[error("the connection failed during the handshake")]
    Io(#[source] io::Error),
    /// The client closed the connection during the handshake.
    #[error("the client closed the connection during the handshake")]
    Closed,
    /// The client offered no serialization that this side supports.
    #[error("the client offered no supported serialization")]
    UnsupportedSerialization,
    /// The WebSocket handshake failed.
    #[cfg(feature = "websocket")]
    #[error("WebSocket handshake failed")]
    WebSocket(#[source] crate::websocket::UpgradeError),
    /// The RawSocket handshake failed.
    #[cfg(feature = "rawsocket")]
    #[error("RawSocket handshake failed")]
    RawSocket(#[source] crate::rawsocket::HandshakeError),
    /// An error of a listener from outside this crate.
    #[error("cannot accept the connection")]
    Other(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// An end of the stream is told apart from other failures, wherever it shows.
impl From<io::Error> for TransportError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Interrupted,
            _ => Self::Io(error),
        }
    }
}

impl From<ProtocolError> for TransportError {
    fn from(error: ProtocolError) -> Self {
        Self::Protocol(error)
    }
}

impl From<io::Error> for ConnectError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Closed,
            _ => Self::Io(error),
        }
    }
}

impl From<io::Error> for AcceptError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Closed,
            _ => Self::Io(error),
        }
    }
}
