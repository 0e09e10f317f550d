//! A small WAMP router to be embedded.
#![forbid(unsafe_code)]
#![warn(clippy::arithmetic_side_effects)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(any(feature = "websocket", feature = "rawsocket"))]
mod address;
mod auth;
mod broker;
mod connection;
mod dealer;
mod error;
mod ids;
#[cfg(any(feature = "websocket", feature = "rawsocket"))]
mod listen;
mod outbound;
mod pattern;
mod realm;
mod router;
mod serve;
mod session;
mod settings;
mod shared;
mod statistics;

pub use auth::CraSecret;
pub use error::{BuildError, ListenError, StartError};
pub use router::{Router, RouterBuilder};
pub use settings::Realm;
pub use statistics::Statistics;
