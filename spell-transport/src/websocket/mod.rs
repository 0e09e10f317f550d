//! WebSocket, client and server, over any stream of bytes.
//!
//! The serialization is negotiated as the WebSocket subprotocol; without an agreed one there is
//! no connection.
//!
//! WAMP spec, "WebSocket Transport".

mod client;
mod close;
mod codec;
mod config;
mod error;
mod frame;
mod head;
mod mask;
mod request;
mod server;
mod stream;

pub use client::WebSocketConnector;
pub use config::WebSocketConfig;
pub use error::UpgradeError;
pub use request::{InvalidHeader, WebSocketRequest};
pub use server::WebSocketListener;
pub use stream::WebSocket;

#[cfg(test)]
mod tests;
