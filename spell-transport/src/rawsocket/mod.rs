//! RawSocket.

mod handshake;

pub use handshake::{HandshakeError, Refusal};
