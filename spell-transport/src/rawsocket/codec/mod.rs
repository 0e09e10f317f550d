//! Frames, without IO.
//!
//! WAMP spec, "RawSocket Transport", "Serialization" and "Ping-Pong": a prefix of four octets,
//! `RRRR XTTT` and a length of 24 bits, and the payload. R is reserved, T the type, and X, set
//! only when the other bits of the length are zero, stands for a length of 2^24.

use bytes::Bytes;

use crate::{
    ProtocolError, TransportError, receive_buffer::ReceiveBuffer, send_buffer::SendBuffer,
};

/// The largest payload this side ever sends.
///
/// A receiver may be asked to take 2^24 bytes, but peers after an older draft know no X bit and
/// misread such a frame as an empty one, so one byte less is the most.
pub(crate) const MAX_SENT: usize = LENGTH_BIT - 1;

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    Message(Bytes),
    Ping(Bytes),
    Pong(Bytes),
}

impl Frame {
    /// Puts it behind what waits to be written; see [`SendBuffer::put`] for `vectored`.
    #[inline]
    pub(crate) fn encode(self, out: &mut SendBuffer, vectored: bool) -> Result<(), TransportError> {
        let (kind, payload) = match self {
            Self::Message(payload) => (Kind::Message, payload),
            Self::Ping(payload) => (Kind::Ping, payload),
            Self::Pong(payload) => (Kind::Pong, payload),
        };
        let prefix = Prefix::new(kind, payload.len())?;
        let room = SendBuffer::copied(&payload, vectored).saturating_add(PREFIX);
        out.tail(room).extend_from_slice(&prefix.encode());
        out.put(payload, vectored);
        Ok(())
    }
}

/// Reads frames. One that is too large is refused by its prefix.
#[derive(Debug)]
pub(crate) struct Decoder {
    max_receive: usize,
    /// The prefix of the frame whose payload is under way.
    prefix: Option<Prefix>,
}

impl Decoder {
    /// Takes payloads of up to `max_receive` bytes.
    pub(crate) fn new(max_receive: usize) -> Self {
        Self {
            max_receive,
            prefix: None,
        }
    }

    /// The next frame, once all of it came in.
    #[inline]
    pub(crate) fn decode(
        &mut self,
        source: &mut ReceiveBuffer,
    ) -> Result<Option<Frame>, TransportError> {
        let Some(prefix) = self.next_prefix(source)? else {
            return Ok(None);
        };
        let Some(payload) = source.take(prefix.length, |_payload| ()) else {
            self.prefix = Some(prefix);
            return Ok(None);
        };
        Ok(Some(match prefix.kind {
            Kind::Message => Frame::Message(payload),
            Kind::Ping => Frame::Ping(payload),
            Kind::Pong => Frame::Pong(payload),
        }))
    }

    #[inline]
    fn next_prefix(
        &mut self,
        source: &mut ReceiveBuffer,
    ) -> Result<Option<Prefix>, TransportError> {
        if let Some(prefix) = self.prefix.take() {
            return Ok(Some(prefix));
        }
        let Some(octets) = source.ahead().first_chunk::<PREFIX>() else {
            return Ok(None);
        };
        let prefix = Prefix::decode(*octets)?;
        if prefix.length > self.max_receive {
            return Err(TransportError::Oversized {
                size: prefix.length,
                limit: self.max_receive,
            });
        }
        source.skip(PREFIX);
        Ok(Some(prefix))
    }

    /// The stream ended, after all that came in was decoded.
    pub(crate) fn end(&self, source: &ReceiveBuffer) -> Result<(), TransportError> {
        if self.prefix.is_some() || !source.ahead().is_empty() {
            return Err(TransportError::Interrupted);
        }
        Ok(())
    }
}

/// The four octets before each payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Prefix {
    kind: Kind,
    length: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Message,
    Ping,
    Pong,
}

impl Prefix {
    fn new(kind: Kind, length: usize) -> Result<Self, TransportError> {
        if length > MAX_SENT {
            return Err(TransportError::TooLarge {
                size: length,
                limit: MAX_SENT,
            });
        }
        Ok(Self { kind, length })
    }

    fn decode([first, high, middle, low]: [u8; PREFIX]) -> Result<Self, ProtocolError> {
        if first & RESERVED != 0 {
            return Err(ProtocolError::ReservedBits { octet: first });
        }
        let kind = match first & TYPE {
            0 => Kind::Message,
            1 => Kind::Ping,
            2 => Kind::Pong,
            kind => return Err(ProtocolError::ReservedType { kind }),
        };
        let length = u32::from_be_bytes([0, high, middle, low]);
        let length = match (first & X, length) {
            (0, length) => usize::try_from(length).unwrap_or(usize::MAX),
            (_, 0) => LENGTH_BIT,
            (_, length) => return Err(ProtocolError::LengthBit { length }),
        };
        Ok(Self { kind, length })
    }

    /// The length is at most [`MAX_SENT`], so X is never set.
    fn encode(self) -> [u8; PREFIX] {
        let kind = match self.kind {
            Kind::Message => 0,
            Kind::Ping => 1,
            Kind::Pong => 2,
        };
        let length = u32::try_from(self.length).unwrap_or(u32::MAX);
        let [_, high, middle, low] = length.to_be_bytes();
        [kind, high, middle, low]
    }
}

const PREFIX: usize = 4;
const RESERVED: u8 = 0xf0;
const X: u8 = 0x08;
const TYPE: u8 = 0x07;
const LENGTH_BIT: usize = 1 << 24;

#[cfg(test)]
mod tests;
