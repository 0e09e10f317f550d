use std::collections::HashMap;

use spell_message::Pattern;

use crate::request::Key;

/// Registrations that the user gave up while their REGISTER was under way.
///
/// The router has them until it answered the UNREGISTER that follows, and would refuse another
/// REGISTER of the same pattern; so those are held back until then.
#[derive(Debug, Default)]
pub(super) struct Departures {
    patterns: HashMap<Key, Pattern>,
    by_pattern: HashMap<Pattern, Departing>,
}

#[derive(Debug, Default)]
struct Departing {
    /// How many of this pattern were given up.
    count: usize,
    /// Who waits until all of them are gone, in the order they came.
    held: Vec<Key>,
}

impl Departures {
    /// It was given up before the router answered.
    pub(super) fn begin(&mut self, key: Key, pattern: &Pattern) {
        let departing = self.by_pattern.entry(pattern.clone()).or_default();
        departing.count = departing.count.saturating_add(1);
        self.patterns.insert(key, pattern.clone());
    }

    /// Whether a registration of this pattern has to wait; if so, it is remembered.
    pub(super) fn hold(&mut self, key: Key, pattern: &Pattern) -> bool {
        let departing = self.by_pattern.get_mut(pattern);
        departing
            .map(|departing| departing.held.push(key))
            .is_some()
    }

    /// One that may be held is not wanted any more.
    pub(super) fn forget(&mut self, key: Key, pattern: &Pattern) {
        if let Some(departing) = self.by_pattern.get_mut(pattern) {
            departing.held.retain(|held| *held != key);
        }
    }

    /// The router has it no more. Gives those that waited for it, and need not any longer.
    pub(super) fn finish(&mut self, key: Key) -> Vec<Key> {
        let Some(pattern) = self.patterns.remove(&key) else {
            return Vec::new();
        };
        match self.by_pattern.get_mut(&pattern) {
            Some(departing) if departing.count > 1 => {
                departing.count = departing.count.saturating_sub(1);
                Vec::new()
            }
            _ => {
                let departed = self.by_pattern.remove(&pattern);
                departed.map_or(Vec::new(), |departed| departed.held)
            }
        }
    }

    /// The session ended, and with it all registrations.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
