//! Every message with every element missing, of every wrong type, out of range, and with one too
//! many: generated out of the table of messages, for each serializer.
#![cfg(all(feature = "json", feature = "msgpack", feature = "cbor"))]
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

use std::error::Error;

use bytes::Bytes;
use spell_message::{
    Dict, List, Message, RequestId, Value,
    message::{Kind, RequestKind, Unregistered, Unsubscribed},
};
use spell_serializer::{
    AnySerializer, Cbor, DecodeError, Json, MsgPack, Serializer, list, payload,
};

/// What an element must be.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Type {
    Id,
    /// The code of a request.
    Code,
    Uri,
    Text,
    Dict,
}

use Type::{Code, Id, Text, Uri};

type Fields = &'static [(&'static str, Type)];

/// WAMP spec, "Messages": the elements after the code, before the arguments.
const MESSAGES: [(Kind, Fields); 25] = [
    (Kind::Hello, &[("Realm", Uri), ("Details", Type::Dict)]),
    (Kind::Welcome, &[("Session", Id), ("Details", Type::Dict)]),
    (Kind::Abort, &[("Details", Type::Dict), ("Reason", Uri)]),
    (
        Kind::Challenge,
        &[("AuthMethod", Text), ("Extra", Type::Dict)],
    ),
    (
        Kind::Authenticate,
        &[("Signature", Text), ("Extra", Type::Dict)],
    ),
    (Kind::Goodbye, &[("Details", Type::Dict), ("Reason", Uri)]),
    (
        Kind::Error,
        &[
            ("REQUEST.Type", Code),
            ("REQUEST.Request", Id),
            ("Details", Type::Dict),
            ("Error", Uri),
        ],
    ),
    (
        Kind::Publish,
        &[("Request", Id), ("Options", Type::Dict), ("Topic", Uri)],
    ),
    (
        Kind::Published,
        &[("PUBLISH.Request", Id), ("Publication", Id)],
    ),
    (
        Kind::Subscribe,
        &[("Request", Id), ("Options", Type::Dict), ("Topic", Uri)],
    ),
    (
        Kind::Subscribed,
        &[("SUBSCRIBE.Request", Id), ("Subscription", Id)],
    ),
    (
        Kind::Unsubscribe,
        &[("Request", Id), ("SUBSCRIBED.Subscription", Id)],
    ),
    (Kind::Unsubscribed, &[("UNSUBSCRIBE.Request", Id)]),
    (
        Kind::Event,
        &[
            ("SUBSCRIBED.Subscription", Id),
            ("PUBLISHED.Publication", Id),
            ("Details", Type::Dict),
        ],
    ),
    (
        Kind::Call,
        &[("Request", Id), ("Options", Type::Dict), ("Procedure", Uri)],
    ),
    (
        Kind::Cancel,
        &[("CALL.Request", Id), ("Options", Type::Dict)],
    ),
    (
        Kind::Result,
        &[("CALL.Request", Id), ("Details", Type::Dict)],
    ),
    (
        Kind::Register,
        &[("Request", Id), ("Options", Type::Dict), ("Procedure", Uri)],
    ),
    (
        Kind::Registered,
        &[("REGISTER.Request", Id), ("Registration", Id)],
    ),
    (
        Kind::Unregister,
        &[("Request", Id), ("REGISTERED.Registration", Id)],
    ),
    (Kind::Unregistered, &[("UNREGISTER.Request", Id)]),
    (
        Kind::Invocation,
        &[
            ("Request", Id),
            ("REGISTERED.Registration", Id),
            ("Details", Type::Dict),
        ],
    ),
    (
        Kind::Interrupt,
        &[("INVOCATION.Request", Id), ("Options", Type::Dict)],
    ),
    (
        Kind::Yield,
        &[("INVOCATION.Request", Id), ("Options", Type::Dict)],
    ),
    (Kind::EventReceived, &[("EVENT.Publication", Id)]),
];

const LARGEST_ID: u64 = 1 << 53;

