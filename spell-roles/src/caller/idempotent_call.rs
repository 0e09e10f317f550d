use std::pin::Pin;

use super::{Call, CallResult};
use crate::{
    CallError,
    repeat::{Budget, budget_methods},
};

/// A call that may be sent again, in the making; `.await` sends it and waits for the result. Made by
/// [`Call::idempotent`].
///
/// When the session ends before the result came, it is sent again in the next one, with an id of its
/// own, while the peer tries to join again: up to 3 times in all and for no more than 60 s, unless
/// [`attempts`](Self::attempts) and [`within`](Self::within) say otherwise. If there is no session to
/// begin with, it waits for one. The time limit of the call is that of each attempt, the wait for
/// a session included.
///
/// What was answered is never sent again, be it with an ERROR, nor what took too long.
///
/// # Errors
///
/// As for [`Call`]. What the error tells of the [delivery](CallError::delivery) is true for all
/// attempts: if the outcome of one is unknown, it is unknown.
///
/// # Cancel safety
///
/// As for [`Call`]: dropped, the attempt under way is given up, and no other follows.
///
/// ```
/// # use spell_peer::PeerBuilder;
/// # use spell_roles::{Callee, Caller, Session};
/// use std::time::Duration;
/// use spell_roles::prelude::*;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let router = spell_router::Router::local();
/// # let peer = PeerBuilder::new(Session::new("com.example.realm"));
/// # let peer = peer.role(Caller::new()).role(Callee::new());
/// # let peer = peer.connect(router.connector()).await?;
/// # let price = peer.register("com.example.price");
/// # let _price = price.handler(|(_,): (String,)| async move { Ok(42) }).await?;
/// let call = peer.call("com.example.price").arg("apple").timeout(Duration::from_secs(2));
/// let price = call.idempotent().attempts(5).within(Duration::from_secs(30)).await?;
/// assert_eq!(price.value::<u32>()?, 42);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a call is sent only when it is awaited"]
pub struct IdempotentCall<'a> {
    call: Call<'a>,
    budget: Budget,
}

impl<'a> IdempotentCall<'a> {
    pub(super) fn new(call: Call<'a>) -> Self {
        Self {
            call,
            budget: Budget::default(),
        }
    }

    budget_methods!();

    /// Send it and wait for the result: what `.await` does, without the box.
    pub async fn send(self) -> Result<CallResult, CallError> {
        self.call.repeat(self.budget).await
    }
}

impl<'a> IntoFuture for IdempotentCall<'a> {
    type Output = Result<CallResult, CallError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}
