//! Input that is made to cost memory, stack or time.
#![cfg(all(feature = "json", feature = "msgpack", feature = "cbor"))]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use bytes::{Bytes, BytesMut};
use spell_message::{Format, Message, Value};
use spell_serializer::{
    AnySerializer, Cbor, DecodeError, Json, Limits, MsgPack, PayloadExt, payload,
};

const DEPTH: usize = Limits::DEPTH;

/// A message that is nested so many levels deep, in its arguments.
fn nested(format: Format, depth: usize) -> Bytes {
    // The message and its arguments are two levels.
    let inner = depth - 2;
    let mut frame: Vec<u8> = match format {
        Format::Json => b"[50,1,{},[".to_vec(),
        Format::MsgPack => b"\x94\x32\x01\x80\x91".to_vec(),
        _ => b"\x84\x18\x32\x01\xa0\x81".to_vec(),
    };
    let (open, value, close): (&[u8], &[u8], &[u8]) = match format {
        Format::Json => (b"[", b"0", b"]"),
        Format::MsgPack => (b"\x91", b"\0", b""),
        _ => (b"\x81", b"\0", b""),
    };
    frame.extend(open.repeat(inner));
    frame.extend(value);
    frame.extend(close.repeat(inner));
    if format == Format::Json {
        frame.extend(b"]]");
    }
    frame.into()
}

/// Runs on the smallest stack that a runtime gives its threads.
fn on_a_small_stack(test: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new()
        .stack_size(2 * 1024 * 1024)
        .spawn(test)
        .unwrap()
        .join()
        .unwrap();
}

#[test]
fn what_is_nested_as_deep_as_allowed_is_read() {
    on_a_small_stack(|| {
        for serializer in AnySerializer::all() {
            for depth in [DEPTH - 1, DEPTH] {
                let frame = nested(serializer.format(), depth);
                let message = serializer.decode(&frame).unwrap();
                let payload = message.payload().unwrap();
                let value: Value = payload.parse_args().unwrap();
                // And sent again, in every format.
                for other in AnySerializer::all() {
                    let same = payload::encode(other.format(), &value, None::<&()>).unwrap();
                    assert_eq!(same.parse_args::<Value>().unwrap(), value);
                    assert_eq!(payload::transcode(payload, other.format()).unwrap(), same);
                    let mut out = BytesMut::new();
                    other.encode(&message, &mut out).unwrap();
                    other.decode(&out.freeze()).unwrap();
                }
            }
        }
    });
}

#[test]
fn what_is_nested_deeper_is_refused() {
    on_a_small_stack(|| {
        for serializer in AnySerializer::all() {
            for depth in [DEPTH + 1, DEPTH + 2, 100_000, 1_000_000] {
                let frame = nested(serializer.format(), depth);
                let error = serializer.decode(&frame).unwrap_err();
                assert!(
                    matches!(error, DecodeError::TooDeep { limit: DEPTH }),
                    "{error:?}"
                );
            }
        }
    });
}

#[test]
fn a_value_that_is_nested_deeper_is_not_sent() {
    on_a_small_stack(|| {
        let nested = |depth| (2..depth).fold(Value::from(0), |value, _| vec![value].into());
        for serializer in AnySerializer::all() {
            let encode = |value| payload::encode(serializer.format(), &[value], None::<&()>);
            assert!(encode(nested(DEPTH)).is_ok(), "{serializer:?}");
            let error = encode(nested(DEPTH + 1)).unwrap_err();
            let source = std::error::Error::source(&error).unwrap().to_string();
            assert!(
                source.starts_with("nested deeper than 128 levels"),
                "{source}"
            );
        }
    });
}

