//! An index of patterns: which of many a URI matches, without trying each.

use std::collections::{BTreeMap, HashMap};

use spell_message::{MatchPolicy, Pattern};

/// Values by pattern, found by the URIs that the patterns match.
///
/// ```text
/// exact     text → value                            one look-up
/// prefix    length → text → value                   one look-up per length in use
/// wildcard  shape, and text → value                 one look-up per shape in use
/// ```
///
/// A shape says which components of a wildcard are empty. Emptying the same components of a URI
/// gives the text of the only wildcard of that shape that can match it. Nothing here recurses, so
/// no pattern is too deep.
///
/// WAMP spec, "Pattern-based Subscriptions" and "Pattern-based Registrations".
#[derive(Debug)]
pub(crate) struct PatternIndex<T> {
    exact: HashMap<Box<str>, T>,
    prefixes: BTreeMap<usize, HashMap<Box<str>, T>>,
    wildcards: HashMap<Box<str>, T>,
    /// How many wildcards have each shape. Ordered so that the better match comes first.
    shapes: BTreeMap<usize, BTreeMap<Shape, usize>>,
}

impl<T> Default for PatternIndex<T> {
    fn default() -> Self {
        Self {
            exact: HashMap::new(),
            prefixes: BTreeMap::new(),
            wildcards: HashMap::new(),
            shapes: BTreeMap::new(),
        }
    }
}

impl<T> PatternIndex<T> {
    /// The value of this very pattern.
    pub(crate) fn get(&self, pattern: &Pattern) -> Option<&T> {
        let text = pattern.as_str();
        match pattern.policy() {
            MatchPolicy::Exact => self.exact.get(text),
            MatchPolicy::Prefix => self.prefixes.get(&text.len())?.get(text),
            MatchPolicy::Wildcard => self.wildcards.get(text),
        }
    }

    /// Puts a pattern in; gives back the value it had before.
    pub(crate) fn insert(&mut self, pattern: &Pattern, value: T) -> Option<T> {
        let text = pattern.as_str();
        match pattern.policy() {
            MatchPolicy::Exact => self.exact.insert(text.into(), value),
            MatchPolicy::Prefix => {
                let same_length = self.prefixes.entry(text.len()).or_default();
                same_length.insert(text.into(), value)
            }
            MatchPolicy::Wildcard => {
                let before = self.wildcards.insert(text.into(), value);
                if before.is_none() {
                    let shape = Shape::of(text);
                    let same_length = self.shapes.entry(shape.len()).or_default();
                    let count = same_length.entry(shape).or_default();
                    *count = count.saturating_add(1);
                }
                before
            }
        }
    }

    /// Takes a pattern out.
    pub(crate) fn remove(&mut self, pattern: &Pattern) -> Option<T> {
        let text = pattern.as_str();
        match pattern.policy() {
            MatchPolicy::Exact => self.exact.remove(text),
            MatchPolicy::Prefix => {
                let same_length = self.prefixes.get_mut(&text.len())?;
                let value = same_length.remove(text)?;
                if same_length.is_empty() {
                    self.prefixes.remove(&text.len());
                }
                Some(value)
            }
            MatchPolicy::Wildcard => {
                let value = self.wildcards.remove(text)?;
                let shape = Shape::of(text);
                let length = shape.len();
                if let Some(same_length) = self.shapes.get_mut(&length) {
                    decrement(same_length, &shape);
                    if same_length.is_empty() {
                        self.shapes.remove(&length);
                    }
                }
                Some(value)
            }
        }
    }

