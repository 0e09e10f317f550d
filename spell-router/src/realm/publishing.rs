//! Publications on their way to their subscribers.

use spell_message::{
    Payload, PublicationId, SessionId, Uri,
    message::{Publish, Published, RequestKind},
    options::PublishOptions,
    reason,
};

use super::{RealmState, refusal};
use crate::{
    broker::Publication,
    fan_out::FanOut,
    outgoing::Outputs,
    work::{PublishWork, Work},
};

impl RealmState {
    /// Publishes, unless there is work to do before.
    pub(super) fn prepare_publish(
        &mut self,
        from: SessionId,
        message: Publish,
        out: &mut Outputs,
    ) -> Option<Work> {
        if let Err((error, explanation)) = self.check_publish(&message) {
            if message.options.acknowledge() == Some(true) {
                let kind = RequestKind::Publish;
                let error = refusal(kind, message.request, error, Some(explanation));
                out.send(from, error);
            }
            return None;
        }
        if message.payload.len() > SHORT_PAYLOAD {
            let publication = Publication::by(from, &message);
            let formats = self.broker.other_formats(publication, &self.members);
            if !formats.is_empty() {
                return Some(Work::Publish(PublishWork { message, formats }));
            }
        }
        self.publish(from, &message, FanOut::default(), out);
        None
    }

    /// Whether this may be published; if not, the error and an explanation for people.
    fn check_publish(&self, message: &Publish) -> Result<(), (&'static str, &'static str)> {
        if message.topic.is_reserved() {
            // WAMP spec, "URIs": applications must not use anything below `wamp`.
            return Err((reason::INVALID_URI, "URIs below \"wamp\" are reserved"));
        }
        let disclosed = self.broker.disclosure.judge(message.options.disclose_me());
        let denied = |error| (error, "this realm discloses nobody");
        disclosed.map(|_| ()).map_err(denied)
    }

    pub(super) fn publish(
        &mut self,
        from: SessionId,
        message: &Publish,
        fan_out: FanOut,
        out: &mut Outputs,
    ) {
        let publication = self.fan_out(Publication::by(from, message), fan_out, out);
        if message.options.acknowledge() == Some(true) {
            let request = message.request;
            out.send(
                from,
                Published {
                    request,
                    publication,
                },
            );
        }
    }

    /// Publishes for the router itself, to whatever topic. Nobody is the publisher of that, so
    /// nobody is left out as such; the options say who else is.
    pub(crate) fn publish_own(
        &mut self,
        topic: &Uri,
        options: &PublishOptions,
        payload: &Payload,
        out: &mut Outputs,
    ) {
        let publication = Publication {
            publisher: None,
            topic,
            options,
            payload,
        };
        self.fan_out(publication, FanOut::default(), out);
    }

    pub(super) fn fan_out(
        &mut self,
        publication: Publication<'_>,
        fan_out: FanOut,
        out: &mut Outputs,
    ) -> PublicationId {
        let id = PublicationId::from_random((self.environment.random)());
        let clock = &self.environment.clock;
        self.broker
            .publish(publication, id, fan_out, &self.members, clock, out);
        id
    }
}

/// The largest payload that the first subscriber of another format transcodes, in bytes, while
/// others may wait for it; a larger one the publisher transcodes before.
const SHORT_PAYLOAD: usize = 16 << 10;
