//! The files of the test suite.

use std::{collections::BTreeMap, fs, path::PathBuf};

use bytes::Bytes;
use serde::Deserialize;
use spell_message::{Dict, Value};
use spell_tests::notice;

/// One sample: what to do, and what must come out.
pub(crate) struct Sample {
    pub(crate) description: String,
    pub(crate) check: Check,
}

pub(crate) enum Check {
    /// By name of the serializer: byte sequences that all mean the message with these attributes.
    Bytes {
        serializers: BTreeMap<String, Vec<Encoded>>,
        attributes: Dict,
    },
    /// A message that must be accepted, or refused with a text that has this word.
    Options {
        message: Value,
        refused_for: Option<String>,
    },
}

pub(crate) struct Encoded {
    pub(crate) bytes: Bytes,
}

/// All samples, or `None` where no folder is named.
pub(crate) fn read() -> Option<Vec<Sample>> {
    let Some(folder) = std::env::var_os("WAMP_VECTORS") else {
        notice(
            "SKIPPED the official test vectors: WAMP_VECTORS names no folder with `singlemessage`",
        );
        return None;
    };
    let folder = PathBuf::from(folder).join("singlemessage");
    let mut samples = Vec::new();
    for profile in ["basic", "advanced"] {
        let folder = folder.join(profile);
        for entry in
            fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        {
            let path = entry.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            let file: File = serde_json::from_str(&text)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            samples.extend(file.samples.into_iter().map(Sample::from));
        }
    }
    Some(samples)
}

/// A file as it is written.
#[derive(Deserialize)]
struct File {
    samples: Vec<RawSample>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawSample {
    Bytes {
        description: String,
        serializers: BTreeMap<String, Vec<RawBytes>>,
        expected_attributes: Dict,
    },
    Options {
        description: String,
        wmsg: Value,
        expected_error: Option<ExpectedError>,
    },
}

/// The text, where a serialization has one, stands in `bytes` too; both say the same.
#[derive(Deserialize)]
struct RawBytes {
    bytes_hex: String,
}

#[derive(Deserialize)]
struct ExpectedError {
    contains: String,
}

impl From<RawSample> for Sample {
    fn from(raw: RawSample) -> Self {
        match raw {
            RawSample::Bytes {
                description,
                serializers,
                expected_attributes,
            } => {
                let encoded = |bytes: Vec<RawBytes>| bytes.iter().map(Encoded::from).collect();
                let serializers = serializers
                    .into_iter()
                    .map(|(name, bytes)| (name, encoded(bytes)))
                    .collect();
                Self {
                    description,
                    check: Check::Bytes {
                        serializers,
                        attributes: expected_attributes,
                    },
                }
            }
            RawSample::Options {
                description,
                wmsg,
                expected_error,
            } => {
                let refused_for = expected_error.map(|error| error.contains);
                Self {
                    description,
                    check: Check::Options {
                        message: wmsg,
                        refused_for,
                    },
                }
            }
        }
    }
}

impl From<&RawBytes> for Encoded {
    fn from(raw: &RawBytes) -> Self {
        Self {
            bytes: bytes(&raw.bytes_hex),
        }
    }
}

/// The bytes with these hexadecimal digits.
pub(crate) fn bytes(digits: &str) -> Bytes {
    let pairs = digits
        .as_bytes()
        .chunks(2)
        .map(|pair| std::str::from_utf8(pair).unwrap());
    pairs
        .map(|pair| u8::from_str_radix(pair, 16).unwrap())
        .collect()
}
