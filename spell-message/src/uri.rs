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
        let below = self.strip_prefix("wamp");
        below.is_some_and(|below| below.is_empty() || below.starts_with('.'))
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
    if matches!(characters, Characters::Loose) && is_plain(text.as_bytes()) {
        return Ok(());
    }
    violation(text, characters, empty).map_or(Ok(()), |reason| Err(InvalidUri::new(text, reason)))
}

/// Whether a text is what most URIs are: at least eight visible ASCII characters, no `#` among them,
/// and no component empty. Such a text follows the loose rule; of others this says nothing.
fn is_plain(text: &[u8]) -> bool {
    let Some(last) = text.last_chunk() else {
        return false;
    };
    if text.first() == Some(&b'.') || text.last() == Some(&b'.') {
        return false;
    }
    let (words, _) = text.as_chunks();
    let mut dot_before = 0;
    for word in words {
        let (is_plain, dots) = plain_and_dots(*word);
        if !is_plain || dots & ((dots << 8) | dot_before) != 0 {
            return false;
        }
        dot_before = dots >> 56;
    }
    // The last word may overlap the one before it, so that it holds every pair that is left.
    let (is_plain, dots) = plain_and_dots(*last);
    is_plain && dots & (dots << 8) == 0
}

/// Whether eight bytes are visible ASCII without `#`, and the highest bit of each that is a dot.
#[inline]
fn plain_and_dots(word: [u8; 8]) -> (bool, u64) {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let word = u64::from_le_bytes(word);
    // No sum goes over into the next byte as long as all are ASCII.
    let is = |byte: u8| !(word ^ ONES.wrapping_mul(byte.into())).wrapping_add(HIGH - ONES) & HIGH;
    let is_visible = !word & word.wrapping_add(ONES * (0x80 - 0x21)) & HIGH == HIGH;
    (is_visible && is(b'#') == 0, is(b'.'))
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

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    /// `str.isspace` of Python 3, which its regular expressions use.
    fn is_python_whitespace(character: char) -> bool {
        matches!(
            u32::from(character),
            0x09..=0x0d
                | 0x1c..=0x20
                | 0x85
                | 0xa0
                | 0x1680
                | 0x2000..=0x200a
                | 0x2028
                | 0x2029
                | 0x202f
                | 0x205f
                | 0x3000
        )
    }

    fn reason(text: &str) -> Option<InvalidUriReason> {
        Uri::new(text).err().map(|error| error.reason())
    }

    #[test]
    fn the_loose_rule_takes_any_characters_but_dots_hashes_and_white_space() {
        for text in [
            "a",
            "realm1",
            "com.example.add2",
            "com.example.Grüße.日本.🙂",
            "com.example-app.x@y:z/ü",
            "_.0",
            "wamp.error.canceled",
            "com.\u{200b}zero-width-space-is-none",
        ] {
            assert_eq!(reason(text), None, "{text}");
        }
    }

    #[test]
    fn a_concrete_uri_has_no_empty_component() {
        for text in ["", ".", "..", ".com", "com.", "com..app", "com.app.", "..a"] {
            assert_eq!(
                reason(text),
                Some(InvalidUriReason::EmptyComponent),
                "{text}"
            );
        }
    }

    #[test]
    fn white_space_is_refused_everywhere_also_as_the_last_line_end() {
        for text in [
            "com.app\n",
            "com.app\r\n",
            "\ncom.app",
            " ",
            "com. app",
            "com.a\tb",
            "com.a\u{a0}b",
            "com.a\u{1c}b",
            "com.a\u{1f}",
            "com\u{2028}",
            "com.\u{3000}",
        ] {
            assert_eq!(reason(text), Some(InvalidUriReason::Whitespace), "{text:?}");
        }
    }

    #[test]
    fn hashes_are_refused_everywhere() {
        for text in ["#", "com.#", "com.app#1", "#com.app"] {
            assert_eq!(reason(text), Some(InvalidUriReason::Hash), "{text}");
        }
    }

    #[test]
    fn each_character_is_judged_as_python_peers_do() {
        for character in '\0'..=char::MAX {
            let refused = character == '#' || is_python_whitespace(character);
            let found = violation(
                character.encode_utf8(&mut [0; 4]),
                Characters::Loose,
                Empty::Nowhere,
            );
            if character != '.' {
                assert_eq!(found.is_some(), refused, "{character:?}");
            }
        }
    }

    #[test]
    fn what_is_plain_is_found_wherever_it_stands() {
        for length in 8..40 {
            let text = vec![b'a'; length];
            assert!(is_plain(&text), "{length}");
            for (at, byte) in (0..length).flat_map(|at| (0..=255).map(move |byte| (at, byte))) {
                let mut text = text.clone();
                text[at] = byte;
                let inside = at > 0 && at < length - 1;
                let plain = matches!(byte, 0x21..0x80) && byte != b'#' && (byte != b'.' || inside);
                assert_eq!(is_plain(&text), plain, "{byte:#x} at {at} of {length}");
                if byte == b'.' && at > 0 {
                    text[at - 1] = b'.';
                    assert!(!is_plain(&text), "two dots before {at} of {length}");
                }
            }
        }
    }

    #[test]
    fn the_strict_rule_takes_only_lower_case_ascii_digits_and_underscores() {
        assert!(Uri::strict("com.my_app.add2").is_ok());
        let reason = |text| Uri::strict(text).unwrap_err().reason();
        assert_eq!(reason("com.myApp"), InvalidUriReason::NotStrict('A'));
        assert_eq!(reason("com.é"), InvalidUriReason::NotStrict('é'));
        assert_eq!(reason("com.a-b"), InvalidUriReason::NotStrict('-'));
        assert_eq!(reason("com.٣"), InvalidUriReason::NotStrict('٣'));
        assert_eq!(reason("com.a#"), InvalidUriReason::Hash);
        assert_eq!(reason("com.a\n"), InvalidUriReason::Whitespace);
        assert_eq!(reason("com..a"), InvalidUriReason::EmptyComponent);
        assert_eq!(reason(""), InvalidUriReason::EmptyComponent);
    }

    #[test]
    fn only_a_whole_first_component_wamp_is_reserved() {
        let is_reserved = |text| Uri::new(text).unwrap().is_reserved();
        assert!(is_reserved("wamp"));
        assert!(is_reserved("wamp.session.on_join"));
        assert!(!is_reserved("wampum.session"));
        assert!(!is_reserved("com.wamp"));
        assert!(!is_reserved("Wamp.session"));
    }

    #[test]
    fn a_uri_in_a_set_is_found_by_its_text() {
        let uris = HashSet::from([Uri::new("com.example").unwrap()]);
        assert!(uris.contains("com.example"));
    }

    #[test]
    fn cloning_shares_the_text() {
        let uri = Uri::new("com.example").unwrap();
        assert!(std::ptr::eq(uri.as_str(), uri.clone().as_str()));
        assert!(std::ptr::eq(
            uri.as_str(),
            (&uri).into_uri().unwrap().as_str()
        ));
    }

    #[test]
    fn builders_take_texts_and_uris() {
        let uri = Uri::new("com.example").unwrap();
        let text = String::from("com.example");
        assert_eq!("com.example".into_uri().unwrap(), uri);
        assert_eq!((&text).into_uri().unwrap(), uri);
        assert_eq!(text.into_uri().unwrap(), uri);
        assert_eq!(uri.clone().into_uri().unwrap(), uri);
        assert!("com example".into_uri().is_err());
    }

    #[test]
    fn a_uri_that_is_read_is_checked() {
        let read = |text| serde_json::from_str::<Uri>(text);
        assert_eq!(read(r#""com.example""#).unwrap(), "com.example");
        assert_eq!(read(r#""com.\u0065xample""#).unwrap(), "com.example");
        assert!(read(r#""com.example\n""#).is_err());
        assert!(read("1").is_err());
        let uri = Uri::new("com.example").unwrap();
        assert_eq!(serde_json::to_string(&uri).unwrap(), r#""com.example""#);
    }

    fn texts() -> impl Strategy<Value = String> {
        let character = prop::sample::select(vec![
            '.', '.', '.', 'a', 'z', '0', '9', '_', 'A', '-', 'é', '#', ' ', '\n', '\u{1d}',
        ]);
        prop_oneof![
            prop::collection::vec(character.clone(), 0..8),
            prop::collection::vec(
                prop_oneof![24 => Just('a'), 4 => Just('.'), 1 => character],
                8..32
            ),
        ]
        .prop_map(String::from_iter)
    }

    proptest! {
        #[test]
        fn the_scan_agrees_with_the_rule_as_it_reads(text in texts()) {
            let components: Vec<&str> = text.split('.').collect();
            let loose = |character: char| character != '#' && !is_python_whitespace(character);
            let strict = |character: char| {
                character.is_ascii_lowercase() || character.is_ascii_digit() || character == '_'
            };
            let (_, before_the_last) = components.split_last().unwrap();
            let nowhere = components.iter().all(|component| !component.is_empty());
            let last = before_the_last.iter().all(|component| !component.is_empty());

            for (characters, allowed) in [
                (Characters::Loose, components.iter().all(|part| part.chars().all(loose))),
                (Characters::Strict, components.iter().all(|part| part.chars().all(strict))),
            ] {
                for (empty, filled) in
                    [(Empty::Nowhere, nowhere), (Empty::Last, last), (Empty::Anywhere, true)]
                {
                    let found = check(&text, characters, empty);
                    prop_assert_eq!(found.is_ok(), allowed && filled, "{:?}", found);
                }
            }
        }
    }
}
