//! What happens to a peer, as events.

use std::{
    any::Any,
    collections::VecDeque,
    fmt::{self, Debug, Display},
    sync::Arc,
    time::Duration,
};

use crate::{CloseReason, SessionInfo};

/// What happened to a peer: each change with its cause, in order.
///
/// [`PeerState`](crate::PeerState) tells what is; events tell what was on the way there. An attempt
/// ends as [`Joined`](Self::Joined) or [`Failed`](Self::Failed), a session as [`Lost`](Self::Lost);
/// then comes [`Waiting`](Self::Waiting), another attempt at once, or [`Closed`](Self::Closed).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum PeerEvent {
    /// An attempt began: dialling, and joining.
    #[non_exhaustive]
    Connecting {
        /// How many attempts there were since the last session, this one included.
        attempt: u32,
        /// Which router is tried, for people; holds no secret of a URL.
        endpoint: Arc<str>,
    },
    /// A session was joined; it tells its [endpoint](SessionInfo::endpoint).
    Joined(Arc<SessionInfo>),
    /// No session came of an attempt.
    #[non_exhaustive]
    Failed {
        /// Which router was tried.
        endpoint: Arc<str>,
        /// Why.
        cause: CloseReason,
    },
    /// A session ended.
    #[non_exhaustive]
    Lost {
        /// The router it was with.
        endpoint: Arc<str>,
        /// Why.
        cause: CloseReason,
        /// How long it was joined.
        lasted: Duration,
    },
    /// The next attempt comes later.
    #[non_exhaustive]
    Waiting {
        /// How long the wait is, from now.
        delay: Duration,
    },
    /// The peer ended, for good: by its own wish, or because it gave up. The last event.
    Closed(CloseReason),
    /// A role tells something, as by [`Context::report`](crate::Context::report); see
    /// [`downcast_ref`](Self::downcast_ref).
    Role(Arc<dyn RoleEvent>),
    /// So many events came faster than they were read, and were lost here.
    Lagged(u64),
}

impl PeerEvent {
    /// What a role told, if it is a `T`.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use spell_peer::PeerEvent;
    ///
    /// let event = PeerEvent::Role(Arc::new("a text is an event"));
    /// assert_eq!(event.downcast_ref(), Some(&"a text is an event"));
    /// assert_eq!(event.downcast_ref::<u8>(), None);
    /// ```
    pub fn downcast_ref<T: RoleEvent>(&self) -> Option<&T> {
        let Self::Role(event) = self else {
            return None;
        };
        let event: &dyn Any = &**event;
        event.downcast_ref()
    }
}

impl Display for PeerEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connecting { attempt, endpoint } => {
                write!(f, "attempt {attempt} to join, at {endpoint}")
            }
            Self::Joined(session) => match session.endpoint() {
                Some(endpoint) => write!(f, "joined {} at {endpoint}", session.realm()),
                None => write!(f, "joined {}", session.realm()),
            },
            Self::Failed { endpoint, cause } => write!(f, "no session at {endpoint}: {cause}"),
            Self::Lost {
                endpoint,
                cause,
                lasted,
            } => write!(
                f,
                "the session at {endpoint} ended after {lasted:?}: {cause}"
            ),
            Self::Waiting { delay } => write!(f, "the next attempt comes in {delay:?}"),
            Self::Closed(reason) => write!(f, "the peer ended: {reason}"),
            Self::Role(event) => Display::fmt(event, f),
            Self::Lagged(missed) => write!(f, "{missed} events were lost"),
        }
    }
}

/// What a role tells of itself: any type that can be shown.
pub trait RoleEvent: Any + Debug + Display + Send + Sync {}

impl<T: Any + Debug + Display + Send + Sync> RoleEvent for T {}

/// Events that nobody fetched yet. Of more than [`CAPACITY`] the oldest are lost, and counted.
#[derive(Debug, Default)]
pub(crate) struct EventQueue {
    events: VecDeque<PeerEvent>,
    missed: u64,
}

impl EventQueue {
    pub(crate) fn push(&mut self, event: PeerEvent) {
        if self.events.len() >= CAPACITY {
            let missed = match self.events.pop_front() {
                Some(PeerEvent::Lagged(missed)) => missed,
                _ => 1,
            };
            self.missed = self.missed.saturating_add(missed);
        }
        self.events.push_back(event);
    }

    pub(crate) fn pop(&mut self) -> Option<PeerEvent> {
        match std::mem::take(&mut self.missed) {
            0 => self.events.pop_front(),
            missed => Some(PeerEvent::Lagged(missed)),
        }
    }
}

/// How many events wait for one that is slow to read.
const CAPACITY: usize = 64;
