use std::{ops::Deref, sync::Arc};

use spell_message::message::Event;

/// The message of an event, which several local subscriptions may have.
#[derive(Clone, Debug)]
pub(super) enum Shared {
    /// Most often there is one, and nothing is allocated.
    Alone(Event),
    Many(Arc<Event>),
}

impl Shared {
    /// For so many subscriptions.
    pub(super) fn new(message: Event, subscriptions: usize) -> Self {
        match subscriptions {
            ..=1 => Self::Alone(message),
            _ => Self::Many(Arc::new(message)),
        }
    }

    /// So that a clone copies no details.
    pub(super) fn into_shared(self) -> Self {
        match self {
            Self::Alone(message) if !message.details.as_dict().is_empty() => {
                Self::Many(Arc::new(message))
            }
            shared => shared,
        }
    }
}

impl Deref for Shared {
    type Target = Event;

    fn deref(&self) -> &Event {
        match self {
            Self::Alone(message) => message,
            Self::Many(message) => message,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ptr;

    use spell_message::{Payload, PublicationId, SubscriptionId, options::EventDetails};

    use super::*;

    fn event(details: EventDetails) -> Event {
        Event {
            subscription: SubscriptionId::MIN,
            publication: PublicationId::MIN,
            details,
            payload: Payload::default(),
        }
    }

    #[test]
    fn a_message_is_allocated_only_if_several_have_it() {
        let alone = Shared::new(event(EventDetails::new()), 1);
        assert!(matches!(alone, Shared::Alone(_)));
        let many = Shared::new(event(EventDetails::new()), 2);
        let clone = many.clone();
        assert!(
            ptr::from_ref(&*many) == ptr::from_ref(&*clone),
            "they share it"
        );
    }

    #[test]
    fn a_clone_to_come_copies_no_details() {
        let plain = Shared::new(event(EventDetails::new()), 1).into_shared();
        assert!(matches!(plain, Shared::Alone(_)), "there are none");
        let mut details = EventDetails::new();
        details.set("x_more", 1).unwrap();
        let shared = Shared::new(event(details), 1).into_shared();
        let clone = shared.clone();
        assert!(ptr::from_ref(&*shared) == ptr::from_ref(&*clone));
    }
}
