//! What a [`Dict`](super::Dict) holds.

use std::{
    borrow::Cow,
    hash::{BuildHasher, RandomState},
    mem,
};

use hashbrown::HashTable;

use super::Value;

/// A name; one that this library knows takes no memory.
pub(super) type Key = Cow<'static, str>;

pub(super) type Entry = (Key, Value);

/// Values by name, in order.
///
/// Few are looked at one after another, which costs less than a hash, and takes no memory. Many
/// have an index with a hash that no peer can foresee, so that none can make it slow.
#[derive(Clone, Default)]
pub(super) struct Entries {
    list: Vec<Entry>,
    index: Option<Box<Index>>,
}

impl Entries {
    pub(super) fn with_capacity(capacity: usize) -> Self {
        Self {
            list: Vec::with_capacity(capacity),
            index: None,
        }
    }

    pub(super) fn shrink_to_fit(&mut self) {
        self.list.shrink_to_fit();
        if self.list.len() <= FEW {
            self.index = None;
        } else if let Some(index) = &mut self.index {
            index.table.shrink_to_fit(|(hash, _)| *hash);
        }
    }

    pub(super) fn list(&self) -> &[Entry] {
        &self.list
    }

    /// Of which the values may be changed.
    pub(super) fn list_mut(&mut self) -> &mut [Entry] {
        &mut self.list
    }

    pub(super) fn into_list(self) -> Vec<Entry> {
        self.list
    }

    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.list.get(self.place(key)?).map(|(_, value)| value)
    }

    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        let place = self.place(key)?;
        self.list.get_mut(place).map(|(_, value)| value)
    }

    /// Sets the value of a key and returns the one it had.
    pub(super) fn insert(&mut self, key: Key, value: Value) -> Option<Value> {
        if let Some(own) = self.get_mut(&key) {
            return Some(mem::replace(own, value));
        }
        self.push(key, value);
        None
    }

    /// Inserts a key that must be new; gives it back if it is not.
    pub(super) fn insert_new(&mut self, key: Key, value: Value) -> Result<(), Key> {
        if self.place(&key).is_some() {
            return Err(key);
        }
        self.push(key, value);
        Ok(())
    }

    pub(super) fn remove(&mut self, key: &str) -> Option<Value> {
        let place = self.place(key)?;
        let (_, value) = self.list.remove(place);
        if let Some(index) = &mut self.index {
            index.remove(key, place);
        }
        Some(value)
    }

    fn place(&self, key: &str) -> Option<usize> {
        match &self.index {
            None => self.list.iter().position(|(own, _)| own == key),
            Some(index) => index.place(key, &self.list),
        }
    }

    fn push(&mut self, key: Key, value: Value) {
        if let Some(index) = &mut self.index {
            index.push(&key, self.list.len());
        }
        self.list.push((key, value));
        if self.index.is_none() && self.list.len() > FEW {
            self.index = Some(Box::new(Index::of(&self.list)));
        }
    }
}

/// Where each key is.
#[derive(Clone, Default)]
struct Index {
    /// With the hash of each key.
    table: HashTable<(u64, usize)>,
    hasher: RandomState,
}

impl Index {
    fn of(list: &[Entry]) -> Self {
        let mut index = Self::default();
        for (place, (key, _)) in list.iter().enumerate() {
            index.push(key, place);
        }
        index
    }

    /// Adds a key that is new.
    fn push(&mut self, key: &str, place: usize) {
        let hash = self.hasher.hash_one(key);
        self.table
            .insert_unique(hash, (hash, place), |(hash, _)| *hash);
    }

    /// Forgets a key; those behind it moved up.
    fn remove(&mut self, key: &str, place: usize) {
        let hash = self.hasher.hash_one(key);
        if let Ok(entry) = self.table.find_entry(hash, |(_, own)| *own == place) {
            entry.remove();
        }
        for (_, own) in &mut self.table {
            if *own > place {
                *own = own.saturating_sub(1);
            }
        }
    }

    fn place(&self, key: &str, list: &[Entry]) -> Option<usize> {
        let hash = self.hasher.hash_one(key);
        let is_it = |(_, place): &(u64, usize)| list.get(*place).is_some_and(|(own, _)| own == key);
        self.table.find(hash, is_it).map(|(_, place)| *place)
    }
}

/// As many entries have no index.
const FEW: usize = 16;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// With an index and without one, entries are what a plain list of them is.
        #[test]
        fn entries_are_found_however_many_there_are(
            changes in prop::collection::vec((0_u8..60, any::<bool>()), 0..120),
        ) {
            let mut entries = Entries::default();
            let mut model: Vec<Entry> = Vec::new();
            for (step, (key, inserts)) in changes.into_iter().enumerate() {
                let key = Key::from(key.to_string());
                let place = model.iter().position(|(own, _)| *own == key);
                let value = Value::from(step);
                if step % 10 == 9 {
                    entries.shrink_to_fit();
                }
                if !inserts {
                    let removed = place.map(|place| model.remove(place).1);
                    prop_assert_eq!(entries.remove(&key), removed);
                } else if let Some(place) = place {
                    let is_new = entries.insert_new(key.clone(), Value::Null);
                    prop_assert_eq!(is_new, Err(key.clone()));
                    let before = mem::replace(&mut model[place].1, value.clone());
                    prop_assert_eq!(entries.insert(key, value), Some(before));
                } else {
                    model.push((key.clone(), value.clone()));
                    prop_assert_eq!(entries.insert(key, value), None);
                }
                prop_assert_eq!(entries.list(), &model[..]);
                prop_assert!(model.len() <= FEW || entries.index.is_some());
                for (key, value) in &model {
                    prop_assert_eq!(entries.get(key), Some(value));
                }
            }
        }
    }
}
