//! Publish and subscribe, without IO.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use spell_message::{
    Format, MatchPolicy, Pattern, PublicationId, SessionId, SubscriptionId,
    message::{
        Event, Publish, Published, RequestKind, Subscribe, Subscribed, Unsubscribe, Unsubscribed,
    },
    options::{EventDetails, PublishOptions},
    reason,
};

use crate::{
    ids::RouterIds,
    outbound::{FanOut, Outgoing, Outputs},
    pattern::PatternIndex,
    quotas::{LIMIT_EXCEEDED, Quotas},
    realm::{Members, Principal, refusal},
};

/// The subscriptions of one realm.
///
/// Sessions that subscribe to the same pattern share one subscription and its id.
///
/// WAMP spec, "Publish and Subscribe".
#[derive(Debug)]
pub(crate) struct Broker {
    quotas: Quotas,
    subscriptions: HashMap<SubscriptionId, Subscription>,
    by_pattern: PatternIndex<SubscriptionId>,
    by_session: HashMap<SessionId, HashSet<SubscriptionId>>,
    ids: RouterIds,
}

#[derive(Debug)]
struct Subscription {
    pattern: Pattern,
    subscribers: BTreeSet<SessionId>,
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
            subscriptions: HashMap::new(),
            by_pattern: PatternIndex::default(),
            by_session: HashMap::new(),
            ids: RouterIds::default(),
        }
    }

    pub(crate) fn subscribe(&mut self, from: SessionId, message: &Subscribe, out: &mut Outputs) {
        let pattern = &message.topic;
        let known = self.by_pattern.get(pattern).copied();
        let own = self.by_session.entry(from).or_default();
        let has_it = known.is_some_and(|known| own.contains(&known));
        if !has_it && own.len() >= self.quotas.subscriptions {
            let explanation = Some("the session has as many subscriptions as it may");
            let kind = RequestKind::Subscribe;
            let error = refusal(kind, message.request, LIMIT_EXCEEDED, explanation);
            return out.send(from, error);
        }
        let subscription = known.unwrap_or_else(|| {
            let id = self.ids.next_subscription();
            self.by_pattern.insert(pattern, id);
            id
        });
        let shared = self.subscriptions.entry(subscription);
        let shared = shared.or_insert_with(|| Subscription {
            pattern: pattern.clone(),
            subscribers: BTreeSet::new(),
        });
        // Subscribing again changes nothing and gives the same id. WAMP spec, "SUBSCRIBED".
        shared.subscribers.insert(from);
        own.insert(subscription);
        out.send(
            from,
            Subscribed {
                request: message.request,
                subscription,
            },
        );
    }

    pub(crate) fn unsubscribe(&mut self, from: SessionId, message: Unsubscribe, out: &mut Outputs) {
        let Unsubscribe {
            request,
            subscription,
        } = message;
        let of_session = self.by_session.get_mut(&from);
        if of_session.is_some_and(|own| own.remove(&subscription)) {
            self.remove_subscriber(subscription, from);
            out.send(from, Unsubscribed::Reply { request });
        } else {
            let kind = RequestKind::Unsubscribe;
            out.send(
                from,
                refusal(kind, request, reason::NO_SUCH_SUBSCRIPTION, None),
            );
        }
    }

    /// Sends an event to everyone who subscribed to the topic and may have it: once for each
    /// subscription that matches, so that a session with several of them gets several, all with
    /// the same publication id.
    pub(crate) fn publish(
        &self,
        from: SessionId,
        message: &Publish,
        publication: PublicationId,
        fan_out: FanOut,
        members: &Members,
        out: &mut Outputs,
    ) {
        let fan_out = Arc::new(fan_out);
        let publisher = members.get(&from);
        let details = disclosure(from, publisher.map(|member| &member.principal), message);
        for receiver in self.receivers(from, message, members) {
            let event = Event {
                subscription: receiver.subscription,
                publication,
                details: details.clone(),
                payload: message.payload.clone(),
            };
            let topic = receiver.named.then(|| message.topic.clone());
            let event = Outgoing::event(event, topic, Arc::clone(&fan_out));
            out.send(receiver.session, event);
        }
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

    /// The format of someone who subscribed to this topic; `None` if nobody did.
    pub(crate) fn format_for(&self, topic: &str, members: &Members) -> Option<Format> {
        let matching = self.by_pattern.matches(topic);
        let mut subscriptions = matching.filter_map(|id| self.subscriptions.get(id));
        let subscriber = subscriptions.find_map(|shared| shared.subscribers.first())?;
        Some(members.get(subscriber)?.format)
    }

    /// The formats of those who get an event for this, without its own.
    pub(crate) fn other_formats(
        &self,
        from: SessionId,
        message: &Publish,
        members: &Members,
    ) -> Vec<Format> {
        let mut formats = Vec::new();
        for receiver in self.receivers(from, message, members) {
            let format = receiver.format;
            if message.payload.format() != Some(format) && !formats.contains(&format) {
                formats.push(format);
            }
        }
        formats
    }

    fn receivers<'a>(
        &'a self,
        from: SessionId,
        message: &'a Publish,
        members: &'a Members,
    ) -> impl Iterator<Item = Receiver> {
        let audience = Arc::new(Audience::new(from, &message.options));
        let matching = self.by_pattern.matches(&message.topic);
        let matching = matching.filter_map(|id| Some((*id, self.subscriptions.get(id)?)));
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
        for subscription in self.by_session.remove(&session).unwrap_or_default() {
            self.remove_subscriber(subscription, session);
        }
    }

    fn remove_subscriber(&mut self, id: SubscriptionId, session: SessionId) {
        let Some(subscription) = self.subscriptions.get_mut(&id) else {
            return;
        };
        subscription.subscribers.remove(&session);
        if subscription.subscribers.is_empty() {
            self.by_pattern.remove(&subscription.pattern);
            self.subscriptions.remove(&id);
        }
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.subscriptions.is_empty() && self.by_pattern.is_empty() && self.by_session.is_empty()
    }
}

