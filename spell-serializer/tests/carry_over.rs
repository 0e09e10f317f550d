//! Arguments as other peers may send them: read, and sent in another format.
#![cfg(all(feature = "json", feature = "msgpack", feature = "cbor"))]
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

mod formats;

use bytes::{Bytes, BytesMut};
use formats::{Backwards, FORMATS};
use spell_message::{
    CustomFormat, Dict, Format, List, Message, Payload, RequestId, Serialization, Value,
    message::ResultMessage, options::ResultDetails,
};
use spell_serializer::{
    AnySerializer, DecodeError, EncodeError, PayloadExt, Serializer, list, payload,
};

/// Messages in a format that is `Backwards`.
#[derive(Debug)]
struct BackwardsSerializer;

impl Serializer for BackwardsSerializer {
    fn serialization(&self) -> Serialization {
        Serialization::binary("wamp.2.backwards", 0)
    }

    fn format(&self) -> Format {
        Format::Custom(&Backwards)
    }

    fn encode(&self, message: &Message, out: &mut BytesMut) -> Result<(), EncodeError> {
        let values = Value::from(list::to_values(message)?);
        out.extend_from_slice(&Backwards.encode(&values).unwrap());
        Ok(())
    }

    fn decode(&self, frame: &Bytes) -> Result<Message, DecodeError> {
        match Backwards.decode(frame).unwrap() {
            Value::List(values) => list::from_values(values, self.format()),
            other => panic!("no list: {other:?}"),
        }
    }
}

fn serializers() -> Vec<AnySerializer> {
    let mut serializers = AnySerializer::all();
    serializers.push(BackwardsSerializer.into());
    serializers
}

/// This value alone, encoded.
fn encoded(format: Format, value: &Value) -> Bytes {
    if let Format::Custom(format) = format {
        return format.encode(value).unwrap();
    }
    // A list of one, without what begins and ends it.
    let list = payload::encode(format, &[value], None::<&()>).unwrap();
    let end = list.len() - usize::from(format == Format::Json);
    list.tail().slice(1..end)
}

/// Arguments that are there though they may be empty, as a peer may send them.
fn arguments(format: Format, args: &List, kwargs: Option<&Dict>) -> Payload {
    let mut tail = encoded(format, &args.clone().into()).to_vec();
    let args_end = tail.len();
    if kwargs.is_some() && format == Format::Json {
        tail.push(b',');
    }
    let kwargs_start = tail.len();
    if let Some(kwargs) = kwargs {
        tail.extend_from_slice(&encoded(format, &kwargs.clone().into()));
    }
    Payload::encoded(format, tail.into(), args_end, kwargs_start)
}

#[test]
fn empty_arguments_reach_every_other_format() {
    let cases: [(List, Option<Dict>); 4] = [
        (vec![], None),
        (vec![], Some(Dict::new())),
        (vec![1.into()], Some(Dict::new())),
        (vec![], Some([("a", 1)].into())),
    ];
    for (from, (args, kwargs)) in FORMATS
        .iter()
        .flat_map(|from| cases.iter().map(move |case| (*from, case)))
    {
        let payload = arguments(from, args, kwargs.as_ref());
        assert!(!payload.is_absent());
        let message = Message::from(ResultMessage {
            request: RequestId::MIN,
            details: ResultDetails::new(),
            payload,
        });
        for serializer in serializers() {
            let what = format!("{args:?}, {kwargs:?} from {from:?} to {serializer:?}");
            let mut frame = BytesMut::new();
            serializer.encode(&message, &mut frame).unwrap();
            let decoded = serializer.decode(&frame.freeze()).expect(&what);
            let payload = decoded.payload().unwrap();
            assert_eq!(payload.parse_args::<List>().unwrap(), *args, "{what}");
            let expected = kwargs.clone().unwrap_or_default();
            assert_eq!(payload.parse_kwargs::<Dict>().unwrap(), expected, "{what}");
        }
    }
}

#[test]
fn no_arguments_are_the_unit() {
    for format in FORMATS {
        let nothing = [
            Payload::default(),
            arguments(format, &vec![], None),
            arguments(format, &vec![], Some(&Dict::new())),
        ];
        for payload in nothing {
            assert!(payload.parse_args::<()>().is_ok(), "{payload:?}");
            assert!(payload.parse_kwargs::<()>().is_ok(), "{payload:?}");
        }
        let something = arguments(
            format,
            &vec![Value::Null],
            Some(&[("a", Value::Null)].into()),
        );
        let error = something.parse_args::<()>().unwrap_err();
        assert!(matches!(error, DecodeError::Args { .. }), "{error:?}");
        let error = something.parse_kwargs::<()>().unwrap_err();
        assert!(matches!(error, DecodeError::Kwargs { .. }), "{error:?}");
        // What wants more than nothing is still told what is missing.
        let empty = arguments(format, &vec![], None);
        let error = empty.parse_args::<(u8,)>().unwrap_err();
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains("length 0"), "{source}");
    }
}
