use std::{
    any::Any,
    error::Error,
    fmt,
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::sync::{broadcast, oneshot};
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::{ChildEnd, Report, StartError, keeper::Kept, lock};
use crate::{CloseReason, Peer, Role};

/// A peer to be supervised: a name, and a closure that makes it.
///
/// The closure joins the realm and sets up all that makes the peer what it is: registrations,
/// subscriptions, handlers. It runs in a task of its own, each time that the child is started.
pub struct Child<R: Role> {
    name: Arc<str>,
    start: Start<R>,
    restart: Restart,
    deadline: Duration,
    farewell: Option<Farewell<R>>,
}

type BoxError = Box<dyn Error + Send + Sync>;
type Running<T> = Pin<Box<dyn Future<Output = T> + Send>>;
type Start<R> = Arc<dyn Fn() -> Running<Result<Peer<R>, BoxError>> + Send + Sync>;
type Farewell<R> = Arc<dyn Fn(Peer<R>) -> Running<()> + Send + Sync>;

/// One life of a child, from its start to its end, or to the order to stop.
pub(super) type Life = Box<dyn Fn(CancellationToken) -> Running<ChildEnd> + Send + Sync>;

/// When a child that ended is started anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "those of Erlang and Elixir")]
pub enum Restart {
    /// Always. The default.
    #[default]
    Permanent,
    /// Unless it ended by its own wish; see [`ChildEnd::is_normal`].
    Transient,
    /// Never.
    Temporary,
}

impl<R: Role> Child<R> {
    /// A child that is always started anew.
    pub fn new<F, Fut>(name: impl Into<Arc<str>>, start: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Peer<R>, BoxError>> + Send + 'static,
    {
        Self {
            name: name.into(),
            start: Arc::new(move || Box::pin(start())),
            restart: Restart::default(),
            deadline: DEADLINE,
            farewell: None,
        }
    }

    /// When it is started anew. Default: always.
    #[must_use]
    pub fn restart(mut self, restart: Restart) -> Self {
        self.restart = restart;
        self
    }

    /// How long its end may take when it is stopped; then it is dropped. Default: 5 s.
    #[must_use]
    pub fn deadline(mut self, limit: Duration) -> Self {
        self.deadline = limit;
        self
    }

    /// What it does when it is stopped, such as to leave the realm and wait for the router. Default:
    /// its peer is [stopped](Peer::stop), as it is after the farewell.
    #[must_use]
    pub fn farewell<F, Fut>(mut self, farewell: F) -> Self
    where
        F: Fn(Peer<R>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.farewell = Some(Arc::new(move |peer| Box::pin(farewell(peer))));
        self
    }

    /// As the keeper keeps it, whatever its roles.
    pub(super) fn kept(
        self,
        reply: oneshot::Sender<Result<(), StartError>>,
        reports: broadcast::Sender<Report>,
    ) -> Kept {
        let slot = Arc::new(Slot {
            name: self.name,
            state: Mutex::new(State {
                peer: None,
                incarnation: 0,
                waits: Some(reply),
            }),
            reports,
        });
        let (start, farewell, place) = (self.start, self.farewell, slot.clone());
        let life: Life = Box::new(move |stop| {
            let live = live(start.clone(), farewell.clone(), place.clone(), stop);
            Box::pin(live)
        });
        Kept::new(slot, life, self.restart, self.deadline)
    }
}

async fn live<R: Role>(
    start: Start<R>,
    farewell: Option<Farewell<R>>,
    slot: Arc<Slot>,
    stop: CancellationToken,
) -> ChildEnd {
    let started = tokio::select! {
        started = start() => started,
        () = stop.cancelled() => return ChildEnd::Closed(CloseReason::Stopped),
    };
    let peer = match started {
        Ok(peer) => peer,
        Err(error) => return ChildEnd::NotStarted(error.into()),
    };
    // Whatever ends this future, ends the peer.
    let _stopped = peer.stop.clone().drop_guard();
    let _leaves = slot.enter(Arc::new(peer.clone()));
    let reason = tokio::select! {
        reason = peer.closed() => reason,
        () = stop.cancelled() => {
            if let Some(farewell) = farewell {
                farewell(peer.clone()).await;
            }
            peer.stop();
            peer.closed().await
        }
    };
    ChildEnd::Closed(reason)
}

impl<R: Role> fmt::Debug for Child<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Child")
            .field("name", &self.name)
            .field("restart", &self.restart)
            .finish_non_exhaustive()
    }
}

/// The place of a child, where its present incarnation is found.
pub(super) struct Slot {
    pub(super) name: Arc<str>,
    state: Mutex<State>,
    reports: broadcast::Sender<Report>,
}

struct State {
    peer: Option<Arc<dyn Any + Send + Sync>>,
    incarnation: u64,
    /// Who waits for the first start.
    waits: Option<oneshot::Sender<Result<(), StartError>>>,
}

impl Slot {
    pub(super) fn peer(&self) -> Option<Arc<dyn Any + Send + Sync>> {
        lock(&self.state).peer.clone()
    }

    /// Who waits for the first start, if it was not started yet.
    pub(super) fn take_waiting(&self) -> Option<oneshot::Sender<Result<(), StartError>>> {
        lock(&self.state).waits.take()
    }

    /// The child runs, until what this gives is dropped.
    fn enter(&self, peer: Arc<dyn Any + Send + Sync>) -> Entered<'_> {
        let (incarnation, waiting) = {
            let mut state = lock(&self.state);
            state.peer = Some(peer);
            state.incarnation = state.incarnation.saturating_add(1);
            (state.incarnation, state.waits.take())
        };
        info!(child = &*self.name, incarnation, "a child was started");
        // Nobody may be listening, or waiting any more.
        let _ = self.reports.send(Report::Started {
            name: self.name.clone(),
            incarnation,
        });
        if let Some(waiting) = waiting {
            let _ = waiting.send(Ok(()));
        }
        Entered(self)
    }
}

struct Entered<'a>(&'a Slot);

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        // A peer may be the last handle of its roles: never dropped under the lock.
        let peer = lock(&self.0.state).peer.take();
        drop(peer);
    }
}

/// As of the children in Erlang and Elixir.
const DEADLINE: Duration = Duration::from_secs(5);
