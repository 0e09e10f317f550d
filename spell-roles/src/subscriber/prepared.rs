use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use spell_message::{Pattern, RequestId};
use tokio::sync::watch;

use super::{
    Event, Subscription,
    backfill::{Backfill, History},
    gap::Break,
    reader::Reader,
    role::{Command, Order},
    subscription::{Link, Status},
};
use crate::{
    CallerHandle, SubscribeError,
    passthru::Passthru,
    queue::Consumer,
    request::{Key, Requests},
    started::Started,
};

/// What becomes a [`Subscription`] once its role says so.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) pattern: Pattern,
    pub(super) status: watch::Receiver<Status>,
    pub(super) events: Consumer<Event, Box<Break>>,
    pub(super) requests: Arc<Requests<Command>>,
    pub(super) codec: Option<Passthru>,
    pub(super) history: Option<(CallerHandle, bool)>,
    /// How many events may wait.
    pub(super) queue: usize,
}

impl Parts {
    pub(super) fn link(mut self, key: Key) -> (Link, Reader) {
        // A handler that works on an event for ever must not keep the peer alive.
        let requests = Arc::downgrade(&self.requests);
        self.events.on_room(move || {
            if let Some(requests) = requests.upgrade() {
                requests.commands().release(Command(Order::Resume(key)));
            }
        });
        let backfill = self.history.map(|(caller, is_checked)| {
            let history = History {
                caller,
                is_checked,
                pattern: self.pattern.clone(),
                status: self.status.clone(),
            };
            Backfill::new(history, self.queue)
        });
        let reader = Reader::new(self.events, self.codec, backfill);
        let link = Link {
            key,
            pattern: self.pattern,
            status: self.status,
            progress: Arc::default(),
            requests: self.requests,
            is_detached: false,
        };
        (link, reader)
    }
}

/// A SUBSCRIBE that was sent; the future of the [`Subscription`]. Made by
/// [`Subscribe::start`](super::Subscribe::start).
///
/// Its time limit goes on running.
///
/// # Cancel safety
///
/// Dropping it unsubscribes as soon as the answer comes.
#[derive(Debug)]
#[must_use = "dropping it unsubscribes"]
pub struct PendingSubscribe {
    started: Started<Key, Command>,
    parts: Option<Parts>,
}

impl PendingSubscribe {
    pub(super) fn new(started: Started<Key, Command>, parts: Parts) -> Self {
        Self {
            started,
            parts: Some(parts),
        }
    }

    /// The id of the SUBSCRIBE, by which the messages about it are known.
    pub fn id(&self) -> RequestId {
        self.started.id()
    }
}

impl Future for PendingSubscribe {
    type Output = Result<Subscription, SubscribeError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = std::task::ready!(Pin::new(&mut self.started).poll(cx));
        let key = match answer {
            Ok(key) => key,
            Err(failure) => return Poll::Ready(Err(failure.into())),
        };
        // Polled again after it was done: there will be no second answer.
        let Some(parts) = self.parts.take() else {
            return Poll::Pending;
        };
        let (link, reader) = parts.link(key);
        Poll::Ready(Ok(Subscription::stream(link, reader)))
    }
}
