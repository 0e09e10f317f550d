use std::{
    pin::Pin,
    sync::{Arc, OnceLock},
    time::Duration,
};

use spell_message::RequestId;
use spell_serializer::PayloadBuilder;
use tokio::{sync::watch, time::Instant};

use super::{
    role::{Command, MoreArguments, Order, Proceeded, StartedCall},
    sealing::Sealing,
};
use crate::{
    CallError,
    error::Failure,
    methods::argument_methods,
    request::{Key, Requests},
};

/// The way to send more arguments of a progressive call; its other half waits for the result. Made
/// by [`Call::progressive`](super::Call::progressive).
///
/// All arguments go to the same callee, in their order. The callee may answer before the last ones
/// were sent; from then on sending fails, with the call's own error if it failed and with
/// [`CallError::Finished`] otherwise.
///
/// Dropping it before [`finish`](Self::finish) cancels the call, and the other half gets what the
/// router answers to that.
///
/// ```
/// # use spell_peer::PeerBuilder;
/// # use spell_roles::{Callee, Caller, Session};
/// use spell_roles::prelude::*;
/// use spell_roles::Parts;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let router = spell_router::Router::local();
/// # let peer = PeerBuilder::new(Session::new("com.example.realm"));
/// # let peer = peer.role(Caller::new()).role(Callee::new());
/// # let peer = peer.connect(router.connector()).await?;
/// let total = |mut parts: Parts| async move {
///     let mut total = 0;
///     while let Some(part) = parts.next().await {
///         let (value,) = part?.args::<(i64,)>()?;
///         total += value;
///     }
///     Ok(total)
/// };
/// let _total = peer.register("com.example.total").handler(total).await?;
///
/// let (mut arguments, call) = peer.call("com.example.total").arg(1).progressive().await?;
/// arguments.send().arg(2).await?;
/// arguments.finish().arg(3).await?;
/// assert_eq!(call.await?.value::<i64>()?, 6);
/// # Ok(())
/// # }
/// ```
///
/// WAMP spec, "Progressive Call Invocations".
#[derive(Debug)]
#[must_use = "dropping it before the last arguments were sent cancels the call"]
pub struct CallArguments {
    id: RequestId,
    call: Key,
    requests: Requests<Command>,
    /// How long it may take to send some.
    limit: Option<Duration>,
    /// When some were sent, for the one who waits for the result.
    sent: watch::Sender<Instant>,
    /// Why the call failed, if it did.
    failure: Arc<OnceLock<Failure>>,
    sealing: Option<Box<Sealing>>,
    is_finished: bool,
}

impl CallArguments {
    pub(super) fn new(
        call: &mut StartedCall,
        limit: Option<Duration>,
        failure: Arc<OnceLock<Failure>>,
        sealing: Option<Box<Sealing>>,
    ) -> Self {
        let (sent, times) = watch::channel(Instant::now());
        call.follow(times);
        Self {
            id: call.id(),
            call: call.key(),
            requests: call.requests().clone(),
            limit,
            sent,
            failure,
            sealing,
            is_finished: false,
        }
    }

    /// The id of the CALL, the same for all its arguments.
    pub fn id(&self) -> RequestId {
        self.id
    }

    /// Send more arguments, and others after them; `.await` the returned builder.
    pub fn send(&mut self) -> SendArguments<'_> {
        SendArguments::new(self, false)
    }

    /// Send the last arguments, which may be none; `.await` the returned builder. The result comes
    /// to the other half.
    pub fn finish(&mut self) -> SendArguments<'_> {
        SendArguments::new(self, true)
    }

    /// Why no more can be sent.
    fn end(&self) -> CallError {
        let codec = self.sealing.as_deref().map(Sealing::codec);
        let failure = self.failure.get().cloned();
        failure.map_or(CallError::Finished, |failure| failure.open(codec).into())
    }
}

impl Drop for CallArguments {
    fn drop(&mut self) {
        if !self.is_finished {
            let abandon = Command(Order::Abandon(self.call));
            self.requests.commands().release(abandon);
        }
    }
}

/// More arguments of a call, in the making; `.await` sends them. Made by [`CallArguments::send`] and
/// [`CallArguments::finish`].
///
/// They are sent when they are committed to the wire; while the router does not read, this waits,
/// no longer than the call's time limit.
///
/// # Errors
///
/// Arguments that cannot be encoded or are too large fail alone: others can be sent in their place.
/// Once the call is over, its error, or [`CallError::Finished`] if it has none.
///
/// # Cancel safety
///
/// Dropped before they were committed, they are never sent. Dropped later, they are.
#[derive(Debug)]
#[must_use = "arguments are sent only when this is awaited"]
pub struct SendArguments<'a> {
    to: &'a mut CallArguments,
    arguments: PayloadBuilder,
    is_last: bool,
}

impl<'a> SendArguments<'a> {
    fn new(to: &'a mut CallArguments, is_last: bool) -> Self {
        Self {
            arguments: to.requests.arguments(),
            to,
            is_last,
        }
    }

    argument_methods!();

    /// Send them: what `.await` does, without the box.
    pub async fn send(self) -> Result<(), CallError> {
        let Self {
            to,
            arguments,
            is_last,
        } = self;
        if to.is_finished {
            return Err(to.end());
        }
        let payload = match &to.sealing {
            Some(sealing) => sealing.seal(arguments, &to.requests),
            None => to.requests.encode(arguments),
        };
        let payload = payload.map_err(|error| Failure::not_sent(error, None))?;
        let call = to.call;
        let order = |reply| {
            Command(Order::Proceed(Box::new(MoreArguments {
                call,
                payload,
                is_last,
                reply,
            })))
        };
        match to.requests.ask(to.limit, order).await? {
            Proceeded::Sent => {
                to.is_finished = is_last;
                to.sent.send_replace(Instant::now());
                Ok(())
            }
            Proceeded::IsOver => {
                to.is_finished = true;
                Err(to.end())
            }
        }
    }
}

impl<'a> IntoFuture for SendArguments<'a> {
    type Output = Result<(), CallError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}
