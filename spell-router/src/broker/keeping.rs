//! What is kept of what is published, and who gets it later.

use std::sync::Arc;

use spell_message::{
    MatchPolicy, Pattern, PublicationId, SessionId, SubscriptionId, message::Event,
    options::EventDetails,
};

use super::{Broker, HistoryQuery, KeptEvent, Publication, history::History, knows_passthru};
use crate::{
    environment::{Clock, Moment},
    fan_out::SharedEvent,
    outgoing::{Outgoing, Outputs},
    passthru::Attributed,
    quotas::Room,
    realm::{Members, Principal},
    timestamp::Timestamp,
};

impl Broker {
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

    /// Keeps an event for later, where it is to be kept.
    pub(super) fn keep(
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

    /// Sends what a new subscriber would have got before, had it been there: of each topic the last
    /// event that was to be retained. Subscribing again sends it again.
    ///
    /// The lists of who may have an event hold now as they did then, those of sessions too: whoever
    /// comes back as another session is on none of them. So it is with the publisher, which gets its
    /// own event only where it did not exclude itself.
    ///
    /// WAMP spec, "Event Retention".
    pub(super) fn send_retained(
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
            let event = SharedEvent::new(event, topic, Arc::default());
            out.send(to, Outgoing::Event(Arc::new(event)));
        }
    }
}