#[test]
fn dictionaries_and_tags_count_like_lists() {
    on_a_small_stack(|| {
        let json = [b"[50,1,{},[".to_vec(), br#"{"a":"#.repeat(200)].concat();
        let msgpack = [b"\x94\x32\x01\x80\x91".to_vec(), b"\x81\xa1a".repeat(200)].concat();
        let cbor = [
            b"\x84\x18\x32\x01\xa0\x81".to_vec(),
            b"\xa1\x61a".repeat(200),
        ]
        .concat();
        let indefinite = [
            b"\x84\x18\x32\x01\xa0\x9f".to_vec(),
            b"\xbf\x61a".repeat(200),
        ]
        .concat();
        let cases: [(AnySerializer, Vec<u8>); 4] = [
            (Json::new().into(), json),
            (MsgPack::new().into(), msgpack),
            (Cbor::new().into(), cbor),
            (Cbor::new().into(), indefinite),
        ];
        for (serializer, frame) in cases {
            let error = serializer.decode(&frame.into()).unwrap_err();
            assert!(matches!(error, DecodeError::TooDeep { .. }), "{error:?}");
        }
        // A chain of tags is no level; it is bounded by the number of values.
        let tags = [
            b"\x84\x18\x32\x01\xa0\x81".to_vec(),
            vec![0xc1; 100_000],
            vec![0],
        ]
        .concat();
        let message = Cbor::new().decode_message(&tags.into()).unwrap();
        let args: Value = message.payload().unwrap().parse_args().unwrap();
        assert_eq!(args, Value::from([0]));
    });
}

trait DecodeMessage {
    fn decode_message(&self, frame: &Bytes) -> Result<Message, DecodeError>;
}

impl<S: spell_serializer::Serializer> DecodeMessage for S {
    fn decode_message(&self, frame: &Bytes) -> Result<Message, DecodeError> {
        self.decode(frame)
    }
}

#[test]
fn a_declared_length_is_not_believed() {
    let msgpack: [&[u8]; 12] = [
        b"\xdd\xff\xff\xff\xff",
        b"\xdd\xff\xff\xff\xff\x30",
        b"\xdc\xff\xff",
        b"\x94\x32\x01\x80\xdd\xff\xff\xff\xff",
        b"\x94\x32\x01\xdf\xff\xff\xff\xff",
        b"\x94\x32\x01\x80\x91\xdf\xff\xff\xff\xff",
        b"\x94\x32\x01\x80\x91\xdb\xff\xff\xff\xff",
        b"\x94\x32\x01\x80\x91\xc6\xff\xff\xff\xff",
        b"\x94\x32\x01\x80\x91\xc9\xff\xff\xff\xff",
        b"\x94\x05\xdb\xff\xff\xff\xff",
        b"\xdd\x7f\xff\xff\xff\xcd\x01\x00",
        b"\x92\xcd\x01\x00\xdd\x7f\xff\xff\xff",
    ];
    let cbor: [&[u8]; 12] = [
        b"\x9a\xff\xff\xff\xff",
        b"\x9b\x80\0\0\0\0\0\0\0",
        b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff\x18\x30",
        b"\x84\x18\x32\x01\xa0\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x84\x18\x32\x01\xbb\x80\0\0\0\0\0\0\0",
        b"\x84\x18\x32\x01\xa0\x81\xbb\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x84\x18\x32\x01\xa0\x81\x7b\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x84\x18\x32\x01\xa0\x81\x5b\x80\0\0\0\0\0\0\0",
        b"\x84\x18\x32\x01\xa0\x81\x5f\x5b\x80\0\0\0\0\0\0\0",
        b"\x84\x05\x7b\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x9b\x7f\xff\xff\xff\xff\xff\xff\xff\x19\x01\x00",
        b"\x82\x19\x01\x00\x9b\x7f\xff\xff\xff\xff\xff\xff\xff",
    ];
    let cases = msgpack.map(|frame| (AnySerializer::from(MsgPack::new()), frame));
    let cases = cases
        .into_iter()
        .chain(cbor.map(|frame| (Cbor::new().into(), frame)));
    for (serializer, frame) in cases {
        let frame = Bytes::from_static(frame);
        let error = serializer.decode(&frame).unwrap_err();
        assert!(
            matches!(error, DecodeError::Malformed { .. }),
            "{frame:x?}: {error:?}"
        );
    }
}

/// What a user's type makes of a payload that was not checked before.
#[test]
fn a_declared_length_is_not_believed_when_arguments_are_read() {
    let cases: [(Format, &[u8]); 4] = [
        (Format::MsgPack, b"\xdd\xff\xff\xff\xff\x01"),
        (Format::MsgPack, b"\x91\xc6\xff\xff\xff\xff\x01"),
        (Format::Cbor, b"\x9b\x7f\xff\xff\xff\xff\xff\xff\xff\x01"),
        (
            Format::Cbor,
            b"\x81\x5b\x7f\xff\xff\xff\xff\xff\xff\xff\x01",
        ),
    ];
    for (format, args) in cases {
        let args = Bytes::from_static(args);
        let end = args.len();
        let payload = spell_message::Payload::encoded(format, args, end, end);
        assert!(payload.parse_args::<Value>().is_err());
        assert!(payload.parse_args::<Vec<[u64; 32]>>().is_err());
    }
}

#[test]
fn a_frame_beyond_the_size_limit_is_refused_before_it_is_looked_at() {
    let limits = Limits::new().max_size(10);
    let serializers: [AnySerializer; 3] = [
        Json::new().limits(limits).into(),
        MsgPack::new().limits(limits).into(),
        Cbor::new().limits(limits).into(),
    ];
    for serializer in serializers {
        let at_the_limit = serializer.decode(&vec![0xc1; 10].into()).unwrap_err();
        assert!(!matches!(at_the_limit, DecodeError::TooLarge { .. }));
        let error = serializer.decode(&vec![0xc1; 11].into()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the message has 11 bytes, the limit is 10"
        );
    }
}

#[test]
fn more_values_than_the_limit_are_refused() {
    let frames: [&[u8]; 3] = [
        br#"[50,1,{"a":1},[1,2,3]]"#,
        b"\x94\x32\x01\x81\xa1a\x01\x93\x01\x02\x03",
        b"\x84\x18\x32\x01\xa1\x61a\x01\x9f\x01\x02\x03\xff",
    ];
    // The message, the code, the id, the dictionary with two, the list with three.
    for (values, is_enough) in [(9, false), (10, true), (11, true)] {
        let limits = Limits::new().max_elements(values);
        let serializers: [AnySerializer; 3] = [
            Json::new().limits(limits).into(),
            MsgPack::new().limits(limits).into(),
            Cbor::new().limits(limits).into(),
        ];
        for (serializer, frame) in serializers.iter().zip(frames) {
            match serializer.decode(&Bytes::from_static(frame)) {
                Ok(_) => assert!(is_enough, "{serializer:?}"),
                Err(DecodeError::TooManyElements { limit }) => {
                    assert!(!is_enough, "{serializer:?}");
                    assert_eq!(limit, values);
                }
                Err(error) => panic!("{error:?}"),
            }
        }
    }
}

/// A HELLO, an unknown message and a CALL that hold so many small dictionaries each: the first two
/// where they are read at once, the last in its arguments.
fn many_dictionaries(format: Format, count: usize) -> [Bytes; 3] {
    let (parts, dict): ([[&[u8]; 2]; 3], &[u8]) = match format {
        Format::Json => (
            [
                [br#"[1,"realm",{"x":["#, b"0]}]"],
                [b"[999,[", b"0]]"],
                [br#"[48,1,{},"a",["#, b"0]]"],
            ],
            br#"{"":null},"#,
        ),
        Format::MsgPack => (
            [
                [b"\x93\x01\xa5realm\x81\xa1x\xdd", b""],
                [b"\x92\xcd\x03\xe7\xdd", b""],
                [b"\x95\x30\x01\x80\xa1a\xdd", b""],
            ],
            b"\x81\xa0\xc0",
        ),
        _ => (
            [
                [b"\x83\x01\x65realm\xa1\x61x\x9a", b""],
                [b"\x82\x19\x03\xe7\x9a", b""],
                [b"\x85\x18\x30\x01\xa0\x61a\x9a", b""],
            ],
            b"\xa1\x60\xf6",
        ),
    };
    parts.map(|[begin, end]| {
        let mut frame = begin.to_vec();
        if format != Format::Json {
            frame.extend(u32::try_from(count).unwrap().to_be_bytes());
        }
        frame.extend(dict.repeat(count));
        frame.extend(end);
        frame.into()
    })
}

#[test]
fn more_values_before_the_arguments_than_the_limit_are_refused() {
    for serializer in AnySerializer::all() {
        let [hello, unknown, call] = many_dictionaries(serializer.format(), 300_000);
        for frame in [hello, unknown] {
            let error = serializer.decode(&frame).unwrap_err();
            assert_eq!(
                error.to_string(),
                "the message has more than 8192 values before its arguments",
                "{serializer:?}"
            );
        }
        let call = serializer.decode(&call).unwrap();
        assert!(call.payload().unwrap().len() > 900_000);
    }
}

#[test]
fn values_before_the_arguments_are_counted_exactly() {
    // The message, its code, an id, the dictionary with two: six. The arguments do not count.
    let frames: [&[u8]; 3] = [
        br#"[50,1,{"a":1},[1,2,3]]"#,
        b"\x94\x32\x01\x81\xa1a\x01\x93\x01\x02\x03",
        b"\x84\x18\x32\x01\xa1\x61a\x01\x9f\x01\x02\x03\xff",
    ];
    for (values, is_enough) in [(5, false), (6, true)] {
        let limits = Limits::new().max_envelope_elements(values);
        let serializers: [AnySerializer; 3] = [
            Json::new().limits(limits).into(),
            MsgPack::new().limits(limits).into(),
            Cbor::new().limits(limits).into(),
        ];
        for (serializer, frame) in serializers.iter().zip(frames) {
            match serializer.decode(&Bytes::from_static(frame)) {
                Ok(_) => assert!(is_enough, "{serializer:?}"),
                Err(DecodeError::EnvelopeTooLarge { limit }) => {
                    assert!(!is_enough, "{serializer:?}");
                    assert_eq!(limit, values);
                }
                Err(error) => panic!("{error:?}"),
            }
        }
    }
}

#[test]
fn the_details_of_a_revocation_are_counted_too() {
    let limits = Limits::new().max_envelope_elements(5);
    let frame = Bytes::from_static(br#"[35,0,{"a":1}]"#);
    let error = Json::new()
        .limits(limits)
        .decode_message(&frame)
        .unwrap_err();
    assert!(matches!(error, DecodeError::EnvelopeTooLarge { limit: 5 }));
}

#[test]
fn a_lower_depth_limit_holds_and_a_higher_one_does_not() {
    let json = |depth| Json::new().limits(Limits::new().max_depth(depth));
    assert!(json(3).decode_message(&nested(Format::Json, 3)).is_ok());
    let error = json(3)
        .decode_message(&nested(Format::Json, 4))
        .unwrap_err();
    assert!(matches!(error, DecodeError::TooDeep { limit: 3 }));
    assert_eq!(Limits::new().max_depth(1_000), Limits::new());
}

#[test]
fn an_error_on_the_way_leaves_the_buffer_as_it_was() {
    let message = |extra| {
        Message::from(spell_message::message::Challenge {
            method: "ticket".into(),
            extra,
        })
    };
    let deep = (0..200).fold(Value::from(0), |value, _| vec![value].into());
    let extra: spell_message::Dict = [("a", Value::from(1)), ("b", deep)].into();
    for serializer in AnySerializer::all() {
        let mut out = BytesMut::from(&b"before"[..]);
        serializer
            .encode(&message(extra.clone()), &mut out)
            .unwrap_err();
        assert_eq!(out, &b"before"[..]);
        serializer
            .encode(&message(spell_message::Dict::new()), &mut out)
            .unwrap();
        let frame = out.split_off(6).freeze();
        assert_eq!(
            serializer.decode(&frame).unwrap(),
            message(spell_message::Dict::new())
        );
    }
}

#[test]
fn errors_are_small() {
    assert!(size_of::<DecodeError>() <= 48);
    assert!(size_of::<spell_serializer::EncodeError>() <= 40);
}

#[test]
fn what_is_empty_is_as_deep_as_what_is_not() {
    for depth in 1..4 {
        let limits = Limits::new().max_depth(depth);
        for serializer in [
            AnySerializer::from(Json::new().limits(limits)),
            MsgPack::new().limits(limits).into(),
            Cbor::new().limits(limits).into(),
        ] {
            let format = serializer.format();
            // Empty options at the second level, an empty list or dictionary at the third.
            let frames: [&[u8]; 3] = match format {
                Format::Json => [b"[36,1,1,{}]", b"[36,1,1,{},[[]]]", b"[36,1,1,{},[{}]]"],
                Format::MsgPack => [
                    b"\x94\x24\x01\x01\x80",
                    b"\x95\x24\x01\x01\x80\x91\x90",
                    b"\x95\x24\x01\x01\x80\x91\x80",
                ],
                _ => [
                    b"\x84\x18\x24\x01\x01\xa0",
                    b"\x85\x18\x24\x01\x01\xa0\x81\x80",
                    b"\x85\x18\x24\x01\x01\xa0\x81\xa0",
                ],
            };
            for (frame, needed) in frames.into_iter().zip([2, 3, 3]) {
                let decoded = serializer.decode(&Bytes::from_static(frame));
                let is_too_deep = matches!(decoded, Err(DecodeError::TooDeep { .. }));
                assert_eq!(
                    is_too_deep,
                    depth < needed,
                    "{format:?} {depth}: {decoded:?}"
                );
                assert!(
                    is_too_deep || decoded.is_ok(),
                    "{format:?} {depth}: {decoded:?}"
                );
            }
        }
    }
}
