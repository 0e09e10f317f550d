use std::pin::Pin;

use spell_message::PublicationId;

use super::AcknowledgedPublish;
use crate::{
    PublishError,
    repeat::{Budget, budget_methods},
};

/// A publication that may be sent again, in the making; `.await` sends it and gives its id. Made by
/// [`AcknowledgedPublish::idempotent`].
///
/// When the session ends before the broker answered, it is sent again in the next one, while the
/// peer tries to join again: up to 3 times in all and for no more than 60 s, unless
/// [`attempts`](Self::attempts) and [`within`](Self::within) say otherwise. So subscribers may get it
/// more than once, each time as another publication, and after newer ones. If there is no session
/// to begin with, it waits for one, outside the [`Outbox`](super::Outbox). The time limit of the
/// publication is that of each attempt, the wait for a session included.
///
/// What was answered is never sent again, be it with an ERROR, nor what took too long.
///
/// # Errors
///
/// As for [`AcknowledgedPublish`]. What the error tells of the
/// [delivery](PublishError::delivery) is true for all attempts: if the outcome of one is unknown,
/// it is unknown.
///
/// # Cancel safety
///
/// Dropped, the attempt under way is given up, and no other follows.
#[derive(Debug)]
#[must_use = "a publication is sent only when it is awaited"]
pub struct IdempotentPublish<'a> {
    publish: AcknowledgedPublish<'a>,
    budget: Budget,
}

impl<'a> IdempotentPublish<'a> {
    pub(super) fn new(publish: AcknowledgedPublish<'a>) -> Self {
        Self {
            publish,
            budget: Budget::default(),
        }
    }

    budget_methods!();

    /// Send it and wait for the answer: what `.await` does, without the box.
    pub async fn send(self) -> Result<PublicationId, PublishError> {
        self.publish.repeat(self.budget).await
    }
}

impl<'a> IntoFuture for IdempotentPublish<'a> {
    type Output = Result<PublicationId, PublishError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}
