//! [`Dict`]: values by name, in the order in which they came.

use std::{fmt, slice, sync::Arc, vec};

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{
    Value,
    entries::{Entries, Entry},
};
use crate::ValueError;

/// Values by name, kept in the order in which they were inserted. Cloning copies nothing until one of
/// the two is changed.
///
/// The order is kept so that what passes through stays as it was; it has no meaning, and two
/// dictionaries with the same entries in another order are equal.
///
/// ```
/// use spell_message::{Dict, Value};
///
/// let mut details = Dict::new();
/// details.insert("progress", true);
/// details.insert("x_tag", "blue");
/// assert_eq!(details.insert("progress", false), Some(Value::Bool(true)));
/// assert!(details.keys().eq(["progress", "x_tag"]));
/// ```
#[derive(Clone, Default)]
pub struct Dict(
    /// Elsewhere, so that a [`Value`] is small, which is made for each byte that a peer sends in the
    /// worst case; `None` allocates nothing and is as good as an empty map.
    Option<Arc<Entries>>,
);

impl Dict {
    /// An empty dictionary.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty dictionary with room for this many entries.
    pub fn with_capacity(capacity: usize) -> Self {
        Self((capacity > 0).then(|| Arc::new(Entries::with_capacity(capacity))))
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |entries| entries.list().len())
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value of this key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.as_ref()?.get(key)
    }

    /// The value of this key, to be changed.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        Arc::make_mut(self.0.as_mut()?).get_mut(key)
    }

    /// Whether there is an entry with this key.
    pub fn contains_key(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Sets the value of a key and returns the one it had.
    ///
    /// A new key goes to the end, an existing one keeps its place.
    pub fn insert(&mut self, key: impl Into<String>, value: impl Into<Value>) -> Option<Value> {
        let key: String = key.into();
        self.entries_mut().insert(key.into(), value.into())
    }

    /// The same with a key of the specification, which needs not be copied.
    pub(crate) fn insert_known(
        &mut self,
        key: &'static str,
        value: impl Into<Value>,
    ) -> Option<Value> {
        self.entries_mut().insert(key.into(), value.into())
    }

    /// Removes a key and returns its value.
    ///
    /// The others keep their order, for which the later ones are moved.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        Arc::make_mut(self.0.as_mut()?).remove(key)
    }

    /// Gives back the memory that is there for more entries.
    pub fn shrink_to_fit(&mut self) {
        match &mut self.0 {
            Some(entries) if !entries.list().is_empty() => {
                // What others have too is not copied for it.
                if let Some(entries) = Arc::get_mut(entries) {
                    entries.shrink_to_fit();
                }
            }
            empty => *empty = None,
        }
    }

    /// The entries in their order.
    pub fn iter(&self) -> DictIter<'_> {
        let entries = self.0.as_ref().map(|entries| entries.list().iter());
        DictIter(entries.unwrap_or_default())
    }

    /// The entries in their order, their values to be changed.
    pub fn iter_mut(&mut self) -> impl ExactSizeIterator<Item = (&str, &mut Value)> {
        let entries = self.0.as_mut().map(Arc::make_mut);
        let entries = entries.map(Entries::list_mut);
        let entries = entries.unwrap_or_default().iter_mut();
        entries.map(|(key, value)| (&**key, value))
    }

    /// The keys in their order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &str> {
        self.iter().map(|(key, _)| key)
    }

    /// The values in the order of their keys.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &Value> {
        self.iter().map(|(_, value)| value)
    }

    /// Inserts a key that must be new.
    pub(super) fn insert_new(&mut self, key: String, value: Value) -> Result<(), ValueError> {
        let inserted = self.entries_mut().insert_new(key.into(), value);
        inserted.map_err(|key| ValueError::duplicate_key(&key))
    }

    /// Reads all entries; a key that comes twice is an error, since peers differ in which of the
    /// two values they would take.
    pub(super) fn from_entries<'de, A: MapAccess<'de>>(mut entries: A) -> Result<Self, A::Error> {
        // The length that the input declares is believed as far as it costs little: beyond that the
        // dictionary grows as entries come.
        let declared = entries.size_hint().unwrap_or_default();
        let mut dict = Self::with_capacity(declared.min(8));
        while let Some((key, value)) = entries.next_entry()? {
            dict.insert_new(key, value).map_err(A::Error::custom)?;
        }
        Ok(dict)
    }

    /// The entries, which begin with room for one: a peer may send many dictionaries of one.
    fn entries_mut(&mut self) -> &mut Entries {
        let entries = &mut self.0;
        Arc::make_mut(entries.get_or_insert_with(|| Arc::new(Entries::with_capacity(1))))
    }
}

impl PartialEq for Dict {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self
                .iter()
                .all(|(key, value)| other.get(key) == Some(value))
    }
}

impl fmt::Debug for Dict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self).finish()
    }
}

impl<K: Into<String>, V: Into<Value>> Extend<(K, V)> for Dict {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        let entries = entries.into_iter();
        if self.0.is_none() {
            *self = Self::with_capacity(entries.size_hint().0);
        }
        for (key, value) in entries {
            self.insert(key, value);
        }
    }
}

impl<K: Into<String>, V: Into<Value>> FromIterator<(K, V)> for Dict {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut dict = Self::new();
        dict.extend(entries);
        dict
    }
}

impl<K: Into<String>, V: Into<Value>, const N: usize> From<[(K, V); N]> for Dict {
    fn from(entries: [(K, V); N]) -> Self {
        entries.into_iter().collect()
    }
}

impl IntoIterator for Dict {
    type Item = (String, Value);
    type IntoIter = DictIntoIter;

    fn into_iter(self) -> DictIntoIter {
        let entries = self.0.map(Arc::unwrap_or_clone);
        let entries = entries.map(Entries::into_list);
        DictIntoIter(entries.unwrap_or_default().into_iter())
    }
}

impl<'a> IntoIterator for &'a Dict {
    type Item = (&'a str, &'a Value);
    type IntoIter = DictIter<'a>;

    fn into_iter(self) -> DictIter<'a> {
        self.iter()
    }
}

impl Serialize for Dict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self)
    }
}

impl<'de> Deserialize<'de> for Dict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct DictVisitor;

        impl<'de> Visitor<'de> for DictVisitor {
            type Value = Dict;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a dictionary")
            }

            fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Dict, A::Error> {
                Dict::from_entries(entries)
            }
        }

        deserializer.deserialize_map(DictVisitor)
    }
}

/// The entries of a [`Dict`], from [`Dict::iter`].
#[derive(Clone, Debug)]
pub struct DictIter<'a>(slice::Iter<'a, Entry>);

impl<'a> Iterator for DictIter<'a> {
    type Item = (&'a str, &'a Value);

    fn next(&mut self) -> Option<Self::Item> {
        let (key, value) = self.0.next()?;
        Some((key, value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for DictIter<'_> {}

/// The entries of a [`Dict`] by value, from its `into_iter`.
#[derive(Debug)]
pub struct DictIntoIter(vec::IntoIter<Entry>);

impl Iterator for DictIntoIter {
    type Item = (String, Value);

    fn next(&mut self) -> Option<Self::Item> {
        let (key, value) = self.0.next()?;
        Some((key.into_owned(), value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for DictIntoIter {}