    /// The values of all patterns that match, prefixes by characters.
    ///
    /// WAMP spec, "Pattern-based Subscriptions".
    pub(crate) fn matches<'a>(&'a self, uri: &str) -> impl Iterator<Item = &'a T> {
        self.ranked(uri, |_| true)
    }

    /// The value of the pattern that matches best, prefixes by whole components.
    ///
    /// The best is the exact one, then the longest prefix, then the wildcard that is literal for
    /// longest.
    ///
    /// WAMP spec, "Pattern-based Registrations", contradicts itself here. What it says of prefixes
    /// makes `a1.b2.c3` match `a1.b2.c33.d4.e5` character by character, so that a wildcard could
    /// not; but its example of the best match gives that call to a wildcard, and measures prefixes
    /// by their components. Compared by components the whole example holds, and no procedure
    /// reaches a callee only because its name begins like another one's.
    pub(crate) fn best(&self, uri: &str) -> Option<&T> {
        self.ranked(uri, |length| ends_component(uri, length))
            .next()
    }

    fn ranked<'a>(
        &'a self,
        uri: &str,
        takes: impl Fn(usize) -> bool,
    ) -> impl Iterator<Item = &'a T> {
        let exact = self.exact.get(uri).into_iter();
        let prefixes = self.prefixes.range(..=uri.len()).rev();
        let prefixes = prefixes.filter(move |(length, _)| takes(**length));
        let prefixes = prefixes.filter_map(|(length, same)| same.get(uri.get(..*length)?));
        let shapes = self.shapes_for(uri);
        let wildcards = shapes.filter_map(|shape| self.wildcards.get(shape.emptied(uri).as_str()));
        exact.chain(prefixes).chain(wildcards)
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.exact.is_empty()
            && self.prefixes.is_empty()
            && self.wildcards.is_empty()
            && self.shapes.is_empty()
    }

    fn shapes_for(&self, uri: &str) -> impl Iterator<Item = &Shape> {
        // Without wildcards, do not even count the components.
        let length = (!self.shapes.is_empty()).then(|| uri.split('.').count());
        let shapes = length.and_then(|length| self.shapes.get(&length));
        shapes.into_iter().flat_map(BTreeMap::keys)
    }
}

/// Which components of a wildcard are empty.
///
/// Compared component by component, a literal before an empty one: the first is the better match.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Shape(Box<[bool]>);

