use std::fmt;

use async_trait::async_trait;
use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString, zeroize::Zeroizing};
use sha2::Sha256;
use spell_message::{
    Dict, Value,
    message::{Authenticate, Challenge},
};

use super::{AuthError, Authenticator};

/// The method `wampcra`: signs the router's challenge with a secret that never leaves the peer.
///
/// With a salted secret the router names the cost of deriving the key, so the cost is bounded: a
/// key of 16 to 64 bytes, 1 to 100 000 iterations unless
/// [`max_iterations`](Self::max_iterations) says otherwise, a salt of at most 1 KiB. Anything else
/// ends the attempt before any work. The derivation runs on the runtime's threads for blocking
/// work.
///
/// WAMP spec, "Challenge Response Authentication".
///
/// ```
/// use spell_roles::{Session, auth::Cra};
///
/// let session = Session::new("realm1").authenticator(Cra::new("joe", "secret"));
/// assert!(!format!("{session:?}").contains("secret"));
/// ```
#[derive(Clone)]
pub struct Cra {
    authid: String,
    secret: SecretString,
    max_iterations: u32,
}

impl Cra {
    /// Prove to be `authid`, by a secret shared with the router.
    pub fn new(authid: impl Into<String>, secret: impl Into<SecretString>) -> Self {
        Self {
            authid: authid.into(),
            secret: secret.into(),
            max_iterations: 100_000,
        }
    }

    /// The most iterations that the router may ask for when it sends a salt. Default: 100 000.
    #[must_use]
    pub fn max_iterations(mut self, iterations: u32) -> Self {
        self.max_iterations = iterations;
        self
    }
}

#[async_trait]
impl Authenticator for Cra {
    fn method(&self) -> &'static str {
        "wampcra"
    }

    fn authid(&self) -> Option<&str> {
        Some(&self.authid)
    }

    async fn challenge(&mut self, challenge: &Challenge) -> Result<Authenticate, AuthError> {
        let text = text(&challenge.extra, "challenge")?;
        let text = text.ok_or_else(|| AuthError::malformed("challenge", "a string"))?;
        let signature = match Salting::read(&challenge.extra, self.max_iterations)? {
            None => sign(self.secret.expose_secret(), text)?,
            Some(salting) => {
                let key = salting.derive(self.secret.clone()).await?;
                sign(&key, text)?
            }
        };
        Ok(Authenticate {
            signature,
            extra: Dict::new(),
        })
    }
}

impl fmt::Debug for Cra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cra")
            .field("authid", &self.authid)
            .field("max_iterations", &self.max_iterations)
            .finish_non_exhaustive()
    }
}

/// How the router derived the key from the secret.
struct Salting {
    salt: String,
    iterations: u32,
    keylen: usize,
}

impl Salting {
    /// `None` when the secret is the key.
    fn read(extra: &Dict, max_iterations: u32) -> Result<Option<Self>, AuthError> {
        let Some(salt) = text(extra, "salt")? else {
            return Ok(None);
        };
        let length = i128::try_from(salt.len()).unwrap_or(i128::MAX);
        AuthError::check_bounds("salt length", length, 0, MAX_SALT)?;
        let iterations = integer(extra, "iterations", DEFAULT_ITERATIONS)?;
        let keylen = integer(extra, "keylen", DEFAULT_KEYLEN)?;
        let keylen = AuthError::check_bounds("keylen", keylen, 16, 64)?;
        Ok(Some(Self {
            salt: salt.to_owned(),
            iterations: AuthError::check_bounds("iterations", iterations, 1, max_iterations)?,
            keylen: usize::try_from(keylen)
                .map_err(|_| AuthError::malformed("keylen", "a small integer"))?,
        }))
    }

    /// The key, as Base64: it is the text that peers and routers sign with, not the bytes.
    async fn derive(self, secret: SecretString) -> Result<Zeroizing<String>, AuthError> {
        let work = move || {
            let mut key = Zeroizing::new(vec![0; self.keylen]);
            let (secret, salt) = (secret.expose_secret(), self.salt);
            pbkdf2::pbkdf2_hmac::<Sha256>(
                secret.as_bytes(),
                salt.as_bytes(),
                self.iterations,
                &mut key,
            );
            Zeroizing::new(BASE64.encode(&key))
        };
        let work = tokio::task::spawn_blocking(work);
        work.await.map_err(AuthError::credentials)
    }
}

/// The signature of the challenge, whose text is taken as it came.
fn sign(key: &str, challenge: &str) -> Result<String, AuthError> {
    // HMAC takes keys of any length; the error cannot come.
    let hmac = Hmac::<Sha256>::new_from_slice(key.as_bytes());
    let mut hmac = hmac.map_err(AuthError::credentials)?;
    hmac.update(challenge.as_bytes());
    Ok(BASE64.encode(&hmac.finalize().into_bytes()))
}

fn text<'a>(extra: &'a Dict, field: &'static str) -> Result<Option<&'a str>, AuthError> {
    match extra.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value
            .as_str()
            .map(Some)
            .ok_or_else(|| AuthError::malformed(field, "a string")),
    }
}

