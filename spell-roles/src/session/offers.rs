use std::sync::Arc;

use spell_message::{
    Dict,
    message::{Authenticate, Challenge, Welcome},
};
use spell_peer::InitError;
use tokio::sync::Mutex;

use crate::auth::{AuthError, Authenticator};

/// The authentication methods that a session offers, and how far each got in the attempt under
/// way.
///
/// Judges, without waiting for anybody, whether the router keeps to what was offered. Whatever it
/// refuses is refused before an authenticator is asked, so that no secret is sent.
#[derive(Debug, Default)]
pub(super) struct Offers(Vec<Offer>);

#[derive(Debug)]
struct Offer {
    method: String,
    authid: Option<String>,
    rounds: u32,
    needs_challenge: bool,
    /// How many challenges came in this attempt.
    challenged: u32,
    /// Locked only by the tasks of the attempt under way.
    authenticator: Shared,
}

type Shared = Arc<Mutex<dyn Authenticator>>;

impl Offers {
    pub(super) fn push(&mut self, authenticator: impl Authenticator) {
        self.0.push(Offer {
            method: authenticator.method().to_owned(),
            authid: authenticator.authid().map(str::to_owned),
            rounds: authenticator.rounds(),
            needs_challenge: authenticator.needs_challenge(),
            challenged: 0,
            authenticator: Arc::new(Mutex::new(authenticator)),
        });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names of the methods, best first.
    pub(super) fn methods(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|offer| offer.method.as_str())
    }

    /// Who the peer says it is, by the first method that has it.
    pub(super) fn authid(&self) -> Option<&str> {
        self.0.iter().find_map(|offer| offer.authid.as_deref())
    }

    /// Check what can be known before the first attempt. HELLO names one `authid` for all methods.
    pub(super) fn check(&self) -> Result<(), InitError> {
        for (index, offer) in self.0.iter().enumerate() {
            if self
                .methods()
                .take(index)
                .any(|other| other == offer.method)
            {
                let method = &offer.method;
                let text = format!("the authentication method {method:?} is offered twice");
                return Err(InitError::new(text));
            }
        }
        let mut authids = self.0.iter().filter_map(|offer| offer.authid.as_ref());
        if authids.any(|authid| Some(authid.as_str()) != self.authid()) {
            return Err(InitError::new("the authenticators name different authids"));
        }
        Ok(())
    }

    /// A new attempt: ask all authenticators for what HELLO must have.
    pub(super) fn prepare(
        &mut self,
    ) -> impl Future<Output = Result<Dict, AuthError>> + Send + 'static {
        for offer in &mut self.0 {
            offer.challenged = 0;
        }
        let authenticators = self.0.iter().map(|offer| offer.authenticator.clone());
        let authenticators: Vec<Shared> = authenticators.collect();
        async move {
            let mut authextra = Dict::new();
            for authenticator in authenticators {
                for (key, value) in authenticator.lock().await.hello().await? {
                    if !authextra.contains_key(&key) {
                        authextra.insert(key, value);
                    }
                }
            }
            Ok(authextra)
        }
    }

    /// A challenge came: let its authenticator answer, if the router may ask that.
    pub(super) fn challenge(
        &mut self,
        challenge: Challenge,
    ) -> Result<impl Future<Output = Result<Authenticate, AuthError>> + Send + 'static, AuthError>
    {
        let method = challenge.method.as_str();
        let offer = self.0.iter_mut().find(|offer| offer.method == method);
        let offer = offer.ok_or_else(|| AuthError::not_offered(method))?;
        if offer.challenged >= offer.rounds {
            let method = offer.method.clone();
            return Err(AuthError::TooManyChallenges { method });
        }
        offer.challenged = offer.challenged.saturating_add(1);
        let authenticator = offer.authenticator.clone();
        Ok(async move { authenticator.lock().await.challenge(&challenge).await })
    }

    /// WELCOME came: refuse it if the router left out what was offered, otherwise let those that
    /// were asked check the router's own proof; `None` when nobody was asked.
    pub(super) fn welcome(
        &self,
        welcome: &Welcome,
        require_challenge: bool,
    ) -> Result<Option<impl Future<Output = Result<(), AuthError>> + Send + 'static>, AuthError>
    {
        if self.is_empty() {
            return Ok(None);
        }
        let named = match welcome.details.authmethod() {
            None => None,
            Some(method) => {
                let offer = self.0.iter().find(|offer| offer.method == method);
                Some(offer.ok_or_else(|| AuthError::not_offered(method))?)
            }
        };
        let proven = match named {
            Some(offer) => offer.is_satisfied(),
            None => self.0.iter().any(Offer::is_satisfied),
        };
        if require_challenge && !proven {
            return Err(AuthError::NoChallenge);
        }
        let asked = self.0.iter().filter(|offer| {
            let named = named.is_some_and(|named| named.method == offer.method);
            offer.challenged > 0 || named
        });
        let asked: Vec<Shared> = asked.map(|offer| offer.authenticator.clone()).collect();
        if asked.is_empty() {
            return Ok(None);
        }
        let welcome = welcome.clone();
        Ok(Some(async move {
            for authenticator in asked {
                authenticator.lock().await.welcome(&welcome).await?;
            }
            Ok(())
        }))
    }
}

impl Offer {
    /// Whether the router may open the session by this method.
    fn is_satisfied(&self) -> bool {
        self.challenged > 0 || !self.needs_challenge
    }
}
