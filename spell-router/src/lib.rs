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
//! | Publisher identification, as [`Realm::disclosure`] has it | `publisher_identification` |
//! | Trust levels of publications, by [`Realm::trustlevel`] | `publication_trustlevels` |
//! | Subscriber black- and whitelisting, all six lists | `subscriber_blackwhite_listing` |
//! | Event retention, within [`RouterBuilder::retention_limits`] | `event_retention` |
//! | Event history, of patterns that [`Realm::history`] names | `event_history` |
//! | Revocation of subscriptions | `subscription_revocation` |
//! | Shared registrations, all policies | `shared_registration` |
//! | Revocation of registrations | `registration_revocation` |
//! | Call canceling, all three modes | `call_canceling` |
//! | Meta API of sessions, registrations and subscriptions, see [`MetaApi`] | `session_meta_api`, `registration_meta_api`, `subscription_meta_api` |
//! | Testaments, within [`RouterBuilder::max_testaments`] | `testament_meta_api` |
//! | Call time-outs, by the router or the callee | `call_timeout` |
//! | Call re-routing | `call_reroute` |
//! | Progressive calls: results, and arguments, in parts | `progressive_call_results`, `progressive_call_invocations` |
//! | Caller identification, as [`Realm::disclosure`] has it | `caller_identification` |
//! | Payload passthru mode | `payload_passthru_mode` |
//! | Trust levels of calls, by [`Realm::trustlevel`] | `call_trustlevels` |
//! | Anonymous, ticket and challenge-response authentication, see [`Realm`] | `anonymous`, `ticket`, `wampcra` |
//!
//! Options of other features are ignored where the specification allows it (sharding).
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
//!   router may vouch for (`callee`, `callee_authid`, `callee_authrole`, `forward_for`). What
//!   does not fit or cannot be expressed is left out: first the details, then the arguments.
//! * A payload that passes through is one binary, handed on as any argument and never looked into,
//!   and the attributes that describe it are handed on unchanged. It goes to all subscribers; those
//!   that did not announce the mode have to cope. A callee that did not is not called, and a caller
//!   that did not gets an error instead of such a result: `wamp.error.feature_not_supported`. What
//!   Autobahn has instead, a binary without a list that `enc_algo` marks, is understood and handed
//!   on to those who announced the mode, under this name or as `payload_transparency`; all others
//!   get a list with the binary.
//! * Part of a result that the caller did not ask for is dropped, and the call lives. One that the
//!   caller cannot get fails the call.
//! * Of a caller that announced that it sends arguments in parts, a CALL with an id that was used is
//!   taken for a late part of a call that is over, and discarded. While the call is under way, it is
//!   a violation if its arguments are complete or its procedure is another one.
//! * A session is at most once among the callees of a shared registration. More REGISTERs fail with
//!   `wamp.error.procedure_already_exists`, as do those by another policy than that of the first.
//! * REGISTER with `force_reregister`, an option that Crossbar.io has brought in, takes a procedure
//!   from the session that has it, or from all who share it, if [`Realm::reregistration`] permits it:
//!   by default if all of them have authenticated as the same `authid` and `authrole`. They are told
//!   as of any revocation.
//! * A call is re-routed only until its callee has given a part of the result or got another part of
//!   the arguments, and only if the registration had several callees when it began. Otherwise, a
//!   callee that is unavailable fails it, with `wamp.error.no_available_callee`. Of the arguments of
//!   a session's calls at most 16 MiB are kept for that.
//! * A time-out is that of the call as a whole or, where the caller gets results as they come, that
//!   of each of them. It is left to a callee that announced that it can watch over it and registered
//!   with `forward_timeout`; re-routing a call does not prolong it.
//! * Of each topic the last event for all that was to be retained is, and later ones that lists
//!   restrict to some; an empty one is an event as any other. The lists hold for late events too,
//!   those of sessions by the sessions of then, and a publisher gets its own event late only where
//!   it did not exclude itself. A realm that is listed retains them until the router is gone, any
//!   other one until its last session leaves.
//! * A realm with a history announces it without the role `callee`, which the specification wants
//!   announced as well: there are clients that accept no such router.
//! * The router's own procedures are no registrations: they are in no list of those. Subscriptions
//!   to its topics are subscriptions like any other, listed and told of. Of what happens everyone is
//!   told who subscribed to it and may look, also the session that is the cause.
//! * Arguments that one of the router's procedures does not take are refused with
//!   `wamp.error.invalid_argument`, too many of them as well; URIs among them that are none with
//!   `wamp.error.invalid_uri`. Unknown keyword arguments are ignored.
//! * Sessions that are killed together do not learn of each other's end. Of those that
//!   `wamp.session.kill_all` ends no testament is published, and nobody is told that they left.
//! * `wamp.subscription.get_events` gives each event as an argument of its own. It fails with
//!   `wamp.error.no_such_subscription` also where a subscription has no history.
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
mod administration;
mod announced;
mod auth;
mod broker;
mod carrier;
mod changes;
mod connection;
mod dealer;
mod details;
mod disclosure;
mod environment;
mod error;
mod fan_out;
mod id_map;
mod ids;
#[cfg(any(feature = "websocket", feature = "rawsocket"))]
mod listen;
mod meta;
mod occasion;
mod outbound;
mod outgoing;
mod passthru;
mod pattern;
mod quotas;
mod realm;
mod reregistration;
mod router;
mod serve;
mod session;
mod settings;
mod shared;
mod statistics;
mod timestamp;
mod traced;
#[cfg(test)]
mod wakes;
mod watch;
mod work;

pub use administration::{Administration, SessionDetails};
pub use auth::CraSecret;
pub use disclosure::Disclosure;
pub use error::{BuildError, ListenError, StartError};
pub use meta::{Farewell, MetaApi, Revocation};
pub use quotas::LIMIT_EXCEEDED;
pub use reregistration::Reregistration;
pub use router::{Router, RouterBuilder};
pub use settings::Realm;
pub use statistics::Statistics;
