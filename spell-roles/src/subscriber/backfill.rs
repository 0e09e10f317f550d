use std::{
    collections::VecDeque,
    fmt, mem,
    pin::Pin,
    sync::{Mutex, PoisonError},
    task::{Context, Poll, ready},
    time::SystemTime,
};

use spell_message::{Pattern, PublicationId, SubscriptionId, Uri, message, options::EventDetails};
use spell_serializer::PayloadBuilder;
use tokio::sync::watch;
use tracing::{debug, warn};

use super::{
    Event, Gap, Notice, PublicationFilter, gap::Break, shared::Shared, subscription::Status,
};
use crate::{CallError, CallerHandle, HistoricEvent, Meta, MetaError};

/// Gets what a subscription missed without a session, from the broker's history of events.
///
/// It works on the reader's side: the events of the new session wait in the queue until the older
/// ones are read, so order costs nobody else anything.
pub(super) struct Backfill {
    history: History,
    /// When the subscription was made first, by this machine's clock.
    subscribed: SystemTime,
    /// What passed lately.
    passed: PublicationFilter,
    filling: Option<Filling>,
    /// How far the history was read the last time, and after what: if nothing came by itself since,
    /// it goes on there.
    reached: Option<(Option<PublicationId>, PublicationId)>,
    events: VecDeque<Event>,
}

/// How the history is asked.
#[derive(Clone, Debug)]
pub(super) struct History {
    pub(super) caller: CallerHandle,
    pub(super) is_checked: bool,
    pub(super) pattern: Pattern,
    pub(super) status: watch::Receiver<Status>,
}

/// A gap that is filled.
struct Filling {
    noted: Break,
    is_told: bool,
    start: Start,
    /// Behind a lock that nobody ever waits for: it makes the future `Sync`.
    page: Mutex<Option<Page>>,
}

/// Gives `None` if there is no such page to be had.
type Page = Pin<Box<dyn Future<Output = Option<Vec<HistoricEvent>>> + Send>>;

/// Where a page of the history begins.
#[derive(Clone, Copy, Debug)]
enum Start {
    /// At the last publication that was seen, which shows that the history still reaches back.
    Seen(PublicationId),
    /// Behind the last one of the page before.
    Page(PublicationId),
    /// Nothing was seen yet.
    Time(SystemTime),
    /// What was seen last is not there, or not any more.
    Beginning,
}

impl Backfill {
    /// `queue` is how many events may wait.
    pub(super) fn new(history: History, queue: usize) -> Self {
        Self {
            history,
            subscribed: SystemTime::now(),
            passed: PublicationFilter::new(queue.saturating_add(PAGE)),
            filling: None,
            reached: None,
            events: VecDeque::new(),
        }
    }

    /// Whether an event of the queue did not come from the history before.
    pub(super) fn admits(&self, event: &Event) -> bool {
        self.passed.admits(event.publication())
    }

    /// There is a gap: fill it.
    pub(super) fn begin(&mut self, noted: Break) {
        let reached = self.reached.filter(|(after, _)| *after == noted.after);
        let seen = reached.map(|(_, end)| end).or(noted.after);
        let start = seen.map_or(Start::Time(self.subscribed), Start::Seen);
        self.filling = Some(Filling {
            noted,
            is_told: false,
            start,
            page: Mutex::new(None),
        });
    }

