//! The official test vectors of `wamp-proto/wamp-proto: testsuite/singlemessage`.
//!
//! The environment variable `WAMP_VECTORS` names a folder that has a copy of `singlemessage`; without it the tests say
//! that they skipped. A message is built from the attributes that a sample lists, and
//!
//! * encoded, it must be one of the byte sequences of the sample;
//! * each of these must decode to it, and encoded again be one of them.
//!
//! The samples of the other kind are messages that must be accepted or refused for their options.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops where it is surprised"
)]

mod attributes;
mod samples;

use std::{collections::BTreeSet, error::Error};

use bytes::{Bytes, BytesMut};
use spell_message::{Message, Value};
use spell_serializer::{AnySerializer, Cbor, Json, MsgPack, payload};
use spell_tests::notice;

use samples::{Check, Encoded, Sample};

/// Samples that put bare bytes where the specification wants the list of arguments, for a payload that passes through
/// encrypted. The specification has other options for that (`ppt_scheme` and so on) and keeps the list.
///
/// They are skipped in so far as nothing here can decode them; that they are refused is tested.
const BARE_PAYLOADS: [&str; 10] = [
    "EVENT with transparent payload (encrypted E2E)",
    "EVENT with both forward_for and E2EE (advanced R-Link + encryption)",
    "PUBLISH with transparent payload (encrypted E2E)",
    "PUBLISH with both forward_for and E2EE (advanced R-Link + encryption)",
    "EVENT.Details.enc_algo cryptobox (valid with payload)",
    "EVENT.Details.enc_algo with invalid value",
    "EVENT.Details.enc_serializer cbor (valid with payload)",
    "PUBLISH.Options.enc_algo cryptobox (valid with payload)",
    "PUBLISH.Options.enc_algo with invalid value",
    "PUBLISH.Options.enc_serializer cbor (valid with payload)",
];

#[test]
fn messages_are_the_official_bytes_in_both_directions() {
    let Some(samples) = samples::read() else {
        return;
    };
    let mut tally = Tally::default();
    for sample in &samples {
        let Check::Bytes {
            serializers,
            attributes,
        } = &sample.check
        else {
            continue;
        };
        for serializer in serializers_of_the_specification() {
            let variants = &serializers[name(&serializer)];
            for variant in variants {
                tally.add(
                    sample,
                    &serializer,
                    judge_bytes(sample, attributes, &serializer, variant, variants),
                );
            }
        }
    }
    tally.report("byte vectors of JSON, MessagePack and CBOR", 129);
}

#[test]
fn options_are_accepted_and_refused_as_the_official_samples_say() {
    let Some(samples) = samples::read() else {
        return;
    };
    let mut tally = Tally::default();
    for sample in &samples {
        let Check::Options {
            message,
            refused_for,
        } = &sample.check
        else {
            continue;
        };
        for serializer in serializers_of_the_specification() {
            let verdict = judge_options(sample, message, refused_for.as_deref(), &serializer);
            tally.add(sample, &serializer, verdict);
        }
    }
    tally.report(
        "validation samples, each in JSON, MessagePack and CBOR",
        3 * 67,
    );
}

fn judge_bytes(
    sample: &Sample,
    attributes: &spell_message::Dict,
    serializer: &AnySerializer,
    variant: &Encoded,
    variants: &[Encoded],
) -> Verdict {
    let decoded = serializer.decode(&variant.bytes);
    if sample.has_bare_payload() {
        return Verdict::refused_or(&decoded, "is decoded now: take it off the list");
    }
    let decoded = match decoded {
        Ok(message) => message,
        Err(error) => return Verdict::Wrong(format!("is refused: {}", chain(&error))),
    };
    let expected = attributes::message(attributes, serializer.format());
    if decoded != expected {
        return Verdict::Wrong(format!("is decoded to {decoded:?} instead of {expected:?}"));
    }
    for (message, what) in [(expected, "the message"), (decoded, "the decoded message")] {
        let encoded = encode(serializer, &message);
        if !variants.iter().any(|variant| variant.bytes == encoded) {
            return Verdict::Wrong(format!("{what} is encoded as {}", encoded.escape_ascii()));
        }
    }
    Verdict::Right
}

