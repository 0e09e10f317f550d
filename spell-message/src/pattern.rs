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
