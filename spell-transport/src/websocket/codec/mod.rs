//! Messages and control frames out of frames, and into them, without IO.
//!
//! RFC 6455, 5.

use bytes::Bytes;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::{
    close::{Close, CloseCode},
    frame::{Control, Data, Header, MAX_HEADER, Opcode, invalid},
    mask::{self, mask_into},
};
use crate::{
    ProtocolError, TransportError, receive_buffer::ReceiveBuffer, send_buffer::SendBuffer,
};

/// What comes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Incoming {
    /// It is UTF-8.
    Text(Bytes),
    Binary(Bytes),
    Ping(Bytes),
    Pong(Bytes),
    Close(Option<Close>),
}

/// Reads frames, and puts messages in fragments together. A message that is too large is refused by
/// the header of the frame that makes it so.
#[derive(Debug)]
pub(super) struct Decoder {
    role: Role,
    max_receive: usize,
    /// The header of the frame whose payload is under way, and its length.
    header: Option<(Header, usize)>,
    /// The fragments of a message so far.
    fragments: Option<Fragments>,
}

#[derive(Debug)]
struct Fragments {
    kind: Kind,
    bytes: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Text,
    Binary,
}

impl Decoder {
    /// For a side of this role that takes messages of up to `max_receive` bytes.
    pub(super) fn new(role: Role, max_receive: usize) -> Self {
        Self {
            role,
            max_receive,
            header: None,
            fragments: None,
        }
    }

    /// The next message or control frame, once all of it came in.
    #[inline]
    pub(super) fn decode(
        &mut self,
        source: &mut ReceiveBuffer,
    ) -> Result<Option<Incoming>, TransportError> {
        while let Some((header, length)) = self.next_header(source)? {
            let unmask = |payload: &mut [u8]| {
                if let Some(key) = header.mask {
                    mask::mask(payload, key);
                }
            };
            let Some(payload) = source.take(length, unmask) else {
                self.header = Some((header, length));
                return Ok(None);
            };
            let incoming = match header.opcode {
                Opcode::Control(Control::Ping) => Some(Incoming::Ping(payload)),
                Opcode::Control(Control::Pong) => Some(Incoming::Pong(payload)),
                Opcode::Control(Control::Close) => Some(Incoming::Close(Close::decode(&payload)?)),
                Opcode::Data(data) => self.message(data, payload, header.is_final)?,
            };
            if incoming.is_some() {
                return Ok(incoming);
            }
        }
        Ok(None)
    }

    fn next_header(
        &mut self,
        source: &mut ReceiveBuffer,
    ) -> Result<Option<(Header, usize)>, TransportError> {
        if let Some(header) = self.header.take() {
            return Ok(Some(header));
        }
        let Some((header, octets)) = Header::decode(source.ahead(), self.role)? else {
            return Ok(None);
        };
        // No larger one is taken.
        let length = usize::try_from(header.length).unwrap_or(usize::MAX);
        if let Opcode::Data(data) = header.opcode {
            self.check(data, length)?;
        }
        source.skip(octets);
        Ok(Some((header, length)))
    }

    /// Whether a frame of this kind and length may come now.
    fn check(&self, data: Data, length: usize) -> Result<(), TransportError> {
        let before = match (data, &self.fragments) {
            (Data::Continuation, None) => {
                return Err(invalid("a continuation of no message").into());
            }
            (Data::Text | Data::Binary, Some(_)) => {
                return Err(invalid("a message among the fragments of another").into());
            }
            (Data::Continuation, Some(fragments)) => fragments.bytes.len(),
            (Data::Text | Data::Binary, None) => 0,
        };
        let size = before.saturating_add(length);
        if size > self.max_receive {
            return Err(TransportError::Oversized {
                size,
                limit: self.max_receive,
            });
        }
        Ok(())
    }

