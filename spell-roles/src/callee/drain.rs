use std::{
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use super::{
    Handled, Registration,
    registration::Counters,
    role::{Command, Order},
};
use crate::{
    UnregisterError,
    error::Failure,
    request::{Key, Reply},
};

/// The end of a registration in the making; `.await` it. Made by
/// [`Registration::drain`](super::Registration::drain).
///
/// UNREGISTER is sent first. Until the router confirms it, invocations may still come, and are
/// served as those that came before: those that the handler works on, and those that wait. It is
/// done when all are answered.
///
/// # Errors
///
/// [`UnregisterError::Refused`]; the registration is dropped then. That the router does not know it,
/// or that there is no session any more, is none: it is gone.
///
/// # Cancel safety
///
/// Dropped early, it is as if the registration was dropped: it is unregistered, and what came before
/// is still served; only nobody waits for that.
#[derive(Debug)]
#[must_use = "a registration is drained only when this is awaited"]
pub struct DrainRegistration {
    registration: Registration<Handled>,
    limit: Option<Duration>,
}

impl DrainRegistration {
    pub(super) fn new(registration: Registration<Handled>) -> Self {
        Self {
            registration,
            limit: None,
        }
    }

    /// How long it may take. When the time is up, invocations that are not answered are: those that
    /// the handler works on with `wamp.error.canceled`, and they are
    /// [interrupted](super::Interruption::Stopped); those that waited with `wamp.error.unavailable`,
    /// so that a router can have another callee serve them. Default: as long as it takes.
    pub fn within(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Drain it: what `.await` does, without the box.
    pub async fn send(self) -> Result<Drained, UnregisterError> {
        let shared = self.registration.shared();
        let (key, requests) = (shared.key, &shared.requests);
        let (reply, mut waiting) = requests.open();
        let counters = shared.counters.clone();
        let drain = Drain {
            key,
            counters,
            reply,
            lost: 0,
        };
        let drained = async {
            waiting.send(Command(Order::Drain(Box::new(drain)))).await?;
            (&mut waiting).await
        };
        let drained = match self.limit {
            Some(limit) => tokio::time::timeout(limit, drained).await.ok(),
            None => Some(drained.await),
        };
        let drained = if let Some(drained) = drained {
            drained
        } else {
            requests.commands().release(Command(Order::Cut(key)));
            (&mut waiting).await
        };
        match drained {
            Ok(drained) => Ok(drained),
            // The peer is gone, and with it what was under way.
            Err(Failure::Closed { .. }) => Ok(Drained {
                interrupted: shared.counters.running.load(Ordering::Relaxed),
            }),
            Err(failure) => Err(failure.into()),
        }
    }
}

impl IntoFuture for DrainRegistration {
    type Output = Result<Drained, UnregisterError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

/// What became of the invocations that were under way when a registration was drained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    interrupted: u64,
}

impl Drained {
    /// How many were cut off: because the time was up, and their callers got an ERROR; or because
    /// the session ended.
    pub fn interrupted(&self) -> u64 {
        self.interrupted
    }
}

/// A registration that is being drained, as the role keeps it.
#[derive(Debug)]
pub(super) struct Drain {
    pub(super) key: Key,
    pub(super) counters: Arc<Counters>,
    pub(super) reply: Reply<Drained>,
    /// How many invocations the end of a session took.
    pub(super) lost: u64,
}

impl Drain {
    fn finish(self) {
        self.reply.send(Ok(Drained {
            interrupted: self.lost,
        }));
    }
}

/// All that are being drained.
#[derive(Debug, Default)]
pub(super) struct Drains(Vec<Drain>);

impl Drains {
    pub(super) fn begin(&mut self, drain: Drain) {
        self.0.push(drain);
    }

    /// Finish those that are unregistered, and have no invocation that is not answered.
    pub(super) fn settle(&mut self, is_unregistered: impl Fn(Key) -> bool) {
        let is_done = |drain: &mut Drain| {
            drain.counters.running.load(Ordering::Relaxed) == 0 && is_unregistered(drain.key)
        };
        for drain in self.0.extract_if(.., is_done) {
            drain.finish();
        }
    }

    /// The router refused to unregister it.
    pub(super) fn fail(&mut self, key: Key, failure: &Failure) {
        for drain in self.0.extract_if(.., |drain| drain.key == key) {
            drain.reply.send(Err(failure.clone()));
        }
    }

    /// The time is up. Gives what counts the invocations of it.
    pub(super) fn counters(&self, key: Key) -> Option<Arc<Counters>> {
        let drain = self.0.iter().find(|drain| drain.key == key)?;
        Some(drain.counters.clone())
    }

    /// It is over, after so many of its invocations were cut off.
    pub(super) fn cut(&mut self, key: Key, interrupted: u64) {
        for mut drain in self.0.extract_if(.., |drain| drain.key == key) {
            drain.lost = drain.lost.saturating_add(interrupted);
            drain.finish();
        }
    }

    /// The session ended: nothing that is under way can be answered.
    pub(super) fn lose(&mut self) {
        for drain in &mut self.0 {
            let running = drain.counters.running.load(Ordering::Relaxed);
            drain.lost = drain.lost.saturating_add(running);
        }
    }
}
