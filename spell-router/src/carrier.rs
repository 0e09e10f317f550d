//! What the connection of a session can carry.

use bytes::BytesMut;
use spell_message::{Format, Message, Payload, reason};
use spell_serializer::{AnySerializer, payload::transcode};

/// Why a connection cannot carry a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Undeliverable {
    /// It is larger than the other side takes.
    TooLarge,
    /// Its payload cannot be expressed in the other side's format.
    NotExpressible,
}

impl Undeliverable {
    /// The error for whoever waits for the message to have an effect.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::TooLarge => reason::PAYLOAD_SIZE_EXCEEDED,
            Self::NotExpressible => reason::INVALID_ARGUMENT,
        }
    }

    pub(crate) fn explanation(self) -> &'static str {
        match self {
            Self::TooLarge => "the message is larger than its receiver takes",
            Self::NotExpressible => "the receiver's serialization cannot express the arguments",
        }
    }
}

/// What a connection can carry: what its serializer can express, up to the size that the other side
/// takes.
///
/// Asked before an invocation gets its id: an id that is given but never sent would be a gap in
/// the callee's sequence. WAMP spec, "IDs".
#[derive(Clone, Debug)]
pub(crate) struct Line {
    serializer: AnySerializer,
    max_send: Option<usize>,
}

impl Line {
    pub(crate) fn new(serializer: AnySerializer, max_send: Option<usize>) -> Self {
        Self {
            serializer,
            max_send,
        }
    }

    pub(crate) fn format(&self) -> Format {
        self.serializer.format()
    }

    /// Whether an invocation with this payload, and these texts in its details, is surely carried
    /// as it is. It takes no time to tell; where the answer is no, [`prepare`](Self::prepare) tells
    /// more.
    pub(crate) fn surely_carries(
        &self,
        payload: &Payload,
        texts: impl IntoIterator<Item: AsRef<str>>,
    ) -> bool {
        let ready = payload.format().is_none_or(|found| found == self.format());
        let mut length = 0_usize;
        // Control characters may be written longer than they are, or mean something else: in JSON,
        // what begins with U+0000 is a binary.
        let plain = texts.into_iter().all(|text| {
            length = length.saturating_add(text.as_ref().len());
            length <= LONGEST_PLAIN && !text.as_ref().bytes().any(|byte| byte.is_ascii_control())
        });
        ready && plain && self.takes(payload.len().saturating_add(LARGEST_HEADER))
    }

    /// Brings the payload into the format of the connection, and gives the size of the message
    /// there, in bytes. It takes as long as the message is large.
    pub(crate) fn prepare(&self, message: &mut Message) -> Result<usize, Undeliverable> {
        if let Some(payload) = message.payload_mut() {
            let transcoded = transcode(payload, self.format());
            *payload = transcoded.map_err(|_| Undeliverable::NotExpressible)?;
        }
        let mut frame = BytesMut::new();
        match self.serializer.encode(message, &mut frame) {
            Err(_) => Err(Undeliverable::NotExpressible),
            Ok(()) if !self.takes(frame.len()) => Err(Undeliverable::TooLarge),
            Ok(()) => Ok(frame.len()),
        }
    }

    /// Whether the other side takes a message of this size.
    pub(crate) fn takes(&self, size: usize) -> bool {
        self.max_send.is_none_or(|limit| size <= limit)
    }
}

/// More than all of an INVOCATION but its arguments takes, if its texts are plain.
const LARGEST_HEADER: usize = 4_096;

/// How long the texts of a plain invocation are together at most, in bytes. Escaped, they are at
/// most twice as long.
const LONGEST_PLAIN: usize = 1_536;
