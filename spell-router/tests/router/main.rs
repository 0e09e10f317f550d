//! The router as its users see it: sessions scripted in JSON, in memory and on real sockets.
#![cfg(feature = "json")]
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "tests, and what they share"
)]

mod serving;
#[cfg(all(feature = "websocket", feature = "rawsocket"))]
mod sockets;
mod support;
#[cfg(all(feature = "tls", feature = "websocket", feature = "rawsocket"))]
mod tls;
