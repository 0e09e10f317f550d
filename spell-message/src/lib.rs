//! The messages, options, ids and URIs of [WAMP v2](https://wamp-proto.org) as Rust types.
//!
//! Data only: no codec, no IO, no runtime. Use this crate alone to analyse or generate WAMP
//! messages, or under another runtime; `spell-serializer` turns messages into bytes and back.
//!
//! ```text
//!            Message ── one struct a message: Hello, Publish, Event, Call, …
//!   ┌───────────┼──────────────┬───────────────┐
//! ids, Uri   options::…      Payload        RoleFeatures
//! checked    an open         the arguments,  what HELLO and
//! when made  dictionary,     undecoded       WELCOME announce
//!            typed keys
//! ```
//!
//! What cannot be wrong once it exists is checked when it is made: an id is in `1..=2^53`, a
//! [`Uri`] follows the rules, a known option has the type the specification gives it.
//!
//! ```
//! use spell_message::{Message, RequestId, Uri, message::Call, options::CallOptions};
//!
//! let mut options = CallOptions::new();
//! options.set_timeout(1_000);
//! let call = Message::from(Call {
//!     request: RequestId::MIN,
//!     options,
//!     procedure: Uri::new("com.example.add2")?,
//!     payload: Default::default(),
//! });
//! assert_eq!((call.name(), call.code()), ("CALL", 48));
//! assert!(Uri::new("com..add2").is_err());
//! # Ok::<(), spell_message::InvalidUri>(())
//! ```
#![forbid(unsafe_code)]
#![warn(clippy::arithmetic_side_effects)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod error;
mod features;
mod id;
pub mod message;
pub mod options;
mod pattern;
mod payload;
pub mod reason;
mod role_features;
mod serialization;
mod uri;
mod value;

pub use error::{InvalidId, InvalidUri, InvalidUriReason, UnknownMatchPolicy, ValueError};
pub use features::{Feature, RoleName};
pub use id::{PublicationId, RegistrationId, RequestId, RequestIds, SessionId, SubscriptionId};
pub use message::Message;
pub use pattern::{MatchPolicy, Pattern};
pub use payload::{CustomFormat, Format, Payload};
pub use role_features::RoleFeatures;
pub use serialization::Serialization;
pub use uri::{IntoUri, Uri};
pub use value::{Dict, DictIntoIter, DictIter, List, Value, from_value, to_value};
