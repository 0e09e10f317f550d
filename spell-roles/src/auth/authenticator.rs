use std::fmt;

use async_trait::async_trait;
use spell_message::{
    Dict,
    message::{Authenticate, Challenge, Welcome},
};

use super::AuthError;

/// Proves to the router who the peer is, by one authentication method.
///
/// Async and object-safe: the proof may come from an external signer, a hardware module or a
/// ticket server. It runs in a task beside the connection's, within the time the peer has to join;
/// a task that is not finished when its connection ends is dropped. The authenticator itself lives
/// on and is used again for the next connection.
///
/// [`method`](Self::method), [`authid`](Self::authid), [`rounds`](Self::rounds) and
/// [`needs_challenge`](Self::needs_challenge) are asked once, when the authenticator is given to
/// the session.
///
/// WAMP spec, "Authentication Methods".
///
/// # Examples
///
/// A method of one's own, whose proof is an echo:
///
/// ```
/// use async_trait::async_trait;
/// use spell_message::{Dict, Value, message::{Authenticate, Challenge}};
/// use spell_roles::{Session, auth::{AuthError, Authenticator}};
///
/// #[derive(Debug)]
/// struct Echo;
///
/// #[async_trait]
/// impl Authenticator for Echo {
///     fn method(&self) -> &str {
///         "x_echo"
///     }
///
///     async fn challenge(&mut self, challenge: &Challenge) -> Result<Authenticate, AuthError> {
///         let text = challenge.extra.get("text").and_then(Value::as_str);
///         let signature = text.ok_or(AuthError::malformed("text", "a string"))?.to_owned();
///         Ok(Authenticate { signature, extra: Dict::new() })
///     }
/// }
///
/// let session = Session::new("realm1").authenticator(Echo);
/// # let _ = session;
/// ```
#[async_trait]
pub trait Authenticator: fmt::Debug + Send + 'static {
    /// The name of the method, as HELLO offers it and CHALLENGE names it.
    fn method(&self) -> &str;

    /// Who the peer says it is, for HELLO. Default: the method needs no `authid`.
    fn authid(&self) -> Option<&str> {
        None
    }

    /// How many challenges the router may send for this method while the session is joined; one
    /// more ends the attempt. Default: 1.
    fn rounds(&self) -> u32 {
        1
    }

    /// Whether the method is worth something only if the router sends a challenge. Default: yes.
    ///
    /// A session that is opened without one is then refused, so that a router cannot be
    /// impersonated by leaving the proof out. Methods whose proof is in the transport, such as a
    /// client certificate, say no.
    fn needs_challenge(&self) -> bool {
        true
    }

    /// A new attempt begins, and HELLO is about to be sent: forget the last attempt, fetch what
    /// must be fresh. Gives what the method needs in HELLO's `authextra`; a key that a method
    /// offered before has set is kept.
    ///
    /// # Errors
    ///
    /// An error ends the attempt before anything is sent.
    async fn hello(&mut self) -> Result<Dict, AuthError> {
        Ok(Dict::new())
    }

    /// Answer a challenge of this method.
    ///
    /// # Errors
    ///
    /// An error ends the attempt; the router gets an ABORT with the URI the error names.
    async fn challenge(&mut self, challenge: &Challenge) -> Result<Authenticate, AuthError>;

    /// The router says that the session is open: check the router's own proof, if the method has
    /// one. The session counts as joined only afterwards.
    ///
    /// Called where the method was challenged, or is the one that WELCOME names.
    ///
    /// # Errors
    ///
    /// An error refuses the session; the router gets an ABORT.
    async fn welcome(&mut self, _welcome: &Welcome) -> Result<(), AuthError> {
        Ok(())
    }
}
