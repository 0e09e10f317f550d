use async_trait::async_trait;
use spell_message::message::{Authenticate, Challenge};

use super::{AuthError, Authenticator};

/// The method `anonymous`: no proof at all.
///
/// A session without any authenticator is anonymous by itself. This one is for offering it besides
/// others, as the last resort, or for naming it to a router that wants it named.
///
/// ```
/// use spell_roles::{Session, auth::{Anonymous, Ticket}};
///
/// let session = Session::new("realm1")
///     .authenticator(Ticket::new("joe", "secret"))
///     .authenticator(Anonymous::new());
/// # let _ = session;
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Anonymous;

impl Anonymous {
    /// No proof at all.
    pub fn new() -> Self {
        Self
    }
}

#[async_trait]
impl Authenticator for Anonymous {
    fn method(&self) -> &'static str {
        "anonymous"
    }

    fn rounds(&self) -> u32 {
        0
    }

    fn needs_challenge(&self) -> bool {
        false
    }

    async fn challenge(&mut self, challenge: &Challenge) -> Result<Authenticate, AuthError> {
        let method = challenge.method.clone();
        Err(AuthError::TooManyChallenges { method })
    }
}
