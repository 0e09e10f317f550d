//! What is wrong with an id, a URI, a match policy or a value.

use std::fmt;

use crate::MatchPolicy;

/// A number that is no WAMP id: 0, or above 2^53.
///
/// WAMP spec, "IDs".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{value} is not a WAMP id, which is a number from 1 to 9007199254740992 (2^53)")]
pub struct InvalidId {
    value: u64,
}

impl InvalidId {
    pub(crate) const fn new(value: u64) -> Self {
        Self { value }
    }

    /// The refused number.
    pub const fn value(&self) -> u64 {
        self.value
    }
}

/// A text that is no URI, or no pattern of its [`MatchPolicy`].
///
/// Keeps only the beginning of the text and escapes it, so that it can be shown and logged even
/// when it came from a hostile peer.
///
/// WAMP spec, "URIs".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is not a valid URI: {reason}")]
pub struct InvalidUri {
    text: Box<str>,
    reason: InvalidUriReason,
}

impl InvalidUri {
    pub(crate) fn new(text: &str, reason: InvalidUriReason) -> Self {
        Self {
            text: excerpt(text),
            reason,
        }
    }

    /// The beginning of the refused text, 64 characters at most, with control characters and
    /// quotes escaped; it ends with `…` when the text goes on.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The rule that the text breaks; the first one, if it breaks several.
    pub fn reason(&self) -> InvalidUriReason {
        self.reason
    }
}

/// The rule that a text breaks which is no URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InvalidUriReason {
    /// Nothing stands before, between or after two dots where something must; the empty text is
    /// one empty component.
    EmptyComponent,
    /// `#`, which routers keep for themselves.
    Hash,
    /// White space, line ends included.
    Whitespace,
    /// A character other than `a` to `z`, `0` to `9` and `_`, which the strict rule does not know.
    NotStrict(char),
}

impl fmt::Display for InvalidUriReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyComponent => f.write_str("a component between the dots is empty"),
            Self::Hash => f.write_str("'#' is reserved"),
            Self::Whitespace => f.write_str("it contains white space"),
            Self::NotStrict(found) => write!(
                f,
                "{found:?} is not allowed by the strict rule, only a-z, 0-9 and _ are"
            ),
        }
    }
}

/// A name that stands for no [`MatchPolicy`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{name}\" is not a match policy, which is \"{}\", \"{}\" or \"{}\"",
    MatchPolicy::Exact,
    MatchPolicy::Prefix,
    MatchPolicy::Wildcard
)]
pub struct UnknownMatchPolicy {
    name: Box<str>,
}

impl UnknownMatchPolicy {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: excerpt(name),
        }
    }

    /// The beginning of the refused name, 64 characters at most, escaped.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// Why a type could not become a [`Value`](crate::Value), or a value not that type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// An integer below the smallest `i64` or above the largest `u64`.
    #[error("an integer does not fit into 64 bits")]
    IntegerOutOfRange,
    /// A key of a map that has no text of its own; what it was instead.
    #[error("a key of a dictionary must be a string, not {0}")]
    KeyNotText(&'static str),
    /// A key that came twice in one dictionary; its beginning, escaped.
    #[error("the key \"{0}\" comes twice in one dictionary")]
    DuplicateKey(Box<str>),
    /// What the type itself reported: a missing field, a wrong type, a number out of range.
    #[error("{0}")]
    Custom(Box<str>),
}

impl ValueError {
    pub(crate) fn duplicate_key(key: &str) -> Self {
        Self::DuplicateKey(excerpt(key))
    }
}

impl serde::ser::Error for ValueError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Custom(message.to_string().into())
    }
}

impl serde::de::Error for ValueError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Custom(message.to_string().into())
    }
}

/// The beginning of a text, fit for a log: a peer may send megabytes, and line ends.
fn excerpt(text: &str) -> Box<str> {
    let mut chars = text.chars();
    let mut excerpt: String = chars
        .by_ref()
        .take(EXCERPT_CHARS)
        .flat_map(char::escape_debug)
        .collect();
    if !chars.as_str().is_empty() {
        excerpt.push('…');
    }
    excerpt.into()
}

/// More than a name needs, and no more than a line of a log holds.
const EXCERPT_CHARS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_shortened_and_a_short_one_is_whole() {
        let short = "é".repeat(EXCERPT_CHARS);
        assert_eq!(&*excerpt(&short), short);

        let shortened = excerpt(&"é".repeat(1_000_000));
        assert_eq!(shortened.chars().count(), EXCERPT_CHARS + 1);
        assert!(shortened.ends_with('…'));
    }

    #[test]
    fn what_would_forge_a_line_of_a_log_is_escaped() {
        let error = InvalidUri::new("a\n\u{1b}[31mb\"", InvalidUriReason::Whitespace);
        assert_eq!(
            error.to_string(),
            r#""a\n\u{1b}[31mb\"" is not a valid URI: it contains white space"#
        );
    }

    #[test]
    fn an_unknown_policy_names_the_known_ones() {
        assert_eq!(
            UnknownMatchPolicy::new("glob").to_string(),
            r#""glob" is not a match policy, which is "exact", "prefix" or "wildcard""#
        );
    }
}
