use std::{
    fmt,
    future::poll_fn,
    pin::{Pin, pin},
    sync::Arc,
    task::Poll,
};

use spell_message::reason;
use tracing::{Instrument, Span};

use super::{
    Answer, FromInvocation, Interrupt, IntoResult, Invocation, InvocationError, line::Responder,
    serving::serve,
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

/// What a user gave to answer invocations with.
pub(super) struct Handler(Box<Serve>);

/// Begins to serve: with a codec, and so many invocations at a time.
type Serve = dyn FnOnce(Consumer<Invocation>, Option<Passthru>, usize) + Send + Sync;

impl Handler {
    pub(super) fn new<A: 'static>(handler: impl InvocationHandler<A>) -> Self {
        let handler = Arc::new(handler);
        Self(Box::new(move |invocations, codec, limit| {
            serve(invocations, limit, move |mut invocation, place| {
                let (handler, codec) = (handler.clone(), codec.clone());
                let span = invocation.take_span();
                // Small since it holds each thing once, as no inner function has to be given what it
                // needs.
                let work = async move {
                    let interrupt = invocation.interrupt();
                    invocation.begin(codec.as_ref());
                    // Dropped, the invocation counts as cancelled.
                    if interrupt.cause().is_some() {
                        return place;
                    }
                    let answer = match handler.call(&mut invocation) {
                        _ if invocation.is_undivided() => {
                            // WAMP spec, "Progressive Call Invocations": what a callee answers that
                            // cannot take them.
                            let error = InvocationError::new(reason::FEATURE_NOT_SUPPORTED);
                            refusal(invocation.into_responder(), error)
                        }
                        Err(error) => refusal(invocation.into_responder(), error),
                        Ok(work) => {
                            let mut work = pin!(work);
                            let watch = (!invocation.is_watched()).then_some(&interrupt);
                            match unless_interrupted(work.as_mut(), watch).await {
                                Some(result) => reply(invocation.into_responder(), result),
                                // As above.
                                None => return place,
                            }
                        }
                    };
                    if let Err(error) = answer.post().await {
                        error.log(interrupt.request());
                    }
                    place
                };
                work.instrument(span.map_or_else(Span::none, |span| *span))
            });
        }))
    }

    /// Hand invocations to the closure, up to `limit` at a time, until the queue ends.
    pub(super) fn serve(
        self,
        invocations: Consumer<Invocation>,
        codec: Option<Passthru>,
        limit: usize,
    ) {
        (self.0)(invocations, codec, limit);
    }
}

impl fmt::Debug for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handler").finish_non_exhaustive()
    }
}

/// What a handler gave, as the answer.
fn reply(responder: Responder, result: Result<impl IntoResult, InvocationError>) -> Answer {
    match result {
        Ok(value) => Answer::result(responder).with(|arguments| value.write(arguments)),
        Err(error) => refusal(responder, error),
    }
}

fn refusal(responder: Responder, error: InvocationError) -> Answer {
    let (uri, args, kwargs) = error.into_parts();
    let answer = Answer::error(responder, uri);
    answer.with(|arguments| arguments.args(&args).kwargs(&kwargs))
}

/// The output of `work`; `None` if it is to be dropped, because the interrupt comes first.
async fn unless_interrupted<T>(
    mut work: Pin<&mut impl Future<Output = T>>,
    interrupt: Option<&Interrupt>,
) -> Option<T> {
    let Some(interrupt) = interrupt else {
        return Some(work.await);
    };
    let mut interrupted = pin!(interrupt.interrupted());
    poll_fn(|cx| {
        if interrupt.cause().is_some() {
            return Poll::Ready(None);
        }
        // Work that is done at once needs nobody to watch over it.
        if let Poll::Ready(output) = work.as_mut().poll(cx) {
            return Poll::Ready(Some(output));
        }
        interrupted.as_mut().poll(cx).map(|_| None)
    })
    .await
}
