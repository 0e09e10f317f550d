//! Publish and subscribe, without IO.

mod audience;
mod kept;
mod retained;
mod subscriptions;

use std::sync::Arc;

use spell_message::{
    Feature, Format, MatchPolicy, Pattern, Payload, PublicationId, RoleName, SessionId,
    SubscriptionId, Uri,
    message::{Event, Publish, RequestKind, Subscribe, Subscribed, Unsubscribe, Unsubscribed},
    options::{EventDetails, PublishOptions, UnsubscribedDetails},
    reason,
};

use self::{
    audience::Audience, kept::KeptEvent, retained::RetainedEvents, subscriptions::Subscriptions,
};
use crate::{
    environment::Clock,
    outbound::{FanOut, Outgoing, Outputs},
    quotas::{LIMIT_EXCEEDED, Quotas},
    realm::{Members, refusal},
};

/// The broker of one realm.
///
/// WAMP spec, "Publish and Subscribe".
#[derive(Debug)]
pub(crate) struct Broker {
    quotas: Quotas,
    pub(crate) subscriptions: Subscriptions,
    retained: RetainedEvents,
}

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

/// Who gets an event, and how.
#[derive(Debug)]
struct Receiver {
    session: SessionId,
    subscription: SubscriptionId,
    /// Whether the event names its topic.
    named: bool,
    format: Format,
}

impl Broker {
    pub(crate) fn new(quotas: Quotas) -> Self {
        Self {
            quotas,
            subscriptions: Subscriptions::default(),
            retained: RetainedEvents::new(quotas.retained),
        }
    }

    pub(crate) fn subscribe(
        &mut self,
        from: SessionId,
        message: &Subscribe,
        members: &Members,
        clock: &Clock,
        out: &mut Outputs,
    ) {
        let request = message.request;
        let known = self.subscriptions.lookup(&message.topic);
        let has_it = known.is_some_and(|known| self.subscriptions.has(from, known));
        if !has_it && self.subscriptions.count(from) >= self.quotas.subscriptions {
            let explanation = Some("the session has as many subscriptions as it may");
            let kind = RequestKind::Subscribe;
            return out.send(from, refusal(kind, request, LIMIT_EXCEEDED, explanation));
        }
        let subscription = self.subscriptions.add(from, &message.topic, clock());
        out.send(
            from,
            Subscribed {
                request,
                subscription,
            },
        );
        if message.options.get_retained() == Some(true) {
            self.send_retained(from, subscription, &message.topic, members, out);
        }
    }

    /// Sends what a new subscriber would have got before, had it been there: of each topic the last
    /// event that was to be retained. Subscribing again sends it again.
    ///
    /// The lists of who may have an event hold now as they did then, those of sessions too: whoever
    /// comes back as another session is on none of them. So it is with the publisher, which gets its
    /// own event only where it did not exclude itself.
    ///
    /// WAMP spec, "Event Retention".
    fn send_retained(
        &self,
        to: SessionId,
        subscription: SubscriptionId,
        pattern: &Pattern,
        members: &Members,
        out: &mut Outputs,
    ) {
        let Some(member) = members.get(&to) else {
            return;
        };
        let named = pattern.policy() != MatchPolicy::Exact;
        for kept in self.retained.last_for(pattern, to, &member.principal) {
            let mut details = kept.details.clone();
            details.set_retained(true);
            let event = Event {
                subscription,
                publication: kept.publication,
                details,
                payload: kept.payload.clone(),
            };
            let topic = named.then(|| kept.topic.clone());
            out.send(to, Outgoing::event(event, topic, Arc::default()));
        }
    }

    pub(crate) fn unsubscribe(&mut self, from: SessionId, message: Unsubscribe, out: &mut Outputs) {
        let Unsubscribe {
            request,
            subscription,
        } = message;
        if self.subscriptions.remove(from, subscription) {
            out.send(from, Unsubscribed::Reply { request });
        } else {
            let kind = RequestKind::Unsubscribe;
            out.send(
                from,
                refusal(kind, request, reason::NO_SUCH_SUBSCRIPTION, None),
            );
        }
    }

