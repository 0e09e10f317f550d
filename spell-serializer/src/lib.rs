//! [WAMP v2](https://wamp-proto.org) messages to bytes and back: JSON, MessagePack and CBOR, with
//! the arguments left undecoded.
//!
//! Use this crate alone to read captures, to write a proxy or a client of another kind; it knows no
//! transport and no runtime. The messages themselves are those of [`spell_message`].
//!
//! ```text
//!   a type of yours ──────── payload::encode, PayloadBuilder ───────► Payload
//!                                                                       │ one copy
//!   Message ─────────────────── Serializer::encode ──────────────────► frame
//!
//!   frame ───────────────────── Serializer::decode ──────────────────► Message
//!                                                                       │ no copy
//!   a type of yours ◄─────────────── PayloadExt ────────────────────── Payload
//! ```
//!
//! A serializer checks the whole frame, finds where its elements stand, and reads those before the
//! arguments. The arguments stay the bytes of the frame: to pass them on costs nothing, and to read
//! them goes straight into your types.
//!
//! ```
//! # #[cfg(feature = "json")] {
//! use bytes::{Bytes, BytesMut};
//! use spell_message::{Format, Message, RequestId, Uri, message::Call};
//! use spell_serializer::{Json, PayloadExt, Serializer, payload};
//!
//! let message = Message::from(Call {
//!     request: RequestId::MIN,
//!     options: Default::default(),
//!     procedure: Uri::new("com.example.add2")?,
//!     payload: payload::encode(Format::Json, &(2, 3), None::<&()>)?,
//! });
//! let mut frame = BytesMut::new();
//! Json::new().encode(&message, &mut frame)?;
//! assert_eq!(frame, r#"[48,1,{},"com.example.add2",[2,3]]"#);
//!
//! let decoded = Json::new().decode(&frame.freeze())?;
//! assert_eq!(decoded, message);
//! let (a, b): (i64, i64) = decoded.payload().unwrap().parse_args()?;
//! assert_eq!((a, b), (2, 3));
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Input that is not to be trusted
//!
//! A frame is a message or an error, never a panic. Nothing is allocated because a frame declares
//! that it will need it, no function calls itself on what was not measured before, and [`Limits`]
//! bound the size, the depth and the number of values. What is written is in the shortest form;
//! what is read may have any form the format allows.
//!
//! # Features
//!
//! | feature   | what it adds           | default |
//! |-----------|------------------------|---------|
//! | `json`    | `Json`                 | yes     |
//! | `msgpack` | `MsgPack`              | yes     |
//! | `cbor`    | `Cbor`                 | yes     |
//!
//! Without any of them there are still the [`Serializer`] trait and [`list`], to write one of your
//! own.
#![forbid(unsafe_code)]
#![warn(clippy::arithmetic_side_effects)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(any(feature = "json", feature = "msgpack", feature = "cbor"))]
mod buffer;
#[cfg(feature = "cbor")]
mod cbor;
#[cfg(any(feature = "json", feature = "msgpack", feature = "cbor"))]
mod codec;
#[cfg(any(feature = "json", feature = "msgpack", feature = "cbor"))]
mod decode;
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
#[cfg(any(feature = "json", feature = "msgpack", feature = "cbor"))]
mod scan;
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
