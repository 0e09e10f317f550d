use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use super::{
    CallResult,
    role::{Command, NewCall, Order},
};
use crate::{
    CallError,
    request::{Reply, Requests, argument_methods, limit_methods},
    started::{IdSlot, Started},
};
use spell_message::{
    Feature, InvalidUri, RequestId, RoleName, Uri, Value,
    options::{CallOptions, InvalidOption},
};
use spell_serializer::PayloadBuilder;

/// A call in the making; `.await` sends it and waits for the result.
///
/// # Errors
///
/// What was given is checked when it is awaited: a bad name, arguments that cannot be encoded and
/// an invalid option all end the call before anything is sent. See [`CallError`] for the rest.
///
/// # Cancel safety
///
/// Dropped before it was committed, a call is never sent. Dropped later, it is given up: if the
/// router announced `call_canceling`, it is asked to cancel the call and to interrupt the callee
/// (mode `killnowait`); the result is dropped when it comes. The same happens when the time is up.
///
/// # Examples
///
/// ```
/// # use spell_peer::PeerBuilder;
/// # use spell_roles::{Callee, Caller, Session};
/// use spell_roles::prelude::*;
/// use spell_message::reason;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let router = spell_router::Router::local();
/// # let peer = PeerBuilder::new(Session::new("com.example.realm"));
/// # let peer = peer.role(Caller::new()).role(Callee::new());
/// # let peer = peer.connect(router.connector()).await?;
/// let _add2 = peer
///     .register("com.example.add2")
///     .handler(|(a, b): (i64, i64)| async move { Ok(a + b) })
///     .await?;
///
/// let sum: i64 = peer.call("com.example.add2").args((2, 3)).await?.value()?;
/// assert_eq!(sum, 5);
///
/// let error = peer.call("com.example.sub2").args((2, 3)).await.unwrap_err();
/// assert_eq!(error.uri().map(|uri| uri.as_str()), Some(reason::NO_SUCH_PROCEDURE));
/// # Ok(())
/// # }
/// ```
///
/// WAMP spec, "CALL".
#[derive(Debug)]
#[must_use = "a call is sent only when it is awaited"]
pub struct Call<'a> {
    requests: &'a Requests<Command>,
    procedure: Result<Uri, InvalidUri>,
    options: Result<CallOptions, InvalidOption>,
    arguments: PayloadBuilder,
    limit: Option<Duration>,
    needs: Option<(RoleName, Feature)>,
}

impl<'a> Call<'a> {
    pub(super) fn new(requests: &'a Requests<Command>, procedure: Result<Uri, InvalidUri>) -> Self {
        Self {
            requests,
            procedure,
            options: Ok(CallOptions::new()),
            arguments: requests.arguments(),
            limit: requests.commands().request_timeout(),
            needs: None,
        }
    }

    argument_methods!();
    limit_methods!();

    /// Set one option of CALL: one that has no method here, or an extension of the router.
    pub fn option(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.options = self.options.and_then(|mut options| {
            options.set(key, value)?;
            Ok(options)
        });
        self
    }

    /// Replace all options of CALL.
    pub fn options(mut self, options: CallOptions) -> Self {
        self.options = Ok(options);
        self
    }

    /// Call only if the router announced this feature of one of its roles.
    pub(crate) fn needs(mut self, needs: (RoleName, Feature)) -> Self {
        self.needs = Some(needs);
        self
    }

    /// Send it and wait for the result: what `.await` does, without the box.
    pub async fn send(self) -> Result<CallResult, CallError> {
        let (requests, limit) = (self.requests, self.limit);
        let command = self.command()?;
        let result = requests.ask(limit, |reply| command(reply, None)).await?;
        Ok(result)
    }

    /// Send it, and wait only until it has its id. The result can be waited for later.
    ///
    /// # Errors
    ///
    /// What kept the call from being sent.
    ///
    /// # Cancel safety
    ///
    /// As for the call itself.
    pub async fn start(self) -> Result<PendingCall, CallError> {
        let (requests, limit) = (self.requests, self.limit);
        let command = self.command()?;
        let started = requests.start(limit, |reply, slot| command(reply, Some(slot)));
        Ok(PendingCall(started.await?))
    }

    /// All that can fail because of the user, and the command that is left.
    fn command(
        self,
    ) -> Result<impl FnOnce(Reply<CallResult>, Option<IdSlot>) -> Command, CallError> {
        let procedure = self.procedure?;
        let options = self.options?;
        let payload = self.requests.finish(self.arguments)?;
        let needs = self.needs;
        Ok(move |reply, started| {
            Command(Order::Call(Box::new(NewCall {
                procedure,
                options,
                payload,
                needs,
                reply,
                started,
            })))
        })
    }
}

impl<'a> IntoFuture for Call<'a> {
    type Output = Result<CallResult, CallError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

/// A call that was sent; the future of its result. Made by [`Call::start`].
///
/// The call's time limit goes on running.
///
/// ```
/// # use spell_peer::PeerBuilder;
/// # use spell_roles::{Callee, Caller, Session};
/// use spell_roles::prelude::*;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let router = spell_router::Router::local();
/// # let peer = PeerBuilder::new(Session::new("com.example.realm"));
/// # let peer = peer.role(Caller::new()).role(Callee::new());
/// # let peer = peer.connect(router.connector()).await?;
/// let _add2 = peer
///     .register("com.example.add2")
///     .handler(|(a, b): (i64, i64)| async move { Ok(a + b) })
///     .await?;
///
/// let first = peer.call("com.example.add2").args((2, 3)).start().await?;
/// let second = peer.call("com.example.add2").args((4, 5)).start().await?;
/// assert!(first.id() < second.id());
/// assert_eq!(second.await?.value::<i64>()?, 9);
/// assert_eq!(first.await?.value::<i64>()?, 5);
/// # Ok(())
/// # }
/// ```
///
/// # Cancel safety
///
/// Dropping it gives the call up, as described at [`Call`].
#[derive(Debug)]
#[must_use = "dropping it cancels the call"]
pub struct PendingCall(Started<CallResult, Command>);

impl PendingCall {
    /// The id of the CALL, by which the messages about it are known.
    pub fn id(&self) -> RequestId {
        self.0.id()
    }
}

impl Future for PendingCall {
    type Output = Result<CallResult, CallError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx).map_err(Into::into)
    }
}
