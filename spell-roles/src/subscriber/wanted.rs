use std::{
    mem,
    sync::{Arc, OnceLock},
    time::Instant,
};

use spell_message::{Feature, Pattern, PublicationId, RoleName, options::SubscribeOptions};
use spell_peer::{Context, Count, SessionEnd};
use tokio::sync::watch;
use tracing::warn;

use super::{
    Event, Gap, SubscriptionEnd, SubscriptionLagging, SubscriptionNotRestored,
    gap::Break,
    role::{Command, Order},
    shared::Shared,
    subscription::Status,
};
use crate::{
    SubscribeError,
    error::Failure,
    queue::{Offered, Overflow, Producer, Pushed},
    request::{Key, Reply},
    started::IdSlot,
};

/// A local subscription.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) pattern: Pattern,
    pub(super) options: SubscribeOptions,
    /// What the router must have announced, beside what the options need.
    pub(super) needs: Option<(RoleName, Feature)>,
    pub(super) overflow: Overflow,
    /// Whether what was missed without a session is wanted, too.
    pub(super) backfills: bool,
    pub(super) events: Producer<Event, Box<Break>>,
    pub(super) status: watch::Sender<Status>,
    /// Who waits for it to be made the first time.
    pub(super) reply: Option<Reply<Key>>,
    pub(super) started: Option<IdSlot>,
    /// Whether events were lost since the reader had caught up.
    pub(super) is_lagging: bool,
    pub(super) seen: Seen,
}

/// What is known of the events so far, for the gap that a lost session leaves.
#[derive(Debug, Default)]
pub(super) struct Seen {
    last: Option<PublicationId>,
    /// Where the first event after the last gap is to be told.
    first: Option<Arc<OnceLock<PublicationId>>>,
    /// The session that was lost since it was made last.
    lost: Option<SessionEnd>,
}

impl Wanted {
    /// Ask the role for it; `started` is told the id of the SUBSCRIBE.
    pub(super) fn command(mut self, reply: Reply<Key>, started: Option<IdSlot>) -> Command {
        self.reply = Some(reply);
        self.started = started;
        Command(Order::Subscribe(Box::new(self)))
    }

    /// The options of SUBSCRIBE in this session.
    pub(super) fn options(&self, cx: &Context<'_, Command>) -> SubscribeOptions {
        let mut options = self.options.clone();
        let has = |feature| {
            let session = cx.session();
            session.is_some_and(|session| session.supports(RoleName::Broker, feature))
        };
        let is_restored = self.reply.is_none();
        // Where there is no history, what was retained last is better than nothing.
        if self.backfills
            && is_restored
            && has(Feature::EventRetention)
            && !has(Feature::EventHistory)
        {
            options.set_get_retained(true);
        }
        options
    }

    /// It was made again, unless it is the first time: tell of the gap.
    pub(super) fn made(&mut self, now: Instant) {
        let Some(lost) = self.seen.lost.take() else {
            return;
        };
        let first = Arc::new(OnceLock::new());
        self.seen.first = Some(first.clone());
        self.events.note(Box::new(Break {
            gap: Gap::new(lost.reason().clone(), lost.at(), now),
            after: self.seen.last,
            first,
        }));
    }

    /// The session ended.
    pub(super) fn lose(&mut self, end: &SessionEnd) {
        if self.status.borrow().id.is_none() {
            return;
        }
        self.status.send_modify(|status| status.id = None);
        // Sessions may follow in which it is not made: events are missed from the first end on.
        self.seen.lost.get_or_insert_with(|| end.clone());
    }

    /// Queue an event.
    pub(super) fn offer(
        &mut self,
        message: Shared,
        publication: PublicationId,
        bytes: usize,
        cx: &mut Context<'_, Command>,
    ) -> Offered {
        self.seen.last = Some(publication);
        if let Some(first) = self.seen.first.take() {
            // It is the first one.
            let _ = first.set(publication);
        }
        let event = Event::new(message, self.pattern.clone());
        let is_refused = match self.events.push(event, bytes) {
            Pushed::Queued => {
                self.is_lagging = self.is_lagging && self.events.len() > 1;
                return Offered::Taken;
            }
            Pushed::Filled => return Offered::Filled,
            Pushed::Displaced => false,
            Pushed::Refused(_) => true,
        };
        self.events.count_lost(Count::EventsDropped, cx);
        if self.overflow != Overflow::KeepLatest && !mem::replace(&mut self.is_lagging, true) {
            let lagging = SubscriptionLagging {
                topic: self.pattern.clone(),
                missed: self.events.lost(),
            };
            warn!(
                topic = lagging.topic.as_str(),
                missed = lagging.missed,
                "{lagging}"
            );
            cx.report(lagging);
        }
        if is_refused && self.overflow == Overflow::End {
            return Offered::Lagging;
        }
        Offered::Taken
    }

    /// It could not be made, for the first time or again.
    pub(super) fn fail(mut self, failure: Failure, cx: &mut Context<'_, Command>) {
        if let Some(reply) = self.reply.take() {
            return reply.send(Err(failure));
        }
        let error = SubscribeError::from(failure);
        cx.report(SubscriptionNotRestored {
            topic: self.pattern.clone(),
            error: error.clone(),
        });
        self.end(SubscriptionEnd::NotRestored(error));
    }

    pub(super) fn end(self, end: SubscriptionEnd) {
        self.status.send_modify(|status| {
            status.id = None;
            status.end = Some(end);
        });
        self.events.close();
    }
}
