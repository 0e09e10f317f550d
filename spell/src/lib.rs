//! WAMP v2 for Rust: routed remote procedure calls and publish & subscribe.
//!
//! A client of any [WAMP](https://wamp-proto.org) router, and a small router to embed. This crate
//! is the front door: [`connect`], the everyday types, and each crate of the library as a module.
//!
//! A subscriber, a callee and their router in one program:
//!
//! ```
//! # #[cfg(all(feature = "websocket", feature = "json"))]
//! # mod program {
//! use spell::prelude::*;
//! # use spell_router::Router; /*
//! use spell::router::Router;
//! # */
//!
//! #[tokio::main]
//! # pub
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let router = Router::local();
//!     let url = router.listen("ws://127.0.0.1:0").await?;
//!
//!     let peer = spell::connect(&url, "com.example.realm").await?;
//!     let mut hello = peer.subscribe("com.example.hello").await?;
//!     let add2 = peer.register("com.example.add2");
//!     let _add2 = add2.handler(|(a, b): (i64, i64)| async move { Ok(a + b) }).await?;
//!
//!     let other = spell::connect(&url, "com.example.realm").await?;
//!     other.publish("com.example.hello").arg("Hello, WAMP").await?;
//!     println!("{:?}", hello.next().await.ok_or("no event")?.args::<(String,)>()?);
//!     let (sum,): (i64,) = other.call("com.example.add2").args((2, 3)).await?.args()?;
//!     println!("2 + 3 = {sum}");
//!     # assert_eq!(sum, 5);
//!     Ok(())
//! }
//! # }
//! # #[cfg(all(feature = "websocket", feature = "json"))]
//! # program::main().unwrap();
//! ```
//!
//! # Where to go on
//!
//! | you want | see |
//! |---|---|
//! | to authenticate, to reconnect, to set limits | [`client()`](fn@client) |
//! | to publish and subscribe | [`PublisherExt`](roles::PublisherExt), [`SubscriberExt`](roles::SubscriberExt) |
//! | to call and be called | [`CallerExt`](roles::CallerExt), [`CalleeExt`](roles::CalleeExt) |
//! | to publish, or call, when there is no session, or again when it is lost | [`Outbox`], [`Call::wait_for_session`](roles::Call::wait_for_session), [`Call::idempotent`](roles::Call::idempotent) |
//! | to leave when all work is done | [`Leave::drain`](roles::Leave::drain) |
//! | arguments that the router cannot read | [`passthru`] |
//! | to know of other sessions, registrations and subscriptions; testaments; the history of events | [`MetaExt`](roles::MetaExt) |
//! | fewer roles, or roles of your own | [`peer::PeerBuilder`], [`peer::Role`] |
//! | raw messages | [`roles::Tap`] |
//! | a transport, or dialling, of your own | [`transport`] |
//! | a serializer of your own | [`serializer::Serializer`] |
//! | to know what the peer is doing, and what happens to it | [`Client::state`](peer::Peer::state), [`Client::events`](peer::Peer::events), [`Client::statistics`](peer::Peer::statistics) |
//! | to start anew what ended for good | [`supervision`] |
//! | several routers | [`client()`](fn@client), [`peer::Endpoints`] |
//!
//! The verbs come from extension traits, one a role: `use spell::prelude::*`.
//!
//! # Layers
//!
//! ```text
//!              spell                 this crate
//!                │      └── router   embedded; its own two legs on serializer and transport
//!              roles                 Session, Publisher, Subscriber, Caller, Callee, Tap
//!                │
//!              peer                  roles in general, the engine, the driver
//!         ┌──────┴──────┐
//!    serializer     transport
//!         └──────┬──────┘
//!             message
//! ```
//!
//! Each is a crate of its own, `spell-message` to `spell-router`, and useful alone.
//!
//! # Features
//!
//! | feature | default | gives |
//! |---|---|---|
//! | `websocket` | yes | `ws://`, `ws+unix:` |
//! | `rawsocket` | yes | `rs://`, `tcp://`, `unix:` |
//! | `tls` | yes | `wss://`, `rss://`, by rustls |
//! | `json`, `msgpack`, `cbor` | yes | the serializers |
//! | `encryption` | no | end-to-end encryption, in [`passthru`] |
//! | `metrics` | no | [counters and gauges](peer::Statistics#metrics) of each peer |
//! | `router` | no | the embedded router, as `spell::router` |
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod client;
#[cfg(any(feature = "websocket", feature = "rawsocket"))]
mod connect;
pub mod prelude;
#[cfg(any(feature = "websocket", feature = "rawsocket"))]
pub mod urls;

pub use spell_message as message;
pub use spell_peer as peer;
pub use spell_peer::supervision;
pub use spell_roles as roles;
#[cfg(feature = "router")]
#[cfg_attr(docsrs, doc(cfg(feature = "router")))]
pub use spell_router as router;
pub use spell_serializer as serializer;
pub use spell_transport as transport;

pub use client::{Client, ClientRoles};
#[cfg(any(feature = "websocket", feature = "rawsocket"))]
pub use connect::{ClientBuilder, client, connect};
pub use spell_message::{Dict, List, Uri, Value};
pub use spell_peer::{
    Backoff, CloseReason, JoinError, Peer, PeerBuilder, PeerEvent, PeerState, Remedy, SessionInfo,
};
pub use spell_roles::{
    Args, CallArguments, CallError, CallResult, CallResults, Conflict, Event, Gap, Interrupt,
    Invocation, InvocationError, Kwargs, MetaError, Notice, Notices, Outbox, Overflow, Parts,
    Progress, PublishError, RegisterError, Registration, RegistrationEnd, SubscribeError,
    Subscription, SubscriptionEnd, WampError, auth, passthru,
};
