use std::{error::Error as StdError, fmt, pin::Pin};

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use spell_message::{
    Dict,
    message::{Authenticate, Challenge},
};

use super::{AuthError, Authenticator};

/// The method `ticket`: a password, or a token that was issued for the peer.
///
/// The ticket crosses the wire as it is, so use it over a confidential transport only: TLS, a Unix
/// socket, or one in memory.
///
/// WAMP spec, "Ticket-based Authentication".
///
/// ```
/// use spell_roles::{Session, auth::Ticket};
///
/// let session = Session::new("realm1").authenticator(Ticket::new("joe", "secret"));
/// assert!(!format!("{session:?}").contains("secret"));
/// ```
pub struct Ticket {
    authid: String,
    source: Source,
}

enum Source {
    Fixed(SecretString),
    Provider(Box<Provider>),
}

type Provider =
    dyn FnMut() -> Pin<Box<dyn Future<Output = Result<SecretString, AuthError>> + Send>> + Send;

impl Ticket {
    /// The same ticket for every attempt.
    pub fn new(authid: impl Into<String>, ticket: impl Into<SecretString>) -> Self {
        Self {
            authid: authid.into(),
            source: Source::Fixed(ticket.into()),
        }
    }

    /// A ticket that `provider` fetches afresh for each attempt, once the router asks for it.
    ///
    /// Its time counts as time for joining. Its error ends the attempt, as
    /// [`AuthError::Unavailable`]: a peer with a retry policy tries again. A provider whose error is
    /// an [`AuthError`] decides that itself.
    ///
    /// ```
    /// use spell_roles::auth::{SecretString, Ticket};
    ///
    /// # async fn issue() -> Result<String, std::io::Error> { Ok("t".into()) }
    /// let ticket = Ticket::provider("joe", || async { issue().await.map(SecretString::from) });
    /// # let _ = ticket;
    /// ```
    pub fn provider<F, Fut, E>(authid: impl Into<String>, mut provider: F) -> Self
    where
        F: FnMut() -> Fut + Send + 'static,
        Fut: Future<Output = Result<SecretString, E>> + Send + 'static,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        let provider = move || -> Pin<Box<dyn Future<Output = _> + Send>> {
            let ticket = provider();
            Box::pin(async move { ticket.await.map_err(AuthError::of_provider) })
        };
        Self {
            authid: authid.into(),
            source: Source::Provider(Box::new(provider)),
        }
    }
}

#[async_trait]
impl Authenticator for Ticket {
    fn method(&self) -> &'static str {
        "ticket"
    }

    fn authid(&self) -> Option<&str> {
        Some(&self.authid)
    }

    async fn challenge(&mut self, _: &Challenge) -> Result<Authenticate, AuthError> {
        let signature = match &mut self.source {
            Source::Fixed(ticket) => ticket.expose_secret().to_owned(),
            Source::Provider(provider) => {
                let ticket = provider();
                ticket.await?.expose_secret().to_owned()
            }
        };
        Ok(Authenticate {
            signature,
            extra: Dict::new(),
        })
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket")
            .field("authid", &self.authid)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    fn challenge() -> Challenge {
        Challenge {
            method: "ticket".into(),
            extra: Dict::new(),
        }
    }

    #[tokio::test]
    async fn the_answer_is_the_ticket_itself() {
        let mut ticket = Ticket::new("joe", "canary");
        let answer = ticket.challenge(&challenge()).await.unwrap();
        assert_eq!(answer.signature, "canary");
        assert_eq!(answer.extra, Dict::new());
        assert_eq!(ticket.authid(), Some("joe"));
    }

    #[tokio::test]
    async fn a_provider_is_asked_afresh_for_each_attempt() {
        let mut issued = 0;
        let mut ticket = Ticket::provider("joe", move || {
            issued += 1;
            async move {
                match issued {
                    3 => Err(io::Error::other("none left")),
                    n => Ok(SecretString::from(format!("ticket {n}"))),
                }
            }
        });
        for expected in ["ticket 1", "ticket 2"] {
            let answer = ticket.challenge(&challenge()).await.unwrap();
            assert_eq!(answer.signature, expected);
        }
        let error = ticket.challenge(&challenge()).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "the credentials could not be had just now"
        );
        assert_eq!(error.source().unwrap().to_string(), "none left");
    }

    #[tokio::test]
    async fn no_debug_shows_the_ticket() {
        let mut ticket = Ticket::new("joe", "canary");
        let answer = ticket.challenge(&challenge()).await.unwrap();
        assert!(!format!("{ticket:?} {answer:?}").contains("canary"));
    }
}
