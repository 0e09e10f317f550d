use std::sync::Arc;

use spell_message::{Format, Payload};
use spell_serializer::payload;

use super::{Cipher, KeyRing};
use crate::passthru::{
    PassthruAttributes, PassthruCodec, PassthruError, PassthruSerializer, Sealed, plain,
};

/// Seals arguments so that only those who hold the key can read and write them.
///
/// The scheme is `wamp`, the serializer `cbor`. The key that the [`KeyRing`] gives for the topic or
/// procedure decides the cipher; a message names it by its id. Read
/// [what encryption protects, and what not](super::super#what-encryption-protects-and-what-not).
///
/// The specification leaves open what exactly the binary is. Here it is a random nonce, followed by
/// what the cipher makes of the packed arguments; nothing else is authenticated with them:
///
/// | cipher | nonce | then |
/// |---|---|---|
/// | `xsalsa20poly1305` | 24 bytes | tag of 16 bytes, ciphertext (as libsodium's `crypto_secretbox_easy`) |
/// | `aes256gcm` | 12 bytes | ciphertext, tag of 16 bytes (as RFC 5116 has it) |
///
/// A payload that is not sealed is refused, unless [`take_plain`](Self::take_plain) says otherwise,
/// so that a router cannot make up what seems to come from a holder of the key. WAMP spec,
/// "Payload Passthru Mode" ("End-to-End Encryption Predefined Scheme").
#[derive(Clone, Debug)]
#[must_use]
pub struct Encryption {
    keys: Arc<dyn KeyRing>,
    takes_plain: bool,
}

impl Encryption {
    /// Encrypt and decrypt with these keys.
    pub fn new(keys: impl KeyRing) -> Self {
        Self {
            keys: Arc::new(keys),
            takes_plain: false,
        }
    }

    /// Take events, invocations and results that are not sealed, too. Whether one was sealed is then
    /// told by its details: `ppt_scheme`.
    pub fn take_plain(mut self) -> Self {
        self.takes_plain = true;
        self
    }
}

impl PassthruCodec for Encryption {
    fn seal(&self, uri: &str, arguments: &Payload) -> Result<Sealed, PassthruError> {
        let key = self.keys.sealing_key(uri);
        let key = key.ok_or_else(|| PassthruError::NoKey { uri: uri.into() })?;
        let packed = payload::pack(arguments, Format::Cbor)?;
        let binary = key.cipher().encrypt(key.secret(), &packed)?;
        let mut attributes = PassthruAttributes::new(plain::WAMP);
        attributes.serializer = Some(PassthruSerializer::Cbor.as_str().into());
        attributes.cipher = Some(key.cipher().as_str().into());
        attributes.keyid = Some(key.id().into());
        Ok(Sealed::binary(attributes, binary))
    }

    fn open(
        &self,
        attributes: &PassthruAttributes,
        payload: &Payload,
    ) -> Result<Payload, PassthruError> {
        let serializer = plain::read_serializer(plain::WAMP, attributes)?;
        let cipher = attributes.cipher.as_deref().and_then(Cipher::from_name);
        let cipher = cipher.ok_or_else(|| PassthruError::UnknownCipher {
            cipher: attributes.cipher.clone(),
        })?;
        let keyid = attributes.keyid.as_deref();
        let key = keyid.and_then(|id| self.keys.opening_key(id));
        // A key is good for one cipher only.
        let key = key.filter(|key| key.cipher() == cipher);
        let key = key.ok_or_else(|| PassthruError::UnknownKey {
            keyid: attributes.keyid.clone(),
        })?;
        let binary = Sealed::read_binary(payload)?;
        let packed = cipher.decrypt(key.secret(), &binary)?;
        let format = serializer.format().unwrap_or(Format::Cbor);
        Ok(payload::unpack(&packed.into(), format)?)
    }

    fn takes_plain(&self) -> bool {
        self.takes_plain
    }
}
