//! What is published, before it is an event.

use spell_message::{Payload, SessionId, Uri, message::Publish, options::PublishOptions};

/// What is published: by a session or, without a publisher, by the router itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Publication<'a> {
    pub(crate) publisher: Option<SessionId>,
    pub(crate) topic: &'a Uri,
    pub(crate) options: &'a PublishOptions,
    pub(crate) payload: &'a Payload,
}

impl<'a> Publication<'a> {
    /// What a session publishes.
    pub(crate) fn by(publisher: SessionId, message: &'a Publish) -> Self {
        Self {
            publisher: Some(publisher),
            topic: &message.topic,
            options: &message.options,
            payload: &message.payload,
        }
    }
}
