//! RawSocket, client and server, over any stream of bytes.
//!
//! Four octets each way agree on a serialization and on size limits; then each message goes with
//! a prefix of four octets. It is the leanest of the standard transports.
//!
//! WAMP spec, "RawSocket Transport".

mod client;
mod codec;
mod config;
mod handshake;
mod server;
mod stream;

pub use client::RawSocketConnector;
pub use config::RawSocketConfig;
#[cfg(feature = "websocket")]
pub(crate) use handshake::MAGIC;
pub use handshake::{HandshakeError, Refusal};
pub use server::RawSocketListener;
pub use stream::RawSocket;

#[cfg(test)]
mod tests;
