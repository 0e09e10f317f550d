//! The handshake, bit by bit, without IO.
//!
//! WAMP spec, "RawSocket Transport", "Handshake".

use spell_message::Serialization;

/// Four octets each way.
pub(crate) const LENGTH: usize = 4;
/// The first of them, which no HTTP request can start with.
pub(crate) const MAGIC: u8 = 0x7f;

/// How a RawSocket handshake failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// The other side does not speak RawSocket: its first octet is not `0x7f`.
    #[error("the other side does not speak RawSocket: first octet {octet:#04x}")]
    NotRawSocket {
        /// The first octet it sent.
        octet: u8,
    },
    /// Octets that are reserved are not zero.
    #[error("the reserved octets of the handshake are {octets:02x?}, not zero")]
    Reserved {
        /// The third and fourth octet it sent.
        octets: [u8; 2],
    },
    /// The router refused the connection.
    #[error("the router refused the connection")]
    Refused(#[source] Refusal),
    /// The router answered with another serializer than it was asked for.
    #[error("the router answered with serializer {answered} when asked for {asked}")]
    ForeignSerializer {
        /// The number asked for.
        asked: u8,
        /// The number in the answer.
        answered: u8,
    },
}

impl HandshakeError {
    /// The router's reason, when it refused.
    pub fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::Refused(refusal) => Some(*refusal),
            _ => None,
        }
    }
}

/// Why a router refuses a RawSocket connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Code 1.
    #[error("serializer unsupported")]
    SerializerUnsupported,
    /// Code 2.
    #[error("maximum message length unacceptable")]
    LengthUnacceptable,
    /// Code 3.
    #[error("use of reserved bits")]
    ReservedBits,
    /// Code 4.
    #[error("maximum connection count reached")]
    TooManyConnections,
    /// Code 0, which is forbidden, or 5 to 15, which are reserved.
    #[error("undefined error code {0}")]
    Undefined(u8),
}

/// What the client sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// The largest message the client takes.
    pub(crate) limit: Limit,
    /// The serializer it asks for.
    pub(crate) serializer: u8,
}

impl Request {
    pub(crate) fn encode(self) -> [u8; LENGTH] {
        [MAGIC, join(self.limit.0, self.serializer), 0, 0]
    }

    /// Serializer 0, which is illegal, is left to the negotiation: nobody supports it.
    pub(crate) fn decode(octets: [u8; LENGTH]) -> Result<Self, HandshakeError> {
        let (limit, serializer) = frame(octets)?;
        Ok(Self {
            limit: Limit(limit),
            serializer,
        })
    }

    /// The serialization among `supported` that the client asks for.
    pub(crate) fn select(self, supported: &[Serialization]) -> Option<Serialization> {
        let asked = |offer: &&Serialization| offer.rawsocket() == self.serializer;
        supported
            .iter()
            .find(asked)
            .filter(|found| found.rawsocket() != 0)
            .copied()
    }
}

/// What the router answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// The connection is accepted.
    Accepted {
        /// The largest message the router takes.
        limit: Limit,
        /// The serializer asked for.
        serializer: u8,
    },
    /// It is not.
    Refused(Refusal),
}

impl Reply {
    pub(crate) fn encode(self) -> [u8; LENGTH] {
        let octet = match self {
            Self::Accepted { limit, serializer } => join(limit.0, serializer),
            Self::Refused(refusal) => join(refusal.code(), 0),
        };
        [MAGIC, octet, 0, 0]
    }

    /// Gives the largest message the router takes, if it accepted the serializer `asked` for.
    pub(crate) fn decode(octets: [u8; LENGTH], asked: u8) -> Result<Limit, HandshakeError> {
        match frame(octets)? {
            (code, 0) => Err(HandshakeError::Refused(Refusal::from_code(code))),
            (limit, answered) if answered == asked => Ok(Limit(limit)),
            (_, answered) => Err(HandshakeError::ForeignSerializer { asked, answered }),
        }
    }
}

impl Refusal {
    /// The code on the wire, 0 to 15.
    pub fn code(self) -> u8 {
        match self {
            Self::SerializerUnsupported => 1,
            Self::LengthUnacceptable => 2,
            Self::ReservedBits => 3,
            Self::TooManyConnections => 4,
            Self::Undefined(code) => code,
        }
    }

    fn from_code(code: u8) -> Self {
        match code {
            1 => Self::SerializerUnsupported,
            2 => Self::LengthUnacceptable,
            3 => Self::ReservedBits,
            4 => Self::TooManyConnections,
            code => Self::Undefined(code),
        }
    }
}

/// A size limit of 2^(9+L) bytes, L being 0 to 15.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limit(u8);

impl Limit {
    /// The largest limit that is at most `bytes`; 512 when `bytes` is less.
    pub(crate) fn at_most(bytes: usize) -> Self {
        let fits = |exponent: &u8| Self(*exponent).bytes() <= bytes;
        Self((0..=15).rev().find(fits).unwrap_or(0))
    }

    pub(crate) fn bytes(self) -> usize {
        512 << self.0
    }
}

