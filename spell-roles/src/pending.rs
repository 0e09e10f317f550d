use spell_message::{Message, RequestId, message::ErrorMessage};
use spell_peer::{Context, Count, SessionEnd, SessionInfo};

use crate::{
    error::Failure,
    id_map::IdMap,
    request::{Key, Reply},
};

/// Who waits for the answer of a request, as its role keeps it.
pub(crate) trait Waiter {
    type Answer;

    fn reply(&self) -> &Reply<Self::Answer>;

    /// The request was committed.
    fn sent(&self, _request: RequestId, _session: Option<&SessionInfo>) {}

    /// The one answer there is.
    fn answer(self, answer: Result<Self::Answer, Failure>);
}

impl<T> Waiter for Reply<T> {
    type Answer = T;

    fn reply(&self) -> &Self {
        self
    }

    fn answer(self, answer: Result<T, Failure>) {
        self.send(answer);
    }
}

/// The requests of one kind that are under way, by their id and by the key of their handle.
///
/// A role has one for each kind of request, so that an ERROR for one kind never ends another. An
/// id that is not here was answered or given up before: what still comes for it is late, and is
/// dropped.
#[derive(Debug)]
pub(crate) struct Pending<P> {
    by_id: IdMap<RequestId, (Key, P)>,
    by_key: IdMap<Key, RequestId>,
}

impl<P> Pending<P> {
    pub(crate) fn insert(&mut self, id: RequestId, key: Key, pending: P) {
        self.by_key.insert(key, id);
        if let Some((stale, _)) = self.by_id.insert(id, (key, pending)) {
            self.by_key.remove(&stale);
        }
    }

    /// A request that is under way.
    pub(crate) fn get(&mut self, id: RequestId) -> Option<&mut P> {
        self.by_id.get_mut(&id).map(|(_, pending)| pending)
    }

    /// A request that is under way, by its handle.
    pub(crate) fn find(&mut self, key: Key) -> Option<(RequestId, &mut P)> {
        let id = *self.by_key.get(&key)?;
        let pending = self.get(id)?;
        Some((id, pending))
    }

    /// The request was answered.
    pub(crate) fn take(&mut self, id: RequestId) -> Option<P> {
        let (key, pending) = self.by_id.remove(&id)?;
        self.by_key.remove(&key);
        Some(pending)
    }

    /// The handle gave the request up. `None` if it was answered already, or never sent.
    pub(crate) fn give_up(&mut self, key: Key) -> Option<(RequestId, P)> {
        let id = self.by_key.remove(&key)?;
        let (_, pending) = self.by_id.remove(&id)?;
        Some((id, pending))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// How many there are, by id or by key, whichever are more.
    pub(crate) fn len(&self) -> usize {
        self.by_id.len().max(self.by_key.len())
    }

    /// All of them: the session ended.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = (RequestId, P)> {
        self.by_key.clear();
        self.by_id.drain().map(|(id, (_, pending))| (id, pending))
    }
}

impl<P: Waiter> Pending<P> {
    /// Commit a request and remember who waits for it. What fails, fails that one request alone.
    ///
    /// Gives the id if it was committed.
    pub(crate) fn request<C: Send + 'static>(
        &mut self,
        cx: &mut Context<'_, C>,
        waiter: P,
        message: impl FnOnce(RequestId) -> Message,
    ) -> Option<RequestId> {
        if !waiter.reply().commit() {
            return None;
        }
        match cx.request(message) {
            Ok(id) => {
                waiter.sent(id, cx.session());
                self.insert(id, waiter.reply().key(), waiter);
                Some(id)
            }
            Err(error) => {
                waiter.answer(Err(Failure::not_committed(error, cx)));
                None
            }
        }
    }

    /// The router answered.
    pub(crate) fn resolve<C: Send + 'static>(
        &mut self,
        id: RequestId,
        answer: P::Answer,
        cx: &mut Context<'_, C>,
    ) {
        match self.take(id) {
            Some(waiter) => waiter.answer(Ok(answer)),
            None => cx.count(Count::LateAnswers, 1),
        }
    }

    /// The router answered with an ERROR.
    pub(crate) fn refuse<C: Send + 'static>(
        &mut self,
        message: ErrorMessage,
        cx: &mut Context<'_, C>,
    ) {
        match self.take(message.request) {
            Some(waiter) => waiter.answer(Err(message.into())),
            None => cx.count(Count::LateAnswers, 1),
        }
    }

    /// The session ended: all of them failed.
    pub(crate) fn close(&mut self, end: &SessionEnd) {
        for (id, waiter) in self.drain() {
            waiter.answer(Err(Failure::Closed {
                reason: end.reason().clone(),
                delivery: end.delivery(id),
            }));
        }
    }
}

impl<P> Default for Pending<P> {
    fn default() -> Self {
        Self {
            by_id: IdMap::default(),
            by_key: IdMap::default(),
        }
    }
}
