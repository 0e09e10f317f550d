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

use std::error::Error;

use bytes::{Bytes, BytesMut};
use spell_message::{Message, Value};
use spell_serializer::{AnySerializer, Cbor, Json, MsgPack, payload};
use spell_tests::notice;

use samples::{Check, Encoded, Sample};

/// A sample whose attributes have the details in another order than its bytes, which means nothing but decides how a
/// message made of them is encoded. So only the decoded message can be encoded to those bytes.
const OTHER_ORDER: &str = "EVENT with both forward_for and E2EE (advanced R-Link + encryption)";

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
            let verdict = judge_options(message, refused_for.as_deref(), &serializer);
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
    let decoded = match serializer.decode(&variant.bytes) {
        Ok(message) => message,
        Err(error) => return Verdict::Wrong(format!("is refused: {}", chain(&error))),
    };
    let expected = attributes::message(attributes, serializer.format());
    if decoded != expected {
        return Verdict::Wrong(format!("is decoded to {decoded:?} instead of {expected:?}"));
    }
    let expected = (sample.description != OTHER_ORDER).then_some((expected, "the message"));
    for (message, what) in expected
        .into_iter()
        .chain([(decoded, "the decoded message")])
    {
        let encoded = encode(serializer, &message);
        if !variants.iter().any(|variant| variant.bytes == encoded) {
            return Verdict::Wrong(format!("{what} is encoded as {}", encoded.escape_ascii()));
        }
    }
    Verdict::Right
}

fn judge_options(
    message: &Value,
    refused_for: Option<&str>,
    serializer: &AnySerializer,
) -> Verdict {
    // A message is a list, and so is what arguments are encoded to.
    let frame = payload::encode(serializer.format(), message, None::<&()>).unwrap();
    let decoded = serializer.decode(&Bytes::copy_from_slice(frame.args()));
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

/// What came out for one vector.
enum Verdict {
    Right,
    Wrong(String),
}

/// What came out for all of them.
#[derive(Default)]
struct Tally {
    right: usize,
    wrong: Vec<String>,
}

impl Tally {
    fn add(&mut self, sample: &Sample, serializer: &AnySerializer, verdict: Verdict) {
        match verdict {
            Verdict::Right => self.right += 1,
            Verdict::Wrong(problem) => self.wrong.push(format!(
                "{} in {} {problem}",
                sample.description,
                name(serializer)
            )),
        }
    }

    fn report(self, what: &str, expected: usize) {
        let all = self.right + self.wrong.len();
        notice(&format!("{all} of {expected} {what}: {} pass", self.right));
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
