use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use spell_message::PublicationId;
use spell_peer::CloseReason;

use crate::queue::Note;

/// Here the session was lost, and the subscription made again in another one: what was published in
/// between did not come.
///
/// Told with the first event after it ([`Event::gap`](super::Event::gap)), or as soon as the
/// subscription is made again ([`Subscription::notices`](super::Subscription::notices)).
#[derive(Clone, Debug)]
pub struct Gap {
    cause: CloseReason,
    since: Instant,
    until: Instant,
    is_filled: bool,
}

impl Gap {
    pub(super) fn new(cause: CloseReason, since: Instant, until: Instant) -> Self {
        Self {
            cause,
            since,
            until,
            is_filled: false,
        }
    }

    /// Why the session ended; of several, the first one.
    pub fn cause(&self) -> &CloseReason {
        &self.cause
    }

    /// When the loss was noticed. The connection may have been dead for a while before.
    pub fn since(&self) -> Instant {
        self.since
    }

    /// When the subscription was made again.
    pub fn until(&self) -> Instant {
        self.until
    }

    /// From [`since`](Self::since) to [`until`](Self::until).
    pub fn duration(&self) -> Duration {
        self.until.saturating_duration_since(self.since)
    }

    /// Whether what was missed comes now, from the broker's history, which still had the last event
    /// before the gap. Never without [`Subscribe::backfill`](super::Subscribe::backfill).
    pub fn is_filled(&self) -> bool {
        self.is_filled
    }

    pub(super) fn filled(self, is_filled: bool) -> Self {
        Self { is_filled, ..self }
    }

    /// Both, and what is in between, as one.
    pub(super) fn merge(self, later: &Self) -> Self {
        Self {
            until: later.until,
            is_filled: self.is_filled && later.is_filled,
            ..self
        }
    }
}

/// A gap in the queue of a subscription, with what is known of its edges.
#[derive(Debug)]
pub(super) struct Break {
    pub(super) gap: Gap,
    /// The last publication that came before.
    pub(super) after: Option<PublicationId>,
    /// The first one that came after it, once it did.
    pub(super) first: Arc<OnceLock<PublicationId>>,
}

impl Note for Box<Break> {
    fn and(self, later: Self) -> Self {
        let (mut noted, Break { gap, first, .. }) = (self, *later);
        noted.gap = noted.gap.merge(&gap);
        noted.first = first;
        noted
    }
}

/// What a subscription tells, in order. Made by
/// [`Subscription::notices`](super::Subscription::notices).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Notice {
    /// An event.
    Event(super::Event),
    /// Between the event before and the next one, events may be missing.
    Gap(Gap),
}
