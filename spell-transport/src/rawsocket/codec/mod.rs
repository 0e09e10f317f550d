//! Frames, without IO.
//!
//! WAMP spec, "RawSocket Transport", "Serialization" and "Ping-Pong": a prefix of four octets,
//! `RRRR XTTT` and a length of 24 bits, and the payload. R is reserved, T the type, and X, set
//! only when the other bits of the length are zero, stands for a length of 2^24.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

use crate::{ProtocolError, TransportError};

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

/// Reads and writes frames.
///
/// A frame that is too large is refused by its prefix. Nothing is ever allocated by a length that
/// was only declared: the buffer grows by what arrives.
#[derive(Debug)]
pub(crate) struct Codec {
    max_receive: usize,
    /// The prefix of the frame whose payload is under way.
    prefix: Option<Prefix>,
}

impl Codec {
    /// Takes payloads of up to `max_receive` bytes.
    pub(crate) fn new(max_receive: usize) -> Self {
        Self {
            max_receive,
            prefix: None,
        }
    }

    fn next_prefix(&mut self, source: &mut BytesMut) -> Result<Option<Prefix>, TransportError> {
        if let Some(prefix) = self.prefix {
            return Ok(Some(prefix));
        }
        let Some(octets) = source.first_chunk::<PREFIX>() else {
            return Ok(None);
        };
        let prefix = Prefix::decode(*octets)?;
        if prefix.length > self.max_receive {
            return Err(TransportError::Oversized {
                size: prefix.length,
                limit: self.max_receive,
            });
        }
        source.advance(PREFIX);
        self.prefix = Some(prefix);
        Ok(Some(prefix))
    }
}

impl Decoder for Codec {
    type Item = Frame;
    type Error = TransportError;

    fn decode(&mut self, source: &mut BytesMut) -> Result<Option<Frame>, TransportError> {
        let Some(prefix) = self.next_prefix(source)? else {
            return Ok(None);
        };
        if source.len() < prefix.length {
            return Ok(None);
        }
        let payload = source.split_to(prefix.length).freeze();
        self.prefix = None;
        if prefix.length > LARGE && source.len() < LARGE {
            // The rest would keep the whole allocation of the large payload, also once idle.
            *source = BytesMut::from(source.as_ref());
        }
        Ok(Some(match prefix.kind {
            Kind::Message => Frame::Message(payload),
            Kind::Ping => Frame::Ping(payload),
            Kind::Pong => Frame::Pong(payload),
        }))
    }

    fn decode_eof(&mut self, source: &mut BytesMut) -> Result<Option<Frame>, TransportError> {
        match self.decode(source)? {
            None if self.prefix.is_some() || !source.is_empty() => Err(TransportError::Interrupted),
            frame => Ok(frame),
        }
    }
}

impl Encoder<Frame> for Codec {
    type Error = TransportError;

    fn encode(&mut self, frame: Frame, out: &mut BytesMut) -> Result<(), TransportError> {
        let (kind, payload) = match frame {
            Frame::Message(payload) => (Kind::Message, payload),
            Frame::Ping(payload) => (Kind::Ping, payload),
            Frame::Pong(payload) => (Kind::Pong, payload),
        };
        let prefix = Prefix::new(kind, payload.len())?;
        out.reserve(PREFIX.saturating_add(payload.len()));
        out.put_slice(&prefix.encode());
        out.put_slice(&payload);
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
/// A payload of this many bytes leaves no buffer behind.
const LARGE: usize = 64 * 1024;

#[cfg(test)]
mod tests;
