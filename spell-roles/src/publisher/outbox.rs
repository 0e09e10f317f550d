use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use spell_peer::Context;
use tracing::warn;

use super::role::{Command, Publication};
use crate::{PublishError, error::Failure, id_map::IdMap, request::Key, weight::weight};

/// What a [`Publisher`](super::Publisher) keeps while there is no session: so many publications, of
/// so many bytes together, each for so long.
///
/// Without one, which is the default, a publication fails at once when there is no session. With one
/// it waits, and is sent, in the order in which it was made and before newer ones, in the next
/// session, after subscriptions and registrations were asked for again. What waits longer than its
/// age fails with [`PublishError::Expired`], what finds no room with [`PublishError::OutboxFull`];
/// none was sent then.
///
/// An awaited publication waits with its future: the time limit of the request goes on, and a future
/// that is dropped takes its publication out. To leave a publication in the outbox and go on, use
/// [`Publish::post`](super::Publish::post).
///
/// It is only for what was not sent. An acknowledged publication whose session ends before the
/// answer came fails as ever, unless it is
/// [idempotent](super::AcknowledgedPublish::idempotent). One that is not acknowledged counts as sent
/// once it is committed to a session; when the connection breaks in that moment, it may be lost, and
/// nobody is told. One that was handed to a session which ended before that is kept here, if there is
/// room. Nothing is kept when the program ends.
///
/// ```
/// # use spell_peer::{Backoff, PeerBuilder};
/// # use spell_roles::{Session, Subscriber};
/// use std::time::Duration;
/// use spell_roles::prelude::*;
/// use spell_roles::{Outbox, Posted, Publisher};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let router = spell_router::Router::local();
/// // Up to 1000 publications, of 1 MiB together, for 5 minutes.
/// let publisher = Publisher::new().outbox(Outbox::new(1000, 1 << 20, Duration::from_secs(300)));
/// let peer = PeerBuilder::new(Session::new("com.example.realm")).role(publisher);
/// # let peer = peer.role(Subscriber::new());
/// let (peer, supervisor) = peer.retry(Backoff::new()).build(router.connector())?;
///
/// // It is not even started.
/// let posted = peer.publish("com.example.boiler").arg(71).post().await;
/// # let supervisor = tokio::spawn(supervisor.run());
/// # drop(supervisor);
/// # drop(posted);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outbox {
    count: usize,
    bytes: usize,
    age: Duration,
}

impl Outbox {
    /// Room for `count` publications, of `bytes` together, options and arguments counted, each of
    /// which waits no longer than `age`.
    pub fn new(count: usize, bytes: usize, age: Duration) -> Self {
        Self { count, bytes, age }
    }
}

/// What the [`Outbox`] of a publisher holds, and what became of the rest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OutboxStatistics {
    /// How many publications wait.
    pub waiting: usize,
    /// How many bytes they have together.
    pub bytes: usize,
    /// How many were sent after they had waited.
    pub sent: u64,
    /// How many waited too long.
    pub expired: u64,
    /// How many found no room.
    pub refused: u64,
    /// How many could not be sent after they had waited: the router did not take them.
    pub failed: u64,
}

/// Why a publication did not get out of the outbox, or into it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Lost {
    Expired,
    Full,
}

impl From<Lost> for PublishError {
    fn from(lost: Lost) -> Self {
        match lost {
            Lost::Expired => Self::Expired,
            Lost::Full => Self::OutboxFull,
        }
    }
}

/// Publications that wait for a session.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    bounds: Option<Outbox>,
    /// In the order in which they were made.
    publications: BTreeMap<u64, Held>,
    by_key: IdMap<Key, u64>,
    next: u64,
    statistics: OutboxStatistics,
    has_warned: bool,
}

#[derive(Debug)]
struct Held {
    publication: Box<Publication>,
    /// `None` if it may wait without, as the future of who waits for it has its own bounds.
    room: Option<Room>,
}

/// How many bytes of the outbox one takes, and until when; `None` is for ever.
type Room = (usize, Option<Instant>);

impl Drop for Waiting {
    fn drop(&mut self) {
        let held = self.publications.values();
        // Who waits for one is told.
        let lost = held.filter(|held| held.publication.answer.key().is_none());
        let lost = lost.count();
        if lost > 0 {
            warn!(lost, "the peer ended with publications in its outbox");
        }
    }
}

impl Waiting {
    pub(super) fn set_bounds(&mut self, outbox: Outbox) {
        self.bounds = Some(outbox);
    }

