//! What outlives a connection.

use std::time::Duration;

use futures_util::FutureExt;
use spell_message::Pattern;
use spell_peer::{Backoff, PeerState};
use spell_roles::{Notice, Overflow, prelude::*};
use tokio::time::Instant;

use super::{line::Line, *};

const TOPIC: &str = "com.example.a";

/// How many events are sent to those who are too slow.
const SENT: u64 = 5_000;

/// bob, who dials again at once, and the line that he has to the router.
async fn on_a_line(router: &Router) -> (Client, Line) {
    let line = Line::new(router.connector());
    let session = Session::new(REALM).authenticator(Ticket::new("bob", "bob"));
    let peer = PeerBuilder::new(session)
        .role(Publisher::new())
        .role(Subscriber::new())
        .role(Caller::new())
        .role(Callee::new())
        .retry(Backoff::constant(Duration::from_millis(10)));
    (peer.connect(line.clone()).await.unwrap(), line)
}

/// Lose the connection, let something happen, and join again.
async fn without(peer: &Client, line: &Line, happens: impl Future) {
    line.cut();
    let mut state = peer.state();
    let is_lost = |state: &PeerState| !state.is_joined();
    state.wait_for(is_lost).await.unwrap();
    happens.await;
    line.mend();
    peer.joined().await.unwrap();
}

async fn publish(publisher: &Client, values: impl IntoIterator<Item = u64>) {
    for value in values {
        let publish = publisher.publish(TOPIC).arg(value).exclude_me(false);
        publish.acknowledge().await.unwrap();
    }
}