impl Type {
    fn valid(self) -> Vec<Value> {
        match self {
            Self::Id => vec![1.into(), 255.into(), 70_000.into(), LARGEST_ID.into()],
            Self::Code => [16, 32, 34, 48, 64, 66, 68].map(Value::from).to_vec(),
            Self::Uri => vec![
                "com.example".into(),
                "a".into(),
                "com.Grüße.!\u{1F600}".into(),
            ],
            Self::Text => vec!["".into(), "text \" \\ \n".into()],
            Self::Dict => vec![Dict::new().into(), Dict::from([("_own", 1)]).into()],
        }
    }

    /// Values of the right type that are out of range.
    fn out_of_range(self) -> Vec<Value> {
        match self {
            Self::Id => vec![0.into(), (LARGEST_ID + 1).into(), u64::MAX.into()],
            Self::Code => [0, 8, 17, 49, 65, 337].map(Value::from).to_vec(),
            Self::Uri => [
                "",
                "com..example",
                ".com",
                "com.",
                "com.a b",
                "com.a#b",
                "com.\n",
            ]
            .map(Value::from)
            .to_vec(),
            Self::Text | Self::Dict => vec![],
        }
    }

    fn wrong(self) -> Vec<Value> {
        let all = [
            Value::Null,
            true.into(),
            7.into(),
            (-7).into(),
            1.0.into(),
            1.5.into(),
            "com.example".into(),
            Value::bytes(vec![1, 2]),
            Value::List(vec![]),
            Dict::new().into(),
        ];
        let right = match self {
            Self::Id | Self::Code => Value::is_unsigned,
            Self::Uri | Self::Text => Value::is_text,
            Self::Dict => Value::is_dict,
        };
        all.into_iter().filter(|value| !right(value)).collect()
    }
}

trait Is {
    fn is_unsigned(&self) -> bool;
    fn is_text(&self) -> bool;
    fn is_dict(&self) -> bool;
}

impl Is for Value {
    fn is_unsigned(&self) -> bool {
        self.as_u64().is_some()
    }

    fn is_text(&self) -> bool {
        self.as_str().is_some()
    }

    fn is_dict(&self) -> bool {
        self.as_dict().is_some()
    }
}

fn has_payload(kind: Kind) -> bool {
    kind.lengths().count() == 3
}

fn valid(kind: Kind, fields: Fields) -> List {
    let fields = fields.iter().map(|(_, field)| field.valid()[0].clone());
    [Value::from(kind.code())]
        .into_iter()
        .chain(fields)
        .collect()
}

/// The frame that a peer would send which puts these elements into a message.
fn frame(serializer: &AnySerializer, elements: &List) -> Bytes {
    let payload = payload::encode(serializer.format(), elements, None::<&()>).unwrap();
    payload.tail().clone()
}

/// Decodes the elements by every serializer, and as they are: all must agree.
fn decode(elements: &List) -> Result<Message, DecodeError> {
    let mut results = AnySerializer::all().into_iter().map(|serializer| {
        serializer
            .decode(&frame(&serializer, elements))
            .map_err(|error| error.to_string())
    });
    let by_values = list::from_values(elements.clone(), spell_message::Format::MsgPack);
    for result in results.by_ref() {
        match (&by_values, result) {
            (Ok(one), Ok(two)) => {
                let values = (
                    list::to_values(one).unwrap(),
                    list::to_values(&two).unwrap(),
                );
                assert_eq!(values.0, values.1);
            }
            (Err(one), Err(two)) => assert_eq!(one.to_string(), two),
            (one, two) => panic!("{elements:?}: {one:?}, {two:?}"),
        }
    }
    by_values
}

fn text_of(error: &dyn Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", text_of(source)),
        None => error.to_string(),
    }
}

#[test]
fn the_table_has_every_message() {
    let mut kinds = MESSAGES.map(|(kind, _)| kind);
    kinds.sort();
    let mut all = Kind::ALL;
    all.sort();
    assert_eq!(kinds, all);
    for (kind, fields) in MESSAGES {
        assert_eq!(*kind.lengths().start(), fields.len() + 1, "{kind}");
    }
}

