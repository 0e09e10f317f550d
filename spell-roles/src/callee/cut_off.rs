use std::collections::VecDeque;

use spell_message::RequestId;

use crate::id_map::IdSet;

/// Progressive invocations that were over before their last part came: more of them may be under
/// way, and would look like new invocations.
///
/// How many is not known, so only the last ones are remembered.
#[derive(Debug, Default)]
pub(super) struct CutOff {
    ids: IdSet<RequestId>,
    /// The same, the oldest first.
    order: VecDeque<RequestId>,
}

impl CutOff {
    pub(super) fn contains(&self, request: RequestId) -> bool {
        self.ids.contains(&request)
    }

    pub(super) fn insert(&mut self, request: RequestId) {
        if !self.ids.insert(request) {
            return;
        }
        self.order.push_back(request);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
    }
}

pub(super) const REMEMBERED: usize = 1024;
