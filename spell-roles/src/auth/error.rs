use std::error::Error as StdError;

use spell_message::reason;
use spell_peer::SendError;
use thiserror::Error;

/// Why the peer ended a join itself, rather than prove who it is or trust the router.
///
/// It is the [source](StdError::source) of
/// [`CloseReason::Authentication`](spell_peer::CloseReason::Authentication). That the *router*
/// refused is [`CloseReason::Aborted`](spell_peer::CloseReason::Aborted). Shows no secret.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AuthError {
    /// The router used a method that was not offered.
    #[error("the router used the authentication method {method:?}, which was not offered")]
    #[non_exhaustive]
    NotOffered {
        /// What the router named; cut to 64 characters.
        method: String,
    },
    /// The router opened the session without asking for the proof that was offered.
    #[error("the router opened the session without a challenge")]
    NoChallenge,
    /// The router sent more challenges for a method than the method has.
    #[error("the router challenged {method:?} more often than it may")]
    #[non_exhaustive]
    TooManyChallenges {
        /// The method.
        method: String,
    },
    /// What the router sent for the method lacks something, or has it wrong.
    #[error("the router's `{field}` must be {expected}")]
    #[non_exhaustive]
    Malformed {
        /// What is wrong.
        field: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// The router asks for more, or for less, than the peer allows.
    #[error("the router's `{field}` is {value}; allowed is {min} to {max}")]
    #[non_exhaustive]
    OutOfBounds {
        /// What is out of bounds.
        field: &'static str,
        /// What the router asks for.
        value: i128,
        /// The least the peer allows.
        min: u32,
        /// The most the peer allows.
        max: u32,
    },
    /// The router's own proof is missing or wrong.
    #[error("the router's own proof is missing or wrong")]
    UntrustedRouter,
    /// The credentials could not be had, or the signer failed, for good.
    #[error("the credentials could not be had")]
    Credentials(#[source] Box<dyn StdError + Send + Sync>),
    /// The credentials could not be had just now, as from a server that is not reachable: worth
    /// trying again. The source of
    /// [`CloseReason::CredentialsUnavailable`](spell_peer::CloseReason::CredentialsUnavailable).
    #[error("the credentials could not be had just now")]
    Unavailable(#[source] Box<dyn StdError + Send + Sync>),
    /// HELLO or AUTHENTICATE could not be sent.
    #[error("{message} could not be sent")]
    #[non_exhaustive]
    Send {
        /// The name of the message.
        message: &'static str,
        /// Why.
        source: SendError,
    },
}

impl AuthError {
    /// Something in the router's message is missing or wrong, for authenticators of your own.
    pub fn malformed(field: &'static str, expected: &'static str) -> Self {
        Self::Malformed { field, expected }
    }

    /// The credentials could not be had, or the signer failed, because of `source`, for good: a
    /// peer does not try again. For what may work later there is [`unavailable`](Self::unavailable).
    pub fn credentials(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Credentials(source.into())
    }

    /// The credentials could not be had just now, because of `source`. Unlike every other failure,
    /// this one does not end a peer that has a retry policy.
    pub fn unavailable(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Unavailable(source.into())
    }

    /// The URI that tells the router.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NotOffered { .. } => reason::NO_MATCHING_AUTH_METHOD,
            _ => reason::AUTHENTICATION_FAILED,
        }
    }

    /// What a user's provider of credentials says is wrong.
    pub(crate) fn of_provider(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        match source.into().downcast::<Self>() {
            Ok(error) => *error,
            Err(error) => Self::Unavailable(error),
        }
    }

    pub(crate) fn not_offered(method: &str) -> Self {
        let method = method.chars().take(64).collect();
        Self::NotOffered { method }
    }

    /// Check what the router asks for, before any work is done for it.
    pub(crate) fn check_bounds(
        field: &'static str,
        value: i128,
        min: u32,
        max: u32,
    ) -> Result<u32, Self> {
        match u32::try_from(value) {
            Ok(number) if (min..=max).contains(&number) => Ok(number),
            _ => Err(Self::OutOfBounds {
                field,
                value,
                min,
                max,
            }),
        }
    }
}
