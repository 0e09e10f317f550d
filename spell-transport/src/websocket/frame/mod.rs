//! The headers of frames, without IO.
//!
//! RFC 6455, 5.2: `FRRR OOOO`, where F says that the frame ends its message, R is reserved, and O is
//! the opcode; `MLLL LLLL`, where M says that there is a mask, and L is the length, or 126 or 127 for
//! one in the two or eight octets that follow; and the four octets of the mask.

use tokio_tungstenite::tungstenite::protocol::Role;

use super::mask::Key;
use crate::ProtocolError;

/// What is before each payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) is_final: bool,
    pub(super) opcode: Opcode,
    pub(super) mask: Option<Key>,
    pub(super) length: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opcode {
    Data(Data),
    Control(Control),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Data {
    Continuation,
    Text,
    Binary,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Control {
    Close,
    Ping,
    Pong,
}

impl Header {
    /// Reads a header that a side of this role got, and how many octets it has; `None` while not all
    /// of them came in.
    pub(super) fn decode(
        octets: &[u8],
        role: Role,
    ) -> Result<Option<(Self, usize)>, ProtocolError> {
        let Some(&[first, second]) = octets.first_chunk() else {
            return Ok(None);
        };
        if first & RESERVED != 0 {
            return Err(invalid("reserved bits are set"));
        }
        let is_final = first & FINAL != 0;
        let opcode = Opcode::decode(first & OPCODE)?;
        let short = second & LENGTH;
        if let Opcode::Control(_) = opcode {
            if !is_final {
                return Err(invalid("a control frame in fragments"));
            }
            if short > MAX_CONTROL {
                return Err(invalid("a control frame with more than 125 bytes"));
            }
        }
        let is_masked = second & MASKED != 0;
        match role {
            Role::Server if !is_masked => return Err(invalid("a frame of a client without mask")),
            Role::Client if is_masked => return Err(invalid("a frame of a server with a mask")),
            Role::Server | Role::Client => {}
        }
        let Some(rest) = octets.get(2..) else {
            return Ok(None);
        };
        let Some((length, rest)) = decode_length(short, rest)? else {
            return Ok(None);
        };
        let (mask, rest) = if is_masked {
            let Some((key, rest)) = rest.split_first_chunk() else {
                return Ok(None);
            };
            (Some(*key), rest)
        } else {
            (None, rest)
        };
        let header = Self {
            is_final,
            opcode,
            mask,
            length,
        };
        Ok(Some((header, octets.len().saturating_sub(rest.len()))))
    }

    /// Puts it behind `out`.
    pub(super) fn encode(self, out: &mut Vec<u8>) {
        let is_final = if self.is_final { FINAL } else { 0 };
        let first = is_final | self.opcode.encode();
        let is_masked = if self.mask.is_some() { MASKED } else { 0 };
        match (u8::try_from(self.length), u16::try_from(self.length)) {
            (Ok(short @ ..=MAX_CONTROL), _) => out.extend_from_slice(&[first, is_masked | short]),
            (_, Ok(length)) => {
                let [high, low] = length.to_be_bytes();
                out.extend_from_slice(&[first, is_masked | LENGTH_16, high, low]);
            }
            (_, Err(_)) => {
                out.extend_from_slice(&[first, is_masked | LENGTH_64]);
                out.extend_from_slice(&self.length.to_be_bytes());
            }
        }
        if let Some(key) = self.mask {
            out.extend_from_slice(&key);
        }
    }
}

/// The length and what follows it.
fn decode_length(short: u8, rest: &[u8]) -> Result<Option<(u64, &[u8])>, ProtocolError> {
    let (length, rest, least) = match short {
        LENGTH_16 => {
            let Some((length, rest)) = rest.split_first_chunk() else {
                return Ok(None);
            };
            let length = u64::from(u16::from_be_bytes(*length));
            (length, rest, u64::from(LENGTH_16))
        }
        LENGTH_64 => {
            let Some((length, rest)) = rest.split_first_chunk() else {
                return Ok(None);
            };
            (u64::from_be_bytes(*length), rest, 1 << 16)
        }
        short => (u64::from(short), rest, 0),
    };
    if length < least {
        return Err(invalid("a length in more octets than it needs"));
    }
    if length > MAX_LENGTH {
        return Err(invalid("a length of 2^63 or more"));
    }
    Ok(Some((length, rest)))
}

impl Opcode {
    fn decode(octet: u8) -> Result<Self, ProtocolError> {
        Ok(match octet {
            0 => Self::Data(Data::Continuation),
            1 => Self::Data(Data::Text),
            2 => Self::Data(Data::Binary),
            8 => Self::Control(Control::Close),
            9 => Self::Control(Control::Ping),
            10 => Self::Control(Control::Pong),
            _ => return Err(invalid(&format!("the reserved opcode {octet}"))),
        })
    }

    fn encode(self) -> u8 {
        match self {
            Self::Data(Data::Continuation) => 0,
            Self::Data(Data::Text) => 1,
            Self::Data(Data::Binary) => 2,
            Self::Control(Control::Close) => 8,
            Self::Control(Control::Ping) => 9,
            Self::Control(Control::Pong) => 10,
        }
    }
}

pub(super) fn invalid(detail: &str) -> ProtocolError {
    ProtocolError::WebSocket {
        detail: detail.to_owned(),
    }
}

/// Bytes of the longest one.
pub(super) const MAX_HEADER: usize = 14;

const FINAL: u8 = 0x80;
const RESERVED: u8 = 0x70;
const OPCODE: u8 = 0x0f;
const MASKED: u8 = 0x80;
const LENGTH: u8 = 0x7f;
const LENGTH_16: u8 = 126;
const LENGTH_64: u8 = 127;
/// Bytes of the largest payload of a control frame, and of one with the shortest header.
const MAX_CONTROL: u8 = 125;
const MAX_LENGTH: u64 = u64::MAX >> 1;

#[cfg(test)]
mod tests;
