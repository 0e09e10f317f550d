//! How clients prove who they are.

use std::{fmt, time::SystemTime};

use data_encoding::{BASE64, BASE64URL_NOPAD};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use spell_message::{Dict, SessionId};
use subtle::ConstantTimeEq;

use crate::timestamp::Timestamp;

/// A method of authentication, by its name on the wire.
///
/// WAMP spec, "Authentication Methods". Others, and authenticators of the embedding program, are
/// to be added here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Anonymous,
    Ticket,
    Cra,
}

impl Method {
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        match name {
            "anonymous" => Some(Self::Anonymous),
            "ticket" => Some(Self::Ticket),
            "wampcra" => Some(Self::Cra),
            _ => None,
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Ticket => "ticket",
            Self::Cra => "wampcra",
        }
    }
}

/// The secret that a client and the router share for WAMP-CRA.
///
/// Plain, or salted: then the router keeps only a key that is derived from it, and so may the
/// client. Its `Debug` shows nothing of it.
///
/// WAMP spec, "Challenge Response Authentication".
///
/// ```
/// use spell_router::{CraSecret, Realm};
///
/// let realm = Realm::new("realm1")
///     .cra("joe", "secret123", "user")
///     .cra("ann", CraSecret::salted("secret456", "salt123"), "user");
/// assert!(!format!("{realm:?}").contains("secret"));
/// ```
#[derive(Clone)]
pub struct CraSecret {
    secret: SecretString,
    salting: Option<Salting>,
}

/// How a secret becomes a key, as the client is told.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Salting {
    salt: String,
    iterations: u32,
    key_length: usize,
}

impl CraSecret {
    /// A secret that is used as it is.
    pub fn plain(secret: impl Into<String>) -> Self {
        Self {
            secret: secret.into().into(),
            salting: None,
        }
    }

    /// A secret from which a key is derived by PBKDF2-HMAC-SHA256 with this salt: 1000 iterations,
    /// 32 bytes, unless set otherwise.
    pub fn salted(secret: impl Into<String>, salt: impl Into<String>) -> Self {
        Self {
            secret: secret.into().into(),
            salting: Some(Salting {
                salt: salt.into(),
                iterations: 1_000,
                key_length: 32,
            }),
        }
    }

    /// Sets the number of iterations of a salted secret, at least 1; no effect on a plain one.
    ///
    /// The key is derived once, when the secret is given to a realm.
    #[must_use]
    pub fn iterations(mut self, iterations: u32) -> Self {
        if let Some(salting) = &mut self.salting {
            salting.iterations = iterations.max(1);
        }
        self
    }

    /// Sets the length of the derived key in bytes, 1 to 1024; no effect on a plain secret.
    #[must_use]
    pub fn key_length(mut self, bytes: usize) -> Self {
        if let Some(salting) = &mut self.salting {
            salting.key_length = bytes.clamp(1, 1_024);
        }
        self
    }

    fn into_key(self) -> CraKey {
        let Some(salting) = self.salting else {
            return CraKey {
                key: self.secret,
                salting: None,
            };
        };
        let mut derived = vec![0; salting.key_length];
        pbkdf2::pbkdf2_hmac::<Sha256>(
            self.secret.expose_secret().as_bytes(),
            salting.salt.as_bytes(),
            salting.iterations,
            &mut derived,
        );
        // The specification does not say how the derived key is used; all implementations take
        // its Base64 text.
        CraKey {
            key: BASE64.encode(&derived).into(),
            salting: Some(salting),
        }
    }
}

impl From<&str> for CraSecret {
    fn from(secret: &str) -> Self {
        Self::plain(secret)
    }
}

impl From<String> for CraSecret {
    fn from(secret: String) -> Self {
        Self::plain(secret)
    }
}

impl fmt::Debug for CraSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CraSecret")
            .field("salting", &self.salting)
            .finish_non_exhaustive()
    }
}

/// What the router knows to check one client by.
#[derive(Clone, Debug)]
pub(crate) enum Credential {
    Ticket(SecretString),
    Cra(CraKey),
}

/// The key of WAMP-CRA.
#[derive(Clone, Debug)]
pub(crate) struct CraKey {
    key: SecretString,
    salting: Option<Salting>,
}

impl Credential {
    pub(crate) fn ticket(ticket: String) -> Self {
        Self::Ticket(ticket.into())
    }

    pub(crate) fn cra(secret: CraSecret) -> Self {
        Self::Cra(secret.into_key())
    }

    pub(crate) fn method(&self) -> Method {
        match self {
            Self::Ticket(_) => Method::Ticket,
            Self::Cra(_) => Method::Cra,
        }
    }

    /// A challenge for a client, and the check of its answer.
    pub(crate) fn challenge(self, claim: &Claim<'_>) -> Result<(Dict, Check), getrandom::Error> {
        Ok(match self {
            Self::Ticket(ticket) => (Dict::new(), Check::Ticket(ticket)),
            Self::Cra(key) => {
                let text = claim.text(&nonce()?, SystemTime::now());
                let mut extra = Dict::from([("challenge", text.as_str())]);
                if let Some(salting) = &key.salting {
                    extra.insert("salt", salting.salt.as_str());
                    extra.insert("iterations", salting.iterations);
                    extra.insert("keylen", salting.key_length);
                }
                (extra, Check::Cra(key, text))
            }
        })
    }
}

