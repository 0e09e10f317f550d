//! Arguments: from types to a [`Payload`](spell_message::Payload), from one format to another, and
//! back into types.

mod builder;
mod custom;
mod encode;
mod format;
mod pack;
mod parse;
#[cfg(any(feature = "json", feature = "msgpack", feature = "cbor"))]
mod parts;
mod transcode;

pub use builder::PayloadBuilder;
pub use encode::encode;
pub use pack::{pack, unpack};
pub use parse::PayloadExt;
pub use transcode::transcode;

#[cfg(any(feature = "json", feature = "msgpack", feature = "cbor"))]
pub(crate) use parts::{join, listed};
