use std::{
    any::TypeId,
    error::Error,
    fmt,
    future::poll_fn,
    pin::{Pin, pin},
    sync::Arc,
    task::Poll,
};

use serde::{Serialize, de::DeserializeOwned};
use spell_serializer::PayloadBuilder;
use tokio::sync::{Semaphore, oneshot};
use tracing::warn;

use super::{Answer, Invocation, InvocationError, InvocationInfo};
use crate::queue::Consumer;

type Running = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A user's closure that answers invocations.
#[derive(Clone)]
pub(super) struct Handler(Arc<dyn Fn(Invocation) -> Running + Send + Sync>);

impl Handler {
    pub(super) fn new<F, T, Fut, Y>(handler: F) -> Self
    where
        F: Fn(T) -> Fut + Send + Sync + 'static,
        T: FromInvocation,
        Fut: Future<Output = Result<Y, InvocationError>> + Send + 'static,
        Y: IntoResult,
    {
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
pub(super) fn serve(mut invocations: Consumer<Invocation>, limit: usize, handler: Handler) {
    let limit = limit.clamp(1, Semaphore::MAX_PERMITS);
    let permits = Arc::new(Semaphore::new(limit));
    tokio::spawn(async move {
        while let Ok(permit) = permits.clone().acquire_owned().await {
            let Some(taken) = poll_fn(|cx| invocations.poll_next(cx)).await else {
                break;
            };
            let handler = handler.clone();
            // A panic ends this task alone; the invocation, dropped by it, answers for itself.
            tokio::spawn(async move {
                (handler.0)(taken.item).await;
                drop(permit);
            });
        }
    });
}

/// Answer one invocation by a closure.
async fn answer<F, T, Fut, Y>(handler: &F, invocation: Invocation)
where
    F: Fn(T) -> Fut,
    T: FromInvocation,
    Fut: Future<Output = Result<Y, InvocationError>>,
    Y: IntoResult,
{
    let (info, responder, interrupted) = invocation.into_parts();
    let id = info.id();
    let result = async {
        let argument = T::from_invocation(info)?;
        handler(argument).await
    };
    let answer = match unless_interrupted(result, interrupted).await {
        Some(Ok(value)) => Answer::result(responder).with(|arguments| value.write(arguments)),
        Some(Err(error)) => {
            let (uri, args, kwargs) = error.into_parts();
            let answer = Answer::error(responder, uri);
            answer.with(|arguments| arguments.args(&args).kwargs(&kwargs))
        }
        // Dropped with the responder, the invocation counts as cancelled.
        None => return,
    };
    if let Err(error) = answer.send().await {
        let source = error.source().map(ToString::to_string);
        warn!(%id, %error, source, "the answer of a handler was not sent");
    }
}

/// The output of `work`; `None`, and `work` is dropped, if the interrupt comes first.
async fn unless_interrupted<T>(
    work: impl Future<Output = T>,
    mut interrupted: oneshot::Receiver<()>,
) -> Option<T> {
    let mut work = pin!(work);
    poll_fn(|cx| {
        if Pin::new(&mut interrupted).poll(cx).is_ready() {
            return Poll::Ready(None);
        }
        work.as_mut().poll(cx).map(Some)
    })
    .await
}

/// What a handler can be called with.
///
/// * any type that can be read from the positional arguments: a tuple such as `(i64, String)`, a
///   `Vec`, a struct that is read in order; `()` if there must be none;
/// * [`Kwargs<T>`](Kwargs): a struct or a map, read from the keyword arguments;
/// * [`InvocationInfo`]: all that is known of the invocation.
///
/// Arguments of another type are answered with ERROR `wamp.error.invalid_argument`.
///
/// ```
/// # use spell_peer::PeerBuilder;
/// # use spell_roles::{Callee, Caller, Session};
/// use spell_roles::prelude::*;
/// use spell_roles::{Args, InvocationInfo, Kwargs};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let router = spell_router::Router::local();
/// # let peer = PeerBuilder::new(Session::new("com.example.realm"));
/// # let peer = peer.role(Caller::new()).role(Callee::new());
/// # let peer = peer.connect(router.connector()).await?;
/// #[derive(serde::Deserialize)]
/// struct Person {
///     name: String,
/// }
///
/// let greet = peer.register("com.example.greet");
/// let greet = greet.handler(|Kwargs(person): Kwargs<Person>| async move {
///     Ok(format!("Hello, {}", person.name))
/// });
/// let _greet = greet.await?;
///
/// let echo = peer.register("com.example.echo").handler(|call: InvocationInfo| async move {
///     let arguments: Vec<i64> = call.args()?;
///     Ok(Args((call.procedure().to_owned(), arguments)))
/// });
/// let _echo = echo.await?;
///
/// let greeting = peer.call("com.example.greet").kwarg("name", "Ada").await?;
/// assert_eq!(greeting.value::<String>()?, "Hello, Ada");
/// let echo = peer.call("com.example.echo").args((1, 2)).await?;
/// assert_eq!(echo.args::<(String, [i64; 2])>()?, ("com.example.echo".to_owned(), [1, 2]));
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "a handler cannot be called with `{Self}`",
    note = "take a tuple of the positional arguments, `Kwargs<T>` or `InvocationInfo`"
)]
pub trait FromInvocation: Sized {
    /// Read it from the invocation.
    ///
    /// # Errors
    ///
    /// What the caller is answered with.
    fn from_invocation(info: InvocationInfo) -> Result<Self, InvocationError>;
}

impl<T: DeserializeOwned> FromInvocation for T {
    fn from_invocation(info: InvocationInfo) -> Result<Self, InvocationError> {
        Ok(info.args()?)
    }
}

impl FromInvocation for InvocationInfo {
    fn from_invocation(info: InvocationInfo) -> Result<Self, InvocationError> {
        Ok(info)
    }
}

impl<T: DeserializeOwned> FromInvocation for Kwargs<T> {
    fn from_invocation(info: InvocationInfo) -> Result<Self, InvocationError> {
        Ok(Self(info.kwargs()?))
    }
}

/// What a handler can give.
///
/// * any value: the one positional result, which a caller reads with
///   [`CallResult::value`](crate::CallResult::value);
/// * `()`: no result;
/// * [`Args<T>`](Args): all positional results, from a tuple or a list;
/// * [`Kwargs<T>`](Kwargs): the keyword results, from a struct or a map.
#[diagnostic::on_unimplemented(
    message = "a handler cannot give `{Self}`",
    note = "give a value that implements `serde::Serialize`, `Args<T>` or `Kwargs<T>`"
)]
pub trait IntoResult: 'static {
    /// Write it into the arguments of the answer.
    fn write(self, arguments: PayloadBuilder) -> PayloadBuilder;
}

impl<T: Serialize + 'static> IntoResult for T {
    fn write(self, arguments: PayloadBuilder) -> PayloadBuilder {
        if TypeId::of::<T>() == TypeId::of::<()>() {
            return arguments;
        }
        arguments.arg(&self)
    }
}

impl<T: Serialize + 'static> IntoResult for Args<T> {
    fn write(self, arguments: PayloadBuilder) -> PayloadBuilder {
        arguments.args(&self.0)
    }
}

impl<T: Serialize + 'static> IntoResult for Kwargs<T> {
    fn write(self, arguments: PayloadBuilder) -> PayloadBuilder {
        arguments.kwargs(&self.0)
    }
}

/// All positional results of a handler.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a mark around a value")]
pub struct Args<T>(pub T);

/// The keyword arguments or results of a handler.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a mark around a value")]
pub struct Kwargs<T>(pub T);
