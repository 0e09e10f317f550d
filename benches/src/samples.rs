//! Messages with arguments, from and to the values of a user: by this library, and by serde alone with the whole
//! message as one typed tuple, which neither checks ids, URIs and limits nor leaves arguments alone.

use std::{error::Error, hint::black_box};

use bytes::{Bytes, BytesMut};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use spell_message::{
    Format, Message, PublicationId, RegistrationId, RequestId, SubscriptionId, Uri,
    message::{Call, Event, Invocation, ResultMessage},
    options::{CallOptions, EventDetails, InvocationDetails, ResultDetails},
};
use spell_serializer::{AnySerializer, PayloadExt, payload};

use crate::frames::PROCEDURE;

type Failure = Box<dyn Error>;

/// A message of each form that arguments come in.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "named as the messages")]
#[expect(clippy::exhaustive_enums, reason = "for benches only")]
pub enum Sample {
    Event,
    /// PUBLISH has the same form.
    Call,
    /// YIELD has the same form.
    Result,
    Invocation,
}

impl Sample {
    /// Each of them.
    pub const ALL: [Self; 4] = [Self::Event, Self::Call, Self::Result, Self::Invocation];

    /// The name as the specification writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Event => "EVENT",
            Self::Call => "CALL",
            Self::Result => "RESULT",
            Self::Invocation => "INVOCATION",
        }
    }

    /// Appends the message with a number and this text as its arguments.
    pub fn encode(
        self,
        serializer: &AnySerializer,
        text: &str,
        out: &mut BytesMut,
    ) -> Result<(), Failure> {
        let arguments = black_box((NUMBER, text));
        let payload = payload::encode(serializer.format(), &arguments, None::<&()>)?;
        let request = RequestId::MIN;
        let message: Message = match self {
            Self::Event => Event {
                subscription: SubscriptionId::MIN,
                publication: PublicationId::MAX,
                details: EventDetails::new(),
                payload,
            }
            .into(),
            Self::Call => Call {
                request,
                options: CallOptions::new(),
                procedure: Uri::new(black_box(PROCEDURE))?,
                payload,
            }
            .into(),
            Self::Result => ResultMessage {
                request,
                details: ResultDetails::new(),
                payload,
            }
            .into(),
            Self::Invocation => Invocation {
                request,
                registration: RegistrationId::MAX,
                details: InvocationDetails::new(),
                payload,
            }
            .into(),
        };
        Ok(serializer.encode(&message, out)?)
    }

    /// Reads the message, and its arguments.
    pub fn decode(
        self,
        serializer: &AnySerializer,
        frame: &Bytes,
    ) -> Result<(Message, (u64, String)), Failure> {
        let message = serializer.decode(black_box(frame))?;
        let payload = message.payload().ok_or("a message without arguments")?;
        let arguments = payload.parse_args()?;
        Ok((message, arguments))
    }

    /// The same as [`encode`](Self::encode) by serde alone; an error where there is no such library.
    pub fn encode_alone(
        self,
        format: Format,
        text: &str,
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        let (code, options, arguments) = (black_box(36), Options {}, (NUMBER, text));
        match self {
            Self::Event | Self::Invocation => {
                write_alone(format, &(code, 1, LARGEST, options, arguments), out)
            }
            Self::Call => write_alone(format, &(code, 1, options, PROCEDURE, arguments), out),
            Self::Result => write_alone(format, &(code, 1, options, arguments), out),
        }
    }

    /// The same as [`decode`](Self::decode) by serde alone; an error where there is no such library.
    pub fn decode_alone(self, format: Format, frame: &[u8]) -> Result<(), Failure> {
        type Arguments = (u64, String);
        match self {
            Self::Event | Self::Invocation => {
                read_alone::<(u64, u64, u64, Options, Arguments)>(format, frame)
            }
            Self::Call => read_alone::<(u64, u64, Options, String, Arguments)>(format, frame),
            Self::Result => read_alone::<(u64, u64, Options, Arguments)>(format, frame),
        }
    }
}

/// Options or details, of which there are none.
#[derive(Serialize, Deserialize)]
struct Options {}

fn write_alone<T: Serialize>(
    format: Format,
    message: &T,
    out: &mut Vec<u8>,
) -> Result<(), Failure> {
    let message = black_box(message);
    match format {
        Format::Json => Ok(serde_json::to_writer(out, message)?),
        Format::MsgPack => Ok(rmp_serde::encode::write_named(out, message)?),
        _ => Err(NO_LIBRARY.into()),
    }
}

fn read_alone<T: DeserializeOwned>(format: Format, frame: &[u8]) -> Result<(), Failure> {
    let frame = black_box(frame);
    let message: T = match format {
        Format::Json => serde_json::from_slice(frame)?,
        Format::MsgPack => rmp_serde::from_slice(frame)?,
        _ => return Err(NO_LIBRARY.into()),
    };
    black_box(message);
    Ok(())
}

const NUMBER: u64 = 7;
/// The largest id.
const LARGEST: u64 = 1 << 53;
const NO_LIBRARY: &str = "there is no library to compare with";
