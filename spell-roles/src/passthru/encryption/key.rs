use std::{fmt, sync::Arc};

use secrecy::{ExposeSecret, SecretBox, zeroize::Zeroize};

use super::Cipher;

/// A secret that peers share, with the id by which messages name it. Cloning is cheap.
///
/// The secret is wiped from memory with the last clone, and never shown.
///
/// ```
/// use spell_roles::passthru::{Cipher, Key};
///
/// let key = Key::new("summer", Cipher::Aes256Gcm, [7; 32]);
/// assert_eq!(format!("{key:?}"), r#"Key { id: "summer", cipher: Aes256Gcm, .. }"#);
/// ```
#[derive(Clone)]
pub struct Key {
    id: Arc<str>,
    cipher: Cipher,
    secret: Arc<SecretBox<[u8; 32]>>,
}

impl Key {
    /// A secret, which must be random, for one cipher. Everybody on the way can read the id.
    pub fn new(id: impl AsRef<str>, cipher: Cipher, mut secret: [u8; 32]) -> Self {
        let hidden = SecretBox::new(Box::new(secret));
        secret.zeroize();
        Self {
            id: id.as_ref().into(),
            cipher,
            secret: Arc::new(hidden),
        }
    }

    /// By what messages name it, in `ppt_keyid`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// For which cipher it is. A key is never used with another one.
    pub fn cipher(&self) -> Cipher {
        self.cipher
    }

    pub(super) fn secret(&self) -> &[u8; 32] {
        self.secret.expose_secret()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("id", &self.id)
            .field("cipher", &self.cipher)
            .finish_non_exhaustive()
    }
}