/// Who published, if they wish to be known. Whoever left meanwhile cannot be told.
///
/// WAMP spec, "Publisher Identification".
fn disclosure(
    publisher: SessionId,
    principal: Option<&Principal>,
    message: &Publish,
) -> EventDetails {
    let mut details = EventDetails::new();
    if message.options.disclose_me() == Some(true)
        && let Some(principal) = principal
    {
        details
            .set_publisher(publisher)
            .set_publisher_authid(principal.authid.as_str())
            .set_publisher_authrole(principal.authrole.as_str());
    }
    details
}

/// Who may get an event: whoever is on each list of those eligible, and on none of those excluded.
///
/// A list that is there and empty makes nobody eligible; one that is absent does not restrict.
///
/// WAMP spec, "Subscriber Black- and Whitelisting" and "Publisher Exclusion".
#[derive(Debug)]
struct Audience<'a> {
    without: Option<SessionId>,
    exclude: HashSet<SessionId>,
    exclude_authid: HashSet<&'a str>,
    exclude_authrole: HashSet<&'a str>,
    eligible: Option<HashSet<SessionId>>,
    eligible_authid: Option<HashSet<&'a str>>,
    eligible_authrole: Option<HashSet<&'a str>>,
}

impl<'a> Audience<'a> {
    fn new(publisher: SessionId, options: &'a PublishOptions) -> Self {
        let texts = |list: Option<Vec<&'a str>>| list.map(HashSet::from_iter);
        let excluded = |list: Option<Vec<&'a str>>| HashSet::from_iter(list.unwrap_or_default());
        Self {
            without: (options.exclude_me() != Some(false)).then_some(publisher),
            exclude: HashSet::from_iter(options.exclude().unwrap_or_default()),
            exclude_authid: excluded(options.exclude_authid()),
            exclude_authrole: excluded(options.exclude_authrole()),
            eligible: options.eligible().map(HashSet::from_iter),
            eligible_authid: texts(options.eligible_authid()),
            eligible_authrole: texts(options.eligible_authrole()),
        }
    }

    fn includes(&self, session: SessionId, principal: &Principal) -> bool {
        let (authid, authrole) = (principal.authid.as_str(), principal.authrole.as_str());
        self.without != Some(session)
            && !self.exclude.contains(&session)
            && !self.exclude_authid.contains(authid)
            && !self.exclude_authrole.contains(authrole)
            && self
                .eligible
                .as_ref()
                .is_none_or(|list| list.contains(&session))
            && self
                .eligible_authid
                .as_ref()
                .is_none_or(|list| list.contains(authid))
            && self
                .eligible_authrole
                .as_ref()
                .is_none_or(|list| list.contains(authrole))
    }
}
