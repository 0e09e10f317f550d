use spell_message::IntoUri;
use spell_peer::{Contains, Peer, Role};

use super::{
    OutboxStatistics, Publish, Publisher,
    role::{Command, Order},
};
use crate::{PublishError, request::Requests};

/// Publishes on a running peer. Cheap to clone.
#[derive(Clone, Debug)]
pub struct PublisherHandle {
    requests: Requests<Command>,
}

impl PublisherHandle {
    pub(super) fn new(requests: Requests<Command>) -> Self {
        Self { requests }
    }

    /// Publish to `topic`; `.await` the returned builder to send it.
    pub fn publish(&self, topic: impl IntoUri) -> Publish<'_> {
        Publish::new(&self.requests, topic.into_uri())
    }

    /// What the [`Outbox`](super::Outbox) holds, and what became of the rest; all 0 without one.
    ///
    /// # Errors
    ///
    /// [`PublishError::Closed`] when the peer ended.
    ///
    /// # Cancel safety
    ///
    /// Waits only; dropping it changes nothing.
    pub async fn outbox(&self) -> Result<OutboxStatistics, PublishError> {
        let limit = self.requests.commands().request_timeout();
        let order = |reply| Command(Order::Statistics(reply));
        Ok(self.requests.ask(limit, order).await?)
    }
}

/// `peer.publish()` for every peer that has the [`Publisher`] role.
pub trait PublisherExt {
    /// The peer's roles.
    type Roles: Role;

    /// Publish to `topic`; see [`PublisherHandle::publish`].
    fn publish<I>(&self, topic: impl IntoUri) -> Publish<'_>
    where
        Self::Roles: Contains<Publisher, I>;
}

impl<R: Role> PublisherExt for Peer<R> {
    type Roles = R;

    fn publish<I>(&self, topic: impl IntoUri) -> Publish<'_>
    where
        R: Contains<Publisher, I>,
    {
        self.role::<Publisher, I>().publish(topic)
    }
}
