//! What the connection of a session can carry.

use std::fmt;

use bytes::BytesMut;
use spell_message::{Message, Payload, reason};
use spell_serializer::{AnySerializer, payload::transcode};

/// What the connection of a session can carry.
///
/// Asked before an invocation gets its id: an id that is given but never sent would be a gap in
/// the callee's sequence. WAMP spec, "IDs".
pub(crate) trait Carrier: fmt::Debug + Send {
    /// Brings the payload into the format of the connection and looks whether the message fits.
    fn prepare(&self, message: &mut Message) -> Result<(), Undeliverable>;
}

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
#[derive(Debug)]
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
}

impl Carrier for Line {
    fn prepare(&self, message: &mut Message) -> Result<(), Undeliverable> {
        if let Some(payload) = message.payload_mut() {
            let transcoded = transcode(payload, self.serializer.format());
            *payload = transcoded.map_err(|_| Undeliverable::NotExpressible)?;
        }
        let payload = message.payload().map_or(0, Payload::len);
        let Some(limit) = self.max_send else {
            return Ok(());
        };
        if payload.saturating_add(LARGEST_HEADER) <= limit {
            return Ok(());
        }
        let mut frame = BytesMut::new();
        match self.serializer.encode(message, &mut frame) {
            Err(_) => Err(Undeliverable::NotExpressible),
            Ok(()) if frame.len() > limit => Err(Undeliverable::TooLarge),
            Ok(()) => Ok(()),
        }
    }
}

/// More than all of an INVOCATION but its arguments takes, unless its procedure is very long.
const LARGEST_HEADER: usize = 4_096;