    /// What comes out of the history; `Ready(None)` if there is nothing to wait for.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Notice>> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Poll::Ready(Some(Notice::Event(event)));
            }
            let Some(filling) = &mut self.filling else {
                return Poll::Ready(None);
            };
            let page = filling.page.get_mut();
            let page = page.unwrap_or_else(PoisonError::into_inner);
            let start = filling.start;
            let page = page.get_or_insert_with(|| Box::pin(self.history.clone().page(start)));
            let page = ready!(page.as_mut().poll(cx));
            if let Some(gap) = self.take(page) {
                return Poll::Ready(Some(Notice::Gap(gap)));
            }
        }
    }

    /// A page came, or none. Gives the gap if it is to be told.
    fn take(&mut self, page: Option<Vec<HistoricEvent>>) -> Option<Gap> {
        let mut filling = self.filling.take()?;
        let gap = filling.noted.gap.clone();
        // If it was told that it is filled, it is told now that it is not.
        let Some(events) = page else {
            return Some(gap);
        };
        let reaches_back = match filling.start {
            Start::Seen(last) if events.first().map(HistoricEvent::publication) != Some(last) => {
                // Whatever is there may have been missed.
                filling.start = Start::Beginning;
                filling.page = Mutex::new(None);
                self.filling = Some(filling);
                return None;
            }
            Start::Seen(_) => true,
            _ => false,
        };
        let mut is_over = events.len() < PAGE;
        let end = events.last().map(HistoricEvent::publication);
        // From there on the queue has them, or counted them as lost.
        let first = filling.noted.first.get().copied();
        for event in &events {
            if Some(event.publication()) == first {
                is_over = true;
                break;
            }
            // What was seen last is the first of them.
            let is_seen = matches!(filling.start, Start::Seen(last) if last == event.publication());
            if !is_seen && self.passed.admits(event.publication()) {
                self.events.extend(self.history.event(event));
            }
        }
        self.reached = end.map(|end| (filling.noted.after, end)).or(self.reached);
        let is_told = mem::replace(&mut filling.is_told, true);
        if let Some(end) = end.filter(|_| !is_over) {
            filling.start = Start::Page(end);
            filling.page = Mutex::new(None);
            self.filling = Some(filling);
        }
        (!is_told).then(|| gap.filled(reaches_back))
    }
}

impl History {
    /// Ask for a page, once more if the session is lost meanwhile.
    async fn page(mut self, start: Start) -> Option<Vec<HistoricEvent>> {
        loop {
            let is_settled = |status: &Status| status.id.is_some() || status.end.is_some();
            let id = self.status.wait_for(is_settled).await.ok()?.id?;
            let error = match self.ask(id, start).await {
                Ok(events) => return Some(events),
                Err(error) => error,
            };
            if !matches!(error, MetaError::Call(CallError::Closed { .. })) {
                let topic = self.pattern.as_str();
                debug!(topic, %error, "missed events cannot be had");
                return None;
            }
            self.status
                .wait_for(|status| status.id != Some(id))
                .await
                .ok()?;
        }
    }

    async fn ask(
        &self,
        subscription: SubscriptionId,
        start: Start,
    ) -> Result<Vec<HistoricEvent>, MetaError> {
        let meta = Meta::new(&self.caller);
        let meta = if self.is_checked {
            meta
        } else {
            meta.unannounced()
        };
        let limit = u64::try_from(PAGE).unwrap_or(u64::MAX);
        let events = meta.subscription_get_events(subscription).limit(limit);
        match start {
            Start::Seen(last) => events.from_publication(last),
            Start::Page(last) => events.after_publication(last),
            Start::Time(time) => events.from_time(time),
            Start::Beginning => events,
        }
        .await
    }

    /// As an event of the subscription.
    fn event(&self, event: &HistoricEvent) -> Option<Event> {
        let details = event.details().cloned().unwrap_or_default();
        let mut details = EventDetails::from_dict(details).unwrap_or_default();
        if let Some(topic) = event.topic().and_then(|topic| Uri::new(topic).ok()) {
            details.set_topic(&topic);
        }
        let mut payload = PayloadBuilder::new(self.caller.format());
        if let Some(args) = event.as_dict().get("args").and_then(|args| args.as_list()) {
            payload = payload.args(args);
        }
        let kwargs = event.as_dict().get("kwargs");
        if let Some(kwargs) = kwargs.and_then(|kwargs| kwargs.as_dict()) {
            payload = payload.kwargs(kwargs);
        }
        let publication = event.publication();
        let topic = self.pattern.as_str();
        let payload = payload.finish().inspect_err(
            |error| warn!(topic, %publication, %error, "a missed event cannot be decoded"),
        );
        let message = message::Event {
            subscription: event.subscription().unwrap_or(SubscriptionId::MIN),
            publication,
            details,
            payload: payload.ok()?,
        };
        Some(Event::new(Shared::Alone(message), self.pattern.clone()).filled())
    }
}

impl fmt::Debug for Backfill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backfill")
            .field("history", &self.history)
            .field("is_filling", &self.filling.is_some())
            .field("waiting", &self.events.len())
            .finish_non_exhaustive()
    }
}

/// How many events are asked of the history at once.
const PAGE: usize = 256;
