//! A request in two steps: first its id, later its answer.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use spell_message::RequestId;
use tokio::{
    sync::{oneshot, watch},
    time::{Instant, Sleep, sleep_until, timeout_at},
};

use crate::{
    error::Failure,
    request::{Key, Reply, Requests, Waiting},
};

/// Where a role puts the id of a request once it is committed.
pub(crate) type IdSlot = oneshot::Sender<RequestId>;

impl<C: Send + 'static> Requests<C> {
    /// Make a request and wait until it has its id; `limit` covers the answer too.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives the request up.
    pub(crate) async fn start<T, O>(
        &self,
        limit: Option<Duration>,
        command: impl FnOnce(Reply<T, O>, IdSlot) -> C,
    ) -> Result<Started<T, C, O>, Failure> {
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
        let limit = limit.zip(deadline).map(|(limit, deadline)| Limit {
            time: limit,
            sleep: Box::pin(sleep_until(deadline)),
            sent: None,
        });
        Ok(Started { id, waiting, limit })
    }
}

/// A request that was committed; the future of its answer. Dropped, it gives the request up.
#[derive(Debug)]
pub(crate) struct Started<T, C: Send + 'static, O = ()> {
    id: RequestId,
    waiting: Waiting<T, C, O>,
    limit: Option<Limit>,
}

/// How long it may be until the router is heard of, and since when.
#[derive(Debug)]
struct Limit {
    time: Duration,
    sleep: Pin<Box<Sleep>>,
    /// When more of the request was sent, if it is one in parts.
    sent: Option<watch::Receiver<Instant>>,
}

impl<T, C: Send + 'static, O> Started<T, C, O> {
    pub(crate) fn id(&self) -> RequestId {
        self.id
    }

    pub(crate) fn key(&self) -> Key {
        self.waiting.key()
    }

    pub(crate) fn requests(&self) -> &Requests<C> {
        self.waiting.requests()
    }

    /// Let the time begin anew with all that is sent.
    pub(crate) fn follow(&mut self, sent: watch::Receiver<Instant>) {
        if let Some(limit) = &mut self.limit {
            limit.sent = Some(sent);
        }
    }

    /// The router was heard of: the time begins anew.
    pub(crate) fn restart(&mut self) {
        if let Some(limit) = &mut self.limit
            && let Some(deadline) = Instant::now().checked_add(limit.time)
        {
            limit.sleep.as_mut().reset(deadline);
        }
    }

    /// Wait until the time is up.
    pub(crate) fn poll_limit(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(limit) = &mut self.limit else {
            return Poll::Pending;
        };
        loop {
            ready!(limit.sleep.as_mut().poll(cx));
            let sent = limit.sent.as_ref().map(|sent| *sent.borrow());
            match sent.and_then(|sent| sent.checked_add(limit.time)) {
                Some(later) if later > limit.sleep.deadline() => {
                    limit.sleep.as_mut().reset(later);
                }
                _ => return Poll::Ready(()),
            }
        }
    }

    /// The time is up: give the request up, unless the answer came in this moment.
    pub(crate) fn expire(&mut self) -> Result<T, Failure> {
        self.waiting.expire()
    }

    /// Wait for the answer, however long it takes.
    pub(crate) fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, Failure>> {
        Pin::new(&mut self.waiting).poll(cx)
    }
}

impl<T, C: Send + 'static, O> Future for Started<T, C, O> {
    type Output = Result<T, Failure>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Poll::Ready(answer) = self.poll_answer(cx) {
            return Poll::Ready(answer);
        }
        ready!(self.poll_limit(cx));
        Poll::Ready(self.expire())
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
