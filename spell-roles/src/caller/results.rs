use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_core::Stream;
use spell_message::{RequestId, options::CancelMode};

use super::{
    CallResult,
    pending_call::cancel,
    role::{Command, Order, StartedCall},
    sealing::{Sealing, open},
};
use crate::{
    CallError,
    error::Failure,
    queue::{Consumer, Losses, Overflow},
};

/// The results of a call as they come: a [`Stream`] that ends behind the last one. Made by
/// [`Call::receive_progress`](super::Call::receive_progress).
///
/// Each item is a result; of all but the last, [`CallResult::is_progress`] is true. A call that
/// fails has its error as the last item. Callees need not give more than the last result.
///
/// Results wait in a queue of their own, which is bounded by count and by bytes. When it is full,
/// the [`Overflow`] decides; by default the call is cancelled then, and its error is
/// [`CallError::Lagged`]. The last result, or the error, is never lost.
///
/// The time limit of the call is that from the call to the first result, and then from the one that
/// was read last to the next.
///
/// ```
/// # use spell_peer::PeerBuilder;
/// # use spell_roles::{Callee, Caller, Session};
/// use spell_roles::prelude::*;
/// use spell_roles::Progress;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let router = spell_router::Router::local();
/// # let peer = PeerBuilder::new(Session::new("com.example.realm"));
/// # let peer = peer.role(Caller::new()).role(Callee::new());
/// # let peer = peer.connect(router.connector()).await?;
/// let count = |(limit,): (u64,), progress: Progress| async move {
///     for done in 1..limit {
///         if let Some(result) = progress.result() {
///             result.arg(done).await?;
///         }
///     }
///     Ok(limit)
/// };
/// let _count = peer.register("com.example.count").handler(count).await?;
///
/// let mut results = peer.call("com.example.count").arg(3).receive_progress().await?;
/// let mut counted = Vec::new();
/// while let Some(result) = results.next().await {
///     let result = result?;
///     counted.push((result.value::<u64>()?, result.is_progress()));
/// }
/// assert_eq!(counted, [(1, true), (2, true), (3, false)]);
/// # Ok(())
/// # }
/// ```
///
/// # Cancel safety
///
/// Dropping it before it ended gives the call up, as described at [`Call`](super::Call).
///
/// WAMP spec, "Progressive Call Results".
#[derive(Debug)]
#[must_use = "dropping it cancels the call"]
pub struct CallResults {
    call: StartedCall,
    results: Consumer<CallResult>,
    losses: Losses<CallResult>,
    overflow: Overflow,
    sealing: Option<Box<Sealing>>,
    /// What ends the stream, once it is known and what waits was not read yet.
    last: Option<Result<CallResult, CallError>>,
    is_over: bool,
}

impl CallResults {
    pub(super) fn new(
        call: StartedCall,
        mut results: Consumer<CallResult>,
        overflow: Overflow,
        sealing: Option<Box<Sealing>>,
    ) -> Self {
        let (key, commands) = (call.key(), call.requests().commands().clone());
        results.on_room(move || commands.release(Command(Order::Resume(key))));
        Self {
            call,
            losses: results.losses(),
            results,
            overflow,
            sealing,
            last: None,
            is_over: false,
        }
    }

    /// The id of the CALL, by which the messages about it are known.
    pub fn id(&self) -> RequestId {
        self.call.id()
    }

    /// The next result; `None` behind the last one, or behind the error.
    ///
    /// # Cancel safety
    ///
    /// No result is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Result<CallResult, CallError>> {
        poll_fn(|cx| self.poll(cx)).await
    }

    /// How many results were lost so far because the queue was full.
    pub fn missed(&self) -> u64 {
        self.losses.count()
    }

    /// Ask the router to cancel the call, and go on reading what still comes; see
    /// [`PendingCall::cancel`](super::PendingCall::cancel).
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
        cancel(&self.call, mode).await
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<CallResult, CallError>>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        if self.last.is_none() {
            let last = match self.results.poll_next(cx) {
                Poll::Ready(Some(result)) => {
                    self.call.restart();
                    return Poll::Ready(Some(self.open(Ok(result.item))));
                }
                Poll::Ready(None) if self.has_lagged() => Err(CallError::Lagged),
                // Only what ends the call closes its queue.
                Poll::Ready(None) => {
                    let answer = ready!(self.call.poll_answer(cx));
                    self.open(answer)
                }
                Poll::Pending => {
                    ready!(self.call.poll_limit(cx));
                    let answer = self.call.expire();
                    self.open(answer)
                }
            };
            self.last = Some(last);
        }
        // What came at the last moment was before the end.
        if let Poll::Ready(Some(result)) = self.results.poll_next(cx) {
            return Poll::Ready(Some(self.open(Ok(result.item))));
        }
        self.is_over = true;
        Poll::Ready(self.last.take())
    }

    fn open(&self, answer: Result<CallResult, Failure>) -> Result<CallResult, CallError> {
        open(answer, self.sealing.as_deref())
    }

    fn has_lagged(&self) -> bool {
        self.overflow == Overflow::End && self.missed() > 0
    }
}

impl Stream for CallResults {
    type Item = Result<CallResult, CallError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll(cx)
    }
}
