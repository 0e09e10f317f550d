//! Publish and subscribe, without IO.

mod audience;
mod history;
mod history_query;
mod keeping;
mod kept;
mod publication;
mod retained;
mod subscriptions;

use std::sync::Arc;

use spell_message::{
    Feature, Format, MatchPolicy, PublicationId, RoleName, SessionId, SubscriptionId,
    message::{Event, RequestKind, Subscribe, Subscribed, Unsubscribe, Unsubscribed},
    options::{EventDetails, UnsubscribedDetails},
    reason,
};

use self::{
    audience::Audience,
    history::Histories,
    retained::RetainedEvents,
    subscriptions::{Subscription, Subscriptions},
};
pub(crate) use self::{history_query::HistoryQuery, kept::KeptEvent, publication::Publication};
use crate::{
    Disclosure,
    environment::Clock,
    fan_out::{FanOut, SharedEvent},
    outgoing::{Outgoing, Outputs},
    passthru::{self, Attributed},
    quotas::{LIMIT_EXCEEDED, Quotas},
    realm::{Member, Members, refusal},
    traced::Traced,
};

/// The broker of one realm.
///
/// WAMP spec, "Publish and Subscribe".
#[derive(Debug)]
pub(crate) struct Broker {
    quotas: Quotas,
    pub(crate) subscriptions: Subscriptions,
    pub(crate) disclosure: Disclosure,
    retained: RetainedEvents,
    histories: Histories,
}

impl Broker {
    pub(crate) fn new(quotas: Quotas) -> Self {
        Self {
            quotas,
            subscriptions: Subscriptions::default(),
            disclosure: Disclosure::default(),
            retained: RetainedEvents::new(quotas.retained),
            histories: Histories::default(),
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
        for subscriber in revoked.subscribers.clone() {
            self.revoke_from(subscriber, subscription, reason, members, out);
        }
        true
    }

    /// Takes a subscription away from one of its subscribers, who is told if it announced that it
    /// understands; `false` if it is not subscribed.
    ///
    /// WAMP spec, "Subscription Revocation".
    pub(crate) fn revoke_from(
        &mut self,
        subscriber: SessionId,
        subscription: SubscriptionId,
        reason: Option<&str>,
        members: &Members,
        out: &mut Outputs,
    ) -> bool {
        let subscribed = self.subscriptions.remove(subscriber, subscription);
        let feature = Feature::SubscriptionRevocation;
        let member = members.get(&subscriber);
        let learns = member.is_some_and(|it| it.announced.supports(RoleName::Subscriber, feature));
        if subscribed && learns {
            let mut details = UnsubscribedDetails::new();
            details.set_subscription(subscription);
            if let Some(reason) = reason {
                details.set_reason(reason);
            }
            out.send(subscriber, Unsubscribed::Revocation { details });
        }
        subscribed
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
        let mut matching = self.subscriptions.matching(publication.topic).peekable();
        if matching.peek().is_none() && publication.options.retain() != Some(true) {
            // Nobody gets it, neither now nor later: histories are those of subscriptions.
            return;
        }
        let fan_out = Arc::new(fan_out);
        let details = self.details(publication, members);
        let audience = Audience::new(publication.publisher, publication.options);
        for (subscription, subscribed) in matching {
            let named = subscribed.pattern.policy() != MatchPolicy::Exact;
            let event = |knows_passthru| {
                let event = Event {
                    subscription,
                    publication: id,
                    details: details.clone().told_to(knows_passthru),
                    payload: publication.payload.clone(),
                };
                let topic = named.then(|| publication.topic.clone());
                Arc::new(SharedEvent::new(event, topic, Arc::clone(&fan_out)))
            };
            // Whoever knows passthru mode may get another one.
            let (mut known, mut unknown) = (None, None);
            for (session, member) in receivers(subscribed, &audience, members) {
                let knows_passthru = knows_passthru(member);
                let same = if knows_passthru {
                    &mut known
                } else {
                    &mut unknown
                };
                let event = same.get_or_insert_with(|| event(knows_passthru));
                out.send(session, Outgoing::Event(Arc::clone(event)));
            }
        }
        self.keep(publication, id, details, clock, out);
    }

    /// What all receivers learn: how a payload that passes through is to be read, how far the
    /// publisher is trusted, and who it is, if that is to be told. Whoever left meanwhile cannot be
    /// told.
    ///
    /// WAMP spec, "Publisher Identification" and "Publication Trust Levels".
    fn details(&self, publication: Publication<'_>, members: &Members) -> EventDetails {
        let mut details = EventDetails::new();
        let options = publication.options;
        details.describe(options.as_dict());
        details.trace(options.traceparent(), options.tracestate());
        let Some(publisher) = publication.publisher else {
            return details;
        };
        let Some(Member { principal, .. }) = members.get(&publisher) else {
            return details;
        };
        if self.disclosure.judge(publication.options.disclose_me()) == Ok(true) {
            details
                .set_publisher(publisher)
                .set_publisher_authid(principal.authid.as_str())
                .set_publisher_authrole(principal.authrole.as_str());
        }
        if let Some(trustlevel) = principal.trustlevel {
            details.set_trustlevel(trustlevel);
        }
        details
    }

    /// The formats of those who get an event for this, without its own.
    pub(crate) fn other_formats(
        &self,
        publication: Publication<'_>,
        members: &Members,
    ) -> Vec<Format> {
        let mut formats = Vec::new();
        let audience = Audience::new(publication.publisher, publication.options);
        for (_, subscribed) in self.subscriptions.matching(publication.topic) {
            for (_, Member { format, .. }) in receivers(subscribed, &audience, members) {
                if publication.payload.format() != Some(*format) && !formats.contains(format) {
                    formats.push(*format);
                }
            }
        }
        formats
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

/// Who gets an event of a subscription.
fn receivers<'a>(
    subscription: &'a Subscription,
    audience: &'a Audience<'_>,
    members: &'a Members,
) -> impl Iterator<Item = (SessionId, &'a Member)> {
    let subscribers = subscription.subscribers.iter();
    subscribers.filter_map(|session| {
        let member = members.get(session)?;
        let included = audience.includes(*session, &member.principal);
        included.then_some((*session, member))
    })
}

/// Events that pass through go to all subscribers: whoever did not announce the mode gets the one
/// binary as any other argument.
///
/// WAMP spec, "Payload Passthru Mode": that is for the subscriber to cope with.
fn knows_passthru(member: &Member) -> bool {
    passthru::is_announced(member.announced, RoleName::Subscriber)
}

#[cfg(test)]
mod tests;
