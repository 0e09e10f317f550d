//! Publications without a session.

use super::*;
use crate::harness::poll;

const AGE: Duration = Duration::from_secs(60);

fn unjoined(count: usize, bytes: usize) -> (Harness<Publisher>, PublisherHandle) {
    let publisher = Publisher::new().outbox(Outbox::new(count, bytes, AGE));
    let peer = Harness::unjoined(publisher, ALL);
    let handle = peer.handle.clone();
    (peer, handle)
}

/// Let the role handle what a future of its handle asks for, and give what the future gives then.
#[track_caller]
fn give<F: Future>(peer: &mut Harness<Publisher>, future: F) -> F::Output {
    let mut future = Box::pin(future);
    pending(&mut future);
    peer.handle_commands();
    ready(&mut future)
}

fn statistics(peer: &mut Harness<Publisher>) -> OutboxStatistics {
    let handle = peer.handle.clone();
    give(peer, handle.outbox()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_is_published_without_a_session_is_sent_in_order_in_the_next_one() {
    let (mut peer, handle) = unjoined(10, 10_000);
    let mut first = handle.publish("com.a").into_future();
    pending(&mut first);
    peer.handle_commands();
    let posted = give(&mut peer, handle.publish("com.b").post()).unwrap();
    assert_eq!(posted, Posted::Waiting);
    let mut third = handle.publish("com.c").acknowledge().into_future();
    pending(&mut third);
    peer.handle_commands();
    pending(&mut first);
    // This one comes when the session is there, and is not sent before the others.
    let mut newer = handle.publish("com.d").into_future();
    pending(&mut newer);
    peer.open(None);
    assert_eq!(
        peer.sent(),
        [
            r#"[16,1,{},"com.a"]"#,
            r#"[16,2,{},"com.b"]"#,
            r#"[16,3,{"acknowledge":true},"com.c"]"#,
            r#"[16,4,{},"com.d"]"#,
        ]
    );
    ready(&mut first).unwrap();
    ready(&mut newer).unwrap();
    pending(&mut third);
    peer.receive("[17,3,70]");
    assert_eq!(ready(&mut third).unwrap().get(), 70);
    let statistics = statistics(&mut peer);
    assert_eq!(
        (statistics.sent, statistics.waiting, statistics.bytes),
        (3, 0, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn what_finds_no_room_fails_and_is_counted() {
    let (mut peer, handle) = unjoined(2, 1000);
    give(&mut peer, handle.publish("com.a").post()).unwrap();
    let large = handle.publish("com.b").arg("x".repeat(1000));
    let error = give(&mut peer, large.into_future()).unwrap_err();
    assert!(matches!(error, PublishError::OutboxFull), "too many bytes");
    assert_eq!(error.delivery(), Some(Delivery::NotSent));
    give(&mut peer, handle.publish("com.c").post()).unwrap();
    let error = give(&mut peer, handle.publish("com.d").post()).unwrap_err();
    assert!(matches!(error, PublishError::OutboxFull), "too many");
    let counted = statistics(&mut peer);
    assert_eq!((counted.waiting, counted.refused), (2, 2));
    assert!(counted.bytes > 0);
    peer.open(None);
    assert_eq!(
        peer.sent(),
        [r#"[16,1,{},"com.a"]"#, r#"[16,2,{},"com.c"]"#],
        "ids have no gap"
    );
}

#[tokio::test(start_paused = true)]
async fn what_waits_too_long_fails_and_is_counted() {
    let (mut peer, handle) = unjoined(10, 10_000);
    let mut awaited = handle
        .publish("com.a")
        .acknowledge()
        .no_timeout()
        .into_future();
    pending(&mut awaited);
    peer.handle_commands();
    peer.advance(AGE / 2);
    give(&mut peer, handle.publish("com.b").post()).unwrap();
    assert_eq!(peer.time_left(), Some(AGE / 2));
    pending(&mut awaited);
    peer.advance(AGE / 2);
    let error = ready(&mut awaited).unwrap_err();
    assert!(matches!(error, PublishError::Expired));
    assert_eq!(error.delivery(), Some(Delivery::NotSent));
    assert_eq!(peer.time_left(), Some(AGE / 2));
    assert_eq!(statistics(&mut peer).expired, 1);
    peer.open(None);
    assert_eq!(peer.sent(), [r#"[16,1,{},"com.b"]"#]);
    assert_eq!(peer.time_left(), None);
}

#[tokio::test(start_paused = true)]
async fn what_is_given_up_leaves_the_outbox() {
    let (mut peer, handle) = unjoined(10, 10_000);
    let mut dropped = handle.publish("com.a").into_future();
    pending(&mut dropped);
    peer.handle_commands();
    assert_eq!(statistics(&mut peer).waiting, 1);
    drop(dropped);
    let empty = statistics(&mut peer);
    assert_eq!((empty.waiting, empty.bytes), (0, 0));
    // One that is posted is on its own, but not one that is dropped before that.
    let mut posting = Box::pin(handle.publish("com.b").post());
    pending(&mut posting);
    drop(posting);
    give(&mut peer, handle.publish("com.c").post()).unwrap();
    peer.open(None);
    assert_eq!(peer.sent(), [r#"[16,1,{},"com.c"]"#]);
}

#[tokio::test(start_paused = true)]
async fn the_time_limit_of_a_publication_runs_in_the_outbox() {
    let (mut peer, handle) = unjoined(10, 10_000);
    let limit = Duration::from_secs(1);
    let mut publish = handle.publish("com.a").timeout(limit).into_future();
    pending(&mut publish);
    peer.handle_commands();
    tokio::time::advance(limit).await;
    let error = ready(&mut publish).unwrap_err();
    assert!(matches!(error, PublishError::Timeout(Delivery::NotSent)));
    peer.open(None);
    assert_eq!(peer.sent(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_a_session_outlives_attempts_to_join_and_ends_with_the_peer() {
    let (mut peer, handle) = unjoined(10, 10_000);
    let mut publish = handle.publish("com.a").into_future();
    pending(&mut publish);
    peer.handle_commands();
    peer.open_ending();
    peer.lose();
    pending(&mut publish);
    assert_eq!(statistics(&mut peer).waiting, 1);
    peer.end();
    let Err(PublishError::Closed { reason, delivery }) = ready(&mut publish) else {
        panic!("the peer ended");
    };
    assert!(matches!(reason, CloseReason::Stopped));
    assert_eq!(delivery, Delivery::NotSent);
}

#[tokio::test(start_paused = true)]
async fn what_was_sent_is_not_sent_again() {
    let (mut peer, handle) = unjoined(10, 10_000);
    peer.open(None);
    let posted = give(&mut peer, handle.publish("com.a").post()).unwrap();
    assert_eq!(posted, Posted::Sent);
    let mut acknowledged = handle.publish("com.b").acknowledge().into_future();
    pending(&mut acknowledged);
    assert_eq!(peer.sent().len(), 2);
    peer.lose();
    let error = ready(&mut acknowledged).unwrap_err();
    assert_eq!(error.delivery(), Some(Delivery::OutcomeUnknown));
    peer.open(None);
    assert_eq!(peer.sent(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn what_the_next_router_does_not_take_fails_alone() {
    let (mut peer, handle) = unjoined(10, 10_000);
    let mut large = handle.publish("com.a").arg("x".repeat(100)).into_future();
    pending(&mut large);
    let retained = handle.publish("com.b").retain(true).post();
    give(&mut peer, retained).unwrap();
    give(&mut peer, handle.publish("com.c").post()).unwrap();
    peer.announce(&[]);
    peer.open(Some(50));
    let sent = peer.transmitted();
    assert!(matches!(
        ready(&mut large),
        Err(PublishError::TooLarge { .. })
    ));
    assert_eq!(sent, [r#"[16,1,{},"com.c"]"#]);
    let counted = statistics(&mut peer);
    assert_eq!((counted.sent, counted.failed), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn without_an_outbox_nothing_can_be_left_in_it() {
    let mut peer = Harness::unjoined(Publisher::new(), ALL);
    let handle = peer.handle.clone();
    let error = give(&mut peer, handle.publish("com.a").post()).unwrap_err();
    assert!(matches!(error, PublishError::Closed { .. }));
    assert_eq!(error.delivery(), Some(Delivery::NotSent));
}

#[tokio::test(start_paused = true)]
async fn an_idempotent_publication_is_sent_again_until_it_is_answered() {
    let mut peer = Harness::unjoined(Publisher::new(), ALL);
    let handle = peer.handle.clone();
    let publish = handle.publish("com.a").acknowledge().idempotent();
    let mut publish = publish.into_future();
    pending(&mut publish);
    peer.handle_commands();
    for _ in 0..2 {
        peer.open(None);
        assert_eq!(peer.sent(), [r#"[16,1,{"acknowledge":true},"com.a"]"#]);
        peer.lose();
        pending(&mut publish);
        peer.handle_commands();
    }
    peer.open(None);
    assert_eq!(peer.sent().len(), 1);
    peer.receive("[17,1,70]");
    assert_eq!(ready(&mut publish).unwrap().get(), 70);
    assert!(poll(&mut Box::pin(handle.outbox())).is_pending());
}

/// What may happen to a publisher that has an outbox.
#[derive(Clone, Debug)]
enum Step {
    Publish { size: usize },
    Drop(usize),
    Open,
    Lose,
    Advance(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (0..300_usize).prop_map(|size| Step::Publish { size }),
        1 => (0..8_usize).prop_map(Step::Drop),
        1 => Just(Step::Open),
        1 => Just(Step::Lose),
        1 => (0..40_u64).prop_map(Step::Advance),
    ]
}

proptest! {
    /// Each publication is sent once, in order, or told of; the outbox is never over its bounds.
    #[test]
    fn no_publication_is_lost_silently(steps in proptest::collection::vec(step(), 1..80)) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        // Without a limit to what one poll may do, for which tokio would make futures wait.
        runtime.block_on(tokio::task::unconstrained(async {
            let (mut peer, handle) = unjoined(5, 2500);
            let (mut is_open, mut last, mut id) = (false, None, 0);
            let mut futures: Vec<(usize, _)> = Vec::new();
            let mut gone = std::collections::BTreeSet::new();
            let mut sent = std::collections::BTreeSet::new();
            for (number, step) in steps.into_iter().enumerate() {
                match step {
                    Step::Publish { size } => {
                        let publish = handle.publish("com.a").arg(number).arg("x".repeat(size));
                        let mut publish = publish.no_timeout().into_future();
                        pending(&mut publish);
                        futures.push((number, publish));
                    }
                    Step::Drop(index) if index < futures.len() => {
                        gone.insert(futures.remove(index).0);
                    }
                    Step::Open if !is_open => {
                        peer.open(None);
                        (is_open, id) = (true, 0);
                    }
                    Step::Lose if is_open => {
                        peer.lose();
                        is_open = false;
                    }
                    Step::Drop(_) | Step::Open | Step::Lose => {}
                    Step::Advance(seconds) => peer.advance(Duration::from_secs(seconds)),
                }
                for frame in peer.sent() {
                    id += 1;
                    let start = format!(r#"[16,{id},{{}},"com.a",["#);
                    let rest = frame.strip_prefix(&start).expect("ids have no gap");
                    let number: usize = rest.split(',').next().unwrap().parse().unwrap();
                    assert!(last < Some(number), "in order, and once");
                    assert!(!gone.contains(&number), "what was given up is not sent");
                    last = Some(number);
                    sent.insert(number);
                }
                let counted = statistics(&mut peer);
                assert!(counted.waiting <= 5 && counted.bytes <= 2500);
                assert!(counted.waiting == 0 || !is_open);
                futures.retain_mut(|(number, publish)| match poll(publish) {
                    std::task::Poll::Ready(Ok(())) => {
                        assert!(sent.contains(number), "done when it was sent");
                        false
                    }
                    std::task::Poll::Ready(Err(error)) => {
                        assert_eq!(error.delivery(), Some(Delivery::NotSent));
                        gone.insert(*number);
                        false
                    }
                    std::task::Poll::Pending => true,
                });
                assert_eq!(futures.len(), counted.waiting);
            }
        }));
    }
}
