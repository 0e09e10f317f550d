use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use spell_message::{
    InvalidUri, RequestId, Uri, Value,
    options::{CallOptions, InvalidOption},
};
use spell_serializer::PayloadBuilder;
use tokio::{
    sync::oneshot,
    time::{Instant, Sleep, sleep_until, timeout_at},
};

use super::{CallResult, Command, NewCall, Order};
use crate::{
    CallError,
    error::Failure,
    request::{Reply, Requests, Waiting, argument_methods, limit_methods},
};

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
/// use spell_roles::{CallError, CallerHandle};
///
/// async fn add(caller: &CallerHandle, a: i64, b: i64) -> Result<i64, Box<dyn std::error::Error>> {
///     let result = caller.call("com.example.add2").args((a, b)).await?;
///     Ok(result.value()?)
/// }
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
}

impl<'a> Call<'a> {
    pub(super) fn new(
        requests: &'a Requests<Command>,
        procedure: Result<Uri, InvalidUri>,
    ) -> Self {
        Self {
            requests,
            procedure,
            options: Ok(CallOptions::new()),
            arguments: requests.arguments(),
            limit: requests.commands().request_timeout(),
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
        let deadline = self.limit.and_then(|limit| Instant::now().checked_add(limit));
        let requests = self.requests;
        let command = self.command()?;
        let (reply, mut waiting) = requests.open();
        let (started, has_started) = oneshot::channel();
        let sent = async {
            waiting.send(command(reply, Some(started))).await?;
            match has_started.await {
                Ok(id) => Ok(id),
                // It was not committed; the reply says why. There is no result without an id.
                Err(_) => Err((&mut waiting).await.err().unwrap_or(Failure::no_session(None))),
            }
        };
        let sent = match deadline {
            Some(deadline) => timeout_at(deadline, sent).await.ok(),
            None => Some(sent.await),
        };
        let id = match sent {
            Some(sent) => sent?,
            None => return Err(Failure::Timeout(waiting.give_up()).into()),
        };
        Ok(PendingCall {
            id,
            waiting,
            deadline: deadline.map(|deadline| Box::pin(sleep_until(deadline))),
        })
    }

    /// All that can fail because of the user, and the command that is left.
    fn command(
        self,
    ) -> Result<
        impl FnOnce(Reply<CallResult>, Option<oneshot::Sender<RequestId>>) -> Command,
        CallError,
    > {
        let procedure = self.procedure?;
        let options = self.options?;
        let payload = self.requests.finish(self.arguments)?;
        Ok(move |reply, started| {
            Command(Order::Call(Box::new(NewCall {
                procedure,
                options,
                payload,
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
/// # Cancel safety
///
/// Dropping it gives the call up, as described at [`Call`].
#[derive(Debug)]
#[must_use = "dropping it cancels the call"]
pub struct PendingCall {
    id: RequestId,
    waiting: Waiting<CallResult, Command>,
    deadline: Option<Pin<Box<Sleep>>>,
}

impl PendingCall {
    /// The id of the CALL, by which the messages about it are known.
    pub fn id(&self) -> RequestId {
        self.id
    }
}

impl Future for PendingCall {
    type Output = Result<CallResult, CallError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Poll::Ready(result) = Pin::new(&mut self.waiting).poll(cx) {
            return Poll::Ready(result.map_err(Into::into));
        }
        let deadline = self.deadline.as_mut();
        match deadline.map(|deadline| deadline.as_mut().poll(cx)) {
            Some(Poll::Ready(())) => Poll::Ready(self.waiting.expire().map_err(Into::into)),
            _ => Poll::Pending,
        }
    }
}
