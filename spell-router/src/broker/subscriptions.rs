//! Who is subscribed to what.

use std::collections::{BTreeSet, HashSet};

use spell_message::{MatchPolicy, Pattern, SessionId, SubscriptionId};

use crate::{
    changes::{ChangeKind, Changes},
    environment::Moment,
    id_map::IdMap,
    ids::RouterIds,
    pattern::PatternIndex,
};

/// The subscriptions of one realm, found by id, by pattern, by topic and by session.
///
/// Sessions that subscribe to the same pattern share one subscription and its id.
#[derive(Debug, Default)]
pub(crate) struct Subscriptions {
    by_id: IdMap<SubscriptionId, Subscription>,
    by_pattern: PatternIndex<SubscriptionId>,
    by_session: IdMap<SessionId, HashSet<SubscriptionId>>,
    ids: RouterIds,
    pub(crate) changes: Changes<SubscriptionId>,
}

/// A pattern, and who is subscribed to it.
#[derive(Debug)]
pub(crate) struct Subscription {
    pub(crate) pattern: Pattern,
    pub(crate) created: Moment,
    pub(crate) subscribers: BTreeSet<SessionId>,
    /// Whether it is there without subscribers too.
    permanent: bool,
}

impl Subscriptions {
    pub(crate) fn get(&self, id: SubscriptionId) -> Option<&Subscription> {
        self.by_id.get(&id)
    }

    /// The subscription to this very pattern.
    pub(crate) fn lookup(&self, pattern: &Pattern) -> Option<SubscriptionId> {
        self.by_pattern.get(pattern).copied()
    }

    /// All subscriptions whose pattern matches the topic.
    pub(crate) fn matching(
        &self,
        topic: &str,
    ) -> impl Iterator<Item = (SubscriptionId, &Subscription)> {
        let ids = self.by_pattern.matches(topic);
        ids.filter_map(|id| Some((*id, self.by_id.get(id)?)))
    }

    /// How many subscriptions a session has.
    pub(crate) fn count(&self, session: SessionId) -> usize {
        self.by_session.get(&session).map_or(0, HashSet::len)
    }

    pub(crate) fn has(&self, session: SessionId, id: SubscriptionId) -> bool {
        let own = self.by_session.get(&session);
        own.is_some_and(|own| own.contains(&id))
    }

    /// Subscribes a session. Doing so again changes nothing and gives the same id.
    ///
    /// WAMP spec, "SUBSCRIBED".
    pub(crate) fn add(
        &mut self,
        session: SessionId,
        pattern: &Pattern,
        now: Moment,
    ) -> SubscriptionId {
        let known = self.lookup(pattern);
        let id = known.unwrap_or_else(|| {
            let id = self.create(pattern, now);
            self.changes.record(ChangeKind::Created, session, id);
            id
        });
        if let Some(subscription) = self.by_id.get_mut(&id)
            && subscription.subscribers.insert(session)
        {
            self.by_session.entry(session).or_default().insert(id);
            self.changes.record(ChangeKind::Added, session, id);
        }
        id
    }

    /// Makes a subscription that is there whether or not anyone subscribes.
    ///
    /// WAMP spec, "Event History".
    pub(crate) fn add_permanent(&mut self, pattern: &Pattern, now: Moment) -> SubscriptionId {
        let known = self.lookup(pattern);
        let id = known.unwrap_or_else(|| self.create(pattern, now));
        if let Some(subscription) = self.by_id.get_mut(&id) {
            subscription.permanent = true;
        }
        id
    }

    fn create(&mut self, pattern: &Pattern, now: Moment) -> SubscriptionId {
        let id = self.ids.next_subscription();
        let subscription = Subscription {
            pattern: pattern.clone(),
            created: now,
            subscribers: BTreeSet::new(),
            permanent: false,
        };
        self.by_pattern.insert(pattern, id);
        self.by_id.insert(id, subscription);
        id
    }

    /// Unsubscribes a session; `false` if it is not subscribed.
    pub(crate) fn remove(&mut self, session: SessionId, id: SubscriptionId) -> bool {
        let Some(own) = self.by_session.get_mut(&session) else {
            return false;
        };
        let subscribed = own.remove(&id);
        if own.is_empty() {
            self.by_session.remove(&session);
        }
        if subscribed {
            self.remove_subscriber(id, session);
        }
        subscribed
    }

    /// Unsubscribes a session from everything.
    pub(crate) fn remove_session(&mut self, session: SessionId) {
        for id in self.by_session.remove(&session).unwrap_or_default() {
            self.remove_subscriber(id, session);
        }
    }

    fn remove_subscriber(&mut self, id: SubscriptionId, session: SessionId) {
        let Some(subscription) = self.by_id.get_mut(&id) else {
            return;
        };
        subscription.subscribers.remove(&session);
        self.changes.record(ChangeKind::Removed, session, id);
        if subscription.subscribers.is_empty() && !subscription.permanent {
            self.by_pattern.remove(&subscription.pattern);
            self.by_id.remove(&id);
            self.changes.record(ChangeKind::Deleted, session, id);
        }
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        let mut all = self.by_id.values();
        let all_are_permanent = all.all(|it| it.permanent && it.subscribers.is_empty());
        let no_pattern_is_left = !self.by_id.is_empty() || self.by_pattern.is_empty();
        all_are_permanent && no_pattern_is_left && self.by_session.is_empty()
    }
}

/// For those who ask about subscriptions.
impl Subscriptions {
    /// The subscriptions to patterns of this kind, the oldest first.
    pub(crate) fn of_policy(&self, policy: MatchPolicy) -> Vec<SubscriptionId> {
        let all = self.by_id.iter();
        let such = all.filter(|(_, subscription)| subscription.pattern.policy() == policy);
        let mut ids: Vec<_> = such.map(|(id, _)| *id).collect();
        ids.sort_unstable();
        ids
    }
}
