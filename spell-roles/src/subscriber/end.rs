use std::{error::Error, fmt};

use spell_peer::CloseReason;

use crate::SubscribeError;

/// Why a subscription is over without having been asked to.
///
/// `Display` prints one level; [`source`](Error::source) gives the cause.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SubscriptionEnd {
    /// The router took it away. It may be asked for again.
    ///
    /// WAMP spec, "Subscription Revocation".
    #[non_exhaustive]
    Revoked {
        /// Why, in the router's words.
        reason: Option<String>,
    },
    /// After a connection was lost, it could not be made again.
    NotRestored(SubscribeError),
    /// Its queue was full, and its policy is [`Overflow::End`](crate::Overflow::End).
    #[non_exhaustive]
    Lagged {
        /// How many events were lost until it ended. What came before can still be read; what was
        /// published later did not come.
        missed: u64,
    },
    /// The peer ended.
    Closed(CloseReason),
}

impl fmt::Display for SubscriptionEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Revoked { reason: None } => f.write_str("the router revoked the subscription"),
            Self::Revoked {
                reason: Some(reason),
            } => {
                let reason = reason.escape_debug();
                write!(f, "the router revoked the subscription: {reason}")
            }
            Self::NotRestored(_) => f.write_str("the subscription could not be restored"),
            Self::Lagged { missed } => {
                write!(
                    f,
                    "the queue of the subscription was full; events lost: {missed}"
                )
            }
            Self::Closed(_) => f.write_str("the peer ended"),
        }
    }
}

impl Error for SubscriptionEnd {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::NotRestored(error) => Some(error),
            Self::Closed(reason) => Some(reason),
            _ => None,
        }
    }
}
