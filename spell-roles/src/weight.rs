//! How much of a queue's room a message takes.

use spell_message::{
    Dict, Message, Payload, Value,
    message::{Unregistered, Unsubscribed},
};

/// About how much memory a message takes while it waits, in bytes.
pub(crate) fn weight(details: &Dict, payload: &Payload) -> usize {
    let bytes = size_of::<Message>().saturating_add(payload.len());
    bytes.saturating_add(dict_weight(details))
}

/// The same for a message of any kind that comes from a router.
pub(crate) fn message_weight(message: &Message) -> usize {
    let payload = message.payload().map_or(0, Payload::len);
    let details = match message {
        Message::Welcome(message) => dict_weight(message.details.as_dict()),
        Message::Abort(message) => dict_weight(message.details.as_dict()),
        Message::Challenge(message) => dict_weight(&message.extra),
        Message::Goodbye(message) => dict_weight(message.details.as_dict()),
        Message::Error(message) => dict_weight(message.details.as_dict()),
        Message::Event(message) => dict_weight(message.details.as_dict()),
        Message::Result(message) => dict_weight(message.details.as_dict()),
        Message::Invocation(message) => dict_weight(message.details.as_dict()),
        Message::Interrupt(message) => dict_weight(message.options.as_dict()),
        Message::Unsubscribed(Unsubscribed::Revocation { details }) => {
            dict_weight(details.as_dict())
        }
        Message::Unregistered(Unregistered::Revocation { details }) => {
            dict_weight(details.as_dict())
        }
        Message::Unknown(message) => values_weight(message.fields.iter().collect()),
        _ => 0,
    };
    let bytes = size_of::<Message>().saturating_add(payload);
    bytes.saturating_add(details)
}

fn dict_weight(dict: &Dict) -> usize {
    if dict.is_empty() {
        return 0;
    }
    let values = dict.values().collect();
    keys_weight(dict).saturating_add(values_weight(values))
}

/// What the values take, and all that is in them.
fn values_weight(mut values: Vec<&Value>) -> usize {
    let mut bytes: usize = 0;
    // A stack of its own: details come from outside, and may be deep.
    while let Some(value) = values.pop() {
        let inner = match value {
            Value::String(text) => text.len(),
            Value::Bytes(bytes) => bytes.len(),
            Value::List(list) => {
                values.extend(list);
                0
            }
            Value::Dict(dict) => {
                values.extend(dict.values());
                keys_weight(dict)
            }
            _ => 0,
        };
        bytes = bytes.saturating_add(size_of::<Value>());
        bytes = bytes.saturating_add(inner);
    }
    bytes
}

fn keys_weight(dict: &Dict) -> usize {
    let weights = dict
        .keys()
        .map(|key| size_of::<String>().saturating_add(key.len()));
    weights.fold(0, usize::saturating_add)
}

#[cfg(test)]
mod tests {
    use spell_message::{
        PublicationId, SubscriptionId,
        message::{Event, Unknown},
        options::EventDetails,
    };

    use super::*;

    #[test]
    fn details_count_as_well_as_arguments() {
        let mut event = Event {
            subscription: SubscriptionId::MIN,
            publication: PublicationId::MIN,
            details: EventDetails::new(),
            payload: Payload::default(),
        };
        let bare = weight(event.details.as_dict(), &event.payload);
        let inner = Dict::from([("text", Value::from("x".repeat(1000)))]);
        let list = vec![Value::from(inner), Value::bytes(vec![0_u8; 500])];
        event.details.set("x_more", list.clone()).unwrap();
        let heavy = weight(event.details.as_dict(), &event.payload);
        assert!((1500..3000).contains(&(heavy - bare)), "{}", heavy - bare);
        assert_eq!(message_weight(&event.into()), heavy);
        let unknown = Unknown {
            code: 300,
            fields: list,
        };
        let unknown = message_weight(&unknown.into()) - bare;
        assert!((1500..3000).contains(&unknown), "{unknown}");
    }
}
