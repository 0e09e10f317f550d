use std::sync::Arc;

use serde::de::DeserializeOwned;
use spell_message::{Dict, Pattern, Payload, PublicationId, Value, message, options::EventDetails};
use spell_serializer::{DecodeError, PayloadExt};

/// Something that was published. Its arguments are decoded when they are asked for.
///
/// Cloning copies nothing.
///
/// WAMP spec, "EVENT".
#[derive(Clone, Debug)]
pub struct Event {
    message: Arc<message::Event>,
    pattern: Pattern,
    missed: u64,
}

impl Event {
    pub(super) fn new(message: Arc<message::Event>, pattern: Pattern) -> Self {
        Self {
            message,
            pattern,
            missed: 0,
        }
    }

    pub(super) fn after(self, missed: u64) -> Self {
        Self { missed, ..self }
    }

    /// The topic it was published to, as the broker tells it; if it does not, that of the
    /// subscription.
    pub fn topic(&self) -> &str {
        let told = self.message.details.topic();
        told.unwrap_or(self.pattern.as_str())
    }

    /// The id of the publication: the same in all events of one PUBLISH, so that those who
    /// subscribed to several patterns can tell which events are one.
    pub fn publication(&self) -> PublicationId {
        self.message.publication
    }

    /// What the broker tells beside: who published, how far it is trusted, and more.
    pub fn details(&self) -> &EventDetails {
        &self.message.details
    }

    /// The positional arguments, as a tuple, a list, or a struct read in order.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Args`] if they are not of this type.
    pub fn args<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        self.message.payload.parse_args()
    }

    /// The only positional argument.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Args`] if it is not of this type, or not the only one.
    pub fn value<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        self.args().map(|(value,)| value)
    }

    /// The keyword arguments, as a struct or a map.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Kwargs`] if they are not of this type.
    pub fn kwargs<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        self.message.payload.parse_kwargs()
    }

    /// The arguments, undecoded.
    pub fn payload(&self) -> &Payload {
        &self.message.payload
    }

    /// How many events of this subscription were lost between the one before and this one, because
    /// its queue was full.
    pub fn missed(&self) -> u64 {
        self.missed
    }
}

/// About how much memory an event takes while it waits, in bytes.
pub(super) fn weight(event: &message::Event) -> usize {
    let bytes = size_of::<message::Event>().saturating_add(event.payload.len());
    bytes.saturating_add(dict_weight(event.details.as_dict()))
}

fn dict_weight(dict: &Dict) -> usize {
    if dict.is_empty() {
        return 0;
    }
    let mut bytes: usize = 0;
    let mut add = |more: usize| bytes = bytes.saturating_add(more);
    // A stack of its own: details come from outside, and may be deep.
    let mut dicts = vec![dict];
    let mut values: Vec<&Value> = Vec::new();
    while let Some(dict) = dicts.pop() {
        for (key, value) in dict {
            add(size_of::<String>().saturating_add(key.len()));
            values.push(value);
        }
        while let Some(value) = values.pop() {
            add(size_of::<Value>());
            match value {
                Value::String(text) => add(text.len()),
                Value::Bytes(bytes) => add(bytes.len()),
                Value::List(list) => values.extend(list),
                Value::Dict(dict) => dicts.push(dict),
                _ => {}
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_count_as_well_as_arguments() {
        let mut event = message::Event {
            subscription: spell_message::SubscriptionId::MIN,
            publication: PublicationId::MIN,
            details: EventDetails::new(),
            payload: Payload::default(),
        };
        let bare = weight(&event);
        let inner = Dict::from([("text", Value::from("x".repeat(1000)))]);
        let list = vec![Value::from(inner), Value::bytes(vec![0_u8; 500])];
        event.details.set("x_more", list).unwrap();
        let heavy = weight(&event);
        assert!((1500..3000).contains(&(heavy - bare)), "{}", heavy - bare);
    }
}
