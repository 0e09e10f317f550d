use std::pin::Pin;

use spell_serializer::PayloadBuilder;

use super::{AnswerError, answer::Outcome, line::Line};
use crate::methods::argument_methods;

/// What a handler sends progressive results with. Cheap to clone, and free to go wherever the work
/// is done.
///
/// Any handler can take it: where the caller did not ask for progressive results there is none to
/// send. How [`Invocation`](super::Invocation)s of a stream do it, see
/// [`Invocation::progress`](super::Invocation::progress).
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
///     for done in 0..limit {
///         if let Some(result) = progress.result() {
///             result.arg(done).await?;
///         }
///     }
///     Ok(limit)
/// };
/// let _count = peer.register("com.example.count").handler(count).await?;
///
/// let mut results = peer.call("com.example.count").arg(2).receive_progress().await?;
/// let mut seen = Vec::new();
/// while let Some(result) = results.next().await {
///     seen.push(result?.value::<u64>()?);
/// }
/// assert_eq!(seen, [0, 1, 2]);
///
/// // Whoever does not ask for progress gets the last result alone.
/// let count: u64 = peer.call("com.example.count").arg(2).await?.value()?;
/// assert_eq!(count, 2);
/// # Ok(())
/// # }
/// ```
///
/// WAMP spec, "Progressive Call Results".
#[derive(Clone, Debug)]
pub struct Progress {
    line: Line,
    is_requested: bool,
}

impl Progress {
    pub(super) fn new(line: Line, is_requested: bool) -> Self {
        Self { line, is_requested }
    }

    /// A progressive result in the making; `None` if the caller did not ask for any.
    pub fn result(&self) -> Option<ProgressiveResult<'_>> {
        self.is_requested
            .then(|| ProgressiveResult::new(&self.line))
    }
}

/// A progressive result of an invocation, in the making; `.await` sends it.
///
/// Made by [`Invocation::progress`](super::Invocation::progress) and [`Progress::result`].
///
/// # Errors
///
/// Whatever goes wrong, nothing was sent, and the invocation can still be answered, unless it is
/// over. [`AnswerError::Canceled`] once the caller gave up.
///
/// # Cancel safety
///
/// While the peer is busy it waits for room. Dropped before it was queued, it is not sent. Dropped
/// later, it is.
///
/// WAMP spec, "Progressive Call Results".
#[derive(Debug)]
#[must_use = "a result is sent only when it is awaited"]
pub struct ProgressiveResult<'a> {
    line: &'a Line,
    arguments: PayloadBuilder,
}

impl<'a> ProgressiveResult<'a> {
    pub(super) fn new(line: &'a Line) -> Self {
        Self {
            arguments: line.arguments(),
            line,
        }
    }

    argument_methods!();

    /// Send it: what `.await` does, without the box.
    pub async fn send(self) -> Result<(), AnswerError> {
        let encoded = self.line.encode(self.arguments);
        let payload = encoded.map_err(|error| AnswerError::not_sent(error, None))?;
        let queued = self.line.queue(Outcome::Progress(payload)).await?;
        self.line.told(queued).await
    }
}

impl<'a> IntoFuture for ProgressiveResult<'a> {
    type Output = Result<(), AnswerError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}
