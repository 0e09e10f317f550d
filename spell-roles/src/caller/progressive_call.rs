use std::pin::Pin;

use super::{
    Call, CallArguments, CallResult, CallResults,
    ongoing::{Results, Streams},
};
use crate::{
    CallError,
    queue::{Bounds, Consumer, Overflow, queue},
};

/// A call with progressive results, in the making; `.await` sends it and gives the
/// [`CallResults`]. Made by [`Call::receive_progress`].
///
/// It is done when the call has its id; results may take their time.
///
/// # Errors
///
/// What kept the call from being sent; [`CallError::Unsupported`] if the router did not announce
/// `progressive_call_results`.
///
/// # Cancel safety
///
/// As for [`Call`].
///
/// WAMP spec, "Progressive Call Results".
#[derive(Debug)]
#[must_use = "a call is sent only when it is awaited"]
pub struct ProgressiveCall<'a> {
    call: Call<'a>,
    bounds: Bounds,
}

impl<'a> ProgressiveCall<'a> {
    pub(super) fn new(call: Call<'a>) -> Self {
        Self {
            call,
            bounds: Bounds {
                count: QUEUE_COUNT,
                bytes: QUEUE_BYTES,
                overflow: Overflow::End,
            },
        }
    }

    /// How many results may wait to be read; what becomes of more, [`overflow`](Self::overflow)
    /// says. The last one always has its place. Default: 1024.
    pub fn queue_count(mut self, count: usize) -> Self {
        self.bounds.count = count;
        self
    }

    /// How many bytes all waiting results may have, details and arguments counted; what becomes of
    /// more, [`overflow`](Self::overflow) says. The last one always has its place. Default: 16 MiB.
    pub fn queue_bytes(mut self, bytes: usize) -> Self {
        self.bounds.bytes = bytes;
        self
    }

    /// What becomes of results when the queue is full; default [`Overflow::End`]: the call is
    /// cancelled, and after what waits the stream ends with [`CallError::Lagged`]. Whatever it is,
    /// the last result, or the error, is never lost.
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.bounds.overflow = overflow;
        self
    }

    /// Send it: what `.await` does, without the box.
    pub async fn send(self) -> Result<CallResults, CallError> {
        let Self { call, bounds } = self;
        let (results, queue) = results(bounds);
        let streams = Streams {
            results: Some(results),
            arguments: None,
        };
        let (started, sealing) = call.begin(Some(Box::new(streams))).await?;
        let overflow = bounds.overflow;
        Ok(CallResults::new(started, queue, overflow, sealing))
    }

    /// Send it with its first arguments, to send more of them while results come.
    ///
    /// See [`Call::progressive`].
    ///
    /// # Errors
    ///
    /// What kept the call from being sent.
    ///
    /// # Cancel safety
    ///
    /// As for the call itself.
    pub async fn progressive(self) -> Result<(CallArguments, CallResults), CallError> {
        let Self { call, bounds } = self;
        let (results, queue) = results(bounds);
        let (arguments, started, sealing) = call.begin_progressive(Some(results)).await?;
        let results = CallResults::new(started, queue, bounds.overflow, sealing);
        Ok((arguments, results))
    }
}

const QUEUE_COUNT: usize = 1024;
const QUEUE_BYTES: usize = 16 << 20;

impl<'a> IntoFuture for ProgressiveCall<'a> {
    type Output = Result<CallResults, CallError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

/// The two ends of the results.
fn results(bounds: Bounds) -> (Results, Consumer<CallResult>) {
    let (producer, consumer) = queue(bounds);
    (Results::new(producer, bounds.overflow), consumer)
}
