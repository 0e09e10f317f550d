//! A serializer of your own: JSON that is written backwards, negotiated as `wamp.2.nosj`.
//!
//! `cargo run --example custom_serializer`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;

use bytes::{Bytes, BytesMut};
use spell::{
    message::{CustomFormat, Format, Message, Serialization, Value},
    prelude::*,
    router::Router,
    serializer::{AnySerializer, DecodeError, EncodeError, Serializer, list},
};
use spell_examples::Outcome;

/// Turns lists of values into bytes and back; what a message is, [`list`] knows.
#[derive(Debug)]
struct Backwards;

impl CustomFormat for Backwards {
    fn name(&self) -> &'static str {
        "nosj"
    }

    fn decode(&self, bytes: &[u8]) -> Result<Value, Box<dyn Error + Send + Sync>> {
        let bytes: Vec<u8> = bytes.iter().rev().copied().collect();
        Ok(serde_json::from_slice(&bytes)?)
    }

    fn encode(&self, value: &Value) -> Result<Bytes, Box<dyn Error + Send + Sync>> {
        let bytes = serde_json::to_vec(value)?;
        Ok(bytes.into_iter().rev().collect())
    }
}

impl Serializer for Backwards {
    fn serialization(&self) -> Serialization {
        // Its messages need not be UTF-8, and it has no number for RawSocket.
        Serialization::binary("wamp.2.nosj", 0)
    }

    fn format(&self) -> Format {
        Format::Custom(&Self)
    }

    fn encode(&self, message: &Message, out: &mut BytesMut) -> Result<(), EncodeError> {
        let values = list::to_values(message)?;
        let bytes = CustomFormat::encode(self, &values.into());
        out.extend_from_slice(&bytes.map_err(|source| EncodeError::Value {
            format: "nosj",
            source,
        })?);
        Ok(())
    }

    fn decode(&self, frame: &Bytes) -> Result<Message, DecodeError> {
        let value = CustomFormat::decode(self, frame);
        match value.map_err(|source| DecodeError::Malformed {
            format: "nosj",
            source,
        })? {
            Value::List(values) => list::from_values(values, self.format()),
            other => list::from_values(vec![other], self.format()),
        }
    }
}

#[tokio::main]
async fn main() -> Outcome {
    let backwards = || AnySerializer::from(Backwards);
    let router = Router::builder()
        .auto_realms()
        .serializers([backwards()])
        .build()?;
    let url = router.listen("ws://127.0.0.1:0").await?;

    let client = spell::client(&url, "realm1")
        .serializers([backwards()])
        .connect()
        .await?;
    let mut events = client.subscribe("com.example.topic").await?;
    client
        .publish("com.example.topic")
        .args(("backwards", 1))
        .exclude_me(false)
        .await?;
    if let Some(event) = events.next().await {
        println!("{:?}", event.args::<(String, u32)>()?);
    }
    client.leave().await?;
    Ok(())
}
