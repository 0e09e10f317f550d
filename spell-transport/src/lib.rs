//! Carries whole messages of bytes between two WAMP peers, both ways and in order.
//!
//! WebSocket and RawSocket over TCP, TLS and Unix sockets, a pair in memory, or what you bring.
//! The crate negotiates *names* of serializations ([`Serialization`]) and knows neither a codec
//! nor a WAMP message, so it also serves alone, for any protocol of framed messages.
//!
//! ```text
//!   Connector ──dials, offers──▶            ◀──accepts, picks── Listener
//!       │                                                           │
//!       ▼                                                           ▼
//!   Transport  ═════════ messages, one `Bytes` each ═════════▶  Transport
//!   Stream + Sink         WebSocket │ RawSocket │ memory        Stream + Sink
//!       ▲                          over                             ▲
//!       └────────  TCP │ TLS │ Unix │ any AsyncRead + AsyncWrite ───┘
//! ```
//!
//! # Example
//!
//! ```
//! # #[cfg(feature = "rawsocket")] {
//! use bytes::Bytes;
//! use futures_util::{SinkExt, StreamExt};
//! use spell_transport::{Connector, Listener, Serialization, Transport, connector};
//! use spell_transport::rawsocket::RawSocketListener;
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let tcp = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! let mut dial = connector(&format!("rs://{}", tcp.local_addr()?))?;
//! let mut listener = RawSocketListener::new(tcp, [Serialization::JSON, Serialization::CBOR]);
//!
//! let server = tokio::spawn(async move {
//!     let mut transport = listener.accept().await?.await?;
//!     while let Some(message) = transport.next().await {
//!         transport.send(message?).await?; // an echo
//!     }
//!     Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
//! });
//!
//! let mut client = dial.connect(&[Serialization::CBOR, Serialization::JSON]).await?;
//! assert_eq!(client.info().serialization(), Serialization::CBOR);
//! client.send(Bytes::from_static(b"\x83\x01\x02\x03")).await?;
//! assert_eq!(client.next().await.unwrap()?, &b"\x83\x01\x02\x03"[..]);
//! client.close().await?;
//! server.await?
//! # }).unwrap(); }
//! ```
//!
//! # Bring your own
//!
//! | you have | use |
//! |---|---|
//! | bytes: any `AsyncRead + AsyncWrite`, as an SSH channel | `RawSocket::client`, `WebSocket::client`, and `server` of both |
//! | clients that connect with such bytes | `Incoming` |
//! | messages: any `Sink` and `Stream` of [`Bytes`](bytes::Bytes) | [`Adapter`] |
//! | a way to dial | [`connector_fn`], [`Connector`] |
//! | a way to listen | [`Listener`] |
//!
//! # Features
//!
//! | feature | default | gives |
//! |---|---|---|
//! | `websocket` | yes | module `websocket`: `ws://`, `ws+unix:` |
//! | `rawsocket` | yes | module `rawsocket`: `rs://`, `tcp://`, `unix:` |
//! | `tls` | no | module `tls`: `wss://`, `rss://`, `tcps://`; needs one of the above |
//!
//! Without a feature its URLs are an error, never something less. In memory and bringing your own
//! needs no feature. Sockets and the handshake time-outs of listeners need a tokio runtime with
//! its IO and time drivers on.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod adapter;
#[cfg(any(feature = "websocket", feature = "rawsocket"))]
mod address;
#[cfg(all(feature = "websocket", feature = "rawsocket"))]
mod any;
mod connector;
#[cfg(any(feature = "websocket", feature = "rawsocket"))]
mod endpoint;
mod error;
#[cfg(any(feature = "websocket", feature = "rawsocket"))]
mod heard;
#[cfg(any(feature = "websocket", feature = "rawsocket"))]
mod incoming;
mod keep_alive;
mod listener;
#[cfg(any(feature = "websocket", feature = "rawsocket"))]
mod maybe_tls;
pub mod memory;
#[cfg(all(test, any(feature = "websocket", feature = "rawsocket")))]
mod metered;
mod pings;
#[cfg(feature = "rawsocket")]
pub mod rawsocket;
#[cfg(any(feature = "websocket", feature = "rawsocket"))]
mod receive_buffer;
#[cfg(any(feature = "websocket", feature = "rawsocket"))]
mod send_buffer;
#[cfg(any(feature = "websocket", feature = "rawsocket"))]
mod socket;
#[cfg(any(feature = "websocket", feature = "rawsocket"))]
mod tcp;
#[cfg(all(feature = "tls", any(feature = "websocket", feature = "rawsocket")))]
pub mod tls;
mod transport;
#[cfg(any(feature = "websocket", feature = "rawsocket"))]
mod url;
#[cfg(feature = "websocket")]
pub mod websocket;

pub use adapter::Adapter;
#[cfg(any(feature = "websocket", feature = "rawsocket"))]
pub use address::UrlError;
#[cfg(all(feature = "websocket", feature = "rawsocket"))]
pub use any::AnyListener;
pub use connector::{BoxConnector, Connector, ConnectorFn, connector_fn};
pub use error::{AcceptError, ConnectError, ProtocolError, TransportError};
#[cfg(any(feature = "websocket", feature = "rawsocket"))]
pub use incoming::{Incoming, Origin};
pub use keep_alive::{KeepAlive, Liveness, Verdict};
pub use listener::{BoxListener, Handshake, Listener};
#[cfg(any(feature = "websocket", feature = "rawsocket"))]
pub use maybe_tls::MaybeTls;
pub use pings::{LifeSign, Pings};
#[cfg(feature = "tls")]
pub use rustls;
#[cfg(any(feature = "websocket", feature = "rawsocket"))]
pub use socket::Socket;
pub use spell_message::Serialization;
#[cfg(any(feature = "websocket", feature = "rawsocket"))]
pub use tcp::TcpOptions;
pub use transport::{BoxTransport, Transport, TransportInfo};
#[cfg(any(feature = "websocket", feature = "rawsocket"))]
pub use url::{ConnectorBuilder, connector};
