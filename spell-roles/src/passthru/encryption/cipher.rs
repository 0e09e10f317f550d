use aes_gcm::{
    Aes256Gcm,
    aead::{AeadInOut, KeyInit as _},
};
use crypto_secretbox::{AeadInPlace, KeyInit as _, XSalsa20Poly1305};

use crate::passthru::PassthruError;

/// How a payload is encrypted and authenticated. Keys have 32 bytes.
///
/// WAMP spec, "Payload Passthru Mode" ("`ppt_cipher` Attribute").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cipher {
    /// `xsalsa20poly1305`, also known as `crypto_secretbox` of `NaCl`.
    ///
    /// Its nonces are long enough to be random for any number of messages.
    XSalsa20Poly1305,
    /// `aes256gcm`
    ///
    /// Its nonces are short: replace a key before it has sealed 2^32 messages, by all peers together.
    Aes256Gcm,
}

impl Cipher {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::XSalsa20Poly1305 => "xsalsa20poly1305",
            Self::Aes256Gcm => "aes256gcm",
        }
    }

    /// The cipher with this name on the wire.
    pub fn from_name(name: &str) -> Option<Self> {
        let all = [Self::XSalsa20Poly1305, Self::Aes256Gcm];
        all.into_iter().find(|cipher| cipher.as_str() == name)
    }

    /// Encrypts, with a random nonce, which comes first.
    pub(super) fn encrypt(
        self,
        secret: &[u8; 32],
        plaintext: &[u8],
    ) -> Result<Vec<u8>, PassthruError> {
        match self {
            Self::XSalsa20Poly1305 => secretbox_encrypt(secret, &nonce()?, plaintext),
            Self::Aes256Gcm => gcm_encrypt(secret, &nonce()?, plaintext),
        }
    }

    /// Decrypts what [`encrypt`](Self::encrypt) gave.
    pub(super) fn decrypt(
        self,
        secret: &[u8; 32],
        sealed: &[u8],
    ) -> Result<Vec<u8>, PassthruError> {
        let decrypted = match self {
            Self::XSalsa20Poly1305 => secretbox_decrypt(secret, sealed),
            Self::Aes256Gcm => gcm_decrypt(secret, sealed),
        };
        decrypted.ok_or(PassthruError::Undecipherable)
    }
}

fn nonce<const N: usize>() -> Result<[u8; N], PassthruError> {
    let mut nonce = [0; N];
    getrandom::fill(&mut nonce).map_err(|_| PassthruError::NoRandomness)?;
    Ok(nonce)
}

/// The nonce, the tag, the ciphertext: as `NaCl` and its descendants combine them.
fn secretbox_encrypt(
    secret: &[u8; 32],
    nonce: &[u8; SECRETBOX_NONCE],
    plaintext: &[u8],
) -> Result<Vec<u8>, PassthruError> {
    let mut sealed = Vec::with_capacity(sealed_len(SECRETBOX_NONCE, plaintext));
    sealed.extend_from_slice(nonce);
    sealed.extend_from_slice(&[0; TAG]);
    sealed.extend_from_slice(plaintext);
    let (head, ciphertext) = sealed.split_at_mut(SECRETBOX_NONCE + TAG);
    let cipher = XSalsa20Poly1305::new(secret.into());
    let tag = cipher
        .encrypt_in_place_detached(nonce.into(), b"", ciphertext)
        .map_err(|_| too_long())?;
    if let Some(place) = head.get_mut(SECRETBOX_NONCE..) {
        place.copy_from_slice(&tag);
    }
    Ok(sealed)
}

fn secretbox_decrypt(secret: &[u8; 32], sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, rest) = sealed.split_first_chunk::<SECRETBOX_NONCE>()?;
    let (tag, ciphertext) = rest.split_first_chunk::<TAG>()?;
    let mut plaintext = ciphertext.to_vec();
    XSalsa20Poly1305::new(secret.into())
        .decrypt_in_place_detached(nonce.into(), b"", &mut plaintext, tag.into())
        .ok()?;
    Some(plaintext)
}

/// The nonce, the ciphertext, the tag: the last two as RFC 5116 combines them.
fn gcm_encrypt(
    secret: &[u8; 32],
    nonce: &[u8; GCM_NONCE],
    plaintext: &[u8],
) -> Result<Vec<u8>, PassthruError> {
    let mut sealed = Vec::with_capacity(sealed_len(GCM_NONCE, plaintext));
    sealed.extend_from_slice(nonce);
    sealed.extend_from_slice(plaintext);
    let (_, ciphertext) = sealed.split_at_mut(GCM_NONCE);
    let tag = Aes256Gcm::new(secret.into())
        .encrypt_inout_detached(nonce.into(), b"", ciphertext.into())
        .map_err(|_| too_long())?;
    sealed.extend_from_slice(&tag);
    Ok(sealed)
}

fn gcm_decrypt(secret: &[u8; 32], sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, rest) = sealed.split_first_chunk::<GCM_NONCE>()?;
    let (ciphertext, tag) = rest.split_last_chunk::<TAG>()?;
    let mut plaintext = ciphertext.to_vec();
    Aes256Gcm::new(secret.into())
        .decrypt_inout_detached(
            nonce.into(),
            b"",
            plaintext.as_mut_slice().into(),
            tag.into(),
        )
        .ok()?;
    Some(plaintext)
}

