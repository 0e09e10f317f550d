use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use spell_message::{Pattern, RequestId, Uri, options::RegisterOptions};
use tokio::sync::watch;

use super::{
    Conflict, Invocation, Invocations, Registration,
    registration::{Counters, Shared, State},
    role::{Command, Order},
    wanted::{Granted, Wanted},
};
use crate::{
    RegisterError,
    queue::{Bounds, Consumer, queue},
    request::{Key, Requests},
    started::{IdSlot, Started},
};

/// A REGISTER that was sent; the future of the [`Registration`]. Made by
/// [`Register::start`](super::Register::start).
///
/// Its time limit goes on running. With a handler it is a `PendingRegister<Handled>`, which must be
/// awaited on a tokio runtime.
///
/// # Cancel safety
///
/// Dropping it unregisters as soon as the answer comes.
#[must_use = "dropping it unregisters the procedure"]
pub struct PendingRegister<S = Invocations> {
    started: Started<Result<(), RegisterError>, Command>,
    finish: Option<Finish<S>>,
}

type Finish<S> = Box<dyn FnOnce() -> Registration<S> + Send>;

impl<S> PendingRegister<S> {
    /// The id of the REGISTER, by which the messages about it are known.
    pub fn id(&self) -> RequestId {
        self.started.id()
    }
}

impl<S> Future for PendingRegister<S> {
    type Output = Result<Registration<S>, RegisterError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        ready!(Pin::new(&mut self.started).poll(cx))??;
        match self.finish.take() {
            Some(finish) => Poll::Ready(Ok(finish())),
            // Polled again after it was done: there will be no second answer.
            None => Poll::Pending,
        }
    }
}

impl<S> fmt::Debug for PendingRegister<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PendingRegister").field(&self.id()).finish()
    }
}

/// A registration of which all that the user gave is right.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) requests: Requests<Command>,
    pub(super) procedure: Pattern,
    pub(super) options: RegisterOptions,
    pub(super) error_uri: Uri,
    pub(super) bounds: Bounds,
    pub(super) parts: Bounds,
    pub(super) limit: Option<Duration>,
    pub(super) conflict: Conflict,
}

impl Prepared {
    /// Register, and wait for the answer.
    pub(super) async fn send<S>(
        self,
        finish: impl FnOnce(Shared, Consumer<Invocation>) -> Registration<S>,
    ) -> Result<Registration<S>, RegisterError> {
        let (requests, limit) = (self.requests.clone(), self.limit);
        let (reply, mut waiting) = requests.open();
        let (command, parts) = self.split(reply, None);
        waiting.ask(limit, command).await??;
        let (shared, invocations) = parts.into_shared();
        Ok(finish(shared, invocations))
    }

    /// Register, and wait until the REGISTER has its id.
    pub(super) async fn start<S>(
        self,
        finish: impl FnOnce(Shared, Consumer<Invocation>) -> Registration<S> + Send + 'static,
    ) -> Result<PendingRegister<S>, RegisterError> {
        let (requests, limit) = (self.requests.clone(), self.limit);
        let mut parts = None;
        let started = requests.start(limit, |reply, slot| {
            let (command, mine) = self.split(reply, Some(slot));
            parts = Some(mine);
            command
        });
        let started = started.await?;
        let finish = parts.map(|parts| -> Finish<S> {
            Box::new(move || {
                let (shared, invocations) = parts.into_shared();
                finish(shared, invocations)
            })
        });
        Ok(PendingRegister { started, finish })
    }

    /// What the role keeps, in its command, and what becomes the registration.
    fn split(self, reply: Granted, started: Option<IdSlot>) -> (Command, Parts) {
        let key = reply.key();
        let (queue, invocations) = queue(self.bounds);
        let (state, watch) = watch::channel(State::Waiting);
        let counters = Arc::new(Counters::default());
        let parts = Parts {
            key,
            procedure: self.procedure.clone(),
            state: watch,
            counters: counters.clone(),
            requests: self.requests.clone(),
            invocations,
        };
        let wanted = Wanted {
            key,
            procedure: self.procedure,
            options: self.options,
            error_uri: self.error_uri,
            queue,
            parts: self.parts,
            counters,
            state,
            requests: self.requests,
            conflict: self.conflict,
            contest: None,
            is_asked: false,
            reply: Some(reply),
            started,
        };
        (Command(Order::Register(Box::new(wanted))), parts)
    }
}

/// What becomes a [`Registration`] once the router granted it; dropped before, it does nothing.
#[derive(Debug)]
struct Parts {
    key: Key,
    procedure: Pattern,
    state: watch::Receiver<State>,
    counters: Arc<Counters>,
    requests: Requests<Command>,
    invocations: Consumer<Invocation>,
}

impl Parts {
    /// From here on, dropping it unregisters.
    fn into_shared(self) -> (Shared, Consumer<Invocation>) {
        let shared = Shared {
            key: self.key,
            procedure: self.procedure,
            state: self.state,
            counters: self.counters,
            requests: self.requests,
            is_detached: false,
        };
        (shared, self.invocations)
    }
}
