use std::{fmt, sync::Arc, time::Duration};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    CloseReason, Contains, Engine, PeerEvent, PeerEvents, Role, RoundTripTime, SessionInfo,
    Statistics,
    counters::Counters,
    events::{EventSender, EventSource},
};

/// A peer that has the roles `R`. Cheap to clone; all clones are one peer.
///
/// The extension traits of `spell-roles` give it methods such as `publish` and `call`, for the
/// roles it has; using another is a compile error. The connection is driven by a task of its own,
/// and is said goodbye to when the last handle is dropped: of the peer, of a role, or of what a
/// role gave, such as a subscription.
pub struct Peer<R: Role> {
    pub(crate) handles: R::Handle,
    pub(crate) state: watch::Receiver<PeerState>,
    pub(crate) events: EventSource,
    pub(crate) counters: Arc<Counters>,
    pub(crate) stop: CancellationToken,
}

impl<R: Role> Peer<R> {
    /// The handle of one role.
    pub fn role<T: Role, I>(&self) -> &T::Handle
    where
        R: Contains<T, I>,
    {
        R::pick(&self.handles)
    }

    /// All handles, as a tuple in the order of the roles.
    pub fn into_handles(self) -> R::Handle {
        self.handles
    }

    /// What the peer is doing: follow it, or read it once with `borrow`.
    pub fn state(&self) -> watch::Receiver<PeerState> {
        self.state.clone()
    }

    /// What the peer counted since it was built, and what waits now.
    pub fn statistics(&self) -> Statistics {
        self.counters.read()
    }

    /// What happens to the peer from now on, each change with its cause.
    ///
    /// ```
    /// # use spell_peer::{Peer, PeerEvent, Role};
    /// # async fn watch<R: Role>(peer: Peer<R>) {
    /// let mut events = peer.events();
    /// while let Some(event) = events.next().await {
    ///     if let PeerEvent::Lost { cause, lasted, .. } = &event {
    ///         eprintln!("lost after {lasted:?}: {cause}");
    ///     }
    /// }
    /// # }
    /// ```
    pub fn events(&self) -> PeerEvents {
        self.events.listen()
    }

    /// The session that is joined now; `None` while there is none.
    pub fn session(&self) -> Option<Arc<SessionInfo>> {
        match &*self.state.borrow() {
            PeerState::Joined(session) => Some(session.clone()),
            _ => None,
        }
    }

    /// How far away the router is: follow it, or read it once with `borrow`.
    ///
    /// It is `None` until the router was silent long enough to be asked, and again from when the next
    /// connection is open. See [`PeerConfig::keep_alive`](crate::PeerConfig::keep_alive).
    pub fn round_trip_time(&self) -> watch::Receiver<Option<RoundTripTime>> {
        self.events.round_trips()
    }

    /// Wait until a session is joined.
    ///
    /// # Errors
    ///
    /// The reason why the peer ended, if it does so before.
    ///
    /// # Cancel safety
    ///
    /// Waits only; dropping it changes nothing.
    pub async fn joined(&self) -> Result<Arc<SessionInfo>, CloseReason> {
        let mut state = self.state.clone();
        let state = state
            .wait_for(|state| matches!(state, PeerState::Joined(_) | PeerState::Closed(_)))
            .await
            .map_err(|_| CloseReason::Panicked)?;
        match &*state {
            PeerState::Joined(session) => Ok(session.clone()),
            PeerState::Closed(reason) => Err(reason.clone()),
            _ => Err(CloseReason::Panicked),
        }
    }

    /// Wait until the peer ended for good; gives why.
    ///
    /// # Cancel safety
    ///
    /// Waits only; dropping it changes nothing.
    pub async fn closed(&self) -> CloseReason {
        let mut state = self.state.clone();
        match state.wait_for(PeerState::is_closed).await.as_deref() {
            Ok(PeerState::Closed(reason)) => reason.clone(),
            _ => CloseReason::Panicked,
        }
    }

    /// End the peer now: the roles say goodbye without waiting for an answer, and whatever is
    /// pending ends with [`CloseReason::Stopped`]. To wait for the router, leave the session.
    pub fn stop(&self) {
        self.stop.cancel();
    }
}

impl<R: Role> Clone for Peer<R> {
    fn clone(&self) -> Self {
        Self {
            handles: self.handles.clone(),
            state: self.state.clone(),
            events: self.events.clone(),
            counters: self.counters.clone(),
            stop: self.stop.clone(),
        }
    }
}

impl<R: Role> fmt::Debug for Peer<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer")
            .field("roles", &std::any::type_name::<R>())
            .field("state", &*self.state.borrow())
            .finish_non_exhaustive()
    }
}

/// What a peer is doing.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum PeerState {
    /// Dialling, or joining.
    #[non_exhaustive]
    Connecting {
        /// How many attempts there were since the last session, this one included; 0 just after a
        /// session was lost.
        attempt: u32,
        /// Which router is tried, for people; holds no secret of a URL. `None` until it is chosen.
        endpoint: Option<Arc<str>>,
    },
    /// A session is joined, and all that the roles want of every session, such as subscriptions and
    /// registrations, was asked of it again: sent, in order, before anything else. The answers come
    /// later; what is refused ends alone.
    Joined(Arc<SessionInfo>),
    /// There is no session; the next attempt comes later.
    #[non_exhaustive]
    Waiting {
        /// Why there is no session.
        cause: CloseReason,
        /// How long the wait is, from when this state began.
        delay: Duration,
    },
    /// The peer ended, for good.
    Closed(CloseReason),
}

impl PeerState {
    /// Before an attempt begins.
    pub(crate) fn connecting() -> Self {
        Self::Connecting {
            attempt: 0,
            endpoint: None,
        }
    }

    /// Whether the peer ended, for good.
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Closed(_))
    }

    /// Whether a session is joined.
    pub fn is_joined(&self) -> bool {
        matches!(self, Self::Joined(_))
    }
}

/// Publishes the peer's state and events.
#[derive(Debug)]
pub(crate) struct StateSender {
    pub(crate) state: watch::Sender<PeerState>,
    pub(crate) events: EventSender,
}

impl StateSender {
    pub(crate) fn send(&self, state: PeerState) {
        self.state.send_replace(state);
    }

    pub(crate) fn tell(&self, event: &PeerEvent) {
        self.events.send(event);
    }

    /// Pass on what roles reported.
    pub(crate) fn tell_reports<R: Role>(&self, engine: &mut Engine<R>) {
        while let Some(event) = engine.poll_event() {
            self.events.send(&event);
        }
    }

    pub(crate) fn is_joined(&self) -> bool {
        self.state.borrow().is_joined()
    }
}
