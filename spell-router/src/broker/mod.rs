//! Publish and subscribe, without IO.

mod audience;
mod history;
mod history_query;
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
    audience::Audience,
    history::{Histories, History},
    retained::RetainedEvents,
    subscriptions::Subscriptions,
};
pub(crate) use self::{history_query::HistoryQuery, kept::KeptEvent};
use crate::{
    Disclosure,
    environment::{Clock, Moment},
    outbound::{FanOut, Outgoing, Outputs},
    passthru::{self, Attributed},
    quotas::{LIMIT_EXCEEDED, Quotas, Room},
    realm::{Member, Members, Principal, refusal},
    timestamp::Timestamp,
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
    /// Whether it announced payload passthru mode.
    knows_passthru: bool,
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

    /// Keeps the last events of a subscription to this pattern, which is there from now on, whether
    /// or not anyone subscribes to it.
    pub(crate) fn keep_history(&mut self, pattern: &Pattern, room: Room, now: Moment) {
        let subscription = self.subscriptions.add_permanent(pattern, now);
        self.histories.add(subscription, History::new(room));
    }

    /// The events of a subscription that are asked for and that this client may have; `None` if no
    /// history of it is kept.
    ///
    /// Who may have an event is decided by the lists of `authid`s and `authrole`s with which it was
    /// published, not by who got it then.
    ///
    /// WAMP spec, "Event History".
    pub(crate) fn history(
        &self,
        subscription: SubscriptionId,
        query: &HistoryQuery,
        principal: &Principal,
    ) -> Option<Vec<Arc<KeptEvent>>> {
        let history = self.histories.get(subscription)?;
        Some(query.select(history.events(), principal))
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
            let mut details = kept.details.clone().told_to(knows_passthru(member));
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
        let fan_out = Arc::new(fan_out);
        let details = self.details(publication, members);
        for receiver in self.receivers(publication, members) {
            let event = Event {
                subscription: receiver.subscription,
                publication: id,
                details: details.clone().told_to(receiver.knows_passthru),
                payload: publication.payload.clone(),
            };
            let topic = receiver.named.then(|| publication.topic.clone());
            let event = Outgoing::event(event, topic, Arc::clone(&fan_out));
            out.send(receiver.session, event);
        }
        self.keep(publication, id, details, clock, out);
    }

    /// Keeps an event for later, where it is to be kept.
    fn keep(
        &mut self,
        publication: Publication<'_>,
        id: PublicationId,
        details: EventDetails,
        clock: &Clock,
        out: &mut Outputs,
    ) {
        let is_retained = publication.options.retain() == Some(true);
        let histories = self.histories_of(publication);
        if !is_retained && histories.is_empty() {
            return;
        }
        let published = Timestamp::from(clock().system);
        let Some(event) = KeptEvent::new(publication, id, details, published) else {
            return out.event_not_kept();
        };
        let event = Arc::new(event);
        if is_retained && !self.retained.retain(Arc::clone(&event)) {
            out.event_not_kept();
        }
        for subscription in histories {
            if let Some(history) = self.histories.get_mut(subscription)
                && !history.push(Arc::clone(&event))
            {
                out.event_not_kept();
            }
        }
    }

    /// The subscriptions whose history this belongs to.
    fn histories_of(&self, publication: Publication<'_>) -> Vec<SubscriptionId> {
        if self.histories.is_empty() {
            return Vec::new();
        }
        // WAMP spec, "Event History": what was for certain sessions is not kept at all, for nobody
        // could tell later who may have it.
        let options = publication.options.as_dict();
        if options.contains_key("exclude") || options.contains_key("eligible") {
            return Vec::new();
        }
        let matching = self.subscriptions.matching(publication.topic);
        let ids = matching.map(|(id, _)| id);
        ids.filter(|id| self.histories.get(*id).is_some()).collect()
    }

    /// What all receivers learn: how a payload that passes through is to be read, how far the publisher is trusted, and who it is, if that is to be
    /// told. Whoever left meanwhile cannot be told.
    ///
    /// WAMP spec, "Publisher Identification" and "Publication Trust Levels".
    fn details(&self, publication: Publication<'_>, members: &Members) -> EventDetails {
        let mut details = EventDetails::new();
        details.describe(publication.options.as_dict());
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
                    knows_passthru: knows_passthru(member),
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

#[cfg(test)]
mod tests;

/// Events that pass through go to all subscribers: whoever did not announce the mode gets the one
/// binary as any other argument.
///
/// WAMP spec, "Payload Passthru Mode": that is for the subscriber to cope with.
fn knows_passthru(member: &Member) -> bool {
    passthru::is_announced(member.announced, RoleName::Subscriber)
}
