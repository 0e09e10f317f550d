use std::{
    mem,
    task::{Context, Poll, ready},
};

use super::{Event, Gap, Notice, backfill::Backfill, gap::Break};
use crate::{
    passthru::Passthru,
    queue::{Consumer, Losses, Next, Taken},
};

/// Reads the queue of a subscription, and what was missed where there is a gap.
#[derive(Debug)]
pub(super) struct Reader {
    events: Consumer<Event, Box<Break>>,
    codec: Option<Passthru>,
    backfill: Option<Box<Backfill>>,
    /// What events that were passed over told of lost ones.
    missed: u64,
    /// To be told with the next event.
    gap: Option<Gap>,
}

impl Reader {
    pub(super) fn new(
        events: Consumer<Event, Box<Break>>,
        codec: Option<Passthru>,
        backfill: Option<Backfill>,
    ) -> Self {
        Self {
            events,
            codec,
            backfill: backfill.map(Box::new),
            missed: 0,
            gap: None,
        }
    }

    /// What tells of losses, wherever the reader goes.
    pub(super) fn losses(&self) -> Losses<Event, Box<Break>> {
        self.events.losses()
    }

    /// The next event, which tells of the gap before it.
    pub(super) fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        // Most often there is nothing to tell but the event, which is then moved but once.
        if self.gap.is_none()
            && self.backfill.is_none()
            && let Some(mut event) = self.events.next_plain()
        {
            event.open(self.codec.as_ref());
            return Poll::Ready(Some(event));
        }
        loop {
            match ready!(self.poll_inner(cx)) {
                Some(Notice::Event(mut event)) => {
                    event.set_gap(self.gap.take());
                    return Poll::Ready(Some(event));
                }
                Some(Notice::Gap(gap)) => {
                    self.gap = Some(match self.gap.take() {
                        Some(earlier) => earlier.merge(&gap),
                        None => gap,
                    });
                }
                None => return Poll::Ready(None),
            }
        }
    }

    /// The next events, `limit` at most. Gives how many; 0 at the end.
    pub(super) fn poll_events(
        &mut self,
        cx: &mut Context<'_>,
        events: &mut Vec<Event>,
        limit: usize,
    ) -> Poll<usize> {
        let mut taken: usize = 0;
        while taken < limit {
            match self.poll_event(cx) {
                Poll::Ready(Some(event)) => events.push(event),
                Poll::Pending if taken == 0 => return Poll::Pending,
                // The end is told again to whoever asks again.
                Poll::Ready(None) | Poll::Pending => break,
            }
            taken = taken.saturating_add(1);
        }
        Poll::Ready(taken)
    }

    /// The next event or gap.
    pub(super) fn poll_notice(&mut self, cx: &mut Context<'_>) -> Poll<Option<Notice>> {
        match self.gap.take() {
            Some(gap) => Poll::Ready(Some(Notice::Gap(gap))),
            None => self.poll_inner(cx),
        }
    }

    fn poll_inner(&mut self, cx: &mut Context<'_>) -> Poll<Option<Notice>> {
        loop {
            if let Some(backfill) = &mut self.backfill {
                // Events that come meanwhile wait in the queue: what is older goes first.
                if let Some(mut notice) = ready!(backfill.poll(cx)) {
                    if let Notice::Event(event) = &mut notice {
                        event.open(self.codec.as_ref());
                    }
                    return Poll::Ready(Some(notice));
                }
            }
            match (ready!(self.events.poll_noted(cx)), &mut self.backfill) {
                (None, _) => return Poll::Ready(None),
                (Some(Next::Note(noted)), None) => {
                    return Poll::Ready(Some(Notice::Gap(noted.gap)));
                }
                (Some(Next::Note(noted)), Some(backfill)) => backfill.begin(*noted),
                (
                    Some(Next::Item(Taken {
                        item: mut event,
                        lost_before,
                    })),
                    backfill,
                ) => {
                    let missed = mem::take(&mut self.missed).saturating_add(lost_before);
                    if backfill.as_ref().is_none_or(|fill| fill.admits(&event)) {
                        event.set_missed(missed);
                        event.open(self.codec.as_ref());
                        return Poll::Ready(Some(Notice::Event(event)));
                    }
                    self.missed = missed;
                }
            }
        }
    }
}