#[test]
fn every_valid_element_is_accepted() {
    for (kind, fields) in MESSAGES {
        for (place, (_, field)) in fields.iter().enumerate() {
            for value in field.valid() {
                let mut elements = valid(kind, fields);
                elements[place + 1] = value;
                let message = decode(&elements).unwrap();
                assert_eq!(message.kind(), Some(kind));
                assert_eq!(list::to_values(&message).unwrap(), elements);
            }
        }
    }
}

#[test]
fn every_wrong_length_is_an_error_that_names_message_and_length() {
    for (kind, fields) in MESSAGES {
        let mut elements = valid(kind, fields);
        elements.extend([Value::List(vec![1.into()]), Dict::from([("a", 1)]).into()]);
        elements.extend([1, 2].map(Value::from));
        for length in 1..=elements.len() {
            let elements = elements[..length].to_vec();
            if kind.lengths().contains(&length) {
                continue;
            }
            let error = decode(&elements).unwrap_err();
            assert!(matches!(error, DecodeError::Length { .. }), "{error:?}");
            let text = error.to_string();
            assert!(text.starts_with(kind.name()), "{text}");
            assert!(text.ends_with(&format!("not {length}")), "{text}");
        }
    }
}

#[test]
fn every_legal_length_is_accepted() {
    for (kind, fields) in MESSAGES.into_iter().filter(|(kind, _)| has_payload(*kind)) {
        let mut elements = valid(kind, fields);
        for argument in [Value::List(vec![1.into()]), Dict::from([("a", 1)]).into()] {
            elements.push(argument);
            let message = decode(&elements).unwrap();
            assert_eq!(list::to_values(&message).unwrap(), elements);
        }
    }
}

#[test]
fn every_wrong_type_is_an_error_that_names_the_element() {
    for (kind, fields) in MESSAGES {
        for (place, (name, field)) in fields.iter().enumerate() {
            for value in field.wrong() {
                let mut elements = valid(kind, fields);
                elements[place + 1] = value.clone();
                let error = decode(&elements).unwrap_err();
                let text = text_of(&error);
                assert!(
                    text.starts_with(&format!("{kind}.{name} must be ")),
                    "{text}"
                );
                assert!(matches!(error, DecodeError::Field { .. }), "{error:?}");
                assert!(!error.is_invalid_uri());
                assert_eq!(error.reply(), None);
            }
        }
    }
}

#[test]
fn everything_out_of_range_is_an_error_that_names_the_element() {
    for (kind, fields) in MESSAGES {
        for (place, (name, field)) in fields.iter().enumerate() {
            for value in field.out_of_range() {
                let mut elements = valid(kind, fields);
                elements[place + 1] = value;
                let decoded = decode(&elements);
                if *name == "Reason" {
                    assert!(decoded.is_ok(), "the session is over all the same");
                    continue;
                }
                let error = decoded.unwrap_err();
                let text = text_of(&error);
                assert!(text.starts_with(&format!("{kind}.{name} ")), "{text}");
                assert_eq!(error.is_invalid_uri(), *field == Uri, "{text}");
                assert_eq!(
                    matches!(error, DecodeError::Id { .. }),
                    *field == Id,
                    "{text}"
                );
            }
        }
    }
}

#[test]
fn arguments_must_be_a_list_and_a_dictionary() {
    let wrong_args = [
        true.into(),
        1.into(),
        "text".into(),
        Value::bytes(vec![0]),
        Dict::new().into(),
    ];
    let wrong_kwargs = [
        true.into(),
        1.into(),
        "text".into(),
        Value::bytes(vec![0]),
        List::new().into(),
    ];
    for (kind, fields) in MESSAGES.into_iter().filter(|(kind, _)| has_payload(*kind)) {
        for args in &wrong_args {
            let mut elements = valid(kind, fields);
            elements.push(args.clone());
            let text = decode(&elements).unwrap_err().to_string();
            assert!(
                text.starts_with(&format!("{kind}.Arguments must be a list")),
                "{text}"
            );
        }
        for kwargs in &wrong_kwargs {
            let mut elements = valid(kind, fields);
            elements.extend([List::new().into(), kwargs.clone()]);
            let text = decode(&elements).unwrap_err().to_string();
            assert!(
                text.starts_with(&format!("{kind}.ArgumentsKw must be a dict")),
                "{text}"
            );
        }
    }
}

