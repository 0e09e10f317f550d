//! Patterns of URIs, as subscriptions and registrations use them.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::uri::{Characters, Empty, check};
use crate::{InvalidUri, UnknownMatchPolicy, Uri};

/// How a subscription or registration picks the URIs it is for.
///
/// WAMP spec, "Pattern-based Subscriptions" and "Pattern-based Registrations".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "fixed by the specification")]
pub enum MatchPolicy {
    /// The one URI that is named. The default.
    #[default]
    Exact,
    /// All URIs that begin with the text, character by character.
    Prefix,
    /// All URIs with as many components, where an empty one in the pattern stands for any.
    Wildcard,
}

impl MatchPolicy {
    /// The name in the option `match`: `exact`, `prefix` or `wildcard`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Prefix => "prefix",
            Self::Wildcard => "wildcard",
        }
    }
}

impl fmt::Display for MatchPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for MatchPolicy {
    type Err = UnknownMatchPolicy;

    fn from_str(name: &str) -> Result<Self, UnknownMatchPolicy> {
        match name {
            "exact" => Ok(Self::Exact),
            "prefix" => Ok(Self::Prefix),
            "wildcard" => Ok(Self::Wildcard),
            _ => Err(UnknownMatchPolicy::new(name)),
        }
    }
}

/// A text and the policy by which it is compared with URIs.
///
/// Cloning copies no text.
///
/// ```
/// use spell_message::Pattern;
///
/// let emergencies = Pattern::prefix("com.myapp.topic.emergency")?;
/// assert!(emergencies.matches("com.myapp.topic.emergency.11"));
/// assert!(emergencies.matches("com.myapp.topic.emergency-low"));
///
/// let any_user = Pattern::wildcard("com.myapp..userevent")?;
/// assert!(any_user.matches("com.myapp.foo.userevent"));
/// assert!(!any_user.matches("com.myapp.foo.userevent.bar"));
/// # Ok::<(), spell_message::InvalidUri>(())
/// ```
///
/// WAMP spec, "Pattern-based Subscriptions" and "Pattern-based Registrations".
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pattern {
    text: Arc<str>,
    policy: MatchPolicy,
}

impl Pattern {
    /// The pattern with this text and policy, its characters checked by the loose rule of
    /// [`Uri::new`].
    ///
    /// # Errors
    ///
    /// [`InvalidUri`] if a component contains `#` or white space, or is empty and must not be. With
    /// [`Exact`](MatchPolicy::Exact) none may be empty, with [`Prefix`](MatchPolicy::Prefix) the
    /// last one, with [`Wildcard`](MatchPolicy::Wildcard) any.
    pub fn new(text: impl AsRef<str>, policy: MatchPolicy) -> Result<Self, InvalidUri> {
        Self::checked(text.as_ref(), policy, Characters::Loose)
    }

    /// The pattern with this text and policy, its characters checked by the strict rule of
    /// [`Uri::strict`].
    ///
    /// # Errors
    ///
    /// As for [`new`](Self::new), and for any character but `a` to `z`, `0` to `9` and `_` between
    /// the dots.
    pub fn strict(text: impl AsRef<str>, policy: MatchPolicy) -> Result<Self, InvalidUri> {
        Self::checked(text.as_ref(), policy, Characters::Strict)
    }

    /// The pattern for one URI.
    ///
    /// # Errors
    ///
    /// As for [`new`](Self::new).
    pub fn exact(text: impl AsRef<str>) -> Result<Self, InvalidUri> {
        Self::new(text, MatchPolicy::Exact)
    }

    /// The pattern for all URIs that begin with this text; the empty text matches every URI.
    ///
    /// Components play no part: `com.app` matches `com.apple`, and `com.app.` does not.
    ///
    /// # Errors
    ///
    /// As for [`new`](Self::new).
    pub fn prefix(text: impl AsRef<str>) -> Result<Self, InvalidUri> {
        Self::new(text, MatchPolicy::Prefix)
    }

    /// The pattern for all URIs with as many components, an empty one standing for any.
    ///
    /// # Errors
    ///
    /// As for [`new`](Self::new).
    pub fn wildcard(text: impl AsRef<str>) -> Result<Self, InvalidUri> {
        Self::new(text, MatchPolicy::Wildcard)
    }

