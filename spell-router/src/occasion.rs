//! What happens to a router once, and what all its tasks notice.

use std::{
    fmt,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Waker},
};

use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// Something that happens once, as that the router closes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Occasion {
    /// To be seen by who looks, which costs less than to ask the token.
    happened: Arc<AtomicBool>,
    token: CancellationToken,
}

impl Occasion {
    pub(crate) fn happen(&self) {
        self.happened.store(true, Ordering::Release);
        self.token.cancel();
    }

    pub(crate) fn has_happened(&self) -> bool {
        self.happened.load(Ordering::Acquire)
    }

    /// Until it happens; at once if it has.
    pub(crate) fn wait(&self) -> Awaited {
        Awaited {
            happened: Arc::clone(&self.happened),
            waiting: Box::pin(self.token.clone().cancelled_owned()),
            registered: None,
        }
    }
}

/// Waits for an [`Occasion`], and is cheap to poll by a task that does much else.
pub(crate) struct Awaited {
    happened: Arc<AtomicBool>,
    waiting: Pin<Box<WaitForCancellationFutureOwned>>,
    /// Whom `waiting` wakes.
    registered: Option<Waker>,
}

impl Future for Awaited {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // To wait again takes many times longer than to look, and is needed for a new waker only.
        let known = self.registered.as_ref();
        if known.is_some_and(|known| known.will_wake(cx.waker())) {
            return if self.happened.load(Ordering::Acquire) {
                Poll::Ready(())
            } else {
                Poll::Pending
            };
        }
        self.registered = Some(cx.waker().clone());
        self.waiting.as_mut().poll(cx)
    }
}

impl fmt::Debug for Awaited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Awaited").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wakes::Wakes;

    fn poll(awaited: &mut Awaited, waker: &Waker) -> Poll<()> {
        Pin::new(awaited).poll(&mut Context::from_waker(waker))
    }

    #[test]
    fn whoever_polled_last_is_woken() {
        let occasion = Occasion::default();
        let mut awaited = occasion.wait();
        let [first, last] = [Wakes::default(), Wakes::default()];
        for waker in [first.waker(), last.waker()] {
            assert!(poll(&mut awaited, &waker).is_pending());
            assert!(poll(&mut awaited, &waker).is_pending());
        }
        occasion.happen();
        assert_eq!((first.count(), last.count()), (0, 1));
        assert!(poll(&mut awaited, Waker::noop()).is_ready());
    }

    #[test]
    fn the_one_who_waits_already_sees_it_too() {
        let occasion = Occasion::default();
        let mut awaited = occasion.wait();
        let waker = Wakes::default().waker();
        assert!(poll(&mut awaited, &waker).is_pending());
        occasion.happen();
        assert!(poll(&mut awaited, &waker).is_ready());
    }
}
