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
    pub(super) fn to_share(self) -> Self {
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