    /// Takes a subscription away from all who have it; `false` if there is none with this id.
    ///
    /// Those who could not make sense of it are not told.
    ///
    /// WAMP spec, "Subscription Revocation".
    #[cfg_attr(not(test), expect(dead_code, reason = "the meta API is yet to come"))]
    pub(crate) fn revoke(
        &mut self,
        subscription: SubscriptionId,
        reason: Option<&str>,
        members: &Members,
        out: &mut Outputs,
    ) -> bool {
        let Some(revoked) = self.subscriptions.get(subscription) else {
            return false;
        };
        let mut details = UnsubscribedDetails::new();
        details.set_subscription(subscription);
        if let Some(reason) = reason {
            details.set_reason(reason);
        }
        let feature = Feature::SubscriptionRevocation;
        for session in revoked.subscribers.clone() {
            self.subscriptions.remove(session, subscription);
            let member = members.get(&session);
            if member.is_some_and(|it| it.announced.supports(RoleName::Subscriber, feature)) {
                let details = details.clone();
                out.send(session, Unsubscribed::Revocation { details });
            }
        }
        true
    }

    /// Sends an event to everyone who subscribed to the topic and may have it: once for each
    /// subscription that matches, so that a session with several of them gets several, all with
    /// the same publication id.
    pub(crate) fn publish(
        &mut self,
        publication: Publication<'_>,
        id: PublicationId,
        fan_out: FanOut,
        members: &Members,
        clock: &Clock,
        out: &mut Outputs,
    ) {
        let fan_out = Arc::new(fan_out);
        let details = disclosure(publication, members);
        for receiver in self.receivers(publication, members) {
            let event = Event {
                subscription: receiver.subscription,
                publication: id,
                details: details.clone(),
                payload: publication.payload.clone(),
            };
            let topic = receiver.named.then(|| publication.topic.clone());
            let event = Outgoing::event(event, topic, Arc::clone(&fan_out));
            out.send(receiver.session, event);
        }
        if publication.options.retain() == Some(true) {
            let published = clock().system;
            let kept = KeptEvent::new(publication, id, details, published);
            if !kept.is_some_and(|kept| self.retained.retain(kept)) {
                out.event_not_kept();
            }
        }
    }

    /// The formats of those who get an event for this, without its own.
    pub(crate) fn other_formats(
        &self,
        publication: Publication<'_>,
        members: &Members,
    ) -> Vec<Format> {
        let mut formats = Vec::new();
        for receiver in self.receivers(publication, members) {
            let format = receiver.format;
            if publication.payload.format() != Some(format) && !formats.contains(&format) {
                formats.push(format);
            }
        }
        formats
    }

    fn receivers<'a>(
        &'a self,
        publication: Publication<'a>,
        members: &'a Members,
    ) -> impl Iterator<Item = Receiver> {
        let audience = Arc::new(Audience::new(publication.publisher, publication.options));
        let matching = self.subscriptions.matching(publication.topic);
        matching.flat_map(move |(id, subscription)| {
            let audience = Arc::clone(&audience);
            let named = subscription.pattern.policy() != MatchPolicy::Exact;
            subscription.subscribers.iter().filter_map(move |session| {
                let member = members.get(session)?;
                let included = audience.includes(*session, &member.principal);
                included.then_some(Receiver {
                    session: *session,
                    subscription: id,
                    named,
                    format: member.format,
                })
            })
        })
    }

    /// Forgets a session.
    pub(crate) fn leave(&mut self, session: SessionId) {
        self.subscriptions.remove_session(session);
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.subscriptions.is_empty()
    }
}

/// Who published, if they wish to be known. Whoever left meanwhile cannot be told.
///
/// WAMP spec, "Publisher Identification".
fn disclosure(publication: Publication<'_>, members: &Members) -> EventDetails {
    let mut details = EventDetails::new();
    if publication.options.disclose_me() == Some(true)
        && let Some(publisher) = publication.publisher
        && let Some(member) = members.get(&publisher)
    {
        details
            .set_publisher(publisher)
            .set_publisher_authid(member.principal.authid.as_str())
            .set_publisher_authrole(member.principal.authrole.as_str());
    }
    details
}

#[cfg(test)]
mod tests;
