//! A request in two steps: first its id, later its answer.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use spell_message::RequestId;
use tokio::{
    sync::oneshot,
    time::{Instant, Sleep, sleep_until, timeout_at},
};

use crate::{
    error::Failure,
    request::{Reply, Requests, Waiting},
};

/// Where a role puts the id of a request once it is committed.
pub(crate) type IdSlot = oneshot::Sender<RequestId>;

impl<C: Send + 'static> Requests<C> {
    /// Make a request and wait until it has its id; `limit` covers the answer too.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives the request up.
    pub(crate) async fn start<T>(
        &self,
        limit: Option<Duration>,
        command: impl FnOnce(Reply<T>, IdSlot) -> C,
    ) -> Result<Started<T, C>, Failure> {
        let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
        let (reply, mut waiting) = self.open();
        let (slot, mut id) = oneshot::channel();
        let command = command(reply, slot);
        let sent = async {
            waiting.send(command).await?;
            if let Ok(id) = (&mut id).await {
                return Ok(id);
            }
            // It was not committed; the reply says why. There is no answer without an id.
            let failure = (&mut waiting).await.err();
            Err(failure.unwrap_or_else(|| Failure::no_session(None)))
        };
        let sent = match deadline {
            Some(deadline) => timeout_at(deadline, sent).await.ok(),
            None => Some(sent.await),
        };
        let id = match (sent, id.try_recv()) {
            (Some(sent), _) => sent?,
            // It came in this moment, and its answer may have come too.
            (None, Ok(id)) => id,
            (None, Err(_)) => {
                let failure = waiting.expire().err();
                return Err(failure.unwrap_or_else(|| Failure::no_session(None)));
            }
        };
        Ok(Started {
            id,
            waiting,
            deadline: deadline.map(|deadline| Box::pin(sleep_until(deadline))),
        })
    }
}

/// A request that was committed; the future of its answer. Dropped, it gives the request up.
#[derive(Debug)]
pub(crate) struct Started<T, C: Send + 'static> {
    id: RequestId,
    waiting: Waiting<T, C>,
    deadline: Option<Pin<Box<Sleep>>>,
}

impl<T, C: Send + 'static> Started<T, C> {
    pub(crate) fn id(&self) -> RequestId {
        self.id
    }
}

impl<T, C: Send + 'static> Future for Started<T, C> {
    type Output = Result<T, Failure>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Poll::Ready(answer) = Pin::new(&mut self.waiting).poll(cx) {
            return Poll::Ready(answer);
        }
        let deadline = self.deadline.as_mut();
        match deadline.map(|deadline| deadline.as_mut().poll(cx)) {
            Some(Poll::Ready(())) => Poll::Ready(self.waiting.expire()),
            _ => Poll::Pending,
        }
    }
}

#[cfg(test)]
mod tests {
    use spell_peer::{Commands, PeerConfig};
    use tokio::task::consume_budget;

    use super::*;
    use crate::{
        harness::{pending, poll},
        request::Key,
    };

    #[derive(Debug)]
    enum Command {
        Ask(Reply<u8>, IdSlot),
        GiveUp(#[expect(dead_code, reason = "nobody looks at it")] Key),
    }

    /// Tokio's timeout may look at the clock alone when a task has worked for long.
    #[tokio::test(start_paused = true)]
    async fn a_refusal_that_is_there_at_the_deadline_is_given() {
        let (commands, mut inbox) = Commands::channel(&PeerConfig::default());
        let requests = Requests::new(commands, Command::GiveUp);
        let limit = Duration::from_secs(1);
        // How much a task may do is tokio's own affair: so try all.
        for spent in 0..200 {
            let mut started = Box::pin(requests.start(Some(limit), Command::Ask));
            pending(&mut started);
            // The one before may have been given up.
            let mut commands = std::iter::from_fn(|| inbox.try_next());
            let asked = commands.find_map(|command| match command {
                Command::Ask(reply, slot) => Some((reply, slot)),
                Command::GiveUp(_) => None,
            });
            let (reply, slot) = asked.unwrap();
            drop(slot);
            reply.send(Err(Failure::no_session(None)));
            tokio::time::advance(limit).await;
            tokio::task::yield_now().await;
            for _ in 0..spent {
                let _ = poll(&mut Box::pin(consume_budget()));
            }
            let Poll::Ready(answer) = poll(&mut started) else {
                continue;
            };
            let told = answer.map(|started| started.id());
            assert!(matches!(told, Err(Failure::Closed { .. })), "{told:?}");
        }
    }
}
