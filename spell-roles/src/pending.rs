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
    type Order;

    fn reply(&self) -> &Reply<Self::Answer, Self::Order>;

    /// The request was committed.
    fn sent(&self, _request: RequestId, _session: Option<&SessionInfo>) {}

    /// The one answer there is.
    fn answer(self, answer: Result<Self::Answer, Failure>);
}

impl<T, O> Waiter for Reply<T, O> {
    type Answer = T;
    type Order = O;

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
    /// Made when a handle asks for one, and kept until all are answered: most requests are never
    /// asked for, and whoever asks for one may ask for others.
    by_key: Option<IdMap<Key, RequestId>>,
}

impl<P> Pending<P> {
    pub(crate) fn insert(&mut self, id: RequestId, key: Key, pending: P) {
        let stale = self.by_id.insert(id, (key, pending));
        if let Some(by_key) = &mut self.by_key {
            if let Some((stale, _)) = stale {
                by_key.remove(&stale);
            }
            by_key.insert(key, id);
        }
    }

    /// A request that is under way.
    pub(crate) fn get(&mut self, id: RequestId) -> Option<&mut P> {
        self.by_id.get_mut(&id).map(|(_, pending)| pending)
    }

    /// A request that is under way, by its handle.
    pub(crate) fn find(&mut self, key: Key) -> Option<(RequestId, &mut P)> {
        let id = self.id(key)?;
        let pending = self.get(id)?;
        Some((id, pending))
    }

    fn id(&mut self, key: Key) -> Option<RequestId> {
        if self.by_id.is_empty() {
            return None;
        }
        let by_key = self.by_key.get_or_insert_with(|| {
            let all = self.by_id.iter();
            all.map(|(id, (key, _))| (*key, *id)).collect()
        });
        by_key.get(&key).copied()
    }

    /// The request was answered.
    pub(crate) fn take(&mut self, id: RequestId) -> Option<P> {
        let (key, pending) = self.by_id.remove(&id)?;
        if self.by_id.is_empty() {
            self.by_key = None;
        } else if let Some(by_key) = &mut self.by_key {
            by_key.remove(&key);
        }
        Some(pending)
    }

    /// The handle gave the request up. `None` if it was answered already, or never sent.
    pub(crate) fn give_up(&mut self, key: Key) -> Option<(RequestId, P)> {
        let id = self.id(key)?;
        let pending = self.take(id)?;
        Some((id, pending))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// How many there are, by id or by key, whichever are more.
    pub(crate) fn len(&self) -> usize {
        let by_key = self.by_key.as_ref().map_or(0, IdMap::len);
        self.by_id.len().max(by_key)
    }

    /// All of them: the session ended.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = (RequestId, P)> {
        self.by_key = None;
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
            by_key: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection, prelude::*};

    use super::*;

    /// What may happen to requests, of which there are only a few.
    #[derive(Clone, Debug)]
    enum Step {
        Insert(u64),
        Take(u64),
        GiveUp(u64),
        Find(u64),
        Drain,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            8 => (1_u64..5).prop_map(Step::Insert),
            4 => (1_u64..5).prop_map(Step::Take),
            2 => (0_u64..40).prop_map(Step::GiveUp),
            2 => (0_u64..40).prop_map(Step::Find),
            1 => Just(Step::Drain),
        ]
    }

    fn id(number: u64) -> RequestId {
        RequestId::new(number).unwrap()
    }

    proptest! {
        /// Ids come again in a new session, keys never do.
        #[test]
        fn a_request_is_found_by_its_id_and_by_its_key_until_it_is_over(
            steps in collection::vec(step(), 0..40)
        ) {
            let mut pending = Pending::default();
            // The id and the key, which is what waits, too.
            let mut model: Vec<(u64, u64)> = Vec::new();
            for (step, next) in steps.into_iter().zip(0..) {
                match step {
                    Step::Insert(number) => {
                        pending.insert(id(number), Key::of(next), next);
                        model.retain(|(other, _)| *other != number);
                        model.push((number, next));
                    }
                    Step::Take(number) => {
                        let expected = model.iter().find(|(other, _)| *other == number).copied();
                        model.retain(|(other, _)| *other != number);
                        prop_assert_eq!(pending.take(id(number)), expected.map(|(_, key)| key));
                    }
                    Step::GiveUp(key) => {
                        let expected = model.iter().find(|(_, other)| *other == key).copied();
                        model.retain(|(_, other)| *other != key);
                        let given_up = pending.give_up(Key::of(key));
                        prop_assert_eq!(given_up, expected.map(|(number, key)| (id(number), key)));
                    }
                    Step::Find(key) => {
                        let expected = model.iter().find(|(_, other)| *other == key).copied();
                        let found = pending.find(Key::of(key)).map(|(id, key)| (id, *key));
                        prop_assert_eq!(found, expected.map(|(number, key)| (id(number), key)));
                    }
                    Step::Drain => {
                        let mut drained: Vec<_> = pending.drain().map(|(_, key)| key).collect();
                        drained.sort_unstable();
                        let all = model.drain(..).map(|(_, key)| key);
                        prop_assert_eq!(drained, all.collect::<Vec<_>>());
                    }
                }
                prop_assert_eq!(pending.len(), model.len());
            }
        }
    }

    #[test]
    fn nothing_is_kept_by_key_unless_it_is_asked_for() {
        let mut pending = Pending::default();
        for number in 1..=3 {
            pending.insert(id(number), Key::of(number), ());
        }
        assert!(pending.by_key.is_none());
        assert!(pending.give_up(Key::of(2)).is_some());
        pending.insert(id(4), Key::of(4), ());
        assert_eq!(pending.by_key.as_ref().map(IdMap::len), Some(3));
        for number in [1, 3, 4] {
            assert!(pending.take(id(number)).is_some());
        }
        assert!(pending.by_key.is_none());
    }
}