fn sealed_len(nonce: usize, plaintext: &[u8]) -> usize {
    plaintext.len().saturating_add(nonce).saturating_add(TAG)
}

/// More than 64 GiB, which no message holds.
fn too_long() -> PassthruError {
    PassthruError::other("the arguments are too long to be encrypted")
}

/// Sizes in bytes.
const TAG: usize = 16;
const SECRETBOX_NONCE: usize = 24;
const GCM_NONCE: usize = 12;

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;
    use proptest::prelude::*;

    use super::*;

    fn bytes(digits: &str) -> Vec<u8> {
        HEXLOWER.decode(digits.as_bytes()).unwrap()
    }

    fn array<const N: usize>(digits: &str) -> [u8; N] {
        bytes(digits).try_into().unwrap()
    }

    const CIPHERS: [Cipher; 2] = [Cipher::XSalsa20Poly1305, Cipher::Aes256Gcm];

    /// "Cryptography in `NaCl`", section 10; the file `tests/secretbox.c` of `NaCl`.
    #[test]
    fn secretbox_encrypts_as_nacl_does() {
        let secret = array("1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389");
        let nonce = array("69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37");
        let plaintext = bytes(
            "be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffc\
             e5ecbaaf33bd751a1ac728d45e6c61296cdc3c01233561f41db66cce314adb31\
             0e3be8250c46f06dceea3a7fa1348057e2f6556ad6b1318a024a838f21af1fde\
             048977eb48f59ffd4924ca1c60902e52f0a089bc76897040e082f937763848645e0705",
        );
        let expected = bytes(
            "69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37\
             f3ffc7703f9400e52a7dfb4b3d3305d9\
             8e993b9f48681273c29650ba32fc76ce48332ea7164d96a4476fb8c531a1186a\
             c0dfc17c98dce87b4da7f011ec48c97271d2c20f9b928fe2270d6fb863d51738\
             b48eeee314a7cc8ab932164548e526ae90224368517acfeabd6bb3732bc0e9da\
             99832b61ca01b6de56244a9e88d5f9b37973f622a43d14a6599b1f654cb45a74e355a5",
        );
        let sealed = secretbox_encrypt(&secret, &nonce, &plaintext).unwrap();
        assert_eq!(sealed, expected);
        assert_eq!(secretbox_decrypt(&secret, &sealed).unwrap(), plaintext);
    }

    /// "The Galois/Counter Mode of Operation (GCM)", appendix B, test cases 13 to 15.
    #[test]
    fn gcm_encrypts_as_its_authors_do() {
        for (secret, nonce, plaintext, expected) in [
            (
                "00".repeat(32),
                "00".repeat(12),
                String::new(),
                "530f8afbc74536b9a963b4f1c4cb738b".to_owned(),
            ),
            (
                "00".repeat(32),
                "00".repeat(12),
                "00".repeat(16),
                "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919".to_owned(),
            ),
            (
                "feffe9928665731c6d6a8f9467308308".repeat(2),
                "cafebabefacedbaddecaf888".to_owned(),
                "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72\
                 1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255"
                    .to_owned(),
                "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa\
                 8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad\
                 b094dac5d93471bdec1a502270e3cc6c"
                    .to_owned(),
            ),
        ] {
            let (secret, nonce_bytes) = (array(&secret), array(&nonce));
            let sealed = gcm_encrypt(&secret, &nonce_bytes, &bytes(&plaintext)).unwrap();
            assert_eq!(HEXLOWER.encode(&sealed), nonce + &expected);
            let decrypted = gcm_decrypt(&secret, &sealed).unwrap();
            assert_eq!(HEXLOWER.encode(&decrypted), plaintext);
        }
    }

    #[test]
    fn nonces_are_not_repeated() {
        for cipher in CIPHERS {
            let encrypt = || cipher.encrypt(&[7; 32], b"text").unwrap();
            assert_ne!(encrypt(), encrypt());
        }
    }

    proptest! {
        #[test]
        fn what_is_encrypted_is_decrypted(
            secret: [u8; 32], plaintext in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            for cipher in CIPHERS {
                let sealed = cipher.encrypt(&secret, &plaintext).unwrap();
                prop_assert_eq!(cipher.decrypt(&secret, &sealed).unwrap(), plaintext.clone());
            }
        }

        #[test]
        fn what_was_changed_or_cut_does_not_decrypt(
            plaintext in prop::collection::vec(any::<u8>(), 0..40),
            place: prop::sample::Index, bit in 0_u8..8, cut in 1_usize..80,
        ) {
            for cipher in CIPHERS {
                let sealed = cipher.encrypt(&[7; 32], &plaintext).unwrap();
                let mut changed = sealed.clone();
                let place = place.index(sealed.len());
                changed[place] ^= 1 << bit;
                let shorter = &sealed[..sealed.len().saturating_sub(cut)];
                let longer = [&sealed[..], &[0]].concat();
                for wrong in [&changed[..], shorter, &longer] {
                    let refused = cipher.decrypt(&[7; 32], wrong);
                    prop_assert!(matches!(refused, Err(PassthruError::Undecipherable)));
                }
                let refused = cipher.decrypt(&[8; 32], &sealed);
                prop_assert!(matches!(refused, Err(PassthruError::Undecipherable)));
            }
        }
    }
}
