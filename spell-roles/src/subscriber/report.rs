use std::fmt;

use spell_message::Pattern;

use crate::SubscribeError;

/// Among the [events](spell_peer::PeerEvent::Role) of a peer: a subscription could not be restored
/// after a reconnect, and is over.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SubscriptionNotRestored {
    /// What was subscribed to.
    pub topic: Pattern,
    /// Why.
    pub error: SubscribeError,
}

impl fmt::Display for SubscriptionNotRestored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let topic = self.topic.as_str();
        write!(
            f,
            "the subscription to {topic:?} was not restored: {}",
            self.error
        )
    }
}

/// Among the [events](spell_peer::PeerEvent::Role) of a peer: a subscription is read too slowly, and
/// began to lose events. Told again only after its reader had caught up. Not told of a subscription
/// that [keeps the latest](crate::Overflow::KeepLatest) event alone.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SubscriptionLagging {
    /// What was subscribed to.
    pub topic: Pattern,
    /// How many events it lost so far.
    pub missed: u64,
}

impl fmt::Display for SubscriptionLagging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { topic, missed } = self;
        let topic = topic.as_str();
        write!(
            f,
            "the subscription to {topic:?} is read too slowly; lost so far: {missed}"
        )
    }
}
