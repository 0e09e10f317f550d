//! What holds for all messages and all bytes, whatever the serializer.
#![cfg(all(feature = "json", feature = "msgpack", feature = "cbor"))]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[expect(unreachable_pub, reason = "other crates include the module, too")]
mod strategies;

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;
use spell_message::{Format, Message, Payload, Value, message::Kind};
use spell_serializer::{AnySerializer, PayloadExt, list, payload};

const FORMATS: [Format; 3] = [Format::Json, Format::MsgPack, Format::Cbor];

fn serializers() -> impl Strategy<Value = AnySerializer> {
    prop::sample::select(AnySerializer::all())
}

fn message_and_serializer() -> impl Strategy<Value = (AnySerializer, Message)> {
    serializers().prop_flat_map(|serializer| {
        let format = serializer.format();
        (Just(serializer), strategies::message(format))
    })
}

fn encode(serializer: &AnySerializer, message: &Message) -> Bytes {
    let mut out = BytesMut::new();
    serializer.encode(message, &mut out).unwrap();
    out.freeze()
}

/// What the arguments mean, which no format changes.
fn meaning(payload: &Payload) -> (Value, Value) {
    (
        payload.parse_args().unwrap(),
        payload.parse_kwargs().unwrap(),
    )
}

/// Reads a message and all that is in it; only that nothing panics matters.
fn read_all(serializer: &AnySerializer, frame: &Bytes) -> Option<Message> {
    match serializer.decode(frame) {
        Ok(message) => {
            if let Some(payload) = message.payload() {
                let _ = payload.parse_args::<Value>();
                let _ = payload.parse_kwargs::<Value>();
                let _ = payload.parse_args::<(u64, String, Vec<f64>)>();
                for format in FORMATS {
                    let _ = payload::transcode(payload, format);
                }
            }
            let _ = list::to_values(&message);
            let mut out = BytesMut::new();
            serializer.encode(&message, &mut out).unwrap();
            Some(message)
        }
        Err(error) => {
            // Whatever the peer sent, the error is fit for one line of a log.
            assert!(!error.to_string().contains('\n'));
            None
        }
    }
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded_to_the_same((serializer, message) in message_and_serializer()) {
        let frame = encode(&serializer, &message);
        let decoded = serializer.decode(&frame).unwrap();
        prop_assert_eq!(&decoded, &message);
        // And again to the same bytes, for a message that only passes through.
        prop_assert_eq!(encode(&serializer, &decoded), frame);
    }

    #[test]
    fn the_payload_shares_the_frame((serializer, message) in message_and_serializer()) {
        let frame = encode(&serializer, &message);
        let decoded = serializer.decode(&frame).unwrap();
        if let Some(payload) = decoded.payload().filter(|payload| !payload.is_absent()) {
            prop_assert!(frame.as_ptr_range().contains(&payload.tail().as_ptr()));
        }
    }

    #[test]
    fn messages_survive_as_lists_of_values((serializer, message) in message_and_serializer()) {
        let values = list::to_values(&message).unwrap();
        prop_assert_eq!(list::from_values(values, serializer.format()).unwrap(), message);
    }

    #[test]
    fn every_prefix_is_an_error((serializer, message) in message_and_serializer()) {
        let frame = encode(&serializer, &message);
        for end in 0..frame.len() {
            prop_assert!(serializer.decode(&frame.slice(..end)).is_err(), "{}", end);
        }
    }

    #[test]
    fn one_byte_more_is_an_error(
        (serializer, message) in message_and_serializer(),
        byte in any::<u8>(),
    ) {
        let mut frame = BytesMut::from(encode(&serializer, &message));
        frame.extend_from_slice(&[byte]);
        let is_space = serializer.format() == Format::Json && b" \t\r\n".contains(&byte);
        prop_assert_eq!(serializer.decode(&frame.freeze()).is_ok(), is_space);
    }

    #[test]
    fn any_turned_bit_is_handled(
        (serializer, message) in message_and_serializer(),
        places in prop::collection::vec((any::<prop::sample::Index>(), 0..8_u8), 1..20),
    ) {
        let frame = encode(&serializer, &message);
        for (place, bit) in places {
            let mut turned = BytesMut::from(&frame[..]);
            turned[place.index(frame.len())] ^= 1 << bit;
            read_all(&serializer, &turned.freeze());
        }
    }

    #[test]
    fn any_bytes_are_handled(
        serializer in serializers(),
        bytes in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        read_all(&serializer, &bytes.into());
    }

    #[test]
    fn any_bytes_in_the_form_of_a_message_are_handled(
        serializer in serializers(),
        kind in prop::sample::select(&Kind::ALL[..]),
        elements in prop::collection::vec(strategies::value(), 0..8),
    ) {
        let list: Vec<Value> = [Value::from(kind.code())].into_iter().chain(elements).collect();
        let tail = payload::encode(serializer.format(), &list, None::<&()>).unwrap();
        let direct = serializer.decode(tail.tail()).map_err(|error| error.to_string());
        let by_values = list::from_values(list, serializer.format()).map_err(|error| error.to_string());
        prop_assert_eq!(direct, by_values);
    }

    #[test]
    fn values_mean_the_same_in_every_format(args in strategies::list(), kwargs in strategies::dict()) {
        for format in FORMATS {
            let payload = payload::encode(format, &args, Some(&kwargs)).unwrap();
            let expected = (Value::from(args.clone()), Value::from(kwargs.clone()));
            prop_assert_eq!(meaning(&payload), expected);
        }
    }

    #[test]
    fn transcoding_commutes(
        from in prop::sample::select(&FORMATS[..]),
        payload in prop::sample::select(&FORMATS[..]).prop_flat_map(strategies::payload),
    ) {
        let start = payload::transcode(&payload, from).unwrap();
        for by in FORMATS {
            for to in FORMATS {
                let detour = payload::transcode(&payload::transcode(&start, by).unwrap(), to).unwrap();
                prop_assert_eq!(&detour, &payload::transcode(&start, to).unwrap());
            }
        }
    }

    #[test]
    fn a_payload_in_another_format_is_carried_over(
        serializer in serializers(),
        message in prop::sample::select(&FORMATS[..]).prop_flat_map(strategies::message),
    ) {
        let decoded = serializer.decode(&encode(&serializer, &message)).unwrap();
        if let (Some(before), Some(after)) = (message.payload(), decoded.payload()) {
            prop_assert_eq!(meaning(before), meaning(after));
        }
    }

    #[test]
    fn arguments_survive_packing_in_every_format(
        args in strategies::list(), kwargs in strategies::dict(),
    ) {
        for session in FORMATS {
            let payload = payload::encode(session, &args, Some(&kwargs)).unwrap();
            for format in FORMATS {
                let packed = payload::pack(&payload, format).unwrap();
                let unpacked = payload::unpack(&packed, format).unwrap();
                prop_assert_eq!(meaning(&unpacked), meaning(&payload));
            }
        }
    }

    #[test]
    fn any_bytes_are_unpacked_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        for format in FORMATS {
            if let Ok(payload) = payload::unpack(&Bytes::copy_from_slice(&bytes), format) {
                let _ = payload.parse_args::<Value>();
                let _ = payload.parse_kwargs::<Value>();
            }
        }
    }
}