/// Checks what both directions have in common; gives the two halves of the second octet.
fn frame(octets: [u8; LENGTH]) -> Result<(u8, u8), HandshakeError> {
    let [magic, octet, third, fourth] = octets;
    if magic != MAGIC {
        return Err(HandshakeError::NotRawSocket { octet: magic });
    }
    if (third, fourth) != (0, 0) {
        return Err(HandshakeError::Reserved {
            octets: [third, fourth],
        });
    }
    Ok((octet >> 4, octet & 0x0f))
}

/// Two halves to an octet.
fn join(high: u8, low: u8) -> u8 {
    (high << 4) | (low & 0x0f)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_of_the_specification() {
        let cases = [
            ([0x7f, 0xf1, 0, 0], 1 << 24, 1),
            ([0x7f, 0xf2, 0, 0], 1 << 24, 2),
            ([0x7f, 0xf3, 0, 0], 1 << 24, 3),
            ([0x7f, 0x03, 0, 0], 512, 3),
        ];
        for (octets, bytes, serializer) in cases {
            let limit = Limit::at_most(bytes);
            let request = Request { limit, serializer };
            assert_eq!(request.encode(), octets);
            assert_eq!(Request::decode(octets), Ok(request));
            assert_eq!(request.limit.bytes(), bytes);
        }
    }

    #[test]
    fn refusals_of_the_specification() {
        let cases = [
            ([0x7f, 0x10, 0, 0], Refusal::SerializerUnsupported),
            ([0x7f, 0x20, 0, 0], Refusal::LengthUnacceptable),
            ([0x7f, 0x30, 0, 0], Refusal::ReservedBits),
            ([0x7f, 0x40, 0, 0], Refusal::TooManyConnections),
        ];
        for (octets, refusal) in cases {
            assert_eq!(Reply::Refused(refusal).encode(), octets);
            let error = Err(HandshakeError::Refused(refusal));
            assert_eq!(Reply::decode(octets, 1), error);
        }
    }

    /// Every value of the two octets that carry something, and of the reserved ones a few.
    #[test]
    fn every_first_and_second_octet_is_judged_by_its_bits() {
        for first in 0..=u8::MAX {
            for second in 0..=u8::MAX {
                for reserved in [[0, 0], [1, 0], [0, 1], [0x80, 0xff]] {
                    check([first, second, reserved[0], reserved[1]]);
                }
            }
        }
    }

    fn check(octets: [u8; 4]) {
        let [first, second, third, fourth] = octets;
        let request = Request::decode(octets);
        let reply = Reply::decode(octets, 2);
        if first != 0x7f {
            let error = HandshakeError::NotRawSocket { octet: first };
            assert_eq!(request, Err(error));
            assert_eq!(reply, Err(error));
        } else if third != 0 || fourth != 0 {
            let error = HandshakeError::Reserved {
                octets: [third, fourth],
            };
            assert_eq!(request, Err(error));
            assert_eq!(reply, Err(error));
        } else {
            let request = request.unwrap();
            assert_eq!(request.limit.bytes(), 1 << (9 + second / 16));
            assert_eq!(request.serializer, second % 16);
            assert_eq!(request.encode(), octets);
            match second % 16 {
                0 => {
                    let Err(HandshakeError::Refused(refusal)) = reply else {
                        panic!("{octets:x?} gave {reply:?}");
                    };
                    assert_eq!(refusal.code(), second / 16);
                    assert_eq!(Reply::Refused(refusal).encode(), octets);
                }
                2 => {
                    let limit = reply.unwrap();
                    assert_eq!(limit.bytes(), 1 << (9 + second / 16));
                    let reply = Reply::Accepted {
                        limit,
                        serializer: 2,
                    };
                    assert_eq!(reply.encode(), octets);
                }
                answered => {
                    let error = HandshakeError::ForeignSerializer { asked: 2, answered };
                    assert_eq!(reply, Err(error));
                }
            }
        }
    }

    #[test]
    fn a_limit_never_exceeds_what_was_asked_for() {
        assert_eq!(Limit::at_most(0).bytes(), 512);
        assert_eq!(Limit::at_most(1023).bytes(), 512);
        assert_eq!(Limit::at_most(1024).bytes(), 1024);
        assert_eq!(Limit::at_most((1 << 24) - 1).bytes(), 1 << 23);
        assert_eq!(Limit::at_most(usize::MAX).bytes(), 1 << 24);
    }

    #[test]
    fn serializer_zero_is_never_selected() {
        let request = Request {
            limit: Limit::at_most(512),
            serializer: 0,
        };
        let nameless = Serialization::binary("wamp.2.custom", 0);
        assert_eq!(request.select(&[nameless]), None);
    }

    #[test]
    fn the_serialization_asked_for_is_selected() {
        let request = Request::decode([0x7f, 0xf2, 0, 0]).unwrap();
        let supported = [Serialization::JSON, Serialization::MSGPACK];
        assert_eq!(request.select(&supported), Some(Serialization::MSGPACK));
        assert_eq!(request.select(&[Serialization::CBOR]), None);
    }
}
