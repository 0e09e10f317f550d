use std::{sync::mpsc, task::Wake, thread, time::Duration};

use futures_util::{SinkExt, StreamExt, future::poll_immediate};

use super::*;

const ONE: Bytes = Bytes::from_static(b"[1]");

fn both() -> (MemoryTransport, MemoryTransport) {
    pair(Serialization::JSON)
}

async fn has_room(transport: &mut MemoryTransport) -> bool {
    let ready = std::future::poll_fn(|cx| Pin::new(&mut *transport).poll_ready(cx));
    poll_immediate(ready).await.is_some()
}

#[tokio::test]
async fn messages_arrive_in_order_in_both_directions() {
    let (mut near, mut far) = both();
    for text in ["[1]", "[2]"] {
        near.send(text.into()).await.unwrap();
        far.send(text.into()).await.unwrap();
    }
    for text in ["[1]", "[2]"] {
        assert_eq!(far.next().await.unwrap().unwrap(), text);
        assert_eq!(near.next().await.unwrap().unwrap(), text);
    }
    assert!(near.info().is_confidential());
}

#[tokio::test]
async fn a_full_lane_has_no_room_until_the_other_end_reads() {
    for (message, count) in [
        (ONE, MAX_MESSAGES),
        (Bytes::from(vec![0; MAX_BYTES / 4]), 4),
    ] {
        let (mut near, mut far) = both();
        for _ in 0..count {
            assert!(has_room(&mut near).await);
            near.feed(message.clone()).await.unwrap();
        }
        assert!(!has_room(&mut near).await);

        let writer = tokio::spawn(async move {
            near.send(message).await.unwrap();
            near
        });
        for _ in 0..=count {
            far.next().await.unwrap().unwrap();
        }
        writer.await.unwrap();
    }
}

#[tokio::test]
async fn a_message_larger_than_the_lane_still_passes() {
    let (mut near, mut far) = both();
    near.send(vec![0; MAX_BYTES + 1].into()).await.unwrap();
    assert!(!has_room(&mut near).await);
    assert_eq!(far.next().await.unwrap().unwrap().len(), MAX_BYTES + 1);
    assert!(has_room(&mut near).await);
}

#[tokio::test]
async fn a_reader_is_woken() {
    let (mut near, mut far) = both();
    let reader = tokio::spawn(async move { far.next().await });
    tokio::task::yield_now().await;
    near.send(ONE).await.unwrap();
    assert_eq!(reader.await.unwrap().unwrap().unwrap(), ONE);
}

#[tokio::test]
async fn closing_ends_the_other_side_after_what_was_sent() {
    let (mut near, mut far) = both();
    near.feed(ONE).await.unwrap();
    near.close().await.unwrap();
    let error = near.send(ONE).await.unwrap_err();
    assert!(matches!(error, TransportError::AlreadyClosed));
    drop(near);
    assert_eq!(far.next().await.unwrap().unwrap(), ONE);
    assert!(far.next().await.is_none());
    assert!(far.next().await.is_none());
}

#[tokio::test]
async fn the_side_that_closed_can_still_read() {
    let (mut near, mut far) = both();
    near.close().await.unwrap();
    far.send(ONE).await.unwrap();
    assert_eq!(near.next().await.unwrap().unwrap(), ONE);
}

#[tokio::test]
async fn dropping_interrupts_the_other_side_after_what_was_sent() {
    let (mut near, mut far) = both();
    near.feed(ONE).await.unwrap();
    drop(near);
    assert_eq!(far.next().await.unwrap().unwrap(), ONE);
    let error = far.next().await.unwrap().unwrap_err();
    assert!(matches!(error, TransportError::Interrupted));
    assert!(far.next().await.is_none());
    let error = far.send(ONE).await.unwrap_err();
    assert!(matches!(error, TransportError::Interrupted));
}

#[tokio::test]
async fn a_writer_that_waits_is_woken_when_the_reader_is_dropped() {
    let (mut near, far) = both();
    for _ in 0..MAX_MESSAGES {
        near.feed(ONE).await.unwrap();
    }
    let writer = tokio::spawn(async move { near.send(ONE).await });
    tokio::task::yield_now().await;
    drop(far);
    let error = writer.await.unwrap().unwrap_err();
    assert!(matches!(error, TransportError::Interrupted));
}

