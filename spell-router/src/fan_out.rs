//! What the receivers of one publication share.

use std::sync::{Arc, Mutex};

use bytes::{Bytes, BytesMut};
use spell_message::{Format, Message, Payload, Serialization, Uri, message::Event};
use spell_serializer::{AnySerializer, payload::transcode};

use crate::{carrier::Undeliverable, outbound::lock, outgoing::details_size};

/// The payload of a publication in the formats of its receivers, transcoded once for each.
///
/// Whoever needs a format waits for who transcodes to it, so that it is done once. For a payload
/// that takes long, it was done before anyone could wait.
#[derive(Debug, Default)]
pub(crate) struct FanOut {
    transcoded: Mutex<Vec<(Format, Option<Payload>)>>,
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
}

/// An EVENT for all who get the very same one, encoded once for each serialization.
#[derive(Debug)]
pub(crate) struct SharedEvent {
    event: Event,
    /// The topic that the details are to name. It becomes part of them only when they are encoded.
    topic: Option<Uri>,
    /// What it shares with the EVENTs of the same publication to other subscriptions.
    fan_out: Arc<FanOut>,
    frames: Mutex<Vec<(Serialization, Bytes)>>,
    /// About how much memory it takes beside itself.
    size: usize,
}

impl SharedEvent {
    pub(crate) fn new(event: Event, topic: Option<Uri>, fan_out: Arc<FanOut>) -> Self {
        let named = topic.as_ref().map_or(0, |topic| topic.len());
        let details = details_size(event.details.as_dict());
        let size = event.payload.len().saturating_add(named);
        Self {
            size: size.saturating_add(details),
            event,
            topic,
            fan_out,
            frames: Mutex::default(),
        }
    }

    /// The frame for a connection with this serializer. The buffer is empty before and after.
    pub(crate) fn frame(
        self: &Arc<Self>,
        serializer: &AnySerializer,
        buffer: &mut BytesMut,
    ) -> Result<Bytes, Undeliverable> {
        let serialization = serializer.serialization();
        let known = lock(&self.frames)
            .iter()
            .find_map(|(known, frame)| (*known == serialization).then(|| frame.clone()));
        if let Some(frame) = known {
            return Ok(frame);
        }
        let mut message = self.message();
        let format = serializer.format();
        if let Some(payload) = message.payload_mut()
            && payload.format().is_some_and(|found| found != format)
        {
            let transcoded = self.fan_out.transcode(payload, format);
            *payload = transcoded.ok_or(Undeliverable::NotExpressible)?;
        }
        if serializer.encode(&message, buffer).is_err() {
            buffer.clear();
            return Err(Undeliverable::NotExpressible);
        }
        let frame = buffer.split().freeze();
        // Unless there is nobody else to get it.
        if Arc::strong_count(self) > 1 {
            lock(&self.frames).push((serialization, frame.clone()));
        }
        Ok(frame)
    }

    /// The message, with the topic in it.
    pub(crate) fn message(&self) -> Message {
        let mut event = self.event.clone();
        if let Some(topic) = &self.topic {
            event.details.set_topic(topic);
        }
        event.into()
    }

    /// About how much memory it takes beside itself.
    pub(crate) fn size(&self) -> usize {
        self.size
    }
}

#[cfg(test)]
mod tests {
    use spell_message::{PublicationId, SubscriptionId, options::EventDetails};
    use spell_serializer::{Json, MsgPack};

    use super::*;

    fn event(topic: Option<Uri>) -> Arc<SharedEvent> {
        let event = Event {
            subscription: SubscriptionId::MIN,
            publication: PublicationId::MIN,
            details: EventDetails::new(),
            payload: Payload::default(),
        };
        Arc::new(SharedEvent::new(event, topic, Arc::default()))
    }

    fn frame(event: &Arc<SharedEvent>, serializer: impl Into<AnySerializer>) -> Bytes {
        let mut buffer = BytesMut::new();
        let frame = event.frame(&serializer.into(), &mut buffer);
        assert!(buffer.is_empty());
        frame.unwrap()
    }

    #[test]
    fn a_frame_is_encoded_once_for_each_serialization() {
        let event = event(None);
        let _other = Arc::clone(&event);
        let first = frame(&event, Json::new());
        assert_eq!(first, "[36,1,1,{}]");
        assert_eq!(frame(&event, Json::new()).as_ptr(), first.as_ptr());
        assert_ne!(frame(&event, MsgPack::new()), first);
    }

    #[test]
    fn a_frame_for_one_alone_is_not_kept() {
        let event = event(None);
        frame(&event, Json::new());
        assert!(lock(&event.frames).is_empty());
    }

    #[test]
    fn the_topic_is_part_of_the_frame() {
        let event = event(Some(Uri::new("com.t").unwrap()));
        assert_eq!(frame(&event, Json::new()), r#"[36,1,1,{"topic":"com.t"}]"#);
    }

    #[test]
    fn what_clients_choose_counts_while_it_waits() {
        let mut details = EventDetails::new();
        details.set_publisher_authid("a".repeat(1000));
        let event = Event {
            subscription: SubscriptionId::MIN,
            publication: PublicationId::MIN,
            details,
            payload: Payload::encoded(Format::Json, Bytes::from(vec![b' '; 100]), 100, 100),
        };
        let topic = Uri::new("t".repeat(500)).unwrap();
        let event = SharedEvent::new(event, Some(topic), Arc::default());
        assert!(event.size() >= 1000 + 100 + 500);
    }
}
