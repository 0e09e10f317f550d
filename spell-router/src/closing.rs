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
    use std::{
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
        task::Wake,
    };

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn whoever_polled_last_is_woken() {
        let token = CancellationToken::new();
        let mut closing = Closing::new(&token);
        let counts = [Arc::new(Count::default()), Arc::new(Count::default())];
        for count in &counts {
            let waker = Waker::from(Arc::clone(count));
            let mut cx = Context::from_waker(&waker);
            assert!(closing.poll(&mut cx).is_pending());
            assert!(closing.poll(&mut cx).is_pending());
        }
        token.cancel();
        assert_eq!(counts[1].0.load(Ordering::Relaxed), 1);
        let mut cx = Context::from_waker(Waker::noop());
        assert!(closing.poll(&mut cx).is_ready());
    }
}
