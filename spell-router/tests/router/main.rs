//! The router as its users see it: sessions scripted in JSON, in memory and on real sockets.
#![expect(
    clippy::expect_used,
    reason = "a client that is not served has failed the test"
)]

mod administration;
#[cfg(all(feature = "msgpack", feature = "cbor"))]
mod formats;
mod limits;
#[cfg(all(feature = "websocket", feature = "rawsocket"))]
mod liveness;
mod retention;
mod serving;
#[cfg(all(feature = "websocket", feature = "rawsocket"))]
mod sockets;
mod support;
mod timeouts;
#[cfg(all(feature = "tls", feature = "websocket", feature = "rawsocket"))]
mod tls;
