use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use futures_core::Stream;
use spell_message::{Pattern, RegistrationId};
use spell_peer::CloseReason;
use tokio::sync::watch;

use super::{
    DrainRegistration, Invocation,
    role::{Command, Order},
};
use crate::{
    RegisterError, UnregisterError,
    passthru::Passthru,
    queue::Consumer,
    request::{Key, Requests},
};

/// A procedure that is registered. Dropping it unregisters the procedure in the background.
///
/// It outlives its session: after a reconnect the procedure is registered again with the same
/// options, and the same value goes on. If the router refuses that, or takes the registration
/// away, it ends, and [`ended`](Self::ended) says why; only another session that has the procedure,
/// most often this peer's own last one, is [waited out](super::Register::on_conflict).
///
/// Without a handler it is a [`Stream`] of [`Invocation`]s, which end with it. With one it is a
/// `Registration<Handled>`.
///
/// ```
/// # use spell_peer::PeerBuilder;
/// # use spell_roles::{Callee, Caller, Session};
/// use spell_roles::prelude::*;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let router = spell_router::Router::local();
/// # let peer = PeerBuilder::new(Session::new("com.example.realm"));
/// # let peer = peer.role(Caller::new()).role(Callee::new());
/// # let peer = peer.connect(router.connector()).await?;
/// let mut registration = peer.register("com.example.add2").await?;
/// tokio::spawn(async move {
///     while let Some(invocation) = registration.next().await {
///         let answered = match invocation.args::<(i64, i64)>() {
///             Ok((a, b)) => invocation.respond().arg(a + b).await,
///             Err(_) => invocation.error("wamp.error.invalid_argument").await,
///         };
///         if let Err(error) = answered {
///             eprintln!("nobody waits for the sum: {error}");
///         }
///     }
/// });
///
/// let sum: i64 = peer.call("com.example.add2").args((2, 3)).await?.value()?;
/// assert_eq!(sum, 5);
/// assert!(peer.call("com.example.add2").arg("two").await.is_err());
/// # Ok(())
/// # }
/// ```
///
/// WAMP spec, "REGISTERED".
#[derive(Debug)]
#[must_use = "dropping it unregisters the procedure"]
pub struct Registration<S = Invocations> {
    shared: Shared,
    source: S,
}

/// The source of a registration's [`Stream`].
#[derive(Debug)]
pub struct Invocations {
    queue: Consumer<Invocation>,
    codec: Option<Passthru>,
}

/// Marks a registration or a subscription whose messages go to a handler.
#[derive(Debug)]
pub struct Handled(pub(crate) ());

impl<S> Registration<S> {
    /// What was registered.
    pub fn procedure(&self) -> &Pattern {
        &self.shared.procedure
    }

    /// The router's id for it, another one after each reconnect; `None` while there is no session,
    /// and at the end.
    pub fn id(&self) -> Option<RegistrationId> {
        match *self.shared.state.borrow() {
            State::Active(id) => Some(id),
            _ => None,
        }
    }

    /// Whether it is not restored yet because another session has the procedure; see
    /// [`Register::on_conflict`](super::Register::on_conflict).
    pub fn is_in_conflict(&self) -> bool {
        matches!(*self.shared.state.borrow(), State::InConflict)
    }

    /// How many invocations were refused because the queue was full.
    pub fn refused(&self) -> u64 {
        self.shared.counters.refused.load(Ordering::Relaxed)
    }

    /// How many invocations failed because more [`Parts`](super::Parts) came than could wait.
    pub fn overflowed(&self) -> u64 {
        self.shared.counters.overflowed.load(Ordering::Relaxed)
    }

    /// How many invocations are not answered yet, those that wait in the queue among them.
    pub fn running(&self) -> u64 {
        self.shared.counters.running.load(Ordering::Relaxed)
    }

    /// How many invocations were cut off because the time was up in which a peer that leaves, or a
    /// registration that is drained, may finish them.
    pub fn interrupted(&self) -> u64 {
        self.shared.counters.interrupted.load(Ordering::Relaxed)
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Why it is over; `None` while it lives. Invocations that came before may still wait.
    pub fn end(&self) -> Option<RegistrationEnd> {
        // Without the role's end of it, the peer is gone.
        let is_gone = self.shared.state.has_changed().is_err();
        match &*self.shared.state.borrow() {
            State::Ended(end) => Some(end.clone()),
            _ => is_gone.then(|| self.shared.closed()),
        }
    }

    /// Wait until it is over; gives why.
    ///
    /// # Cancel safety
    ///
    /// Waits only; dropping it changes nothing.
    pub async fn ended(&self) -> RegistrationEnd {
        let mut state = self.shared.state.clone();
        let ended = state
            .wait_for(|state| matches!(state, State::Ended(_)))
            .await;
        match ended.as_deref() {
            Ok(State::Ended(end)) => end.clone(),
            _ => self.shared.closed(),
        }
    }

    /// Unregister, and wait until the router confirms it.
    ///
    /// Invocations that came before are still served: those under way are answered as ever, and
    /// those that wait in the queue can still be read, until [`next`](Registration::next) gives
    /// `None`. To wait for a handler too, [`drain`](Registration::drain). Without a session, or if it ended already,
    /// there is nothing to wait for.
    ///
    /// # Errors
    ///
    /// [`UnregisterError`]; the registration lives on. That the router does not know it is no error:
    /// it is gone.
    ///
    /// # Cancel safety
    ///
    /// Dropped early, it may or may not be unregistered; drop the registration to be sure.
    pub async fn unregister(&mut self) -> Result<(), UnregisterError> {
        let Shared { key, requests, .. } = &self.shared;
        let limit = requests.commands().request_timeout();
        let command = |reply| Command(Order::Unregister(*key, reply));
        Ok(requests.ask(limit, command).await?)
    }
}

impl Registration<Invocations> {
    pub(super) fn stream(
        shared: Shared,
        queue: Consumer<Invocation>,
        codec: Option<Passthru>,
    ) -> Self {
        Self {
            shared,
            source: Invocations { queue, codec },
        }
    }

