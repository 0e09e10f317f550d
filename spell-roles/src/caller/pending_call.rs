use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use spell_message::{RequestId, options::CancelMode};

use super::{
    CallResult,
    role::{Cancel, Command, Order, StartedCall},
    sealing::{Sealing, open},
};
use crate::CallError;

/// A call that was sent; the future of its result. Made by [`Call::start`](super::Call::start) and
/// [`Call::progressive`](super::Call::progressive).
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
/// Dropping it gives the call up, as described at [`Call`](super::Call).
#[derive(Debug)]
#[must_use = "dropping it cancels the call"]
pub struct PendingCall {
    started: StartedCall,
    sealing: Option<Box<Sealing>>,
}

impl PendingCall {
    pub(super) fn new(started: StartedCall, sealing: Option<Box<Sealing>>) -> Self {
        Self { started, sealing }
    }

    /// The id of the CALL, by which the messages about it are known.
    pub fn id(&self) -> RequestId {
        self.started.id()
    }

    /// Ask the router to cancel the call, and go on waiting for what ends it: with
    /// [`CancelMode::Kill`] whatever the callee still answers, be it a result; with the other modes
    /// an error for which [`CallError::is_canceled`] is true, unless the result was under way.
    ///
    /// A call that is over is left as it is, and that is no error.
    ///
    /// ```
    /// # use spell_peer::PeerBuilder;
    /// # use spell_roles::{Callee, Caller, Session};
    /// use spell_roles::prelude::*;
    /// use spell_message::options::CancelMode;
    /// use spell_roles::Interrupt;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let router = spell_router::Router::local();
    /// # let peer = PeerBuilder::new(Session::new("com.example.realm"));
    /// # let peer = peer.role(Caller::new()).role(Callee::new());
    /// # let peer = peer.connect(router.connector()).await?;
    /// let work = |interrupt: Interrupt| async move {
    ///     interrupt.interrupted().await;
    ///     Ok("half of it")
    /// };
    /// let _work = peer.register("com.example.work").handler(work).await?;
    ///
    /// let call = peer.call("com.example.work").start().await?;
    /// call.cancel(CancelMode::Kill).await?;
    /// assert_eq!(call.await?.value::<String>()?, "half of it");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`CallError::Unsupported`] if the router did not announce `call_canceling`. Whatever it is,
    /// the call goes on.
    ///
    /// # Cancel safety
    ///
    /// Dropped before the router is asked, it may not be asked at all.
    ///
    /// WAMP spec, "Call Canceling".
    pub async fn cancel(&self, mode: CancelMode) -> Result<(), CallError> {
        cancel(&self.started, mode).await
    }
}

impl Future for PendingCall {
    type Output = Result<CallResult, CallError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = ready!(Pin::new(&mut self.started).poll(cx));
        Poll::Ready(open(answer, self.sealing.as_deref()))
    }
}

/// Ask the router to cancel a call that was started.
pub(super) async fn cancel(call: &StartedCall, mode: CancelMode) -> Result<(), CallError> {
    let (call, requests) = (call.key(), call.requests());
    let order = |reply| Command(Order::Cancel(Box::new(Cancel { call, mode, reply })));
    let limit = requests.commands().request_timeout();
    Ok(requests.ask(limit, order).await?)
}
