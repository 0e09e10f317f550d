//! All formats, one of users among them.

use std::error::Error;

use bytes::Bytes;
use spell_message::{CustomFormat, Format, Payload, Value};
use spell_serializer::{PayloadExt, payload};

/// Those this crate knows, and one that it does not.
pub(crate) const FORMATS: [Format; 4] = [
    Format::Json,
    Format::MsgPack,
    Format::Cbor,
    Format::Custom(&Backwards),
];

/// JSON backwards: a format nobody knows.
#[derive(Debug)]
pub(crate) struct Backwards;

impl CustomFormat for Backwards {
    fn name(&self) -> &'static str {
        "backwards"
    }

    fn decode(&self, bytes: &[u8]) -> Result<Value, Box<dyn Error + Send + Sync>> {
        let forwards: Vec<u8> = bytes.iter().rev().copied().collect();
        let end = forwards.len();
        Ok(Payload::encoded(Format::Json, forwards.into(), end, end).parse_args()?)
    }

    fn encode(&self, value: &Value) -> Result<Bytes, Box<dyn Error + Send + Sync>> {
        let list = payload::encode(Format::Json, &[value], None::<&()>)?;
        let json = list.tail();
        Ok(json[1..json.len() - 1].iter().rev().copied().collect())
    }
}
