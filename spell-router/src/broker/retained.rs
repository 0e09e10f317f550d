//! The last event of each topic, for those who subscribe later.

use std::{collections::BTreeMap, ops::Bound, sync::Arc};

use spell_message::{MatchPolicy, Pattern, SessionId, Uri};

use super::kept::KeptEvent;
use crate::{quotas::Room, realm::Principal};

/// What a realm retains: of each topic the last event for all, and later ones for some.
///
/// An event for all replaces what the topic had. An event whose lists restrict who may have it
/// replaces only one with the same lists, so that the others still get theirs.
///
/// An event for which there is no room is declined, and what it would replace goes all the same:
/// nothing is better than something outdated.
///
/// WAMP spec, "Event Retention".
#[derive(Debug)]
pub(crate) struct RetainedEvents {
    room: Room,
    topics: BTreeMap<Uri, Vec<Retained>>,
    events: usize,
    bytes: usize,
    last: u64,
}

#[derive(Debug)]
struct Retained {
    event: Arc<KeptEvent>,
    /// Its place in the order of all that was ever retained.
    place: u64,
}

impl RetainedEvents {
    pub(crate) fn new(room: Room) -> Self {
        Self {
            room,
            topics: BTreeMap::new(),
            events: 0,
            bytes: 0,
            last: 0,
        }
    }

    /// Retains an event; `false` if there is no room for it.
    pub(crate) fn retain(&mut self, event: Arc<KeptEvent>) -> bool {
        self.remove_replaced_by(&event);
        let of_topic = self.topics.get(&event.topic).map_or(0, Vec::len);
        let bytes = self.bytes.saturating_add(event.size());
        if self.events >= self.room.events
            || bytes > self.room.bytes
            || of_topic >= MOST_OF_ONE_TOPIC
        {
            return false;
        }
        self.bytes = bytes;
        self.events = self.events.saturating_add(1);
        self.last = self.last.saturating_add(1);
        let place = self.last;
        let topic = self.topics.entry(event.topic.clone()).or_default();
        topic.push(Retained { event, place });
        true
    }

    fn remove_replaced_by(&mut self, event: &KeptEvent) {
        let Some(retained) = self.topics.get_mut(&event.topic) else {
            return;
        };
        retained.retain(|Retained { event: before, .. }| {
            let stays = !event.is_for_all() && !event.is_listed_like(before);
            if !stays {
                self.events = self.events.saturating_sub(1);
                self.bytes = self.bytes.saturating_sub(before.size());
            }
            stays
        });
        if retained.is_empty() {
            self.topics.remove(&event.topic);
        }
    }

    /// Of each topic that the pattern matches, the last event that this session may have; those
    /// published first come first.
    pub(crate) fn last_for(
        &self,
        pattern: &Pattern,
        session: SessionId,
        principal: &Principal,
    ) -> Vec<&KeptEvent> {
        let eligible = |retained: &&Retained| {
            let audience = retained.event.audience();
            audience.includes(session, principal)
        };
        let topics = self.matching(pattern);
        let mut last: Vec<_> = topics
            .filter_map(|retained| retained.iter().rfind(eligible))
            .collect();
        last.sort_unstable_by_key(|retained| retained.place);
        last.into_iter().map(|retained| &*retained.event).collect()
    }

    fn matching(&self, pattern: &Pattern) -> impl Iterator<Item = &Vec<Retained>> {
        let start = literal_start(pattern);
        let from_start = (Bound::Included(start), Bound::Unbounded);
        let most = match pattern.policy() {
            MatchPolicy::Exact => 1,
            MatchPolicy::Prefix | MatchPolicy::Wildcard => usize::MAX,
        };
        self.topics
            .range::<str, _>(from_start)
            .take(most)
            .take_while(move |(topic, _)| topic.starts_with(start))
            .filter(|(topic, _)| pattern.matches(topic))
            .map(|(_, retained)| retained)
    }

    #[cfg(test)]
    pub(crate) fn usage(&self) -> (usize, usize) {
        (self.events, self.bytes)
    }
}

/// What all that a pattern matches begins with.
fn literal_start(pattern: &Pattern) -> &str {
    let text = pattern.as_str();
    if pattern.policy() != MatchPolicy::Wildcard {
        return text;
    }
    if text.is_empty() || text.starts_with('.') {
        return "";
    }
    let open = text
        .find("..")
        .or_else(|| text.strip_suffix('.').map(str::len));
    // The dot before the open component belongs to it.
    open.and_then(|dot| text.get(..=dot)).unwrap_or(text)
}

/// The most events of one topic, where lists say that each is for some only: each is looked at when
/// someone publishes or subscribes.
const MOST_OF_ONE_TOPIC: usize = 64;