#[tokio::test]
async fn the_first_offer_that_the_listener_supports_is_taken() {
    let (mut dial, mut listener) = listener([Serialization::CBOR, Serialization::MSGPACK]);
    let offers = [
        Serialization::JSON,
        Serialization::MSGPACK,
        Serialization::CBOR,
    ];
    let mut near = dial.connect(&offers).await.unwrap();
    let mut far = listener.accept().await.unwrap().await.unwrap();
    assert_eq!(near.info().serialization(), Serialization::MSGPACK);
    assert_eq!(far.info().serialization(), Serialization::MSGPACK);
    near.send(ONE).await.unwrap();
    assert_eq!(far.next().await.unwrap().unwrap(), ONE);
}

#[tokio::test]
async fn a_dial_without_a_common_serialization_or_a_listener_fails() {
    let (mut dial, listener) = listener([Serialization::CBOR]);
    let error = dial.connect(&[]).await.unwrap_err();
    assert!(matches!(error, ConnectError::NothingToOffer));
    let error = dial.connect(&[Serialization::JSON]).await.unwrap_err();
    assert!(matches!(error, ConnectError::UnsupportedSerialization));
    drop(listener);
    let error = dial.connect(&[Serialization::CBOR]).await.unwrap_err();
    assert!(matches!(error, ConnectError::Dial { .. }));
}

/// A waker that uses the end that waits: it would hang if it were called under a lock.
struct Nosy {
    end: Mutex<MemoryTransport>,
    done: mpsc::Sender<()>,
}

impl Wake for Nosy {
    fn wake(self: Arc<Self>) {
        let waker = Waker::from(Arc::clone(&self));
        let mut cx = Context::from_waker(&waker);
        let mut end = self.end.lock().unwrap();
        let _room = Pin::new(&mut *end).poll_ready(&mut cx);
        let _item = Pin::new(&mut *end).poll_next(&mut cx);
        let _ignored_once_there_were_enough = self.done.send(());
    }
}

#[test]
fn a_waker_that_uses_the_other_end_does_not_deadlock() {
    let acts: [fn(MemoryTransport); 4] = [
        |mut far| Pin::new(&mut far).start_send(ONE).unwrap(),
        |mut far| {
            let mut cx = Context::from_waker(Waker::noop());
            assert!(Pin::new(&mut far).poll_next(&mut cx).is_ready());
        },
        |mut far| {
            let mut cx = Context::from_waker(Waker::noop());
            assert!(Pin::new(&mut far).poll_close(&mut cx).is_ready());
        },
        drop,
    ];
    for act in acts {
        let (mut near, far) = both();
        for _ in 0..MAX_MESSAGES {
            Pin::new(&mut near).start_send(ONE).unwrap();
        }
        let (done, wakes) = mpsc::channel();
        let end = Mutex::new(near);
        let nosy = Arc::new(Nosy { end, done });
        let waker = Waker::from(Arc::clone(&nosy));
        let mut cx = Context::from_waker(&waker);
        let mut end = nosy.end.lock().unwrap();
        assert!(Pin::new(&mut *end).poll_ready(&mut cx).is_pending());
        assert!(Pin::new(&mut *end).poll_next(&mut cx).is_pending());
        drop(end);

        // One that waits is woken by the act or by the drop of `far` after it.
        thread::spawn(move || act(far));
        for _ in 0..2 {
            wakes.recv_timeout(Duration::from_secs(30)).unwrap();
        }
    }
}

/// A waker whose drop drops the other end.
struct Owner(#[expect(dead_code, reason = "only its drop counts")] MemoryTransport);

impl Wake for Owner {
    fn wake(self: Arc<Self>) {}
}

#[test]
fn a_replaced_waker_that_owns_the_other_end_does_not_deadlock() {
    let (mut near, far) = both();
    let (done, result) = mpsc::channel();
    thread::spawn(move || {
        let waker = Waker::from(Arc::new(Owner(far)));
        let mut cx = Context::from_waker(&waker);
        assert!(Pin::new(&mut near).poll_next(&mut cx).is_pending());
        drop(waker);
        let mut cx = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut near).poll_next(&mut cx).is_pending());
        done.send(Pin::new(&mut near).poll_next(&mut cx)).unwrap();
    });
    let end = result.recv_timeout(Duration::from_secs(30)).unwrap();
    let Poll::Ready(Some(Err(error))) = end else {
        panic!("the other end was dropped, but there came {end:?}");
    };
    assert!(matches!(error, TransportError::Interrupted));
}
