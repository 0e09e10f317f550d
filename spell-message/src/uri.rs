//! URIs: the names of realms, topics, procedures, errors and reasons.

use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{InvalidUri, InvalidUriReason};

/// A concrete URI: the name of a realm, a topic, a procedure, an error or a reason.
///
/// Components separated by dots, each with at least one character and without white space and
/// `#`: the loose rule, which every peer must accept. [`strict`](Self::strict) checks the rule
/// recommended for new names. Cloning copies no text.
///
/// Names with empty components are patterns, see [`Pattern`](crate::Pattern).
///
/// ```
/// use spell_message::Uri;
///
/// let topic = Uri::new("com.example.Grüße")?;
/// assert_eq!(topic, "com.example.Grüße");
/// assert!(Uri::strict("com.example.Grüße").is_err());
/// assert!(Uri::new("com..example").is_err());
/// assert!(Uri::new("com.example\n").is_err());
/// # Ok::<(), spell_message::InvalidUri>(())
/// ```
///
/// WAMP spec, "URIs".
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uri(Arc<str>);

impl Uri {
    /// The URI with this text, checked by the loose rule.
    ///
    /// # Errors
    ///
    /// [`InvalidUri`] if a component is empty or contains `#` or white space.
    pub fn new(text: impl AsRef<str>) -> Result<Self, InvalidUri> {
        Self::checked(text.as_ref(), Characters::Loose)
    }

    /// The URI with this text, checked by the strict rule: only `a` to `z`, `0` to `9` and `_`
    /// between the dots.
    ///
    /// # Errors
    ///
    /// [`InvalidUri`] if a component is empty or contains any other character.
    pub fn strict(text: impl AsRef<str>) -> Result<Self, InvalidUri> {
        Self::checked(text.as_ref(), Characters::Strict)
    }

    fn checked(text: &str, characters: Characters) -> Result<Self, InvalidUri> {
        check(text, characters, Empty::Nowhere)?;
        Ok(Self(text.into()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the first component is `wamp`: such names belong to the protocol, and applications
    /// must not define any.
    ///
    /// ```
    /// # use spell_message::Uri;
    /// assert!(Uri::new("wamp.error.canceled")?.is_reserved());
    /// assert!(!Uri::new("wampum.price")?.is_reserved());
    /// # Ok::<(), spell_message::InvalidUri>(())
    /// ```
    pub fn is_reserved(&self) -> bool {
        self.split('.').next() == Some("wamp")
    }
}

/// What can be given where a URI is expected: text, which is checked, or a [`Uri`].
///
/// Types of your own may implement it, such as an enum of all topics.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the name of a topic, a procedure or a realm",
    note = "a `&str`, a `String` or a `Uri` is"
)]
pub trait IntoUri {
    /// The URI, checked by the loose rule.
    ///
    /// # Errors
    ///
    /// [`InvalidUri`] if the text is none.
    fn into_uri(self) -> Result<Uri, InvalidUri>;
}

impl IntoUri for &str {
    fn into_uri(self) -> Result<Uri, InvalidUri> {
        Uri::new(self)
    }
}

impl IntoUri for String {
    fn into_uri(self) -> Result<Uri, InvalidUri> {
        Uri::new(self)
    }
}

impl IntoUri for &String {
    fn into_uri(self) -> Result<Uri, InvalidUri> {
        Uri::new(self)
    }
}

impl IntoUri for Uri {
    fn into_uri(self) -> Result<Uri, InvalidUri> {
        Ok(self)
    }
}

impl IntoUri for &Uri {
    fn into_uri(self) -> Result<Uri, InvalidUri> {
        Ok(self.clone())
    }
}

impl Deref for Uri {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Uri {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Uri {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl PartialEq<str> for Uri {
    fn eq(&self, other: &str) -> bool {
        *self.0 == *other
    }
}

impl PartialEq<&str> for Uri {
    fn eq(&self, other: &&str) -> bool {
        *self.0 == **other
    }
}

impl TryFrom<&str> for Uri {
    type Error = InvalidUri;

    fn try_from(text: &str) -> Result<Self, InvalidUri> {
        Self::new(text)
    }
}

impl TryFrom<String> for Uri {
    type Error = InvalidUri;

    fn try_from(text: String) -> Result<Self, InvalidUri> {
        Self::new(text)
    }
}

impl FromStr for Uri {
    type Err = InvalidUri;

    fn from_str(text: &str) -> Result<Self, InvalidUri> {
        Self::new(text)
    }
}

impl From<Uri> for Arc<str> {
    fn from(uri: Uri) -> Self {
        uri.0
    }
}

impl Serialize for Uri {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

impl<'de> Deserialize<'de> for Uri {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct UriVisitor;

        impl de::Visitor<'_> for UriVisitor {
            type Value = Uri;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a URI")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Uri, E> {
                Uri::new(text).map_err(E::custom)
            }
        }

        deserializer.deserialize_str(UriVisitor)
    }
}

/// Which characters a component may hold.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Characters {
    Loose,
    Strict,
}

/// Where a component may be empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Empty {
    Nowhere,
    Last,
    Anywhere,
}

/// Checks a text against one of the rules of WAMP spec, "URIs".
pub(crate) fn check(text: &str, characters: Characters, empty: Empty) -> Result<(), InvalidUri> {
    violation(text, characters, empty).map_or(Ok(()), |reason| Err(InvalidUri::new(text, reason)))
}

fn violation(text: &str, characters: Characters, empty: Empty) -> Option<InvalidUriReason> {
    let mut component_is_empty = true;
    for character in text.chars() {
        match character {
            '.' if component_is_empty && empty != Empty::Anywhere => {
                return Some(InvalidUriReason::EmptyComponent);
            }
            '.' => component_is_empty = true,
            'a'..='z' | '0'..='9' | '_' => component_is_empty = false,
            '#' => return Some(InvalidUriReason::Hash),
            _ if is_whitespace(character) => return Some(InvalidUriReason::Whitespace),
            _ if matches!(characters, Characters::Strict) => {
                return Some(InvalidUriReason::NotStrict(character));
            }
            _ => component_is_empty = false,
        }
    }
    (component_is_empty && empty == Empty::Nowhere).then_some(InvalidUriReason::EmptyComponent)
}

/// White space as the regular expressions of the specification mean it: they are Python's, which
/// counts the information separators U+001C to U+001F, and so do peers written in Python.
fn is_whitespace(character: char) -> bool {
    character.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&character)
}
