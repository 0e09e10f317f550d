//! The runtime of a WAMP v2 peer: roles composed through generics over a sans-IO engine.
//!
//! Use this crate alone to write roles of your own, or to run the [`Engine`] under your own
//! runtime (without the feature `driver`). Applications want `spell-wamp`, which has the roles of
//! the specification and the transports on top.
//!
//! ```text
//!   Peer<(Session, Publisher, …)>     handles, cheap to clone
//!        │ Commands                        ▲ replies, streams
//!   ─────┼─────────────────────────────────┼──────────── one task a connection
//!        ▼                                 │
//!   Driver ── Engine ── (Session, Publisher, …)   roles: plain state machines, one tuple
//!        │       └ outbox: numbers, encodes, commits
//!        ▼
//!   Transport
//! ```
//!
//! A [`Role`] is a plain, synchronous state machine. A tuple of roles is itself a role. The engine
//! wraps the tuple; one task per connection drives it and takes no lock. Each role hands out its
//! own *handle*, and a [`Peer`] is the tuple of handles, so that a role which the peer does not have
//! is a compile error.
//!
//! | feature | default | gives |
//! |---|---|---|
//! | `metrics` | no | the figures of [`Statistics`] for the recorder of the crate `metrics` |
//! | `driver` | yes | [`Peer`], [`PeerBuilder`], [`Supervisor`], [`Endpoints`], [`supervision`]: the engine on tokio |
//!
//! # Cancel safety
//!
//! A request is numbered, encoded and committed in one step on the driver, so dropping a future
//! never leaves a gap in the request ids; what was committed is sent.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod ahead;
mod command;
mod config;
mod context;
mod counters;
mod engine;
mod error;
mod event;
mod mailbox;
mod outbox;
#[cfg(feature = "metrics")]
mod recording;
mod remedy;
mod role;
mod round_trip;
mod session;
mod statistics;
mod task;
mod tuple;
mod wire;

#[cfg(feature = "driver")]
mod builder;
#[cfg(feature = "driver")]
mod driver;
#[cfg(feature = "driver")]
mod endpoints;
#[cfg(feature = "driver")]
mod events;
#[cfg(feature = "driver")]
mod peer;
#[cfg(feature = "driver")]
mod retry;
#[cfg(feature = "driver")]
#[cfg_attr(docsrs, doc(cfg(feature = "driver")))]
pub mod supervision;
#[cfg(feature = "driver")]
mod supervisor;

pub use ahead::Ahead;
pub use command::{Commands, Inbox, Sending};
pub use config::{PeerConfig, Probe};
pub use context::Context;
pub use counters::Count;
pub use engine::Engine;
pub use error::{
    CloseReason, Closed, Delivery, InitError, JoinError, SendError, SessionEnd, Violation,
};
pub use event::{PeerEvent, RoleEvent};
pub use remedy::Remedy;
pub use role::{Contains, Drain, Role};
pub use round_trip::RoundTripTime;
pub use session::SessionInfo;
pub use statistics::{Statistics, Traffic, Volume};
pub use task::Task;
pub use tuple::{At, Push};
pub use wire::Wire;

#[cfg(feature = "driver")]
pub use builder::PeerBuilder;
#[cfg(feature = "driver")]
pub use endpoints::Endpoints;
#[cfg(feature = "driver")]
pub use events::PeerEvents;
#[cfg(feature = "driver")]
pub use peer::{Peer, PeerState};
#[cfg(feature = "driver")]
pub use retry::{Backoff, NoRetry, RetryPolicy};
#[cfg(feature = "driver")]
pub use supervisor::Supervisor;