#[test]
fn null_in_the_place_of_arguments_counts_as_none() {
    let (list, dict) = (
        Value::List(vec![1.into()]),
        Value::from(Dict::from([("a", 1)])),
    );
    let empty = Value::List(vec![]);
    for (kind, fields) in MESSAGES.into_iter().filter(|(kind, _)| has_payload(*kind)) {
        let normalised = |arguments: &[&Value]| -> List {
            let mut elements = valid(kind, fields);
            elements.extend(arguments.iter().copied().cloned());
            let message = decode(&elements).unwrap();
            list::to_values(&message).unwrap()[fields.len() + 1..].to_vec()
        };
        assert_eq!(normalised(&[&Value::Null]), []);
        assert_eq!(normalised(&[&Value::Null, &Value::Null]), []);
        assert_eq!(
            normalised(&[&list, &Value::Null]),
            std::slice::from_ref(&list)
        );
        assert_eq!(
            normalised(&[&Value::Null, &dict]),
            [empty.clone(), dict.clone()]
        );
    }
}

#[test]
fn wrong_known_options_are_errors_and_unknown_ones_never() {
    for (kind, key, place) in [
        (Kind::Publish, "acknowledge", 2),
        (Kind::Subscribe, "match", 2),
        (Kind::Event, "publisher", 3),
        (Kind::Call, "timeout", 2),
        (Kind::Cancel, "mode", 2),
        (Kind::Register, "invoke", 2),
        (Kind::Hello, "roles", 2),
    ] {
        let fields = MESSAGES.iter().find(|(other, _)| *other == kind).unwrap().1;
        let mut elements = valid(kind, fields);
        elements[place] = Dict::from([(key, -1.5)]).into();
        let error = decode(&elements).unwrap_err();
        assert!(matches!(error, DecodeError::Option { .. }), "{error:?}");
        assert!(text_of(&error).contains(key), "{}", text_of(&error));
        elements[place] = Dict::from([(format!("_{key}"), -1.5)]).into();
        assert!(decode(&elements).is_ok());
    }
}

#[test]
fn revocations_have_request_0_and_details() {
    let details = || Value::from(Dict::from([("reason", "wamp.error.gone")]));
    for code in [35, 67] {
        let message = decode(&vec![code.into(), 0.into(), details()]).unwrap();
        let is_revocation = matches!(
            message,
            Message::Unsubscribed(Unsubscribed::Revocation { .. })
                | Message::Unregistered(Unregistered::Revocation { .. })
        );
        assert!(is_revocation, "{message:?}");
        assert!(decode(&vec![code.into(), 1.into(), details()]).is_err());
        assert!(decode(&vec![code.into(), 0.into()]).is_err());
        assert!(decode(&vec![code.into(), 0.into(), 1.into()]).is_err());
        assert!(decode(&vec![code.into(), "0".into(), details()]).is_err());
    }
}

#[test]
fn what_begins_no_message_is_an_error() {
    let empty: [(AnySerializer, &[u8]); 4] = [
        (Json::new().into(), b"[]"),
        (MsgPack::new().into(), b"\x90"),
        (Cbor::new().into(), b"\x80"),
        (Cbor::new().into(), b"\x9f\xff"),
    ];
    for (serializer, frame) in empty {
        let error = serializer.decode(&Bytes::from_static(frame)).unwrap_err();
        assert!(matches!(error, DecodeError::Empty), "{error:?}");
    }
    for code in [
        Value::Null,
        "1".into(),
        (-1).into(),
        1.0.into(),
        Value::bytes(vec![1]),
        List::new().into(),
    ] {
        assert!(matches!(
            decode(&vec![code, 1.into()]),
            Err(DecodeError::Code { .. })
        ));
    }
}

