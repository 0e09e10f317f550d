use std::{
    error::Error,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use spell_message::{RequestId, options::CancelMode};
use tokio::sync::Notify;

use super::role::NewAnswer;

/// Tells when the answer to an invocation is not waited for any more. Cheap to clone, and free to
/// go wherever the work is done.
///
/// Made by [`Invocation::interrupt`](super::Invocation::interrupt). A handler can take it too, and
/// is then left to end by itself; see [`FromInvocation`](super::FromInvocation).
///
/// ```
/// # use spell_peer::PeerBuilder;
/// # use spell_roles::{Callee, Caller, Session};
/// use spell_roles::prelude::*;
/// use spell_message::options::CancelMode;
/// use spell_roles::{Interrupt, Progress};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let router = spell_router::Router::local();
/// # let peer = PeerBuilder::new(Session::new("com.example.realm"));
/// # let peer = peer.role(Caller::new()).role(Callee::new());
/// # let peer = peer.connect(router.connector()).await?;
/// let watch = |progress: Progress, interrupt: Interrupt| async move {
///     if let Some(result) = progress.result() {
///         result.arg("watching").await?;
///     }
///     let interruption = interrupt.interrupted().await;
///     // A caller that gave up in mode `kill` gets this.
///     Ok(interruption.to_string())
/// };
/// let _watch = peer.register("com.example.watch").handler(watch).await?;
///
/// let mut results = peer.call("com.example.watch").receive_progress().await?;
/// let begun = results.next().await.ok_or("no result")??;
/// assert_eq!(begun.value::<String>()?, "watching");
/// results.cancel(CancelMode::Kill).await?;
/// let last = results.next().await.ok_or("no result")??;
/// assert_eq!(last.value::<String>()?, "the caller gave up");
/// # Ok(())
/// # }
/// ```
///
/// WAMP spec, "Call Canceling".
#[derive(Clone, Debug)]
pub struct Interrupt(Arc<Signal>);

#[derive(Debug)]
struct Signal {
    request: RequestId,
    /// Whether someone began to work on it.
    is_begun: AtomicBool,
    /// That INTERRUPT came, after which an answer may still be wanted.
    canceled: OnceLock<Interruption>,
    /// Why no answer is wanted.
    over: OnceLock<Interruption>,
    changed: Notify,
    /// The answer on its way to the role. Here, as there is one, and an allocation for it already.
    answer: Mutex<Option<NewAnswer>>,
}

impl Interrupt {
    /// Why the work can stop; `None` while it should go on. It changes once more where an answer
    /// was still wanted, and then is not.
    pub fn cause(&self) -> Option<Interruption> {
        let over = self.0.over.get();
        over.or_else(|| self.0.canceled.get()).copied()
    }

    /// Wait until the work can stop; gives why. At the latest that is when the session ends.
    ///
    /// # Cancel safety
    ///
    /// Waits only; dropping it changes nothing.
    pub async fn interrupted(&self) -> Interruption {
        loop {
            // Made before the look at the cause: what comes in between wakes it.
            let changed = self.0.changed.notified();
            if let Some(cause) = self.cause() {
                return cause;
            }
            changed.await;
        }
    }

    pub(super) fn request(&self) -> RequestId {
        self.0.request
    }

    /// Someone begins to work on it.
    pub(super) fn begin(&self) {
        self.0.is_begun.store(true, Ordering::Relaxed);
    }

    /// Keep the answer for the role, in place of one that did not get on its way.
    pub(super) fn put_answer(&self, answer: NewAnswer) {
        let replaced = self.answer().replace(answer);
        drop(replaced);
    }

    pub(super) fn take_answer(&self) -> Option<NewAnswer> {
        self.answer().take()
    }

    /// Held for a move only.
    fn answer(&self) -> MutexGuard<'_, Option<NewAnswer>> {
        let answer = self.0.answer.lock();
        answer.unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nobody else knows of the invocation, neither the role nor a user.
    #[cfg(test)]
    pub(super) fn is_alone(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }
}

/// Why the work on an invocation can stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Interruption {
    /// The caller gave up, or left.
    ///
    /// In mode [`Kill`](CancelMode::Kill), and where the router names none, the answer still goes
    /// out and should come soon; in mode [`KillNoWait`](CancelMode::KillNoWait) nobody gets it.
    #[non_exhaustive]
    Canceled {
        /// How, if the router says so.
        mode: Option<CancelMode>,
    },
    /// It took longer than the caller allowed: the caller got an ERROR `wamp.error.timeout`.
    TimedOut,
    /// More parts of the arguments came than could wait: the caller got an ERROR
    /// `wamp.error.canceled`.
    Overflow,
    /// The time was up in which a peer that leaves, or a registration that is drained, may finish
    /// it: the caller got an ERROR `wamp.error.canceled`.
    Stopped,
    /// It is answered already.
    Answered,
    /// The session ended.
    Closed,
}

impl fmt::Display for Interruption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Canceled { .. } => "the caller gave up",
            Self::TimedOut => "the invocation took too long",
            Self::Overflow => "more parts of the arguments came than could wait",
            Self::Stopped => "the peer stopped serving",
            Self::Answered => "the invocation is answered already",
            Self::Closed => "the session of the invocation is over",
        })
    }
}

impl Error for Interruption {}

/// The role's end of an [`Interrupt`]. Dropped, it tells that the session is over, unless something
/// else was told.
#[derive(Debug)]
pub(super) struct Interrupter(Interrupt);

impl Interrupter {
    pub(super) fn new(request: RequestId) -> Self {
        Self(Interrupt(Arc::new(Signal {
            request,
            is_begun: AtomicBool::new(false),
            canceled: OnceLock::new(),
            over: OnceLock::new(),
            changed: Notify::new(),
            answer: Mutex::new(None),
        })))
    }

    /// The user's end.
    pub(super) fn interrupt(&self) -> Interrupt {
        self.0.clone()
    }

    /// Whether the two belong to one invocation: a later session may use its id again.
    pub(super) fn is_of(&self, interrupt: &Interrupt) -> bool {
        Arc::ptr_eq(&self.0.0, &interrupt.0)
    }

    /// Whether someone began to work on it.
    pub(super) fn is_begun(&self) -> bool {
        self.0.0.is_begun.load(Ordering::Relaxed)
    }

    pub(super) fn is_canceled(&self) -> bool {
        self.0.0.canceled.get().is_some()
    }

    /// The caller gave up; an answer may still be wanted. Only the first time counts.
    pub(super) fn cancel(&self, mode: Option<CancelMode>) {
        self.tell(&self.0.0.canceled, Interruption::Canceled { mode });
    }

    /// No answer is wanted any more. Only the first cause counts.
    pub(super) fn end(&self, cause: Interruption) {
        self.tell(&self.0.0.over, cause);
    }

    fn tell(&self, slot: &OnceLock<Interruption>, cause: Interruption) {
        if slot.set(cause).is_ok() {
            self.0.0.changed.notify_waiters();
        }
    }
}

impl Drop for Interrupter {
    fn drop(&mut self) {
        self.end(Interruption::Closed);
    }
}
