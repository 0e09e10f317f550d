//! A serializer of your own, JSON with every bit flipped; what a message is, `list` knows.
//! `cargo run --example custom_serializer`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use bytes::{Bytes, BytesMut};
use spell::message::{CustomFormat, Format, Message, Serialization, Value};
use spell::serializer::{DecodeError, EncodeError, Serializer, list};
use spell::{prelude::*, router::Router};

#[derive(Debug)]
struct Flipped;

impl CustomFormat for Flipped {
    fn name(&self) -> &'static str {
        "nosj"
    }
    fn decode(&self, bytes: &[u8]) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        let bytes: Vec<u8> = bytes.iter().map(|byte| !byte).collect();
        Ok(serde_json::from_slice(&bytes)?)
    }
    fn encode(&self, value: &Value) -> Result<Bytes, Box<dyn std::error::Error + Send + Sync>> {
        let bytes = serde_json::to_vec(value)?;
        Ok(bytes.into_iter().map(|byte| !byte).collect())
    }
}

impl Serializer for Flipped {
    fn serialization(&self) -> Serialization {
        Serialization::binary("wamp.2.nosj", 0)
    }
    fn format(&self) -> Format {
        Format::Custom(&Self)
    }
    fn encode(&self, message: &Message, out: &mut BytesMut) -> Result<(), EncodeError> {
        let format = "nosj";
        let bytes = CustomFormat::encode(self, &list::to_values(message)?.into());
        out.extend(bytes.map_err(|source| EncodeError::Value { format, source })?);
        Ok(())
    }
    fn decode(&self, frame: &Bytes) -> Result<Message, DecodeError> {
        let format = "nosj";
        let value = CustomFormat::decode(self, frame);
        let value = value.map_err(|source| DecodeError::Malformed { format, source })?;
        list::from_values(value.as_list().cloned().unwrap_or_default(), self.format())
    }
}

#[tokio::main]
async fn main() -> spell_examples::Outcome {
    let router = Router::builder()
        .auto_realms()
        .serializers([Flipped.into()]);
    let router = router.build()?;
    let url = router.listen("ws://127.0.0.1:0").await?;
    let client = spell::client(&url, "realm1").serializers([Flipped]);
    let client = client.connect().await?;
    println!("{:?}", client.joined().await?.roles());
    Ok(client.leave().await?)
}
