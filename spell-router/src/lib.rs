//! A small router of [WAMP v2](https://wamp-proto.org) to be embedded: for tests, examples and
//! programs on a single host.
//!
//! ```
//! use spell_router::Router;
//!
//! # #[cfg(feature = "websocket")]
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), spell_router::StartError> {
//! let router = Router::builder().realm("realm1").listen("ws://127.0.0.1:0").start().await?;
//! println!("clients connect to {}", router.addresses()[0]);
//! router.close().await; // tells every session GOODBYE
//! # Ok(()) }
//! # #[cfg(not(feature = "websocket"))] fn main() {}
//! ```
//!
//! Use it alone as the router of any WAMP clients; it knows nothing of Spell's own. Tests need no
//! socket: [`Router::local`] takes everyone, and [`Router::connector`] dials it in memory.
//!
//! ```text
//!  WebSocket, RawSocket, memory, your own Listener
//!        │ frames
//!  ┌─────▼──────┐    Message     ┌──────────────────────┐
//!  │ Connection │ ─────────────► │ realm (no IO, a lock)│
//!  │ a task per │                │  broker   dealer     │
//!  │ client:    │   bounded      │  subscriptions,      │
//!  │ handshake, │ ◄───────────── │  registrations,      │
//!  │ codec      │   queue        │  calls under way     │
//!  └────────────┘                └──────────────────────┘
//! ```
//!
//! # What it does
//!
//! The whole basic profile, and of the advanced profile exactly what it announces in WELCOME:
//!
//! | Feature | Key |
//! |---|---|
//! | Pattern-based subscriptions and registrations | `pattern_based_subscription`, `pattern_based_registration` |
//! | Publisher exclusion | `publisher_exclusion` |
//! | Publisher identification, for those who set `disclose_me` | `publisher_identification` |
//! | Subscriber black- and whitelisting, all six lists | `subscriber_blackwhite_listing` |
//! | Event retention, within [`RouterBuilder::retention_limits`] | `event_retention` |
//! | Revocation of subscriptions | `subscription_revocation` |
//! | Shared registrations, all policies | `shared_registration` |
//! | Revocation of registrations | `registration_revocation` |
//! | Call canceling, all three modes | `call_canceling` |
//! | Anonymous, ticket and challenge-response authentication, see [`Realm`] | `anonymous`, `ticket`, `wampcra` |
//!
//! Options of other features are ignored where the specification allows it (time-outs, progressive
//! results). Payload passthru and progressive calls are refused as the violations of the
//! protocol that they are, unannounced.
//!
//! # How it judges
//!
//! * It is strict: a message that cannot be decoded, that a client must not send, or whose request
//!   id is not the next one, ends the session with ABORT `wamp.error.protocol_violation`. So does
//!   an answer to an invocation that never was; one to an invocation that is over is discarded.
//! * Before the session is established, a frame of more than 64 KiB is such a violation too.
//! * A request with an invalid URI, or one of more than 8 KiB, fails with
//!   `wamp.error.invalid_uri`, and the session lives.
//! * URIs below `wamp` are the router's. Registering or publishing there fails with
//!   `wamp.error.invalid_uri`, as Crossbar.io has it, and a call there reaches no application, not
//!   even one that registered a pattern for everything. Subscribing is allowed.
//! * An event that is larger than a subscriber takes is dropped and counted, see [`Statistics`]; a
//!   call or a result fails with `wamp.error.payload_size_exceeded`. Arguments that the receiver's
//!   serialization cannot express, such as NaN in JSON, are treated alike, with
//!   `wamp.error.invalid_argument`.
//! * The details of a callee's ERROR reach the caller as they are, without the keys that only a
//!   router may vouch for (`callee`, `callee_authid`, `callee_authrole`, `forward_for`) and those of
//!   payload passthru. What does not fit or cannot be expressed is left out: first the details,
//!   then the arguments.
//! * Of each topic the last event for all that was to be retained is, and later ones that lists
//!   restrict to some; an empty one is an event as any other. The lists hold for late events too,
//!   those of sessions by the sessions of then, and a publisher gets its own event late only where
//!   it did not exclude itself. A realm that is listed retains them until the router is gone, any
//!   other one until its last session leaves.
//! * A session that has its fill of subscriptions, registrations or open calls is refused more with
//!   [`LIMIT_EXCEEDED`]; so is a call whose callee has its fill of invocations.
//! * A client that does not read is cut off when its queue is full; nobody waits for it.
//! * Explanations for people are in `Details.message` of ABORT and ERROR.
//!
//! # Features
//!
//! | Feature | Default | |
//! |---|---|---|
//! | `websocket`, `rawsocket` | yes | listen on these |
//! | `tls` | no | listen with TLS |
//! | `json`, `msgpack`, `cbor` | yes | serve clients of these serializations |
#![forbid(unsafe_code)]
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(any(feature = "websocket", feature = "rawsocket"))]
mod address;
mod announced;
mod auth;
mod broker;
mod carrier;
mod changes;
mod connection;
mod dealer;
mod details;
mod environment;
mod error;
mod ids;
#[cfg(any(feature = "websocket", feature = "rawsocket"))]
mod listen;
mod outbound;
mod pattern;
mod quotas;
mod realm;
mod router;
mod serve;
mod session;
mod settings;
mod shared;
mod statistics;
mod work;

pub use auth::CraSecret;
pub use error::{BuildError, ListenError, StartError};
pub use quotas::LIMIT_EXCEEDED;
pub use router::{Router, RouterBuilder};
pub use settings::Realm;
pub use statistics::Statistics;
