//! What is special about JSON.
#![cfg(feature = "json")]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::error::Error;

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;
use serde::de::IgnoredAny;
use spell_message::{Dict, Format, Message, Payload, Value};
use spell_serializer::{DecodeError, Json, PayloadExt, Serializer, payload};

fn decode(text: &str) -> Result<Message, DecodeError> {
    Json::new().decode(&Bytes::copy_from_slice(text.as_bytes()))
}

fn encode(message: &Message) -> String {
    let mut out = BytesMut::new();
    Json::new().encode(message, &mut out).unwrap();
    String::from_utf8(out.into()).unwrap()
}

fn source_of(error: &dyn Error) -> String {
    error.source().map(ToString::to_string).unwrap_or_default()
}

fn args(text: &str) -> Payload {
    let message = decode(&format!("[50,1,{{}},{text}]")).unwrap();
    message.payload().unwrap().clone()
}

/// Every message as a peer would write it that uses the shortest form.
const MESSAGES: [&str; 38] = [
    r#"[1,"com.example",{"roles":{"caller":{}}}]"#,
    r#"[2,9007199254740992,{"roles":{"broker":{},"dealer":{}}}]"#,
    r#"[3,{},"wamp.error.no_such_realm"]"#,
    r#"[3,{"message":"no"},"wamp.error.no_such_realm",["a"],{"b":1}]"#,
    r#"[4,"wampcra",{"challenge":"{\"nonce\":\"/\"}"}]"#,
    r#"[5,"gir1mSx+deCDUV7wRM5SGIn/+R/ClqLZuH4m7FJeBVI=",{}]"#,
    r#"[6,{},"wamp.close.close_realm"]"#,
    r#"[8,48,7814135,{},"com.example.error"]"#,
    r#"[8,68,7814135,{},"com.example.error",["text"],{"code":5}]"#,
    r#"[16,1,{},"com.example"]"#,
    r#"[16,1,{"acknowledge":true,"exclude":[1,2]},"com.example",["Hello",-1,null,true]]"#,
    r#"[16,1,{},"com.example",[],{"color":"orange","sizes":[23,42,7]}]"#,
    "[17,239714735,4429313566]",
    r#"[32,713845233,{},"com.example"]"#,
    r#"[32,713845233,{"match":"prefix"},"com.example."]"#,
    "[33,713845233,5512315355]",
    "[34,85346237,5512315355]",
    "[35,85346237]",
    r#"[35,0,{"subscription":5512315355,"reason":"wamp.error.gone"}]"#,
    "[36,5512315355,4429313566,{}]",
    r#"[36,5512315355,4429313566,{"publisher":1},["a"],{"b":2}]"#,
    r#"[48,7814135,{},"com.example.ping"]"#,
    r#"[48,7814135,{"timeout":1000},"com.example.add2",[2,3]]"#,
    r#"[49,7814135,{"mode":"killnowait"}]"#,
    "[50,7814135,{}]",
    r#"[50,7814135,{"progress":true},[30],{"karma":10}]"#,
    r#"[64,25349185,{"match":"wildcard","invoke":"roundrobin"},"com..example"]"#,
    "[65,25349185,2103333224]",
    "[66,788923562,2103333224]",
    "[67,788923562]",
    r#"[67,0,{"registration":2103333224}]"#,
    "[68,6131533,9823526,{}]",
    r#"[68,6131533,9823526,{"caller":3335656,"_own":{"z":1,"a":2}},["a"]]"#,
    r#"[69,6131533,{"mode":"kill"}]"#,
    "[70,6131533,{}]",
    r#"[70,6131533,{"progress":true},["text"]]"#,
    "[337,4429313566]",
    r#"[1000,null,1.5,"\u0000AAE="]"#,
];

#[test]
fn messages_are_read_and_written_in_the_shortest_form() {
    for text in MESSAGES {
        assert_eq!(encode(&decode(text).unwrap()), text);
    }
}

#[test]
fn space_is_legal_around_everything_and_not_sent() {
    for text in MESSAGES {
        let spaced =
            serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(text).unwrap());
        let spaced = format!(" \r\n\t{} \n", spaced.unwrap());
        let mut message = decode(&spaced).unwrap();
        if let Some(payload) = message.payload_mut().filter(|payload| !payload.is_absent()) {
            let args: Value = payload.parse_args().unwrap();
            let kwargs: Value = payload.parse_kwargs().unwrap();
            *payload = payload::encode(Format::Json, &args, Some(&kwargs)).unwrap();
        }
        let sorted = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(sorted(&encode(&message)), sorted(text));
        assert!(!encode(&message).contains('\n'));
    }
}