    fn checked(
        text: &str,
        policy: MatchPolicy,
        characters: Characters,
    ) -> Result<Self, InvalidUri> {
        let empty = match policy {
            MatchPolicy::Exact => Empty::Nowhere,
            MatchPolicy::Prefix => Empty::Last,
            MatchPolicy::Wildcard => Empty::Anywhere,
        };
        check(text, characters, empty)?;
        Ok(Self {
            text: text.into(),
            policy,
        })
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// How the text is compared.
    pub fn policy(&self) -> MatchPolicy {
        self.policy
    }

    /// Whether the pattern is for this URI.
    ///
    /// The text is taken for a URI and not checked again.
    pub fn matches(&self, uri: &str) -> bool {
        match self.policy {
            MatchPolicy::Exact => *self.text == *uri,
            MatchPolicy::Prefix => uri.starts_with(&*self.text),
            MatchPolicy::Wildcard => matches_by_component(&self.text, uri),
        }
    }
}

impl From<Uri> for Pattern {
    fn from(uri: Uri) -> Self {
        Self {
            text: uri.into(),
            policy: MatchPolicy::Exact,
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

fn matches_by_component(pattern: &str, uri: &str) -> bool {
    let mut components = uri.split('.');
    pattern.split('.').all(|wanted| {
        components
            .next()
            .is_some_and(|component| wanted.is_empty() || wanted == component)
    }) && components.next().is_none()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const POLICIES: [MatchPolicy; 3] = [
        MatchPolicy::Exact,
        MatchPolicy::Prefix,
        MatchPolicy::Wildcard,
    ];

    #[test]
    fn each_policy_has_its_own_place_for_empty_components() {
        // (text, exact, prefix, wildcard)
        for (text, exact, prefix, wildcard) in [
            ("com.app", true, true, true),
            ("", false, true, true),
            ("com.", false, true, true),
            ("com..app", false, false, true),
            (".com", false, false, true),
            (".", false, false, true),
            ("..", false, false, true),
            ("com.#", false, false, false),
            ("com. .app", false, false, false),
            ("com.app\n", false, false, false),
            ("\n", false, false, false),
        ] {
            assert_eq!(Pattern::exact(text).is_ok(), exact, "exact {text:?}");
            assert_eq!(Pattern::prefix(text).is_ok(), prefix, "prefix {text:?}");
            assert_eq!(
                Pattern::wildcard(text).is_ok(),
                wildcard,
                "wildcard {text:?}"
            );
        }
    }

    #[test]
    fn a_strict_pattern_has_strict_characters() {
        assert!(Pattern::strict("com..user_event", MatchPolicy::Wildcard).is_ok());
        assert!(Pattern::strict("com..userEvent", MatchPolicy::Wildcard).is_err());
        assert!(Pattern::strict("com..user_event", MatchPolicy::Prefix).is_err());
    }

    #[test]
    fn a_prefix_is_compared_by_characters_not_components() {
        let pattern = Pattern::prefix("com.myapp.topic.emergency").unwrap();
        for uri in [
            "com.myapp.topic.emergency",
            "com.myapp.topic.emergency.11",
            "com.myapp.topic.emergency-low",
            "com.myapp.topic.emergency.category.severe",
        ] {
            assert!(pattern.matches(uri), "{uri}");
        }
        for uri in [
            "com.myapp.topic.emerge",
            "com.myapp.topic",
            "a.com.myapp.topic.emergency",
        ] {
            assert!(!pattern.matches(uri), "{uri}");
        }
        assert!(Pattern::prefix("").unwrap().matches("any.thing"));
        assert!(!Pattern::prefix("com.").unwrap().matches("com"));
    }

    #[test]
    fn a_wildcard_stands_for_one_whole_component() {
        let pattern = Pattern::wildcard("com.myapp..userevent").unwrap();
        assert!(pattern.matches("com.myapp.foo.userevent"));
        assert!(pattern.matches("com.myapp.bar.userevent"));
        for uri in [
            "com.myapp.foo.userevent.bar",
            "com.myapp.foo.user",
            "com.myapp2.foo.userevent",
            "com.myapp.userevent",
            "com.myapp.foo.bar.userevent",
        ] {
            assert!(!pattern.matches(uri), "{uri}");
        }
    }

    #[test]
    fn wildcards_stand_at_either_end_too() {
        let matches = |pattern, uri| Pattern::wildcard(pattern).unwrap().matches(uri);
        assert!(matches(".app", "com.app"));
        assert!(matches("com.", "com.app"));
        assert!(!matches("com.", "com"));
        assert!(!matches("com.", "com.app.topic"));
        assert!(matches("", "com"));
        assert!(!matches("", "com.app"));
        assert!(matches("..", "a.b.c"));
    }

    #[test]
    fn an_exact_pattern_is_for_its_uri_alone() {
        let pattern = Pattern::from(Uri::new("com.app").unwrap());
        assert_eq!(pattern, Pattern::exact("com.app").unwrap());
        assert!(pattern.matches("com.app"));
        assert!(!pattern.matches("com.app.topic"));
        assert!(!pattern.matches("com.apple"));
    }

    #[test]
    fn patterns_of_one_text_and_two_policies_differ() {
        assert_ne!(
            Pattern::exact("com.app").unwrap(),
            Pattern::prefix("com.app").unwrap()
        );
    }

    #[test]
    fn a_policy_is_read_by_the_name_it_is_written_with() {
        for policy in POLICIES {
            assert_eq!(policy.to_string().parse(), Ok(policy));
        }
        assert_eq!(MatchPolicy::default(), MatchPolicy::Exact);
        assert!("Exact".parse::<MatchPolicy>().is_err());
        assert!("".parse::<MatchPolicy>().is_err());
    }

    fn uris() -> impl Strategy<Value = Vec<String>> {
        let component = prop::sample::select(vec!["a", "b", "ab"]).prop_map(String::from);
        prop::collection::vec(component, 1..5)
    }

    proptest! {
        #[test]
        fn a_uri_matches_what_is_made_of_it(
            components in uris(),
            emptied in prop::collection::vec(any::<bool>(), 5),
            cut in 0_usize..16,
        ) {
            let uri = components.join(".");
            prop_assert!(Pattern::exact(&uri).unwrap().matches(&uri));

            let prefix: String = uri.chars().take(cut).collect();
            prop_assert!(Pattern::prefix(&prefix).unwrap().matches(&uri));

            let pattern: Vec<&str> = components
                .iter()
                .zip(emptied)
                .map(|(component, empty)| if empty { "" } else { component })
                .collect();
            prop_assert!(Pattern::wildcard(pattern.join(".")).unwrap().matches(&uri));
        }

        #[test]
        fn a_wildcard_matches_only_what_agrees_in_every_component(
            wanted in prop::collection::vec(prop::sample::select(vec!["", "a", "b", "ab"]), 1..5),
            components in uris(),
        ) {
            let agree = wanted.len() == components.len()
                && wanted.iter().zip(&components).all(|(one, two)| one.is_empty() || one == two);
            let pattern = Pattern::wildcard(wanted.join(".")).unwrap();
            prop_assert_eq!(pattern.matches(&components.join(".")), agree);
        }
    }
}
