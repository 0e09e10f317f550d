//! Bytes in JSON, as strings: U+0000, then Base64. And what else JSON cannot hold.
//!
//! WAMP spec, "Binary conversion of JSON Strings".

use data_encoding::BASE64;
use serde::ser::{Error, Serializer};

use crate::guard::{ReadRules, WriteRules};

/// What begins a string that stands for bytes.
const MARK: u8 = 0;

/// The same as it stands in JSON, where a control character must be escaped.
pub(super) const ESCAPED_MARK: &[u8] = b"\\u0000";

/// What is not left to the JSON library.
#[derive(Debug)]
pub(super) enum JsonRules {}

impl WriteRules for JsonRules {
    fn text<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
        if text.as_bytes().first() == Some(&MARK) {
            return Err(S::Error::custom(
                "a text that begins with U+0000 stands for bytes in JSON",
            ));
        }
        serializer.serialize_str(text)
    }

    fn bytes<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = String::with_capacity(BASE64.encode_len(bytes.len()).saturating_add(1));
        text.push(char::from(MARK));
        BASE64.encode_append(bytes, &mut text);
        serializer.serialize_str(&text)
    }

    fn check_float<E: Error>(float: f64) -> Result<(), E> {
        if float.is_finite() {
            Ok(())
        } else {
            Err(E::custom(format_args!("{float} has no form in JSON")))
        }
    }
}

impl ReadRules for JsonRules {
    fn bytes_in_text<E: serde::de::Error>(text: &[u8]) -> Result<Option<Vec<u8>>, E> {
        let [MARK, base64 @ ..] = text else {
            return Ok(None);
        };
        BASE64.decode(base64).map(Some).map_err(|error| {
            E::custom(format_args!(
                "a text that begins with U+0000 must go on as Base64: {error}"
            ))
        })
    }
}
