//! What was published, for those who ask later.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use spell_message::SubscriptionId;

use super::kept::KeptEvent;
use crate::quotas::Room;

/// The histories of a realm, of the subscriptions that have one.
///
/// WAMP spec, "Event History".
#[derive(Debug, Default)]
pub(crate) struct Histories(HashMap<SubscriptionId, History>);

impl Histories {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn add(&mut self, subscription: SubscriptionId, history: History) {
        self.0.insert(subscription, history);
    }

    pub(crate) fn get(&self, subscription: SubscriptionId) -> Option<&History> {
        self.0.get(&subscription)
    }

    pub(crate) fn get_mut(&mut self, subscription: SubscriptionId) -> Option<&mut History> {
        self.0.get_mut(&subscription)
    }
}

/// The last events of one subscription, in the order in which the broker got them. Where there is
/// no room for one more, the oldest go.
#[derive(Debug)]
pub(crate) struct History {
    room: Room,
    events: VecDeque<Arc<KeptEvent>>,
    bytes: usize,
}

impl History {
    pub(crate) fn new(room: Room) -> Self {
        Self {
            room,
            events: VecDeque::new(),
            bytes: 0,
        }
    }

    /// Adds an event; `false` if there would be no room for it even alone.
    pub(crate) fn push(&mut self, event: Arc<KeptEvent>) -> bool {
        let size = event.size();
        if self.room.events == 0 || size > self.room.bytes {
            return false;
        }
        while self.events.len() >= self.room.events
            || self.bytes.saturating_add(size) > self.room.bytes
        {
            let Some(oldest) = self.events.pop_front() else {
                break;
            };
            self.bytes = self.bytes.saturating_sub(oldest.size());
        }
        self.bytes = self.bytes.saturating_add(size);
        self.events.push_back(event);
        true
    }

    pub(crate) fn events(&self) -> &VecDeque<Arc<KeptEvent>> {
        &self.events
    }

    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}
