use std::collections::HashMap;

use spell_message::{Pattern, SubscriptionId};

use crate::{id_map::IdMap, request::Key};

/// Which local subscriptions the events of a subscription id are for.
///
/// Several local subscriptions may share an id: a broker answers each SUBSCRIBE for one topic with
/// the same. So UNSUBSCRIBE may go out only when the last of them goes, and not while a SUBSCRIBE
/// for the same pattern is under way, whose answer may bring the id back.
///
/// WAMP spec, "Subscribing and Unsubscribing".
#[derive(Debug, Default)]
pub(super) struct Routes {
    by_id: IdMap<SubscriptionId, Route>,
    /// How many SUBSCRIBEs are under way for a pattern.
    under_way: HashMap<Pattern, usize>,
    /// Ids whose last local subscription went while a SUBSCRIBE for their pattern was under way.
    unused: Vec<SubscriptionId>,
}

#[derive(Debug)]
struct Route {
    pattern: Pattern,
    keys: Vec<Key>,
}

impl Routes {
    /// The local subscriptions with this id, in the order they came.
    pub(super) fn keys(&self, id: SubscriptionId) -> &[Key] {
        self.by_id.get(&id).map_or(&[], |route| &route.keys)
    }

    /// A SUBSCRIBE for the pattern was sent.
    pub(super) fn asked(&mut self, pattern: &Pattern) {
        let count = self.under_way.entry(pattern.clone()).or_default();
        *count = count.saturating_add(1);
    }

    /// The SUBSCRIBE brought an id; the local subscription may have gone meanwhile.
    /// [`answered`](Self::answered) must follow.
    pub(super) fn install(&mut self, id: SubscriptionId, pattern: &Pattern, key: Option<Key>) {
        let route = self.by_id.entry(id).or_insert_with(|| Route {
            pattern: pattern.clone(),
            keys: Vec::new(),
        });
        route.keys.extend(key);
        if route.keys.is_empty() {
            self.unused.push(id);
        }
    }

    /// A SUBSCRIBE for the pattern was answered. Gives the ids to unsubscribe from.
    pub(super) fn answered(&mut self, pattern: &Pattern) -> Vec<SubscriptionId> {
        match self.under_way.get_mut(pattern) {
            Some(count) if *count > 1 => {
                *count = count.saturating_sub(1);
                return Vec::new();
            }
            _ => _ = self.under_way.remove(pattern),
        }
        let by_id = &self.by_id;
        // Ids that came back into use, or were revoked, are off the list as well.
        let is_settled = |id: &mut SubscriptionId| {
            let route = by_id.get(id);
            route.is_none_or(|route| route.pattern == *pattern || !route.keys.is_empty())
        };
        let mut over: Vec<_> = self.unused.extract_if(.., is_settled).collect();
        over.retain(|id| self.remove_if_unused(*id));
        over
    }

    /// A local subscription goes. Gives whether to unsubscribe from the id.
    pub(super) fn leave(&mut self, id: SubscriptionId, key: Key) -> bool {
        let Some(route) = self.by_id.get_mut(&id) else {
            return false;
        };
        route.keys.retain(|other| *other != key);
        if !route.keys.is_empty() {
            return false;
        }
        if self.under_way.contains_key(&route.pattern) {
            self.unused.push(id);
            return false;
        }
        self.by_id.remove(&id);
        true
    }

    /// Whether nobody else has the id, or may be about to have it.
    pub(super) fn is_last(&self, id: SubscriptionId, key: Key) -> bool {
        let is_last =
            |route: &Route| route.keys == [key] && !self.under_way.contains_key(&route.pattern);
        self.by_id.get(&id).is_some_and(is_last)
    }

    /// The id is void. Gives the local subscriptions that had it.
    pub(super) fn revoke(&mut self, id: SubscriptionId) -> Vec<Key> {
        self.by_id
            .remove(&id)
            .map_or(Vec::new(), |route| route.keys)
    }

    /// The session ended, and with it all ids.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    fn remove_if_unused(&mut self, id: SubscriptionId) -> bool {
        let is_unused = |route: &Route| route.keys.is_empty();
        self.by_id.get(&id).is_some_and(is_unused) && self.by_id.remove(&id).is_some()
    }
}