impl Shape {
    fn of(wildcard: &str) -> Self {
        Self(wildcard.split('.').map(str::is_empty).collect())
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    /// The URI without the components that are empty in this shape.
    fn emptied(&self, uri: &str) -> String {
        let mut text = String::with_capacity(uri.len());
        for (index, (component, empty)) in uri.split('.').zip(&self.0).enumerate() {
            if index > 0 {
                text.push('.');
            }
            if !empty {
                text.push_str(component);
            }
        }
        text
    }
}

/// Whether the first `length` bytes of a URI are whole components.
fn ends_component(uri: &str, length: usize) -> bool {
    let (Some(before), Some(after)) = (uri.get(..length), uri.get(length..)) else {
        return false;
    };
    before.is_empty() || before.ends_with('.') || after.is_empty() || after.starts_with('.')
}

fn decrement(counts: &mut BTreeMap<Shape, usize>, shape: &Shape) {
    if let Some(count) = counts.get_mut(shape) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            counts.remove(shape);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    fn index(patterns: &[(&str, MatchPolicy)]) -> PatternIndex<usize> {
        let mut index = PatternIndex::default();
        for (number, (text, policy)) in patterns.iter().enumerate() {
            index.insert(&Pattern::new(text, *policy).unwrap(), number + 1);
        }
        index
    }

    #[test]
    fn the_best_match_is_that_of_the_worked_example() {
        use MatchPolicy::{Exact, Prefix, Wildcard};
        // WAMP spec, "Pattern-based Registrations": its example, number by number.
        let index = index(&[
            ("a1.b2.c3.d4.e55", Exact),
            ("a1.b2.c3", Prefix),
            ("a1.b2.c3.d4", Prefix),
            ("a1.b2..d4.e5", Wildcard),
            ("a1.b2.c33..e5", Wildcard),
            ("a1.b2..d4.e5..g7", Wildcard),
            ("a1.b2..d4..f6.g7", Wildcard),
        ]);
        for (uri, best) in [
            ("a1.b2.c3.d4.e55", Some(1)),
            ("a1.b2.c3.d98.e74", Some(2)),
            ("a1.b2.c3.d4.e325", Some(3)),
            ("a1.b2.c55.d4.e5", Some(4)),
            ("a1.b2.c33.d4.e5", Some(5)),
            ("a1.b2.c88.d4.e5.f6.g7", Some(6)),
            ("a2.b2.c2.d2.e2", None),
        ] {
            assert_eq!(index.best(uri).copied(), best, "{uri}");
        }
    }

    #[test]
    fn the_wildcard_that_is_literal_for_longest_matches_best() {
        let index = index(&[
            ("a1.b2..d4.e5", MatchPolicy::Wildcard),
            ("a1.b2.c33..e5", MatchPolicy::Wildcard),
            (".b2.c33.d4.e5", MatchPolicy::Wildcard),
        ]);
        let found: Vec<_> = index.matches("a1.b2.c33.d4.e5").copied().collect();
        assert_eq!(found, [2, 1, 3]);
    }

    #[test]
    fn a_wildcard_never_beats_a_prefix() {
        let index = index(&[("a.b.", MatchPolicy::Wildcard), ("a", MatchPolicy::Prefix)]);
        assert_eq!(index.best("a.b.c"), Some(&2));
    }

    #[test]
    fn a_prefix_of_topics_is_one_of_characters() {
        let index = index(&[("com.emergency", MatchPolicy::Prefix)]);
        assert_eq!(index.matches("com.emergency-low").count(), 1);
        assert_eq!(index.matches("com.emergenc").count(), 0);
    }

    #[test]
    fn a_prefix_of_procedures_is_one_of_components() {
        for (prefix, uri, matches) in [
            ("com.emergency", "com.emergency", true),
            ("com.emergency", "com.emergency.low", true),
            ("com.emergency", "com.emergency-low", false),
            ("com.", "com.emergency", true),
            ("com.", "community", false),
            ("", "com.emergency", true),
        ] {
            let index = index(&[(prefix, MatchPolicy::Prefix)]);
            assert_eq!(index.best(uri).is_some(), matches, "{prefix:?} {uri}");
        }
    }

    #[test]
    fn a_prefix_that_ends_inside_a_character_matches_nothing() {
        let index = index(&[("a", MatchPolicy::Prefix), ("ab", MatchPolicy::Prefix)]);
        let found: Vec<_> = index.matches("aé").copied().collect();
        assert_eq!(found, [1]);
    }

    #[test]
    fn a_wildcard_of_a_million_components_is_nothing_special() {
        let deep = Pattern::wildcard(".".repeat(1_000_000)).unwrap();
        let mut index = PatternIndex::default();
        index.insert(&deep, ());
        let uri = vec!["a"; 1_000_001].join(".");
        assert!(index.best(&uri).is_some());
        assert!(index.remove(&deep).is_some());
    }

    fn pattern() -> impl Strategy<Value = Pattern> {
        let policies = prop_oneof![
            Just(MatchPolicy::Exact),
            Just(MatchPolicy::Prefix),
            Just(MatchPolicy::Wildcard),
        ];
        ("[ab]{0,2}(\\.[abé]{0,2}){0,4}", policies)
            .prop_filter_map("not a pattern", |(text, policy)| {
                Pattern::new(text, policy).ok()
            })
    }

    /// Of the patterns that match, prefixes by whole components, the best one: by its kind, then as
    /// a prefix by its length, as a wildcard by the first component in which one is literal and the
    /// other is not.
    fn best<'a>(patterns: impl IntoIterator<Item = &'a Pattern>, uri: &str) -> Option<&'a Pattern> {
        let whole = |pattern: &Pattern| {
            let text = pattern.as_str();
            let components: Vec<_> = text.strip_suffix('.').unwrap_or(text).split('.').collect();
            let of_uri: Vec<_> = uri.split('.').collect();
            text.is_empty() || of_uri.starts_with(&components)
        };
        let matching = patterns.into_iter().filter(|pattern| {
            let prefix = pattern.policy() == MatchPolicy::Prefix;
            pattern.matches(uri) && (!prefix || whole(pattern))
        });
        matching.min_by_key(|pattern| {
            let text = pattern.as_str();
            match pattern.policy() {
                MatchPolicy::Exact => (0, 0, Vec::new()),
                MatchPolicy::Prefix => (1, usize::MAX - text.len(), Vec::new()),
                MatchPolicy::Wildcard => (2, 0, text.split('.').map(str::is_empty).collect()),
            }
        })
    }

    proptest! {
        #[test]
        fn the_index_agrees_with_trying_each_pattern(
            patterns in proptest::collection::vec((pattern(), any::<bool>()), 0..40),
            uris in proptest::collection::vec("[ab]{1,2}(\\.[abé]{1,2}){0,4}", 1..20),
        ) {
            let mut index = PatternIndex::default();
            let mut naive = HashSet::new();
            for (pattern, stays) in &patterns {
                index.insert(pattern, pattern.clone());
                naive.insert(pattern.clone());
                if !stays {
                    let removed = index.remove(pattern);
                    prop_assert_eq!(removed.as_ref(), Some(pattern));
                    naive.remove(pattern);
                }
            }
            for uri in &uris {
                let mut found: Vec<_> = index.matches(uri).cloned().collect();
                let mut expected: Vec<_> =
                    naive.iter().filter(|pattern| pattern.matches(uri)).cloned().collect();
                prop_assert_eq!(index.best(uri), best(&naive, uri));
                found.sort();
                expected.sort();
                prop_assert_eq!(found, expected);
            }
            for pattern in &naive {
                prop_assert_eq!(index.get(pattern), Some(pattern));
                index.remove(pattern);
            }
            prop_assert!(index.is_empty());
        }
    }
}