    pub(super) fn statistics(&self) -> OutboxStatistics {
        self.statistics
    }

    /// Keep a publication until there is a session, if it may wait; gives whether it is kept.
    pub(super) fn hold(
        &mut self,
        mut publication: Box<Publication>,
        cx: &Context<'_, Command>,
    ) -> bool {
        // If it was given up, the order to do so came, and found nothing.
        if publication.answer.is_given_up() {
            return false;
        }
        let room = match self.room(&publication, cx) {
            Ok(room) => room,
            Err(lost) => {
                match lost {
                    Some(lost) => publication.answer.lose(lost),
                    None => publication.answer.fail(Failure::no_session(cx.last_end())),
                }
                return false;
            }
        };
        if !publication.answer.posted() {
            return false;
        }
        if let Some((bytes, _)) = room {
            let held = &mut self.statistics;
            held.waiting = held.waiting.saturating_add(1);
            held.bytes = held.bytes.saturating_add(bytes);
        }
        let number = self.next;
        self.next = self.next.saturating_add(1);
        if let Some(key) = publication.answer.key() {
            self.by_key.insert(key, number);
        }
        self.publications.insert(number, Held { publication, room });
        true
    }

    /// The room for one more, if it needs some; `Err(None)` if there is no outbox.
    fn room(
        &mut self,
        publication: &Publication,
        cx: &Context<'_, Command>,
    ) -> Result<Option<Room>, Option<Lost>> {
        if publication.draft.waits {
            return Ok(None);
        }
        let bounds = self.bounds.ok_or(None)?;
        let bytes = weight(
            publication.draft.options.as_dict(),
            &publication.draft.payload,
        );
        let bytes = bytes.saturating_add(publication.draft.topic.as_str().len());
        let held = &mut self.statistics;
        if held.waiting >= bounds.count || held.bytes.saturating_add(bytes) > bounds.bytes {
            held.refused = held.refused.saturating_add(1);
            self.warn("the outbox of the publisher is full: publications are lost");
            return Err(Some(Lost::Full));
        }
        Ok(Some((bytes, cx.now().checked_add(bounds.age))))
    }

    /// Nobody waits for it any more.
    pub(super) fn give_up(&mut self, key: Key) {
        if let Some(number) = self.by_key.remove(&key) {
            self.remove(number);
        }
    }

    fn remove(&mut self, number: u64) -> Option<Box<Publication>> {
        let Held { publication, room } = self.publications.remove(&number)?;
        if let Some(key) = publication.answer.key() {
            self.by_key.remove(&key);
        }
        if let Some((bytes, _)) = room {
            let held = &mut self.statistics;
            held.waiting = held.waiting.saturating_sub(1);
            held.bytes = held.bytes.saturating_sub(bytes);
        }
        Some(publication)
    }

    /// When the next one has waited too long.
    pub(super) fn deadline(&self) -> Option<Instant> {
        // All may wait as long, so the one that came first is the first to be late.
        let rooms = self.publications.values().filter_map(|held| held.room);
        rooms.into_iter().find_map(|(_, by)| by)
    }

    /// Give up those that have waited too long.
    pub(super) fn expire(&mut self, now: Instant) {
        let is_late = |held: &Held| {
            held.room
                .is_some_and(|(_, by)| by.is_some_and(|by| by <= now))
        };
        let late = self.publications.iter().filter(|(_, held)| is_late(held));
        let late: Vec<_> = late.map(|(number, _)| *number).collect();
        for number in late {
            let held = &mut self.statistics;
            held.expired = held.expired.saturating_add(1);
            if let Some(publication) = self.remove(number) {
                self.warn("publications have waited too long in the outbox: they are lost");
                publication.answer.lose(Lost::Expired);
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.publications.is_empty()
    }

    /// There is a session: the next one to be sent.
    pub(super) fn take(&mut self) -> Option<Box<Publication>> {
        self.has_warned = false;
        let (number, _) = self.publications.first_key_value()?;
        self.remove(*number)
    }

    /// What became of one that was taken.
    pub(super) fn count(&mut self, is_sent: bool) {
        let held = &mut self.statistics;
        let counter = if is_sent {
            &mut held.sent
        } else {
            &mut held.failed
        };
        *counter = counter.saturating_add(1);
    }

    /// Once for each time without a session.
    fn warn(&mut self, text: &'static str) {
        if !std::mem::replace(&mut self.has_warned, true) {
            warn!("{text}");
        }
    }
}
