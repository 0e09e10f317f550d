use std::{
    any::Any,
    fmt,
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::Poll,
};

use serde::de::DeserializeOwned;
use spell_serializer::DecodeError;
use tokio::sync::{Semaphore, watch};
use tracing::{
    Instrument, Span, error, field::Empty, level_filters::LevelFilter, trace_span, warn,
};

use super::{Event, Gap, Notice, reader::Reader, role::Command, subscription::Status};
use crate::{Kwargs, request::Requests};

type Running = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A user's closures that take events and gaps, one after another.
pub(super) struct Handler {
    handle: Box<dyn FnMut(Event) -> Result<Running, DecodeError> + Send>,
    on_gap: Option<Box<dyn FnMut(Gap) + Send>>,
}

impl Handler {
    pub(super) fn new<F, T, Fut>(mut handler: F) -> Self
    where
        F: FnMut(T) -> Fut + Send + 'static,
        T: FromEvent,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let handle = move |event| -> Result<Running, _> {
            let argument = T::from_event(event)?;
            Ok(Box::pin(handler(argument)))
        };
        Self {
            handle: Box::new(handle),
            on_gap: None,
        }
    }

    pub(super) fn on_gap(self, tell: impl FnMut(Gap) + Send + 'static) -> Self {
        Self {
            on_gap: Some(Box::new(tell)),
            ..self
        }
    }

    async fn call(&mut self, event: Event) -> Result<(), DecodeError> {
        let running = (self.handle)(event)?;
        running.await;
        Ok(())
    }
}

impl fmt::Debug for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handler").finish_non_exhaustive()
    }
}

/// What a handler of events can be called with.
///
/// * any type that can be read from the positional arguments: a tuple such as `(i64, String)`, a
///   `Vec`, a struct that is read in order; `()` if there must be none;
/// * [`Kwargs<T>`](Kwargs): a struct or a map, read from the keyword arguments;
/// * [`Event`]: all that is known of the event.
///
/// An event whose arguments are of another type is logged, counted and passed over.
#[diagnostic::on_unimplemented(
    message = "a handler of events cannot be called with `{Self}`",
    note = "take a tuple of the positional arguments, `Kwargs<T>` or `Event`"
)]
pub trait FromEvent: Sized {
    /// Read it from the event.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if the event has something else.
    fn from_event(event: Event) -> Result<Self, DecodeError>;
}

impl<T: DeserializeOwned> FromEvent for T {
    fn from_event(event: Event) -> Result<Self, DecodeError> {
        event.args()
    }
}

impl FromEvent for Event {
    fn from_event(event: Event) -> Result<Self, DecodeError> {
        Ok(event)
    }
}

impl<T: DeserializeOwned> FromEvent for Kwargs<T> {
    fn from_event(event: Event) -> Result<Self, DecodeError> {
        event.kwargs().map(Self)
    }
}

/// Hand events to a closure in a task of its own, one after another, until the queue ends or the
/// subscription goes.
pub(super) fn serve(
    mut reader: Reader,
    mut handler: Handler,
    progress: Arc<Progress>,
    status: watch::Receiver<Status>,
) {
    tokio::spawn(async move {
        let _ending = Ending(progress.clone());
        let tells_gaps = handler.on_gap.is_some();
        loop {
            // The codec, which opens an event, is the user's, too.
            let next = poll_fn(|cx| {
                if tells_gaps {
                    reader.poll_notice(cx)
                } else {
                    reader.poll_event(cx).map(|event| event.map(Notice::Event))
                }
            });
            let notice = match unless_panicking(next).await {
                Ok(Some(notice)) if !progress.is_stopped() => notice,
                Ok(_) => break,
                Err(_) => {
                    error!("the codec of an event panicked");
                    progress.fail();
                    continue;
                }
            };
            let (notice, event) = match notice {
                Notice::Event(event) => {
                    let (event, same) = event.twice();
                    (Notice::Event(event), Some(same))
                }
                gap @ Notice::Gap(_) => (gap, None),
            };
            let event = event.as_ref();
            let span = event.map_or_else(Span::none, |event| span(event, &status));
            let topic = event.map(Event::topic);
            let work = async {
                match (notice, &mut handler.on_gap) {
                    (Notice::Event(event), _) => return handler.call(event).await,
                    (Notice::Gap(gap), Some(tell)) => tell(gap),
                    (Notice::Gap(_), None) => {}
                }
                Ok(())
            };
            match unless_panicking(work.instrument(span)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    // Not the source: its text may quote an argument.
                    warn!(topic, %error, "an event is not what its handler takes");
                    progress.fail();
                }
                Err(_) => {
                    error!(topic, "the handler of an event panicked");
                    progress.fail();
                }
            }
        }
    });
}

/// The span in which an event is handled.
fn span(event: &Event, status: &watch::Receiver<Status>) -> Span {
    if LevelFilter::current() < LevelFilter::TRACE {
        return Span::none();
    }
    let span = trace_span!(
        parent: None,
        "event",
        topic = event.topic(),
        realm = Empty,
        session = Empty,
        subscription = event.subscription().get(),
        publication = event.publication().get(),
        traceparent = event.traceparent(),
    );
    if !span.is_disabled()
        && let Some((realm, session)) = &status.borrow().session
    {
        span.record("realm", realm.as_str());
        span.record("session", session.get());
    }
    span
}

/// The output of `work`, or what it panicked with.
///
/// The next event may meet a closure that a panic left half way through its work. That is its
/// author's to know; the library's own state is not touched by it.
async fn unless_panicking<T>(work: impl Future<Output = T>) -> Result<T, Box<dyn Any + Send>> {
    let mut work = pin!(work);
    poll_fn(
        |cx| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))) {
            Ok(poll) => poll.map(Ok),
            Err(panic) => Poll::Ready(Err(panic)),
        },
    )
    .await
}

/// Tells that the task ended, however it did.
struct Ending(Arc<Progress>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.ended.0.close();
    }
}

#[derive(Debug)]
struct Ended(Semaphore);

impl Default for Ended {
    fn default() -> Self {
        Self(Semaphore::new(0))
    }
}

/// What a handler's task and its subscription share.
#[derive(Debug, Default)]
pub(super) struct Progress {
    is_stopped: AtomicBool,
    failed: AtomicU64,
    /// Closed once the task ended.
    ended: Ended,
    /// Keeps the peer alive while the task runs, once the subscription is detached.
    kept: OnceLock<Arc<Requests<Command>>>,
}

impl Progress {
    /// Call the handler no more.
    pub(super) fn stop(&self) {
        self.is_stopped.store(true, Ordering::Relaxed);
    }

    fn is_stopped(&self) -> bool {
        self.is_stopped.load(Ordering::Relaxed)
    }

    /// Wait until the task ended.
    pub(super) async fn ended(&self) {
        // It has permits for nobody.
        let _ = self.ended.0.acquire().await;
    }

    fn fail(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    pub(super) fn keep(&self, requests: Arc<Requests<Command>>) {
        // A subscription is detached once.
        let _ = self.kept.set(requests);
    }
}
