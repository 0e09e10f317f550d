use spell_message::{RequestId, SubscriptionId};

use crate::{
    id_map::IdMap,
    request::{Key, Reply},
};

/// Subscriptions that are being drained: UNSUBSCRIBE was sent, and events that come before it is
/// answered are still taken.
#[derive(Debug, Default)]
pub(super) struct Drains(IdMap<RequestId, Drain>);

#[derive(Debug)]
pub(super) struct Drain {
    pub(super) key: Key,
    /// `None` once no more events are taken.
    pub(super) id: Option<SubscriptionId>,
    pub(super) reply: Reply<()>,
}

impl Drains {
    pub(super) fn begin(&mut self, request: RequestId, drain: Drain) {
        self.0.insert(request, drain);
    }

    /// The UNSUBSCRIBE was answered.
    pub(super) fn take(&mut self, request: RequestId) -> Option<Drain> {
        self.0.remove(&request)
    }

    /// No more events are to be taken for this one. Gives the id it has, if it is being drained.
    pub(super) fn cut(&mut self, key: Key) -> Option<SubscriptionId> {
        let mut drains = self.0.values_mut();
        drains.find(|drain| drain.key == key)?.id.take()
    }

    /// The session ended.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Drain> {
        self.0.drain().map(|(_, drain)| drain)
    }
}