fn with_history(events: usize) -> Router {
    let realm = Realm::new(REALM)
        .ticket("ada", "ada", "admin")
        .ticket("bob", "bob", "user")
        .history(Pattern::exact(TOPIC).unwrap(), events, 1 << 20);
    Router::builder().realm(realm).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_was_missed_comes_out_of_the_history() {
    let router = with_history(10_000);
    let ada = join(&router, "ada").await;
    let (bob, line) = on_a_line(&router).await;
    let mut events = bob.subscribe(TOPIC).backfill(bob.meta()).await.unwrap();
    publish(&ada, 1..=3).await;
    let mut seen = Vec::new();
    for round in 1..=3_u64 {
        let first = round * 1000;
        without(&bob, &line, publish(&ada, first..first + 600)).await;
        publish(&ada, first + 600..first + 610).await;
    }
    let mut gaps = 0;
    while seen.len() < 3 + 3 * 610 {
        match events.notices().next().await.unwrap() {
            Notice::Event(event) => seen.push(event.value::<u64>().unwrap()),
            Notice::Gap(gap) => {
                assert!(gap.is_filled());
                gaps += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    let rounds = (1..=3_u64).flat_map(|round| round * 1000..round * 1000 + 610);
    let expected: Vec<u64> = (1..=3).chain(rounds).collect();
    assert_eq!((seen, gaps), (expected, 3));
    assert_eq!(events.missed(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_history_that_is_too_short_leaves_a_gap_that_is_told() {
    let router = with_history(5);
    let ada = join(&router, "ada").await;
    let (bob, line) = on_a_line(&router).await;
    let mut events = bob.subscribe(TOPIC).backfill(bob.meta()).await.unwrap();
    publish(&ada, [1]).await;
    without(&bob, &line, publish(&ada, 2..=20)).await;
    assert_eq!(events.next().await.unwrap().value::<u64>().unwrap(), 1);
    let next = events.next().await.unwrap();
    assert!(next.gap().is_some_and(|gap| !gap.is_filled()));
    assert_eq!(next.value::<u64>().unwrap(), 16);
    for value in 17..=20 {
        assert_eq!(events.next().await.unwrap().value::<u64>().unwrap(), value);
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_history_what_was_retained_comes_once() {
    let router = router();
    let ada = join(&router, "ada").await;
    let (bob, line) = on_a_line(&router).await;
    let mut events = bob.subscribe(TOPIC).backfill(bob.meta()).await.unwrap();
    let retain = |value: u64| ada.publish(TOPIC).arg(value).retain(true).acknowledge();
    retain(1).await.unwrap();
    without(&bob, &line, async {}).await;
    without(&bob, &line, async { retain(2).await.unwrap() }).await;
    retain(3).await.unwrap();
    for expected in 1..=3 {
        let event = events.next().await.unwrap();
        assert_eq!(event.value::<u64>().unwrap(), expected);
        assert_eq!(event.gap().is_some(), expected == 2);
        assert_eq!(event.is_retained(), expected == 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_procedure_that_the_own_stale_session_has_is_restored_once_that_is_gone() {
    let router = router();
    let ada = join(&router, "ada").await;
    let (bob, line) = on_a_line(&router).await;
    let add = bob.register("com.example.add");
    let add = add.handler(|(a, b): (u64, u64)| async move { Ok(a + b) });
    let add = add.await.unwrap();
    let mut events = bob.subscribe(TOPIC).await.unwrap();
    without(&bob, &line, async {}).await;
    // All else goes on meanwhile.
    while events.restored() == 0 {
        tokio::task::yield_now().await;
    }
    publish(&ada, [1]).await;
    assert!(events.next().await.is_some());
    let begin = Instant::now();
    while !add.is_in_conflict() {
        tokio::task::yield_now().await;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(add.is_in_conflict() && add.end().is_none());
    assert_eq!(line.bury(), 1);
    let sum = loop {
        let call = ada.call("com.example.add").args((2, 3));
        match call.await {
            Ok(sum) => break sum.value::<u64>().unwrap(),
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    };
    assert_eq!(sum, 5);
    assert!(!add.is_in_conflict() && add.id().is_some());
    assert!(begin.elapsed() < Duration::from_secs(8));
}

#[tokio::test]
async fn what_was_sent_was_got_or_is_counted_as_lost() {
    let router = router();
    let ada = join(&router, "ada").await;
    let bob = join(&router, "bob").await;
    let slow = |overflow| bob.subscribe(TOPIC).queue_count(7).overflow(overflow);
    let mut slow = [
        slow(Overflow::DropNewest).await.unwrap(),
        slow(Overflow::DropOldest).await.unwrap(),
        slow(Overflow::KeepLatest).await.unwrap(),
        slow(Overflow::DropNewest).queue_bytes(500).await.unwrap(),
    ];
    let mut fast = bob.subscribe(TOPIC).await.unwrap();
    let publisher = tokio::spawn(async move {
        for value in 1..=SENT {
            let publish = ada.publish(TOPIC).arg(value);
            // As fast as it goes without a router that loses some.
            if value % 100 == 0 {
                publish.acknowledge().await.unwrap();
            } else {
                publish.await.unwrap();
            }
        }
        ada
    });
    let mut got = [0; 4];
    let mut told = [0; 4];
    for value in 1..=SENT {
        let event = fast.next().await.unwrap();
        assert_eq!(event.value::<u64>().unwrap(), value);
        if value % 90 == 0 {
            for (at, slow) in slow.iter_mut().enumerate() {
                // Many events may come at once, of which the queue keeps few.
                if let Some(event) = slow.next().now_or_never() {
                    told[at] += event.unwrap().missed();
                    got[at] += 1;
                }
            }
        }
    }
    publisher.await.unwrap();
    for (at, slow) in slow.into_iter().enumerate() {
        let missed = slow.missed();
        let mut slow = slow;
        while let Ok(event) = tokio::time::timeout(Duration::ZERO, slow.next()).await {
            told[at] += event.unwrap().missed();
            got[at] += 1;
        }
        assert_eq!(got[at] + missed, SENT, "subscription {at}");
        assert!(told[at] <= missed && missed > SENT / 2);
    }
    assert_eq!(fast.missed(), 0);
}

#[tokio::test]
async fn a_subscription_that_waits_gets_all_and_its_peer_goes_on_to_publish() {
    let router = router();
    let ada = join(&router, "ada").await;
    let bob = join(&router, "bob").await;
    let patient = bob.subscribe(TOPIC).queue_count(2);
    let mut patient = patient.overflow(Overflow::Wait).await.unwrap();
    let mut answers = ada.subscribe("com.example.b").await.unwrap();
    publish(&ada, 1..=200).await;
    // Bob reads nothing now, and sends all the same.
    bob.publish("com.example.b").await.unwrap();
    answers.next().await.unwrap();
    let mut call = bob.call("com.example.none").start().await.unwrap();
    publish(&ada, 201..=300).await;
    assert!((&mut call).now_or_never().is_none(), "its answer was read");
    for value in 1..=300 {
        let event = patient.next().await.unwrap();
        assert_eq!((event.value::<u64>().unwrap(), event.missed()), (value, 0));
    }
    let error = call.await.unwrap_err();
    assert!(error.uri().is_some(), "reading goes on: {error}");
}
