use std::{collections::HashMap, fmt::Debug};

use spell_message::Pattern;

use super::Key;

/// Where [`Encryption`](super::Encryption) gets its keys.
///
/// Both methods run for each message, in the task of the user, and should not take long.
pub trait KeyRing: Debug + Send + Sync + 'static {
    /// The key to seal with what goes to this topic, or to this procedure and back; `None` if there
    /// is none, so that nothing is sent.
    fn sealing_key(&self, uri: &str) -> Option<Key>;

    /// The key with this id, which the other side or the router has sent; `None` if it is unknown.
    fn opening_key(&self, id: &str) -> Option<Key>;
}

/// Keys in memory.
///
/// ```
/// use spell_message::Pattern;
/// use spell_roles::passthru::{Cipher, Key, KeyRing, Keys};
///
/// let key = |id: &str| Key::new(id, Cipher::XSalsa20Poly1305, [7; 32]);
/// let keys = Keys::new()
///     .key_for(Pattern::prefix("com.example.billing")?, key("billing-2"))
///     .old_key(key("billing-1"))
///     .default_key(key("all"));
/// let id = |uri| keys.sealing_key(uri).map(|key| key.id().to_owned());
/// assert_eq!(id("com.example.billing.paid").as_deref(), Some("billing-2"));
/// assert_eq!(id("com.example.other").as_deref(), Some("all"));
/// assert!(keys.opening_key("billing-1").is_some());
/// # Ok::<(), spell_message::InvalidUri>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Keys {
    by_id: HashMap<String, Key>,
    by_uri: Vec<(Pattern, Key)>,
    default: Option<Key>,
}

impl Keys {
    /// No key.
    pub fn new() -> Self {
        Self::default()
    }

    /// A key to seal with what goes to the topics and procedures of this pattern, and to open with.
    /// Where several patterns match, the one that was given first counts.
    pub fn key_for(mut self, pattern: Pattern, key: Key) -> Self {
        self.by_uri.push((pattern, key.clone()));
        self.old_key(key)
    }

    /// The key to seal with all else, and to open with.
    pub fn default_key(mut self, key: Key) -> Self {
        self.default = Some(key.clone());
        self.old_key(key)
    }

    /// A key to open with, but not to seal with. Of several with the same id the last one counts.
    pub fn old_key(mut self, key: Key) -> Self {
        self.by_id.insert(key.id().to_owned(), key);
        self
    }
}

impl KeyRing for Keys {
    fn sealing_key(&self, uri: &str) -> Option<Key> {
        let special = self.by_uri.iter().find(|(pattern, _)| pattern.matches(uri));
        special
            .map(|(_, key)| key)
            .or(self.default.as_ref())
            .cloned()
    }

    fn opening_key(&self, id: &str) -> Option<Key> {
        self.by_id.get(id).cloned()
    }
}
