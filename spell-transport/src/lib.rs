//! Transports of WAMP v2.
#![forbid(unsafe_code)]
#![warn(clippy::arithmetic_side_effects)]

mod adapter;
mod connector;
mod error;
mod listener;
pub mod memory;
#[cfg(feature = "rawsocket")]
pub mod rawsocket;
mod transport;
#[cfg(feature = "websocket")]
pub mod websocket;

pub use adapter::Adapter;
pub use connector::{BoxConnector, Connector, ConnectorFn, connector_fn};
pub use error::{AcceptError, ConnectError, ProtocolError, TransportError};
pub use listener::{BoxListener, Handshake, Listener};
pub use spell_message::Serialization;
pub use transport::{BoxTransport, Transport, TransportInfo};
