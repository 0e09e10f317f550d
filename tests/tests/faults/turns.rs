//! Who reads slowly costs others no turns.

use std::{future::poll_fn, pin::pin, task::Poll};

use spell::{
    Client, PeerBuilder, Subscription,
    prelude::*,
    roles::{Callee, Caller, Overflow, Publisher, Session, Subscriber},
    router::Router,
};
use spell_tests::{accounts::REALM, notice, runs::count};

/// How many subscriptions there are.
const SUBSCRIPTIONS: usize = 100;

/// How many events come to the first one for each one to another.
const FLOOD: usize = 20;

/// One subscription of a hundred does not read, and most events are for it. Events of the others and results of calls come
/// as soon as they do when it reads.
///
/// What is counted is not time but turns: how often each task that can go on was polled meanwhile. All is one thread and
/// goes through memory, the clock stands still, and both runs do the same in the same order, so however busy the machine
/// is the counts are the same each time.
#[test]
fn a_subscription_that_does_not_read_costs_others_no_turns() {
    let [events, results] = latencies(None);
    assert!(events > 0 && results > 0, "nothing is measured");
    for overflow in [
        Overflow::DropNewest,
        Overflow::DropOldest,
        Overflow::KeepLatest,
        Overflow::End,
    ] {
        let [slow_events, slow_results] = latencies(Some(overflow));
        notice(&format!(
            "p99 in turns, with one that does not read ({overflow:?}) and without: \
             events {slow_events}, {events}; results {slow_results}, {results}"
        ));
        assert!(slow_events * 10 <= events * 12, "{overflow:?}");
        assert!(slow_results * 10 <= results * 12, "{overflow:?}");
    }
}

/// The 99th percentiles of the turns that events of other subscriptions, and results of calls, take. Where `lazy` is given,
/// the first subscription does not read and has this policy.
fn latencies(lazy: Option<Overflow>) -> [u64; 2] {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().start_paused(true).event_interval(1);
    runtime.build().unwrap().block_on(measure(lazy))
}

async fn measure(lazy: Option<Overflow>) -> [u64; 2] {
    let router = Router::local();
    let publisher = join(&router).await;
    let client = join(&router).await;
    let echo = publisher.register("com.example.echo");
    let _echo = echo.handler(async |(number,): (u64,)| Ok(number)).await;
    let mut subscriptions = Vec::new();
    for number in 0..SUBSCRIPTIONS {
        let subscribe = client.subscribe(topic(number));
        let subscribe = subscribe.overflow(lazy.unwrap_or_default());
        let room = if lazy.is_some() && number == 0 {
            10
        } else {
            1000
        };
        subscriptions.push(subscribe.queue_count(room).await.unwrap());
    }
    let (flooded, others) = subscriptions.split_first_mut().unwrap();
    let mut latencies = [Vec::new(), Vec::new()];
    for round in 0..count(150, 10_000) {
        for _ in 0..FLOOD {
            publisher.publish(topic(0)).arg(round).await.unwrap();
        }
        let number = usize::try_from(round).unwrap() % others.len();
        let publish = publisher.publish(topic(number + 1)).arg(round);
        publish.await.unwrap();
        let (event, turns) = counted(others[number].next()).await;
        assert_eq!(event.unwrap().value::<u64>().unwrap(), round);
        latencies[0].push(turns);
        let call = client.call("com.example.echo").arg(round).send();
        let (result, turns) = counted(call).await;
        assert_eq!(result.unwrap().value::<u64>().unwrap(), round);
        latencies[1].push(turns);
        if lazy.is_none() {
            read(flooded).await;
        }
    }
    assert_eq!(flooded.missed() > 0, lazy.is_some());
    latencies.map(|mut turns| {
        turns.sort_unstable();
        turns[turns.len() * 99 / 100]
    })
}

async fn read(subscription: &mut Subscription) {
    for _ in 0..FLOOD {
        subscription.next().await.unwrap();
    }
}

async fn join(router: &Router) -> Client {
    PeerBuilder::new(Session::new(REALM))
        .role(Publisher::new())
        .role(Subscriber::new())
        .role(Caller::new())
        .role(Callee::new())
        .connect(router.connector())
        .await
        .unwrap()
}

fn topic(number: usize) -> String {
    format!("com.example.topic{number}")
}

/// What comes of a future, and after how many turns of the tasks that can go on.
async fn counted<T>(future: impl Future<Output = T>) -> (T, u64) {
    let mut future = pin!(future);
    let mut turns = 0;
    poll_fn(|cx| {
        if let Poll::Ready(output) = future.as_mut().poll(cx) {
            return Poll::Ready((output, turns));
        }
        turns += 1;
        // Woken at once, it stands behind all that wait to go on.
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await
}
