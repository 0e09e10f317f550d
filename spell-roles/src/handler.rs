//! Runs the closures of users, in tasks of their own.

use std::{
    any::TypeId,
    error::Error,
    fmt,
    future::poll_fn,
    pin::{Pin, pin},
    sync::Arc,
    task::Poll,
};

use serde::{
    Serialize,
    de::{
        DeserializeOwned, IntoDeserializer,
        value::{self, UnitDeserializer},
    },
};
use spell_message::{Dict, IntoUri, InvalidUri, List, Uri, Value, reason, to_value};
use spell_serializer::{DecodeError, PayloadBuilder};
use tokio::sync::{Semaphore, oneshot};
use tracing::warn;

use crate::{
    callee::{Answer, Invocation, InvocationInfo},
    queue::Consumer,
};

type Running = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A user's closure that answers invocations.
#[derive(Clone)]
pub(crate) struct Handler(Arc<dyn Fn(Invocation) -> Running + Send + Sync>);

impl Handler {
    pub(crate) fn new<F, T, Fut, Y>(handler: F) -> Self
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
pub(crate) fn serve(mut invocations: Consumer<Invocation>, limit: usize, handler: Handler) {
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
            let InvocationError(error) = error;
            let answer = Answer::error(responder, error.uri);
            answer.with(|arguments| arguments.args(&error.args).kwargs(&error.kwargs))
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

impl<T: DeserializeOwned + 'static> FromInvocation for T {
    fn from_invocation(info: InvocationInfo) -> Result<Self, InvocationError> {
        if TypeId::of::<T>() != TypeId::of::<()>() {
            return Ok(info.args()?);
        }
        // No arguments are an empty list, which is no unit to serde.
        let [] = info.args::<[(); 0]>()?;
        let unit: UnitDeserializer<value::Error> = ().into_deserializer();
        T::deserialize(unit).map_err(|_| InvocationError::new(reason::INVALID_ARGUMENT))
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

/// How a handler fails: the ERROR that the caller gets.
///
/// ```
/// use spell_roles::InvocationError;
///
/// let error = InvocationError::new("com.example.error.odd").arg(3).kwarg("wanted", "even");
/// assert_eq!(error.to_string(), "com.example.error.odd");
/// ```
#[derive(Clone, Debug)]
#[must_use = "an error is told only when a handler gives it"]
pub struct InvocationError(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    uri: Result<Uri, InvalidUri>,
    args: List,
    kwargs: Dict,
}

impl InvocationError {
    /// An error with this name: one of your application, or one of [`spell_message::reason`].
    ///
    /// If it is no URI, the caller gets the ERROR of
    /// [`Register::error_uri`](crate::Register::error_uri), and a warning is logged.
    pub fn new(uri: impl IntoUri) -> Self {
        Self(Box::new(Inner {
            uri: uri.into_uri(),
            args: List::new(),
            kwargs: Dict::new(),
        }))
    }

    /// Append one positional argument. One that has no form as a [`Value`] is replaced by a text
    /// that says so.
    pub fn arg(mut self, arg: impl Serialize) -> Self {
        self.0.args.push(to_lossy(&arg));
        self
    }

    /// Set one keyword argument, in the same way.
    pub fn kwarg(mut self, name: impl Into<String>, kwarg: impl Serialize) -> Self {
        self.0.kwargs.insert(name, to_lossy(&kwarg));
        self
    }

    /// Its name, unless that is no URI.
    pub fn uri(&self) -> Option<&Uri> {
        self.0.uri.as_ref().ok()
    }
}

fn to_lossy(value: &impl Serialize) -> Value {
    to_value(value).unwrap_or_else(|error| Value::from(error.to_string()))
}

impl fmt::Display for InvocationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.uri {
            Ok(uri) => write!(f, "{uri}"),
            Err(error) => write!(f, "{error}"),
        }
    }
}

impl Error for InvocationError {}

/// The arguments are not those the procedure takes: `wamp.error.invalid_argument`.
impl From<DecodeError> for InvocationError {
    fn from(error: DecodeError) -> Self {
        let invalid = Self::new(reason::INVALID_ARGUMENT).arg(error.to_string());
        match error.source() {
            Some(source) => invalid.arg(source.to_string()),
            None => invalid,
        }
    }
}
