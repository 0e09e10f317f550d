//! A small WAMP router to be embedded.
#![forbid(unsafe_code)]
#![warn(clippy::arithmetic_side_effects)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod auth;
mod broker;
mod connection;
mod dealer;
mod error;
mod ids;
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
pub use error::BuildError;
pub use router::{Router, RouterBuilder};
pub use settings::Realm;
pub use statistics::Statistics;