#[test]
fn unknown_codes_are_messages_with_all_their_elements() {
    for code in [0, 7, 256, 1023, u64::MAX] {
        for length in [0, 1, 9] {
            let fields: List = (0..length).map(Value::from).collect();
            let elements: List = [Value::from(code)]
                .into_iter()
                .chain(fields.clone())
                .collect();
            let Message::Unknown(message) = decode(&elements).unwrap() else {
                panic!("{code} is known");
            };
            assert_eq!((message.code, message.fields), (code, fields));
        }
    }
}

/// WAMP spec, "URIs": ERROR `wamp.error.invalid_uri` answers a request whose URI is malformed.
#[test]
fn requests_with_a_malformed_uri_can_be_answered() {
    let acknowledged = || Value::from(Dict::from([("acknowledge", true)]));
    let none = || Value::from(Dict::new());
    let request = RequestId::new(9).unwrap();
    for (code, options, reply) in [
        (32, none(), Some(RequestKind::Subscribe)),
        (48, none(), Some(RequestKind::Call)),
        (64, none(), Some(RequestKind::Register)),
        (16, acknowledged(), Some(RequestKind::Publish)),
        (16, none(), None),
        (16, Dict::from([("acknowledge", false)]).into(), None),
    ] {
        let error =
            decode(&vec![code.into(), 9.into(), options, "com..example".into()]).unwrap_err();
        assert!(error.is_invalid_uri());
        assert_eq!(error.request(), Some(request));
        assert_eq!(error.reply(), reply.map(|kind| (kind, request)));
    }
    for elements in [
        vec![1.into(), "a..b".into(), none()],
        vec![8.into(), 48.into(), 9.into(), none(), "a..b".into()],
    ] {
        let error = decode(&elements).unwrap_err();
        assert!(error.is_invalid_uri());
        assert_eq!(error.reply(), None);
    }
}

#[test]
fn a_failure_with_a_malformed_uri_names_the_request_that_failed() {
    let request = RequestId::new(9).unwrap();
    let error = |kind: u64, rest: &[Value]| {
        let mut elements = vec![8.into(), kind.into(), 9.into(), Dict::new().into()];
        elements.extend_from_slice(rest);
        decode(&elements).unwrap_err()
    };
    let bad = Value::from("Some Error!");
    for kind in [
        RequestKind::Call,
        RequestKind::Publish,
        RequestKind::Invocation,
    ] {
        for rest in [vec![bad.clone()], vec![bad.clone(), List::new().into()]] {
            let error = error(kind.code(), &rest);
            assert_eq!(error.failed(), Some((kind, request)));
            assert_eq!(error.reply(), None, "an ERROR is never answered");
        }
    }
    // Where more than the URI is wrong.
    for rest in [vec![1.into()], vec![bad.clone(), 1.into()]] {
        assert_eq!(error(48, &rest).failed(), None);
    }
    assert_eq!(error(50, std::slice::from_ref(&bad)).failed(), None);
    let call = [48.into(), 9.into(), Dict::new().into(), bad];
    assert_eq!(decode(&call.into()).unwrap_err().failed(), None);
}

#[test]
fn a_session_is_over_even_for_a_malformed_reason() {
    let told = || Value::from(Dict::from([("message", "bye"), ("x_more", "kept")]));
    for code in [3, 6] {
        for (details, message) in [
            (Dict::new().into(), "Some Reason!"),
            (told(), "Some Reason!: bye"),
        ] {
            let decoded = decode(&vec![code.into(), details, "Some Reason!".into()]).unwrap();
            let (reason, details) = match &decoded {
                Message::Abort(abort) => (&abort.reason, abort.details.as_dict()),
                Message::Goodbye(goodbye) => (&goodbye.reason, goodbye.details.as_dict()),
                other => panic!("{other:?}"),
            };
            assert_eq!(reason.as_str(), "wamp.error.invalid_uri");
            assert_eq!(details.get("message"), Some(&message.into()));
            let is_told = message.ends_with("bye");
            assert_eq!(details.get("x_more").is_some(), is_told);
        }
        let fine = decode(&vec![code.into(), told(), "some.reason".into()]).unwrap();
        assert_eq!(list::to_values(&fine).unwrap()[1], told());
    }
}