    /// The next invocation; `None` once the registration is over and all were read.
    ///
    /// # Cancel safety
    ///
    /// No invocation is lost when it is dropped.
    pub async fn next(&mut self) -> Option<Invocation> {
        poll_fn(|cx| self.source.poll_next(cx)).await
    }
}

impl Registration<Handled> {
    pub(super) fn handled(shared: Shared) -> Self {
        Self {
            shared,
            source: Handled(()),
        }
    }

    /// Unregister, and let the handler finish what came before; `.await` the returned builder, which
    /// can be given a time limit.
    ///
    /// ```
    /// # use spell_peer::PeerBuilder;
    /// # use spell_roles::{Callee, Session};
    /// use std::time::Duration;
    /// use spell_roles::prelude::*;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let router = spell_router::Router::local();
    /// # let peer = PeerBuilder::new(Session::new("com.example.realm")).role(Callee::new());
    /// # let peer = peer.connect(router.connector()).await?;
    /// let echo = peer.register("com.example.echo");
    /// let echo = echo.handler(|(text,): (String,)| async move { Ok(text) }).await?;
    ///
    /// let drained = echo.drain().within(Duration::from_secs(20)).await?;
    /// assert_eq!(drained.interrupted(), 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn drain(self) -> DrainRegistration {
        DrainRegistration::new(self)
    }

    /// Let it stay registered as long as the peer lives. The peer then lives until it is stopped.
    pub fn detach(mut self) {
        self.shared.is_detached = true;
    }
}

impl Stream for Registration<Invocations> {
    type Item = Invocation;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Invocation>> {
        self.source.poll_next(cx)
    }
}

impl Invocations {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Invocation>> {
        self.queue.poll_next(cx).map(|taken| {
            let mut invocation = taken?.item;
            invocation.begin(self.codec.as_ref());
            Some(invocation)
        })
    }
}

/// Why a registration is over.
///
/// `Display` prints one level; [`source`](std::error::Error::source) gives the cause.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RegistrationEnd {
    /// This peer unregistered it.
    Unregistered,
    /// The router took it away.
    ///
    /// WAMP spec, "Registration Revocation".
    #[non_exhaustive]
    Revoked {
        /// Why, in the router's words.
        reason: Option<String>,
    },
    /// After a connection was lost, it could not be registered again.
    NotRestored(RegisterError),
    /// The peer ended.
    Closed(CloseReason),
}

impl fmt::Display for RegistrationEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unregistered => f.write_str("the procedure was unregistered"),
            Self::Revoked { reason: None } => f.write_str("the router revoked the registration"),
            Self::Revoked {
                reason: Some(reason),
            } => {
                let reason = reason.escape_debug();
                write!(f, "the router revoked the registration: {reason}")
            }
            Self::NotRestored(_) => f.write_str("the registration could not be restored"),
            Self::Closed(_) => f.write_str("the peer ended"),
        }
    }
}

impl std::error::Error for RegistrationEnd {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::NotRestored(error) => Some(error),
            Self::Closed(reason) => Some(reason),
            _ => None,
        }
    }
}

/// What a registration is doing, as its role tells it.
#[derive(Clone, Debug)]
pub(super) enum State {
    /// There is no session, or the router did not answer yet.
    Waiting,
    /// Another session has the procedure.
    InConflict,
    Active(RegistrationId),
    Ended(RegistrationEnd),
}

/// What the role counts of a registration.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) refused: AtomicU64,
    pub(super) overflowed: AtomicU64,
    /// How many invocations are not answered yet.
    pub(super) running: AtomicU64,
    pub(super) interrupted: AtomicU64,
}

/// Counts one invocation as long as it lives.
#[derive(Debug)]
pub(super) struct Counted(Arc<Counters>);

impl Counted {
    pub(super) fn new(counters: &Arc<Counters>) -> Self {
        counters.running.fetch_add(1, Ordering::Relaxed);
        Self(counters.clone())
    }

    pub(super) fn counters(&self) -> &Arc<Counters> {
        &self.0
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What all registrations have, whoever takes their invocations.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) key: Key,
    pub(super) procedure: Pattern,
    pub(super) state: watch::Receiver<State>,
    pub(super) counters: Arc<Counters>,
    pub(super) requests: Requests<Command>,
    pub(super) is_detached: bool,
}

impl Shared {
    /// Nobody said why it ended, so it was the role that went, and the peer with it.
    fn closed(&self) -> RegistrationEnd {
        let end = self.requests.commands().end();
        RegistrationEnd::Closed(end.unwrap_or(CloseReason::Panicked))
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if !self.is_detached {
            let command = Command(Order::Release(self.key));
            self.requests.commands().release(command);
        }
    }
}
