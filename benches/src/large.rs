//! EVENTs with about 1 MiB of arguments, whose boundaries are found whether anyone reads them or not.

use std::{error::Error, hint::black_box};

use bytes::{Bytes, BytesMut};
use serde::{Deserialize, Serialize};
use spell_message::{Message, Payload};
use spell_serializer::{AnySerializer, PayloadExt, payload};

type Failure = Box<dyn Error>;

/// What they consist of.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_enums, reason = "for benches only")]
pub enum Large {
    /// Many small dictionaries.
    Records,
    /// One text.
    Text,
    /// One binary.
    Binary,
}

#[derive(Clone, Serialize, Deserialize)]
struct Record {
    id: u32,
    name: String,
    tags: Vec<u8>,
    is_on: bool,
}

impl Large {
    /// Each of them.
    pub const ALL: [Self; 3] = [Self::Records, Self::Text, Self::Binary];

    /// A name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Records => "records",
            Self::Text => "text",
            Self::Binary => "binary",
        }
    }

    /// Such an EVENT.
    pub fn event(self, serializer: &AnySerializer) -> Result<Bytes, Failure> {
        let mut frame = BytesMut::new();
        let event = crate::event(self.payload(serializer)?);
        serializer.encode(&event, &mut frame)?;
        Ok(frame.freeze())
    }

    fn payload(self, serializer: &AnySerializer) -> Result<Payload, Failure> {
        let format = serializer.format();
        Ok(match self {
            Self::Records => {
                let record = Record {
                    id: 123_456,
                    name: "a name of a thing".to_owned(),
                    tags: vec![1, 2, 3],
                    is_on: true,
                };
                payload::encode(format, &vec![record; SIZE / 64], None::<&()>)?
            }
            Self::Text => payload::encode(format, &["x".repeat(SIZE)], None::<&()>)?,
            Self::Binary => payload::encode(format, &[Bytes::from(vec![0; SIZE])], None::<&()>)?,
        })
    }

    /// Finds the boundaries of the arguments.
    pub fn find(self, serializer: &AnySerializer, frame: &Bytes) -> Result<Message, Failure> {
        Ok(serializer.decode(black_box(frame))?)
    }

    /// Finds them, and decodes the arguments.
    pub fn decode(self, serializer: &AnySerializer, frame: &Bytes) -> Result<(), Failure> {
        let message = self.find(serializer, frame)?;
        let payload = message.payload().ok_or("a message without arguments")?;
        match self {
            Self::Records => drop(black_box(payload.parse_args::<Vec<Record>>()?)),
            Self::Text => drop(black_box(payload.parse_args::<(String,)>()?)),
            Self::Binary => drop(black_box(payload.parse_args::<(Bytes,)>()?)),
        }
        Ok(())
    }
}

const SIZE: usize = 1 << 20;
