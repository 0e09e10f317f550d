//! What the receivers of one publication share.

use std::sync::Mutex;

use bytes::Bytes;
use spell_message::{
    Format, Payload, Serialization, SubscriptionId, message::Event, options::EventDetails,
};
use spell_serializer::payload::transcode;

use crate::outbound::lock;

/// The payload of a publication in the formats of its receivers, transcoded once for each, and the
/// frames of its EVENTs, encoded once for all who get the same one.
///
/// Whoever needs a format waits for who transcodes to it, so that it is done once. For a payload
/// that takes long, it was done before anyone could wait.
#[derive(Debug, Default)]
pub(crate) struct FanOut {
    transcoded: Mutex<Vec<(Format, Option<Payload>)>>,
    frames: Mutex<Vec<Frame>>,
}

/// An EVENT that was encoded. All that it was made of is the same for all receivers, but for these.
#[derive(Debug)]
struct Frame {
    serialization: Serialization,
    subscription: SubscriptionId,
    details: EventDetails,
    bytes: Bytes,
}

impl FanOut {
    /// The payload in this format; `None` when it cannot be expressed there.
    pub(crate) fn transcode(&self, payload: &Payload, format: Format) -> Option<Payload> {
        let mut transcoded = lock(&self.transcoded);
        if let Some((_, known)) = transcoded.iter().find(|(known, _)| *known == format) {
            return known.clone();
        }
        let result = transcode(payload, format).ok();
        transcoded.push((format, result.clone()));
        result
    }

    /// The frame of an event, if one like it was encoded before.
    pub(crate) fn frame(&self, event: &Event, serialization: Serialization) -> Option<Bytes> {
        let frames = lock(&self.frames);
        let mut frames = frames.iter();
        let frame = frames.find(|frame| {
            frame.subscription == event.subscription
                && frame.serialization == serialization
                && frame.details == event.details
        });
        frame.map(|frame| frame.bytes.clone())
    }

    /// Keeps the frame of an event for those who get the same.
    pub(crate) fn keep(&self, event: &Event, serialization: Serialization, bytes: Bytes) {
        let mut frames = lock(&self.frames);
        // One publication may match any number of subscriptions, and each look-up goes over all.
        if frames.len() < MAX_FRAMES {
            frames.push(Frame {
                serialization,
                subscription: event.subscription,
                details: event.details.clone(),
                bytes,
            });
        }
    }
}

const MAX_FRAMES: usize = 8;

#[cfg(test)]
mod tests {
    use spell_message::PublicationId;

    use super::*;

    fn event(subscription: u64) -> Event {
        Event {
            subscription: SubscriptionId::new(subscription).unwrap(),
            publication: PublicationId::MIN,
            details: EventDetails::new(),
            payload: Payload::default(),
        }
    }

    #[test]
    fn a_frame_is_for_who_gets_the_very_same() {
        let fan_out = FanOut::default();
        let frame = Bytes::from_static(b"[36,1,1,{}]");
        let first = event(1);
        assert_eq!(fan_out.frame(&first, Serialization::JSON), None);
        fan_out.keep(&first, Serialization::JSON, frame.clone());
        assert_eq!(fan_out.frame(&first, Serialization::JSON), Some(frame));
        assert_eq!(fan_out.frame(&first, Serialization::CBOR), None);
        assert_eq!(fan_out.frame(&event(2), Serialization::JSON), None);
        let mut told = first;
        told.details.set_trustlevel(1);
        assert_eq!(fan_out.frame(&told, Serialization::JSON), None);
    }

    #[test]
    fn frames_do_not_pile_up() {
        let fan_out = FanOut::default();
        for subscription in 1..100 {
            fan_out.keep(&event(subscription), Serialization::JSON, Bytes::new());
        }
        assert_eq!(lock(&fan_out.frames).len(), MAX_FRAMES);
    }
}
