//! What is sent to a session.

use std::sync::Arc;

use spell_message::{
    Dict, Message, Payload, RequestId, SessionId, Uri, Value,
    message::{Invocation, RequestKind},
};

use crate::fan_out::SharedEvent;

/// A message on its way to a session, not yet encoded.
#[derive(Clone, Debug)]
pub(crate) enum Outgoing {
    /// For this session only. It is moved from hand to hand, hence the box.
    Own(Box<Own>),
    /// For all who get the same.
    Event(Arc<SharedEvent>),
}

/// A message for one session.
#[derive(Clone, Debug)]
pub(crate) struct Own {
    message: Message,
    /// The procedure that the details are to name. It becomes part of them only when they are
    /// encoded.
    procedure: Option<Uri>,
    size: usize,
}

impl<M: Into<Message>> From<M> for Outgoing {
    fn from(message: M) -> Self {
        Self::own(message.into(), None)
    }
}

impl Outgoing {
    pub(crate) fn invocation(invocation: Invocation, procedure: Option<Uri>) -> Self {
        Self::own(invocation.into(), procedure)
    }

    fn own(message: Message, procedure: Option<Uri>) -> Self {
        let size = size(&message, procedure.as_ref());
        Self::Own(Box::new(Own {
            message,
            procedure,
            size,
        }))
    }

    /// The message, with all that it is to name in it.
    pub(crate) fn into_message(self) -> Message {
        match self {
            Self::Own(own) => own.into_message(),
            Self::Event(event) => event.message(),
        }
    }

    /// Whether it is an answer to this call.
    pub(crate) fn answers(&self, call: RequestId) -> bool {
        match self.message() {
            Some(Message::Result(message)) => message.request == call,
            Some(Message::Error(message)) => {
                message.request_kind == RequestKind::Call && message.request == call
            }
            _ => false,
        }
    }

    pub(crate) fn is_goodbye(&self) -> bool {
        matches!(self.message(), Some(Message::Goodbye(_)))
    }

    fn message(&self) -> Option<&Message> {
        match self {
            Self::Own(own) => Some(&own.message),
            Self::Event(_) => None,
        }
    }

    /// About how much memory it takes while it waits. Most of it is the payload, which several
    /// sessions may share; each counts it whole. So does all else that clients choose.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Own(own) => own.size,
            Self::Event(event) => event.size().saturating_add(size_of::<Own>()),
        }
    }
}

impl Own {
    pub(crate) fn into_message(self) -> Message {
        let mut message = self.message;
        if let (Message::Invocation(invocation), Some(procedure)) = (&mut message, &self.procedure)
        {
            invocation.details.set_procedure(procedure);
        }
        message
    }
}

/// About how much memory the message of one session takes.
fn size(message: &Message, procedure: Option<&Uri>) -> usize {
    let details = match message {
        Message::Invocation(message) => details_size(message.details.as_dict()),
        Message::Result(message) => details_size(message.details.as_dict()),
        Message::Error(message) => {
            let details = details_size(message.details.as_dict());
            details.saturating_add(message.error.len())
        }
        _ => 0,
    };
    let payload = message.payload().map_or(0, Payload::len);
    payload
        .saturating_add(procedure.map_or(0, |procedure| procedure.len()))
        .saturating_add(details)
        .saturating_add(size_of::<Own>())
}

/// About how much memory these take. Decoding has bounded how deep they are.
pub(crate) fn details_size(details: &Dict) -> usize {
    let sizes = details.iter().map(|(key, value)| {
        let value = value_size(value).saturating_add(size_of::<Value>());
        value.saturating_add(key.len())
    });
    sizes.fold(0, usize::saturating_add)
}

/// About how much memory a value takes beside itself.
fn value_size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::List(list) => {
            let sizes = list.iter().map(|value| {
                let inner = value_size(value);
                inner.saturating_add(size_of::<Value>())
            });
            sizes.fold(0, usize::saturating_add)
        }
        Value::Dict(dict) => details_size(dict),
        _ => 0,
    }
}

/// Where the routing core puts what it wants sent, and what it wants counted.
#[derive(Debug, Default)]
pub(crate) struct Outputs {
    messages: Vec<(SessionId, Outgoing)>,
    events_not_kept: u64,
}

impl Outputs {
    pub(crate) fn send(&mut self, to: SessionId, message: impl Into<Outgoing>) {
        self.messages.push((to, message.into()));
    }

    /// An event that was to be kept for later is not, for want of room.
    pub(crate) fn event_not_kept(&mut self) {
        self.events_not_kept = self.events_not_kept.saturating_add(1);
    }

    pub(crate) fn drain(&mut self) -> impl Iterator<Item = (SessionId, Outgoing)> {
        self.messages.drain(..)
    }

    /// How many events were not kept since this was asked last.
    pub(crate) fn take_events_not_kept(&mut self) -> u64 {
        std::mem::take(&mut self.events_not_kept)
    }
}
