use std::{future::poll_fn, pin::pin, task::Wake};

use super::*;

fn cx() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

#[test]
fn what_is_sent_after_the_end_is_refused_and_what_was_before_can_be_taken() {
    let (sender, mut receiver) = mailbox(4);
    sender.try_send(1).unwrap();
    receiver.close(CloseReason::Left);
    assert!(matches!(
        sender.try_send(2),
        Err(Closed {
            reason: CloseReason::Left
        })
    ));
    sender.release(3);
    assert_eq!(receiver.poll_command(&cx()), Poll::Ready(Some(1)));
    assert_eq!(receiver.poll_command(&cx()), Poll::Ready(None));
    assert_eq!(receiver.try_next(), None);
}

#[test]
fn a_command_that_is_made_when_the_end_comes_is_refused() {
    let (sender, mut receiver) = mailbox(4);
    let sent = sender.try_send_with(|| {
        receiver.close(CloseReason::Left);
        Some(1)
    });
    assert!(matches!(sent, Err(Closed { .. })));
    assert_eq!(receiver.try_next(), None);
}

#[test]
fn a_full_queue_takes_what_waits_in_order_and_nothing_that_was_given_up() {
    let (sender, mut receiver) = mailbox(1);
    assert_eq!(sender.try_send(1).unwrap(), None);
    assert_eq!(sender.try_send(2).unwrap(), Some(2));
    assert!(!sender.try_send_with(|| Some(9)).unwrap());
    let mut second = pin!(sender.send(2));
    let mut third = Box::pin(sender.send(3));
    let mut fourth = pin!(sender.send(4));
    assert!(second.as_mut().poll(&mut cx()).is_pending());
    assert!(third.as_mut().poll(&mut cx()).is_pending());
    assert!(fourth.as_mut().poll(&mut cx()).is_pending());
    drop(third);
    assert_eq!(receiver.poll_command(&cx()), Poll::Ready(Some(1)));
    assert!(fourth.as_mut().poll(&mut cx()).is_pending());
    assert!(second.as_mut().poll(&mut cx()).is_ready());
    assert_eq!(receiver.poll_command(&cx()), Poll::Ready(Some(2)));
    assert!(fourth.as_mut().poll(&mut cx()).is_ready());
    assert_eq!(receiver.try_next(), Some(4));
}

#[test]
fn a_command_that_is_not_made_takes_no_place() {
    let (sender, _receiver) = mailbox(1);
    assert!(!sender.try_send_with(|| None::<u8>).unwrap());
    assert_eq!(sender.try_send(1).unwrap(), None);
}

#[test]
fn a_large_burst_comes_in_order_and_leaves_no_memory() {
    let (sender, mut receiver) = mailbox(1000);
    for command in 0..1000 {
        sender.try_send(command).unwrap();
    }
    for command in 0..1000 {
        assert_eq!(receiver.poll_command(&cx()), Poll::Ready(Some(command)));
    }
    for command in 0..1000 {
        sender.release(command);
    }
    for command in 0..1000 {
        assert_eq!(receiver.poll_next(&cx()), Poll::Ready(Some(command)));
    }
    assert!(receiver.poll_command(&cx()).is_pending());
    let kept = receiver.shared.lanes().commands.capacity() + receiver.ahead.capacity();
    assert!(kept <= 2 * KEPT, "{kept}");
    assert_eq!(receiver.shared.lanes().released.capacity(), 0);
}

#[test]
fn what_is_taken_ahead_keeps_its_place_until_it_is_given_out() {
    let (sender, mut receiver) = mailbox(3);
    for command in 0..3 {
        assert_eq!(sender.try_send(command).unwrap(), None);
    }
    assert_eq!(receiver.poll_command(&cx()), Poll::Ready(Some(0)));
    assert_eq!(sender.try_send(3).unwrap(), Some(3), "two still wait");
    assert_eq!(receiver.try_next(), Some(1));
    assert_eq!(receiver.poll_next(&cx()), Poll::Ready(Some(2)));
    for command in 3..6 {
        assert_eq!(sender.try_send(command).unwrap(), None);
    }
    assert_eq!(sender.try_send(6).unwrap(), Some(6));
}

#[test]
fn a_full_queue_has_places_again_before_all_of_it_is_given_out() {
    let (sender, mut receiver) = mailbox(AHEAD + 1);
    for command in 0..=AHEAD {
        assert_eq!(sender.try_send(command).unwrap(), None);
    }
    for command in 0..AHEAD {
        assert_eq!(receiver.poll_command(&cx()), Poll::Ready(Some(command)));
    }
    assert_eq!(sender.try_send(0).unwrap(), None);
    assert_eq!(receiver.poll_command(&cx()), Poll::Ready(Some(AHEAD)));
}

/// A waker that takes the lock when it is woken or dropped: it would hang under it.
struct Nosy(Arc<Shared<u8>>, Arc<AtomicUsize>);

impl Nosy {
    fn look(&self) {
        if self.0.lanes.try_lock().is_ok() {
            self.1.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Wake for Nosy {
    fn wake(self: Arc<Self>) {
        self.look();
    }
}

impl Drop for Nosy {
    fn drop(&mut self) {
        self.look();
    }
}

#[test]
fn no_waker_is_woken_or_dropped_under_the_lock() {
    let (sender, mut receiver) = mailbox(4);
    let free = Arc::new(AtomicUsize::new(0));
    let wait = |receiver: &mut Receiver<u8>| {
        let waker = Waker::from(Arc::new(Nosy(receiver.shared.clone(), free.clone())));
        assert!(
            receiver
                .poll_next(&Context::from_waker(&waker))
                .is_pending()
        );
    };
    let free = || free.load(Ordering::Relaxed);
    wait(&mut receiver);
    wait(&mut receiver);
    assert_eq!(free(), 1, "the first one was replaced");
    sender.try_send(1).unwrap();
    assert_eq!(free(), 3, "the second one was woken, and dropped");
    assert_eq!(receiver.try_next(), Some(1));
    wait(&mut receiver);
    drop(sender);
    assert_eq!(free(), 5);
}

#[tokio::test]
async fn the_reader_is_woken_by_each_kind_of_news() {
    let (sender, mut receiver) = mailbox(4);
    let next = async |receiver: &mut Receiver<u8>| poll_fn(|cx| receiver.poll_next(cx)).await;
    let (taken, ()) = tokio::join!(next(&mut receiver), async {
        sender.try_send(1).unwrap();
    });
    assert_eq!(taken, Some(1));
    let (taken, ()) = tokio::join!(next(&mut receiver), async { sender.release(2) });
    assert_eq!(taken, Some(2));
    let (taken, ()) = tokio::join!(next(&mut receiver), async {
        drop((sender.clone(), sender));
    });
    assert_eq!(taken, None);
}

#[test]
fn a_receiver_that_is_gone_drops_what_it_was_sent_and_refuses_the_rest() {
    let (sender, receiver) = mailbox(4);
    let command = Arc::new(());
    sender.try_send(command.clone()).unwrap();
    sender.release(command.clone());
    drop(receiver);
    assert_eq!(Arc::strong_count(&command), 1);
    assert!(matches!(
        sender.try_send(command),
        Err(Closed {
            reason: CloseReason::Panicked
        })
    ));
}
