//! A message as a list of values: what all serializations have in common.
//!
//! A serializer of your own needs to know nothing of the messages themselves: it turns lists of
//! values into bytes and back. [`to_values`] and [`from_values`] do the rest.
//!
//! ```
//! use spell_message::{Format, Message, RequestId, message::Published, PublicationId, Value};
//! use spell_serializer::list;
//!
//! let message = Message::from(Published {
//!     request: RequestId::new(7)?,
//!     publication: PublicationId::new(9)?,
//! });
//! let values = list::to_values(&message)?;
//! assert_eq!(values, [Value::from(17), 7.into(), 9.into()]);
//! # #[cfg(feature = "json")]
//! assert_eq!(list::from_values(values, Format::Json)?, message);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod element;
mod fields;
mod read;
mod values;
mod write;

pub use values::{from_values, to_values};

pub(crate) use element::Element;
#[cfg(any(feature = "json", feature = "msgpack", feature = "cbor"))]
pub(crate) use {
    element::Shape,
    read::{check_length, envelope, read},
    write::{Writer, write},
};
