//! Around the serializers and deserializers of serde that others give: what they do not do as WAMP
//! wants it.

mod read;
mod read_key;
mod write;
mod write_key;

pub(crate) use read::{ReadGuard, ReadRules};
pub(crate) use write::{WriteGuard, WriteRules};