#[test]
fn a_malformed_uri_beside_another_fault_is_no_invalid_uri() {
    let bad = || Value::from("com..example");
    for elements in [
        vec![48.into(), 0.into(), Dict::new().into(), bad()],
        vec![48.into(), 9.into(), List::new().into(), bad()],
        vec![
            48.into(),
            9.into(),
            Dict::from([("timeout", "soon")]).into(),
            bad(),
        ],
        vec![48.into(), 9.into(), Dict::new().into(), bad(), 1.into()],
    ] {
        let error = decode(&elements).unwrap_err();
        assert!(!error.is_invalid_uri(), "{error:?}");
        assert_eq!(error.reply(), None);
    }
}

#[test]
fn the_uri_of_a_pattern_follows_its_policy() {
    for code in [32, 64] {
        let decode = |policy: &str, text: &str| {
            let options = Dict::from([("match", policy)]);
            decode(&vec![code.into(), 9.into(), options.into(), text.into()])
        };
        assert!(decode("wildcard", "com..example").is_ok());
        assert!(decode("prefix", "com.example.").is_ok());
        assert!(
            decode("exact", "com..example")
                .unwrap_err()
                .is_invalid_uri()
        );
        assert!(
            decode("prefix", "com..example")
                .unwrap_err()
                .is_invalid_uri()
        );
    }
}

#[test]
fn keys_that_come_twice_and_keys_that_are_no_text_are_errors() {
    let frames: [(AnySerializer, &[u8]); 6] = [
        (Json::new().into(), br#"[48,1,{"a":1,"a":2},"b"]"#),
        (
            MsgPack::new().into(),
            b"\x94\x30\x01\x82\xa1a\x01\xa1a\x02\xa1b",
        ),
        (
            Cbor::new().into(),
            b"\x84\x18\x30\x01\xa2\x61a\x01\x61a\x02\x61b",
        ),
        (MsgPack::new().into(), b"\x94\x30\x01\x81\x01\x01\xa1b"),
        (Cbor::new().into(), b"\x84\x18\x30\x01\xa1\x01\x01\x61b"),
        (Cbor::new().into(), b"\x84\x18\x30\x01\xa1\x41a\x01\x61b"),
    ];
    for (serializer, frame) in frames {
        let error = serializer.decode(&Bytes::from_static(frame)).unwrap_err();
        assert!(
            matches!(error, DecodeError::Dict { .. }),
            "{serializer:?}: {error:?}"
        );
        assert_eq!(error.to_string(), "CALL.Options cannot be read");
        assert_eq!(error.request(), RequestId::new(1).ok());
    }
}

#[test]
fn what_is_wrong_with_the_frame_comes_before_what_is_wrong_with_an_element() {
    // In each, the request is no id and the procedure no URI.
    for (text, expected) in [
        (r#"[48,0,{},"a b",[1"#, "the message is not valid JSON"),
        (r#"[48,0,{},"a b",[1]]x"#, "1 bytes follow the message"),
        ("[48,0,{}]", "CALL must have 4 to 6 elements, not 3"),
        (
            r#"[48,0,{},"a b",[1],{},1,2]"#,
            "CALL must have 4 to 6 elements, not 8",
        ),
        (r#"[48,0,{},"a b",1]"#, "CALL.Arguments must be a list"),
        (r#"[48,0,{},"a b",[1],{}]"#, "CALL.Request is not valid"),
    ] {
        let frame = Bytes::from_static(text.as_bytes());
        let error = Json::new().decode(&frame).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{text}: {error}");
    }
}
