//! Around the serializers and deserializers of serde that other libraries give: what they do not do
//! as WAMP wants it.

mod key;
mod ser;

pub(crate) use ser::{Guard, Rules};