#[test]
fn arguments_pass_through_as_they_are() {
    let text = r#"[50,1,{},[ 1.0,1e2 , "\u0041\/" ] , {"b" :1,"b":2, "a":"\ud800"}]"#;
    let message = decode(text).unwrap();
    let payload = message.payload().unwrap();
    assert_eq!(payload.args(), br#"[ 1.0,1e2 , "\u0041\/" ]"#);
    assert_eq!(payload.kwargs(), br#"{"b" :1,"b":2, "a":"\ud800"}"#);
    assert_eq!(encode(&message), text);
}

/// WAMP spec, "Binary conversion of JSON Strings".
#[test]
fn bytes_are_strings_of_nul_and_base64() {
    let bytes =
        Bytes::from_static(b"\x10\xe3\xff\x90\x53\x07\x5c\x52\x6f\x5f\xc0\x6d\x4f\xe3\x7c\xdb");
    let payload = payload::encode(Format::Json, &[&bytes], None::<&()>).unwrap();
    assert_eq!(payload.tail(), r#"["\u0000EOP/kFMHXFJvX8BtT+N82w=="]"#);
    assert_eq!(
        payload.parse_args::<[Bytes; 1]>().unwrap(),
        std::slice::from_ref(&bytes)
    );
    assert_eq!(payload.parse_args::<Value>().unwrap(), Value::from([bytes]));
}

#[test]
fn options_can_hold_bytes_at_any_depth() {
    let text = r#"[4,"x",{"a":{"b":["\u0000AAE="]}}]"#;
    let Message::Challenge(message) = decode(text).unwrap() else {
        panic!("not a CHALLENGE");
    };
    let inner = Value::from([Value::bytes(vec![0, 1])]);
    assert_eq!(
        message.extra,
        Dict::from([("a", Dict::from([("b", inner)]))])
    );
    assert_eq!(encode(&message.into()), text);
}

#[test]
fn bad_base64_is_an_error_when_it_is_read() {
    for text in [
        r#"["\u0000A"]"#,
        r#"["\u0000AA"]"#,
        r#"["\u0000A-_="]"#,
        r#"["\u0000AAE"]"#,
        r#"["\u0000AAE= "]"#,
    ] {
        let payload = args(text);
        for error in [
            payload.parse_args::<Value>().unwrap_err(),
            payload.parse_args::<[Bytes; 1]>().unwrap_err(),
            payload.parse_args::<[String; 1]>().unwrap_err(),
        ] {
            assert!(
                source_of(&error).contains("Base64"),
                "{}",
                source_of(&error)
            );
        }
    }
    assert_eq!(
        args(r#"["\u0000"]"#).parse_args::<[Bytes; 1]>().unwrap(),
        [Bytes::new()]
    );
}

#[test]
fn bytes_are_no_text_where_the_protocol_wants_one() {
    let error = decode(r#"[5,"\u0000AAE=",{}]"#).unwrap_err();
    assert_eq!(
        error.to_string(),
        "AUTHENTICATE.Signature must be a string, not bytes"
    );
}

#[test]
fn keys_are_text_even_when_they_begin_with_nul() {
    let dict = Dict::from([("\0AAE=", 1)]);
    let payload = payload::encode(Format::Json, &(), Some(&dict)).unwrap();
    assert_eq!(payload.kwargs(), br#"{"\u0000AAE=":1}"#);
    assert_eq!(payload.parse_kwargs::<Dict>().unwrap(), dict);
}

#[test]
fn what_json_cannot_hold_is_an_error_and_not_something_else() {
    let encode = |value: Value| payload::encode(Format::Json, &[vec![value]], None::<&()>);
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(encode(value.into()).is_err());
    }
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        assert!(payload::encode(Format::Json, &(value,), None::<&()>).is_err());
    }
    for text in ["\0", "\0text"] {
        assert!(encode(text.into()).is_err());
        assert!(payload::encode(Format::Json, &(text.chars().next(),), None::<&()>).is_err());
    }
    assert_eq!(encode("a\0".into()).unwrap().tail(), r#"[["a\u0000"]]"#);
}

#[test]
fn integers_of_64_bits_keep_their_value() {
    let payload = args("[18446744073709551615,-9223372036854775808,9007199254740993]");
    let expected = Value::from(vec![
        Value::from(u64::MAX),
        i64::MIN.into(),
        9_007_199_254_740_993_u64.into(),
    ]);
    assert_eq!(payload.parse_args::<Value>().unwrap(), expected);
    // Larger ones are there for types that can hold them.
    let payload = args("[18446744073709551616]");
    assert_eq!(payload.parse_args::<[u128; 1]>().unwrap(), [1 << 64]);
}

#[test]
fn ids_are_integers_in_their_only_form() {
    for id in [
        "1.0",
        "1e0",
        "1E3",
        "-1",
        "-0",
        "\"1\"",
        "null",
        "18446744073709551616",
    ] {
        let error = decode(&format!("[50,{id},{{}}]")).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("RESULT.CALL.Request must be an id"),
            "{error}"
        );
    }
    assert!(matches!(
        decode("[50.0,1,{}]"),
        Err(DecodeError::Code { found: "a float" })
    ));
}

#[test]
fn what_is_no_json_is_malformed() {
    for text in [
        "",
        " ",
        "[",
        "]",
        "[50",
        "[50,",
        "[50,]",
        "[,50]",
        "[50 1]",
        "[50,1,{}",
        "[50,1,{},",
        "{",
        "tru",
        "nul",
        "[50,1,{},[1,]]",
        "[50,1,{},[,1]]",
        "[50,1,{},[1 2]]",
        "[50,1,{},[1}]",
        "[50,1,{},{\"a\"}]",
        "[50,1,{},{\"a\":}]",
        "[50,1,{},{\"a\":1,}]",
        "[50,1,{},{a:1}]",
        "[50,1,{},{1:1}]",
        "[50,1,{},[01]]",
        "[50,1,{},[-]]",
        "[50,1,{},[1.]]",
        "[50,1,{},[.5]]",
        "[50,1,{},[1e]]",
        "[50,1,{},[1e+]]",
        "[50,1,{},[+1]]",
        "[50,1,{},[NaN]]",
        "[50,1,{},[Infinity]]",
        "[50,1,{},[truE]]",
        "[50,1,{},[\"\n\"]]",
        "[50,1,{},[\"\\x\"]]",
        "[50,1,{},[\"\\u12\"]]",
        "[50,1,{},[\"\\u12g4\"]]",
        "[50,1,{},[\"\\u+123\"]]",
        "[50,1,{},[\"]]",
        "[50,1,{},['a']]",
        "[50,1,{},[1]/**/]",
        "[50,1,{},\u{feff}[1]]",
        "[50,1,{},[\u{a0}1]]",
    ] {
        let error = decode(text).unwrap_err();
        assert!(
            matches!(error, DecodeError::Malformed { format: "JSON", .. }),
            "{text}: {error:?}"
        );
    }
    let not_utf8 = Json::new().decode(&Bytes::from_static(b"[50,1,{},[\"\xff\"]]"));
    assert!(matches!(not_utf8, Err(DecodeError::Malformed { .. })));
}

#[test]
fn an_error_says_where_it_is() {
    let error = decode("[50,1,{},[1 2]]").unwrap_err();
    assert_eq!(error.to_string(), "the message is not valid JSON");
    assert_eq!(source_of(&error), "a comma or ] is missing at byte 12");
}

#[test]
fn json_that_is_no_list_is_another_error() {
    for (text, expected) in [
        ("{}", "a dictionary"),
        ("null", "null"),
        ("1", "an integer"),
        ("\"[]\"", "a string"),
    ] {
        assert!(matches!(decode(text), Err(DecodeError::NotAList { found }) if found == expected));
    }
    for text in [
        "[50,1,{}]x",
        "[50,1,{}][50,1,{}]",
        "[50,1,{}],",
        "[50,1,{}]]",
    ] {
        assert!(
            matches!(decode(text), Err(DecodeError::TrailingBytes { .. })),
            "{text}"
        );
    }
}

#[test]
fn half_of_a_surrogate_pair_is_an_error_only_where_it_is_read() {
    let payload = args(r#"["\ud800", 1]"#);
    assert!(payload.parse_args::<(String, u8)>().is_err());
    assert_eq!(payload.parse_args::<(IgnoredAny, u8)>().unwrap().1, 1);
    let error = decode(r#"[48,1,{},"\udc00"]"#).unwrap_err();
    assert_eq!(
        error.to_string(),
        "CALL.Procedure must be a string, not a string that is not Unicode"
    );
    assert!(decode(r#"[48,1,{"_a":"\ud800"},"a"]"#).is_err());
    assert!(decode(r#"[48,1,{},"\ud83d\ude00"]"#).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    /// The scanner accepts what the library accepts, and nothing else.
    #[test]
    fn boundaries_are_those_of_the_library(
        text in "([\\[\\]{},:\"\\\\/ \tabefnrtuls0-9.+E\u{1}é-]|\\\\u[0-9a-fA-F]{4}|\"a\":|true|null|-?[0-9]\\.[0-9]e-?[0-9]){0,14}",
    ) {
        let by_library = serde_json::from_str::<IgnoredAny>(&text).is_ok();
        let frame = format!("[50,1,{{}},[{text}]]");
        let by_scanner = decode(&frame).is_ok();
        let is_list = serde_json::from_str::<Vec<IgnoredAny>>(&format!("[{text}]")).is_ok();
        prop_assert_eq!(by_scanner, is_list);
        prop_assert!(by_scanner || !by_library);
    }

    #[test]
    fn boundaries_of_damaged_json_are_those_of_the_library(
        // Not the last: its elements are read at once, whatever is wrong in them.
        text in prop::sample::select(&MESSAGES[..37]),
        at in any::<prop::sample::Index>(),
        length in 0..3_usize,
        insert in "[\\[\\]{},:\"\\\\0-9eE.-]{0,2}",
    ) {
        let at = at.index(text.len());
        let end = (at + length).min(text.len());
        let text = format!("{}{insert}{}", &text[..at], &text[end..]);
        let by_library = serde_json::from_str::<Vec<IgnoredAny>>(&text).is_ok();
        let by_scanner = match decode(&text) {
            Ok(_) => true,
            Err(DecodeError::Malformed { .. } | DecodeError::TrailingBytes { .. } | DecodeError::NotAList { .. }) => false,
            Err(_) => by_library,
        };
        prop_assert_eq!(by_scanner, by_library);
    }
}
