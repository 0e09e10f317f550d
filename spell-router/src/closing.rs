//! Notices that the router closes.

use std::{
    pin::Pin,
    task::{Context, Poll, Waker},
};

use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// Wakes a connection when the router closes.
pub(crate) struct Closing {
    token: CancellationToken,
    waiting: Pin<Box<WaitForCancellationFutureOwned>>,
    /// Whom `waiting` wakes.
    registered: Option<Waker>,
}

impl Closing {
    pub(crate) fn new(token: &CancellationToken) -> Self {
        Self {
            token: token.clone(),
            waiting: Box::pin(token.clone().cancelled_owned()),
            registered: None,
        }
    }

    /// Ready once the router closes.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // To wait again takes many times longer than to look, and is needed for a new waker only.
        let known = self.registered.as_ref();
        if known.is_some_and(|known| known.will_wake(cx.waker())) {
            return if self.token.is_cancelled() {
                Poll::Ready(())
            } else {
                Poll::Pending
            };
        }
        self.registered = Some(cx.waker().clone());
        self.waiting.as_mut().poll(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wakes::Wakes;

    #[test]
    fn whoever_polled_last_is_woken() {
        let token = CancellationToken::new();
        let mut closing = Closing::new(&token);
        let [first, last] = [Wakes::default(), Wakes::default()];
        for waker in [first.waker(), last.waker()] {
            let mut cx = Context::from_waker(&waker);
            assert!(closing.poll(&mut cx).is_pending());
            assert!(closing.poll(&mut cx).is_pending());
        }
        token.cancel();
        assert_eq!((first.count(), last.count()), (0, 1));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(closing.poll(&mut cx).is_ready());
    }

    #[test]
    fn the_one_who_waits_already_sees_it_too() {
        let token = CancellationToken::new();
        let mut closing = Closing::new(&token);
        let waker = Wakes::default().waker();
        let mut cx = Context::from_waker(&waker);
        assert!(closing.poll(&mut cx).is_pending());
        token.cancel();
        assert!(closing.poll(&mut cx).is_ready());
    }
}
