use std::any::TypeId;

use serde::{Serialize, de::DeserializeOwned};
use spell_message::reason;
use spell_serializer::PayloadBuilder;

use super::{Interrupt, Invocation, InvocationError, InvocationInfo, Parts, Progress};

/// What a handler can be called with.
///
/// * any type that can be read from the positional arguments: a tuple such as `(i64, String)`, a
///   `Vec`, a struct that is read in order; `()` if there must be none;
/// * [`Kwargs<T>`](Kwargs): a struct or a map, read from the keyword arguments;
/// * [`InvocationInfo`]: all that is known of the invocation;
/// * [`Progress`]: to send progressive results, if the caller wants any;
/// * [`Parts`]: the arguments of a progressive invocation, as they come. A handler that does not
///   take them would answer arguments that are not complete: so a progressive invocation of it is
///   answered with ERROR `wamp.error.feature_not_supported`, and what it gave is dropped;
/// * [`Interrupt`]: tells when to stop. A handler that takes it is not dropped when the caller
///   gives up, the time is up, or the session ends, but goes on until it returns.
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
    note = "take a tuple of the positional arguments, `Kwargs<T>`, `InvocationInfo`, `Progress`, \
            `Parts` or `Interrupt`"
)]
pub trait FromInvocation: Sized {
    /// Read it from the invocation.
    ///
    /// # Errors
    ///
    /// What the caller is answered with.
    fn from_invocation(invocation: &mut Invocation) -> Result<Self, InvocationError>;
}

impl<T: DeserializeOwned> FromInvocation for T {
    fn from_invocation(invocation: &mut Invocation) -> Result<Self, InvocationError> {
        Ok(invocation.args()?)
    }
}

impl<T: DeserializeOwned> FromInvocation for Kwargs<T> {
    fn from_invocation(invocation: &mut Invocation) -> Result<Self, InvocationError> {
        Ok(Self(invocation.kwargs()?))
    }
}

impl FromInvocation for InvocationInfo {
    fn from_invocation(invocation: &mut Invocation) -> Result<Self, InvocationError> {
        Ok(invocation.info().clone())
    }
}

impl FromInvocation for Progress {
    fn from_invocation(invocation: &mut Invocation) -> Result<Self, InvocationError> {
        Ok(invocation.sender())
    }
}

/// They can be taken once.
impl FromInvocation for Parts {
    fn from_invocation(invocation: &mut Invocation) -> Result<Self, InvocationError> {
        let taken = || InvocationError::new(reason::RUNTIME_ERROR).arg("the parts are taken");
        invocation.parts().ok_or_else(taken)
    }
}

impl FromInvocation for Interrupt {
    fn from_invocation(invocation: &mut Invocation) -> Result<Self, InvocationError> {
        invocation.watch();
        Ok(invocation.interrupt())
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
