use std::sync::Arc;

use spell_peer::{Contains, Peer, Role};

use super::{Subscribe, Subscriber, role::Command};
use crate::request::Requests;

/// Subscribes on a running peer. Cheap to clone.
#[derive(Clone, Debug)]
pub struct SubscriberHandle {
    requests: Arc<Requests<Command>>,
}

impl SubscriberHandle {
    pub(super) fn new(requests: Requests<Command>) -> Self {
        Self {
            requests: Arc::new(requests),
        }
    }

    /// Subscribe to `topic`, or to the topics that match it as a pattern; `.await` the returned
    /// builder to do it.
    pub fn subscribe(&self, topic: impl AsRef<str>) -> Subscribe<'_> {
        Subscribe::new(&self.requests, topic.as_ref())
    }
}

/// `peer.subscribe()` for every peer that has the [`Subscriber`] role.
pub trait SubscriberExt {
    /// The peer's roles.
    type Roles: Role;

    /// Subscribe to `topic`; see [`SubscriberHandle::subscribe`].
    fn subscribe<I>(&self, topic: impl AsRef<str>) -> Subscribe<'_>
    where
        Self::Roles: Contains<Subscriber, I>;
}

impl<R: Role> SubscriberExt for Peer<R> {
    type Roles = R;

    fn subscribe<I>(&self, topic: impl AsRef<str>) -> Subscribe<'_>
    where
        R: Contains<Subscriber, I>,
    {
        self.role::<Subscriber, I>().subscribe(topic)
    }
}