fn integer(extra: &Dict, field: &'static str, default: i128) -> Result<i128, AuthError> {
    match extra.get(field) {
        None | Some(Value::Null) => Ok(default),
        Some(value) => value
            .as_i64()
            .map(i128::from)
            .or_else(|| value.as_u64().map(i128::from))
            .ok_or_else(|| AuthError::malformed(field, "an integer")),
    }
}

/// What a salted challenge means that does not say; as other peers have it.
const DEFAULT_ITERATIONS: i128 = 1000;
const DEFAULT_KEYLEN: i128 = 32;

/// In bytes.
const MAX_SALT: u32 = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{"nonce":"n1","session":1}"#;

    async fn answer<const N: usize>(extra: [(&str, Value); N]) -> Result<String, AuthError> {
        let mut cra = Cra::new("joe", "secret123");
        answer_of(&mut cra, extra).await
    }

    async fn answer_of<const N: usize>(
        cra: &mut Cra,
        extra: [(&str, Value); N],
    ) -> Result<String, AuthError> {
        let challenge = Challenge {
            method: "wampcra".into(),
            extra: extra.into(),
        };
        let answer = cra.challenge(&challenge).await?;
        assert!(answer.extra.is_empty());
        Ok(answer.signature)
    }

    #[tokio::test]
    async fn the_challenge_is_signed_as_it_came() {
        let signature = answer([("challenge", TEXT.into())]).await.unwrap();
        assert_eq!(signature, "GM5FeMYsAwxQNsrVu+Tm5Hnp75yvpsYjJyW3hIHaOf0=");
        // The same JSON, written otherwise, is another text.
        let spaced = answer([("challenge", r#"{"nonce": "n1", "session": 1}"#.into())]);
        assert_ne!(spaced.await.unwrap(), signature);
    }

    #[tokio::test]
    async fn a_salted_secret_signs_with_the_base64_text_of_the_derived_key() {
        let signature = answer([
            ("challenge", TEXT.into()),
            ("salt", "salt123".into()),
            ("iterations", 1000.into()),
            ("keylen", 32.into()),
        ]);
        let expected = "wedkAHWWTcjugm0GzgqrmMDBJxKa7NgE2jxwVugnTSk=";
        assert_eq!(signature.await.unwrap(), expected);
        // 1000 and 32 are the defaults.
        let signature = answer([("challenge", TEXT.into()), ("salt", "salt123".into())]);
        assert_eq!(signature.await.unwrap(), expected);
    }

    #[tokio::test]
    async fn the_key_is_derived_as_published() {
        let salting = Salting {
            salt: "salt123".into(),
            iterations: 1000,
            keylen: 32,
        };
        let key = salting.derive("secret123".into()).await.unwrap();
        assert_eq!(*key, "Eu7CQLfR+/Ffb+275A4s9/6H/RGKYxM4s6IMrsNKzC8=");
    }

    #[tokio::test]
    async fn a_cost_out_of_bounds_is_refused() {
        for (field, value) in [
            ("iterations", Value::from(0)),
            ("iterations", Value::from(-1)),
            ("iterations", Value::from(100_001)),
            ("iterations", Value::from(u64::MAX)),
            ("keylen", Value::from(15)),
            ("keylen", Value::from(65)),
            ("keylen", Value::from(4_294_967_328_u64)),
        ] {
            let named = format!("{field} {value:?}");
            let error = answer([
                ("challenge", TEXT.into()),
                ("salt", "salt123".into()),
                (field, value),
            ]);
            let error = error.await.unwrap_err();
            assert!(
                matches!(error, AuthError::OutOfBounds { field: f, .. } if f == field),
                "{named}"
            );
        }
        let salt = "s".repeat(1025);
        let error = answer([("challenge", TEXT.into()), ("salt", salt.into())]);
        let error = error.await.unwrap_err().to_string();
        let expected = "the router's `salt length` is 1025; allowed is 0 to 1024";
        assert_eq!(error, expected);
    }

    #[tokio::test]
    async fn the_bound_on_iterations_can_be_moved() {
        let extra = || {
            [
                ("challenge", Value::from(TEXT)),
                ("salt", "salt123".into()),
                ("iterations", 100_001.into()),
            ]
        };
        let mut cra = Cra::new("joe", "secret123").max_iterations(100_001);
        assert!(answer_of(&mut cra, extra()).await.is_ok());
        let mut cra = Cra::new("joe", "secret123").max_iterations(100_000);
        assert!(answer_of(&mut cra, extra()).await.is_err());
    }

    #[tokio::test]
    async fn what_is_no_challenge_is_refused() {
        for extra in [
            [("challenge", Value::Null), ("x", Value::Null)],
            [("challenge", 1.into()), ("x", Value::Null)],
            [("challenge", TEXT.into()), ("salt", 1.into())],
        ] {
            let error = answer(extra).await.unwrap_err();
            assert!(matches!(error, AuthError::Malformed { .. }), "{error}");
        }
        for field in ["iterations", "keylen"] {
            let error = answer([
                ("challenge", TEXT.into()),
                ("salt", "s".into()),
                (field, "x".into()),
            ]);
            let error = error.await.unwrap_err().to_string();
            assert_eq!(error, format!("the router's `{field}` must be an integer"));
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let cra = Cra::new("joe", "canary");
        assert!(!format!("{cra:?}").contains("canary"));
    }
}
