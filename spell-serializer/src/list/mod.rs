//! A message as a list of values: what all serializations have in common.
//!
//! A serializer of your own needs to know nothing of the messages themselves: it turns lists of
//! values into bytes and back. [`to_values`] and [`from_values`] do the rest.
//!
//! ```
//! use bytes::{Bytes, BytesMut};
//! use spell_message::{CustomFormat, Format, List, Message, Serialization, Value};
//! use spell_serializer::{DecodeError, EncodeError, Serializer, list};
//! # use std::error::Error;
//! # type Any = Box<dyn Error + Send + Sync>;
//! # #[derive(Debug)]
//! # struct Own;
//! # impl CustomFormat for Own {
//! #     fn name(&self) -> &str { "own" }
//! #     fn decode(&self, bytes: &[u8]) -> Result<Value, Any> {
//! #         let bytes = bytes.iter();
//! #         Ok(bytes.map(|byte| if *byte == 0 { Vec::<u64>::new().into() } else { Value::from(*byte) }).collect())
//! #     }
//! #     fn encode(&self, value: &Value) -> Result<Bytes, Any> {
//! #         let list = value.as_list().into_iter().flatten();
//! #         Ok(list.map(|value| value.as_u64().unwrap_or(0) as u8).collect())
//! #     }
//! # }
//!
//! /// Messages in a format that is `Own`.
//! #[derive(Debug)]
//! struct OwnSerializer;
//!
//! impl Serializer for OwnSerializer {
//!     fn serialization(&self) -> Serialization {
//!         Serialization::binary("wamp.2.own", 0)
//!     }
//!
//!     fn format(&self) -> Format {
//!         Format::Custom(&Own)
//!     }
//!
//!     fn encode(&self, message: &Message, out: &mut BytesMut) -> Result<(), EncodeError> {
//!         let values = Value::from(list::to_values(message)?);
//!         let bytes = Own.encode(&values);
//!         out.extend_from_slice(&bytes.map_err(|source| EncodeError::Value { format: "own", source })?);
//!         Ok(())
//!     }
//!
//!     fn decode(&self, frame: &Bytes) -> Result<Message, DecodeError> {
//!         match Own.decode(frame) {
//!             Ok(Value::List(values)) => list::from_values(values, self.format()),
//!             Ok(_) => Err(DecodeError::NotAList { found: "something else" }),
//!             Err(source) => Err(DecodeError::Malformed { format: "own", source }),
//!         }
//!     }
//! }
//!
//! # let message = spell_message::message::Published {
//! #     request: spell_message::RequestId::new(7)?,
//! #     publication: spell_message::PublicationId::new(9)?,
//! # };
//! # let message = Message::from(message);
//! let mut frame = BytesMut::new();
//! OwnSerializer.encode(&message, &mut frame)?;
//! assert_eq!(OwnSerializer.decode(&frame.freeze())?, message);
//! # Ok::<(), Box<dyn Error>>(())
//! ```

mod bare;
mod element;
mod fields;
mod read;
mod values;
mod write;

pub use values::{from_values, to_values};

pub(crate) use element::Element;
#[cfg(any(feature = "json", feature = "msgpack", feature = "cbor"))]
pub(crate) use {
    bare::Bare,
    element::{Elements, Failed, Shape},
    read::{check_length, envelope, read},
    write::{Writer, write},
};