fn judge_options(
    sample: &Sample,
    message: &Value,
    refused_for: Option<&str>,
    serializer: &AnySerializer,
) -> Verdict {
    // A message is a list, and so is what arguments are encoded to.
    let frame = payload::encode(serializer.format(), message, None::<&()>).unwrap();
    let decoded = serializer.decode(&Bytes::copy_from_slice(frame.args()));
    if sample.has_bare_payload() {
        return Verdict::refused_or(&decoded, "is accepted now: take it off the list");
    }
    match (decoded, refused_for) {
        (Ok(_), None) => Verdict::Right,
        (Ok(message), Some(_)) => Verdict::Wrong(format!("is accepted: {message:?}")),
        (Err(error), None) => Verdict::Wrong(format!("is refused: {}", chain(&error))),
        (Err(error), Some(word)) if error.reply().is_none() && chain(&error).contains(word) => {
            Verdict::Right
        }
        (Err(error), Some(word)) => {
            Verdict::Wrong(format!("is not refused for {word}: {}", chain(&error)))
        }
    }
}

fn encode(serializer: &AnySerializer, message: &Message) -> Bytes {
    let mut encoded = BytesMut::new();
    serializer.encode(message, &mut encoded).unwrap();
    encoded.freeze()
}

fn serializers_of_the_specification() -> [AnySerializer; 3] {
    [
        Json::new().into(),
        MsgPack::new().into(),
        Cbor::new().into(),
    ]
}

/// The name of the format, as the files have it.
fn name(serializer: &AnySerializer) -> &'static str {
    serializer
        .serialization()
        .subprotocol()
        .trim_start_matches("wamp.2.")
}

/// An error and all its causes.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

impl Sample {
    fn has_bare_payload(&self) -> bool {
        BARE_PAYLOADS.contains(&self.description.as_str())
    }
}

/// What came out for one vector.
enum Verdict {
    Right,
    Skipped,
    Wrong(String),
}

impl Verdict {
    /// A vector on the list of skips must be refused, or it is no longer one.
    fn refused_or(decoded: &Result<Message, impl Error>, otherwise: &str) -> Self {
        if decoded.is_err() {
            Self::Skipped
        } else {
            Self::Wrong(otherwise.to_owned())
        }
    }
}

/// What came out for all of them.
#[derive(Default)]
struct Tally {
    right: usize,
    skipped: usize,
    skipped_samples: BTreeSet<String>,
    wrong: Vec<String>,
}

impl Tally {
    fn add(&mut self, sample: &Sample, serializer: &AnySerializer, verdict: Verdict) {
        let name = format!("{} in {}", sample.description, name(serializer));
        match verdict {
            Verdict::Right => self.right += 1,
            Verdict::Skipped => {
                self.skipped += 1;
                self.skipped_samples.insert(sample.description.clone());
            }
            Verdict::Wrong(problem) => self.wrong.push(format!("{name} {problem}")),
        }
    }

    fn report(self, what: &str, expected: usize) {
        let all = self.right + self.skipped + self.wrong.len();
        let samples: Vec<_> = self.skipped_samples.into_iter().collect();
        notice(&format!(
            "{all} of {expected} {what}: {} pass, {} are skipped:\n    {}",
            self.right,
            self.skipped,
            samples.join("\n    "),
        ));
        assert!(
            self.wrong.is_empty(),
            "{} {what} fail:\n{}",
            self.wrong.len(),
            self.wrong.join("\n")
        );
        // More of them would be welcome; fewer mean that the folder is not complete.
        assert!(all >= expected, "{all} {what} instead of {expected}");
    }
}
