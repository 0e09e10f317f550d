//! WAMP messages to bytes and back: JSON, MessagePack and CBOR, with payloads left undecoded.
#![forbid(unsafe_code)]
#![warn(clippy::arithmetic_side_effects)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "cbor")]
mod cbor;
#[cfg(any(feature = "json", feature = "msgpack", feature = "cbor"))]
mod codec;
mod error;
#[cfg(any(feature = "json", feature = "msgpack", feature = "cbor"))]
mod guard;
#[cfg(feature = "json")]
mod json;
mod limits;
pub mod list;
#[cfg(feature = "msgpack")]
mod msgpack;
pub mod payload;
mod serializer;

#[cfg(feature = "cbor")]
pub use cbor::Cbor;
pub use error::{DecodeError, EncodeError, Place};
#[cfg(feature = "json")]
pub use json::Json;
pub use limits::Limits;
#[cfg(feature = "msgpack")]
pub use msgpack::MsgPack;
#[doc(inline)]
pub use payload::{PayloadBuilder, PayloadExt};
pub use serializer::{AnySerializer, Serializer};
