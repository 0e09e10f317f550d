use std::{
    error::Error,
    fmt,
    future::poll_fn,
    pin::{Pin, pin},
    sync::Arc,
    task::Poll,
};

use spell_message::reason;
use tokio::sync::Semaphore;
use tracing::{Instrument, debug, warn};

use super::{
    Answer, AnswerError, FromInvocation, Interrupt, IntoResult, Invocation, InvocationError,
    line::Responder,
};
use crate::{passthru::Passthru, queue::Consumer};

/// What answers invocations: an async closure of one to four arguments, each of them something that
/// can be [taken from the invocation](FromInvocation).
///
/// ```
/// # use spell_peer::PeerBuilder;
/// # use spell_roles::{Callee, Caller, Session};
/// use spell_roles::prelude::*;
/// use spell_roles::{InvocationInfo, Kwargs};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let router = spell_router::Router::local();
/// # let peer = PeerBuilder::new(Session::new("com.example.realm"));
/// # let peer = peer.role(Caller::new()).role(Callee::new());
/// # let peer = peer.connect(router.connector()).await?;
/// #[derive(serde::Deserialize)]
/// struct Rounding {
///     digits: u8,
/// }
///
/// let show = peer.register("com.example.show").handler(
///     |(value,): (f64,), Kwargs(rounding): Kwargs<Rounding>, call: InvocationInfo| async move {
///         let digits = usize::from(rounding.digits);
///         Ok(format!("{}: {value:.digits$}", call.procedure()))
///     },
/// );
/// let _show = show.await?;
///
/// let shown = peer.call("com.example.show").arg(2.71828).kwarg("digits", 2).await?;
/// assert_eq!(shown.value::<String>()?, "com.example.show: 2.72");
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot answer invocations",
    note = "give a closure that takes, each with its type, a tuple of the positional arguments, \
            `Kwargs<T>`, `InvocationInfo`, `Progress`, `Parts` or `Interrupt`, up to four of them",
    note = "and that gives a future of `Result<impl IntoResult, InvocationError>`"
)]
pub trait InvocationHandler<Arguments>: Send + Sync + 'static {
    /// What the caller gets.
    type Output: IntoResult;

    /// The work.
    type Future: Future<Output = Result<Self::Output, InvocationError>> + Send + 'static;

    /// Begin the work.
    ///
    /// # Errors
    ///
    /// What the caller is answered with instead.
    fn call(&self, invocation: &mut Invocation) -> Result<Self::Future, InvocationError>;
}

macro_rules! handlers {
    ($($($T:ident),+;)*) => { $(
        impl<F, Fut, Y, $($T),+> InvocationHandler<($($T,)+)> for F
        where
            F: Fn($($T),+) -> Fut + Send + Sync + 'static,
            $($T: FromInvocation,)+
            Fut: Future<Output = Result<Y, InvocationError>> + Send + 'static,
            Y: IntoResult,
        {
            type Output = Y;
            type Future = Fut;

            fn call(&self, invocation: &mut Invocation) -> Result<Fut, InvocationError> {
                Ok(self($($T::from_invocation(invocation)?),+))
            }
        }
    )* };
}

handlers! {
    A;
    A, B;
    A, B, C;
    A, B, C, D;
}

type Running = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What a user gave to answer invocations with.
#[derive(Clone)]
pub(super) struct Handler(Arc<dyn Fn(Invocation) -> Running + Send + Sync>);

impl Handler {
    pub(super) fn new<A: 'static>(handler: impl InvocationHandler<A>) -> Self {
        let handler = Arc::new(handler);
        Self(Arc::new(move |invocation| {
            let handler = handler.clone();
            Box::pin(async move { answer(&*handler, invocation).await })
        }))
    }
}

impl fmt::Debug for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handler").finish_non_exhaustive()
    }
}

/// Hand invocations to a closure, each in a task of its own, up to `limit` at a time, until the
/// queue ends. Those that are too many stay in the queue, which has bounds.
pub(super) fn serve(
    mut invocations: Consumer<Invocation>,
    codec: Option<Passthru>,
    limit: usize,
    handler: Handler,
) {
    let limit = limit.clamp(1, Semaphore::MAX_PERMITS);
    let permits = Arc::new(Semaphore::new(limit));
    tokio::spawn(async move {
        while let Ok(permit) = permits.clone().acquire_owned().await {
            let Some(taken) = poll_fn(|cx| invocations.poll_next(cx)).await else {
                break;
            };
            let (handler, codec) = (handler.clone(), codec.clone());
            let mut invocation = taken.item;
            // A panic ends this task alone; the invocation, dropped by it, answers for itself.
            tokio::spawn(async move {
                let span = invocation.take_span();
                let work = async { (handler.0)(invocation.taken(codec.as_ref())).await };
                match span {
                    Some(span) => work.instrument(*span).await,
                    None => work.await,
                }
                drop(permit);
            });
        }
    });
}

/// Answer one invocation by a handler.
async fn answer<A>(handler: &impl InvocationHandler<A>, mut invocation: Invocation) {
    let (id, interrupt) = (invocation.info().id(), invocation.interrupt());
    // Dropped, it counts as cancelled.
    if interrupt.cause().is_some() {
        return;
    }
    let mut work = handler.call(&mut invocation);
    if invocation.is_undivided() {
        // WAMP spec, "Progressive Call Invocations": what a callee answers that cannot take them.
        work = Err(InvocationError::new(reason::FEATURE_NOT_SUPPORTED));
    }
    let work = async { work?.await };
    let result = if invocation.is_watched() {
        Some(work.await)
    } else {
        unless_interrupted(work, &interrupt).await
    };
    // Dropped, the invocation counts as cancelled.
    let Some(answer) = result.map(|result| reply(invocation.into_responder(), result)) else {
        return;
    };
    match answer.send().await {
        Ok(()) => {}
        Err(
            error @ (AnswerError::Canceled
            | AnswerError::Timeout
            | AnswerError::Overflow
            | AnswerError::Stopped
            | AnswerError::Closed { .. }),
        ) => debug!(%id, %error, "nobody waits for the answer of a handler"),
        Err(error) => {
            let source = error.source().map(ToString::to_string);
            warn!(%id, %error, source, "the answer of a handler was not sent");
        }
    }
}

/// What a handler gave, as the answer.
fn reply(responder: Responder, result: Result<impl IntoResult, InvocationError>) -> Answer {
    match result {
        Ok(value) => Answer::result(responder).with(|arguments| value.write(arguments)),
        Err(error) => {
            let (uri, args, kwargs) = error.into_parts();
            let answer = Answer::error(responder, uri);
            answer.with(|arguments| arguments.args(&args).kwargs(&kwargs))
        }
    }
}

/// The output of `work`; `None`, and `work` is dropped, if the interrupt comes first.
async fn unless_interrupted<T>(work: impl Future<Output = T>, interrupt: &Interrupt) -> Option<T> {
    let (mut work, mut interrupted) = (pin!(work), pin!(interrupt.interrupted()));
    poll_fn(|cx| {
        if interrupted.as_mut().poll(cx).is_ready() {
            return Poll::Ready(None);
        }
        work.as_mut().poll(cx).map(Some)
    })
    .await
}
