//! Which events of a history someone asks for.

use std::{collections::VecDeque, num::NonZeroUsize, sync::Arc};

use spell_message::{PublicationId, Uri};

use super::kept::KeptEvent;
use crate::{realm::Principal, timestamp::Timestamp};

/// Which events of a history someone asks for: those for which everything holds that is set.
///
/// WAMP spec, "Event History".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct HistoryQuery {
    /// The newest first.
    pub(crate) reverse: bool,
    pub(crate) limit: Option<NonZeroUsize>,
    pub(crate) from_time: Option<Timestamp>,
    pub(crate) after_time: Option<Timestamp>,
    pub(crate) before_time: Option<Timestamp>,
    pub(crate) until_time: Option<Timestamp>,
    pub(crate) topic: Option<Uri>,
    pub(crate) from_publication: Option<PublicationId>,
    pub(crate) after_publication: Option<PublicationId>,
    pub(crate) before_publication: Option<PublicationId>,
    pub(crate) until_publication: Option<PublicationId>,
}

impl HistoryQuery {
    /// The events that are asked for, those that this client may have, in the order it wants.
    ///
    /// Publications have no order but their place in the history. One that is not there, or not
    /// any more, is neither before nor after anything, so nothing is found then.
    pub(crate) fn select(
        &self,
        history: &VecDeque<Arc<KeptEvent>>,
        principal: &Principal,
    ) -> Vec<Arc<KeptEvent>> {
        let Some((start, end)) = self.places(history) else {
            return Vec::new();
        };
        let wanted = |event: &&Arc<KeptEvent>| {
            self.wants(event) && event.audience().includes_principal(principal)
        };
        let limit = self.limit.map_or(usize::MAX, NonZeroUsize::get);
        let count = end.saturating_sub(start);
        let events = history.iter().skip(start).take(count);
        if self.reverse {
            events.rev().filter(wanted).take(limit).cloned().collect()
        } else {
            events.filter(wanted).take(limit).cloned().collect()
        }
    }

    /// The places, from the first to before the second, that the publications leave.
    fn places(&self, history: &VecDeque<Arc<KeptEvent>>) -> Option<(usize, usize)> {
        let place = |id| history.iter().position(|event| event.publication == id);
        let (mut start, mut end) = (0, history.len());
        if let Some(from) = self.from_publication {
            start = start.max(place(from)?);
        }
        if let Some(after) = self.after_publication {
            start = start.max(place(after)?.saturating_add(1));
        }
        if let Some(before) = self.before_publication {
            end = end.min(place(before)?);
        }
        if let Some(until) = self.until_publication {
            end = end.min(place(until)?.saturating_add(1));
        }
        Some((start, end))
    }

    fn wants(&self, event: &KeptEvent) -> bool {
        let time = event.published;
        self.from_time.is_none_or(|from| time >= from)
            && self.after_time.is_none_or(|after| time > after)
            && self.before_time.is_none_or(|before| time < before)
            && self.until_time.is_none_or(|until| time <= until)
            && self
                .topic
                .as_ref()
                .is_none_or(|topic| event.topic == *topic)
    }
}