/// What a client must answer.
#[derive(Debug)]
pub(crate) enum Check {
    Ticket(SecretString),
    Cra(CraKey, String),
}

impl Check {
    /// Whether the answer is right. Takes as long for a wrong answer as for a right one of its
    /// length.
    pub(crate) fn accepts(&self, signature: &str) -> bool {
        // Compared as digests, so that not even the length of the secret shows.
        let expected = match self {
            Self::Ticket(ticket) => digest(ticket.expose_secret()),
            Self::Cra(key, challenge) => digest(&sign(&key.key, challenge)),
        };
        expected.ct_eq(&digest(signature)).into()
    }
}

/// What a challenge of WAMP-CRA is about.
#[derive(Debug)]
pub(crate) struct Claim<'a> {
    pub(crate) authid: &'a str,
    pub(crate) authrole: &'a str,
    pub(crate) session: SessionId,
}

impl Claim<'_> {
    /// The text to be signed.
    fn text(&self, nonce: &str, now: SystemTime) -> String {
        let text = serde_json::json!({
            "authid": self.authid,
            "authrole": self.authrole,
            "authmethod": Method::Cra.name(),
            "authprovider": PROVIDER,
            "nonce": nonce,
            "timestamp": Timestamp::from(now).to_string(),
            "session": self.session.get(),
        });
        text.to_string()
    }
}

/// The `authprovider` of this router: it takes its users from its settings.
pub(crate) const PROVIDER: &str = "static";

/// Base64(HMAC-SHA256(key, challenge)).
fn sign(key: &SecretString, challenge: &str) -> String {
    // HMAC takes keys of any length, so there is nothing that could fail.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.expose_secret().as_bytes()) else {
        return String::new();
    };
    mac.update(challenge.as_bytes());
    BASE64.encode(&mac.finalize().into_bytes())
}

fn digest(text: &str) -> [u8; 32] {
    use sha2::Digest;
    Sha256::digest(text.as_bytes()).into()
}

/// 128 bits that nobody can guess, as text.
pub(crate) fn nonce() -> Result<String, getrandom::Error> {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits)?;
    Ok(BASE64URL_NOPAD.encode(&bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHALLENGE: &str = r#"{"nonce":"n1","session":1}"#;

    fn check(secret: CraSecret) -> Check {
        Check::Cra(secret.into_key(), CHALLENGE.to_owned())
    }

    #[test]
    fn a_plain_secret_signs_the_text_as_it_stands() {
        let check = check(CraSecret::plain("secret123"));
        assert!(check.accepts("GM5FeMYsAwxQNsrVu+Tm5Hnp75yvpsYjJyW3hIHaOf0="));
        assert!(!check.accepts("GM5FeMYsAwxQNsrVu+Tm5Hnp75yvpsYjJyW3hIHaOf1="));
        assert!(!check.accepts(""));
    }

    #[test]
    fn a_salted_secret_signs_with_the_base64_text_of_the_derived_key() {
        let secret = CraSecret::salted("secret123", "salt123");
        let key = secret.clone().into_key();
        assert_eq!(
            key.key.expose_secret(),
            "Eu7CQLfR+/Ffb+275A4s9/6H/RGKYxM4s6IMrsNKzC8="
        );
        let check = check(secret);
        assert!(check.accepts("wedkAHWWTcjugm0GzgqrmMDBJxKa7NgE2jxwVugnTSk="));
        assert!(!check.accepts("PmhQbK8n4f+KpDJeglSHxGBCgtlMV1esEWDllYjHeHc="));
    }

    #[test]
    fn a_challenge_tells_how_the_key_is_derived_and_whom_it_is_for() {
        let secret = CraSecret::salted("s", "salt").iterations(7).key_length(16);
        let claim = Claim {
            authid: "jo\"e",
            authrole: "user",
            session: SessionId::MAX,
        };
        let (extra, _check) = Credential::cra(secret).challenge(&claim).unwrap();
        assert_eq!(extra.get("salt").unwrap().as_str(), Some("salt"));
        assert_eq!(extra.get("iterations").unwrap().as_u64(), Some(7));
        assert_eq!(extra.get("keylen").unwrap().as_u64(), Some(16));
        let text = extra.get("challenge").unwrap().as_str().unwrap();
        let text: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(text["authid"], "jo\"e");
        assert_eq!(text["session"], 9_007_199_254_740_992_u64);
        assert_eq!(text["authmethod"], "wampcra");
    }

    #[test]
    fn no_two_challenges_are_alike() {
        let claim = Claim {
            authid: "joe",
            authrole: "user",
            session: SessionId::MIN,
        };
        let text = || {
            let (extra, _check) = Credential::cra("s".into()).challenge(&claim).unwrap();
            extra.get("challenge").unwrap().as_str().unwrap().to_owned()
        };
        assert_ne!(text(), text());
    }

    #[test]
    fn a_ticket_is_accepted_only_whole() {
        let check = Check::Ticket("ticket".into());
        assert!(check.accepts("ticket"));
        for wrong in ["", "ticke", "ticket ", "Ticket"] {
            assert!(!check.accepts(wrong), "{wrong:?}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let shown = format!(
            "{:?} {:?} {:?} {:?}",
            CraSecret::plain("canary"),
            CraSecret::salted("canary", "salt"),
            Credential::ticket("canary".to_owned()),
            check(CraSecret::plain("canary")),
        );
        assert!(!shown.contains("canary"));
    }
}