    /// A frame of a message came in, as was checked by its header.
    fn message(
        &mut self,
        data: Data,
        payload: Bytes,
        is_final: bool,
    ) -> Result<Option<Incoming>, TransportError> {
        let kind = match data {
            Data::Text => Kind::Text,
            Data::Binary => Kind::Binary,
            Data::Continuation => return self.continuation(&payload, is_final),
        };
        if is_final {
            return whole(kind, payload).map(Some);
        }
        let bytes = payload.into();
        self.fragments = Some(Fragments { kind, bytes });
        Ok(None)
    }

    fn continuation(
        &mut self,
        payload: &[u8],
        is_final: bool,
    ) -> Result<Option<Incoming>, TransportError> {
        if let Some(fragments) = &mut self.fragments {
            fragments.bytes.extend_from_slice(payload);
        }
        let Some(fragments) = self.fragments.take_if(|_fragments| is_final) else {
            return Ok(None);
        };
        // Without the room for further fragments.
        let bytes = fragments.bytes.into_boxed_slice();
        whole(fragments.kind, bytes.into()).map(Some)
    }

    /// Whether the stream may end here but for the close frame.
    #[cfg(test)]
    fn is_between_messages(&self) -> bool {
        self.header.is_none() && self.fragments.is_none()
    }
}

fn whole(kind: Kind, bytes: Bytes) -> Result<Incoming, TransportError> {
    match kind {
        Kind::Binary => Ok(Incoming::Binary(bytes)),
        Kind::Text if str::from_utf8(&bytes).is_ok() => Ok(Incoming::Text(bytes)),
        Kind::Text => Err(ProtocolError::NotUtf8.into()),
    }
}

/// Puts frames behind what waits to be written, masked by a client.
#[derive(Debug)]
pub(super) struct Encoder {
    role: Role,
    /// Whether the stream takes several slices in one write; see [`SendBuffer::put`].
    vectored: bool,
}

impl Encoder {
    pub(super) fn new(role: Role, vectored: bool) -> Self {
        Self { role, vectored }
    }

    pub(super) fn text(&self, message: Bytes, out: &mut SendBuffer) -> Result<(), TransportError> {
        self.encode(Opcode::Data(Data::Text), message, out)
    }

    pub(super) fn binary(
        &self,
        message: Bytes,
        out: &mut SendBuffer,
    ) -> Result<(), TransportError> {
        self.encode(Opcode::Data(Data::Binary), message, out)
    }

    pub(super) fn ping(&self, payload: Bytes, out: &mut SendBuffer) -> Result<(), TransportError> {
        self.encode(Opcode::Control(Control::Ping), payload, out)
    }

    pub(super) fn pong(&self, payload: Bytes, out: &mut SendBuffer) -> Result<(), TransportError> {
        self.encode(Opcode::Control(Control::Pong), payload, out)
    }

    /// With a code and no reason, or with neither.
    pub(super) fn close(
        &self,
        code: Option<CloseCode>,
        out: &mut SendBuffer,
    ) -> Result<(), TransportError> {
        let code = code.map(|code| code.0.to_be_bytes());
        let payload = code.map_or(Bytes::new(), |code| Bytes::copy_from_slice(&code));
        self.encode(Opcode::Control(Control::Close), payload, out)
    }

    fn encode(
        &self,
        opcode: Opcode,
        payload: Bytes,
        out: &mut SendBuffer,
    ) -> Result<(), TransportError> {
        let mask = match self.role {
            Role::Client => Some(mask::key()?),
            Role::Server => None,
        };
        let header = Header {
            is_final: true,
            opcode,
            mask,
            length: u64::try_from(payload.len()).unwrap_or(u64::MAX),
        };
        let copied = match mask {
            Some(_) => payload.len(),
            None => SendBuffer::copied(&payload, self.vectored),
        };
        let tail = out.tail(copied.saturating_add(MAX_HEADER));
        header.encode(tail);
        match mask {
            Some(key) => mask_into(tail, &payload, key),
            None => out.put(payload, self.vectored),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
