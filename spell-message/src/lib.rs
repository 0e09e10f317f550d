//! The messages of WAMP v2 as data.
#![forbid(unsafe_code)]
mod serialization;

pub use serialization::Serialization;
