//! Futures that are dropped at any await.

use std::{
    cell::Cell,
    future::poll_fn,
    pin::{Pin, pin},
    task::Poll,
    time::Duration,
};

use spell_message::{Dict, SessionId};
use spell_roles::{Handled, Registration, prelude::*};

use super::*;

type Step<'a> = Pin<Box<dyn Future<Output = bool> + 'a>>;

/// Poll a future so many times at most, with a step of all other tasks after each, and drop it.
/// Gives whether it came to its end.
async fn polled(limit: &Limit, future: impl Future) -> bool {
    let mut future = pin!(future);
    for _ in 0..limit.polls {
        limit.count.set(limit.count.get() + 1);
        let mut output = None;
        poll_fn(|cx| {
            if let Poll::Ready(ready) = future.as_mut().poll(cx) {
                output = Some(ready);
            }
            Poll::Ready(())
        })
        .await;
        if output.is_some() {
            return true;
        }
        tokio::task::yield_now().await;
    }
    false
}

/// A procedure of the peer.
async fn own(peer: &Client) -> Registration<Handled> {
    let register = peer.register("com.example.own");
    let register = register.handler(|(value,): (u64,)| async move { Ok(value) });
    register.await.unwrap()
}

/// How often a future is polled before it is dropped.
struct Limit {
    polls: usize,
    /// How many polls there were.
    count: Cell<usize>,
}

/// All that a peer does, each dropped after so many polls; gives whether each came to its end.
fn operations<'a>(
    router: &'a Router,
    peer: &'a Client,
    limit: &'a Limit,
) -> Vec<(&'static str, Step<'a>)> {
    let boxed = |name, step: Step<'a>| (name, step);
    vec![
        boxed(
            "call",
            Box::pin(polled(limit, peer.call("com.example.echo").arg(1).send())),
        ),
        boxed(
            "idempotent call",
            Box::pin(polled(
                limit,
                peer.call("com.example.echo").arg(1).idempotent().send(),
            )),
        ),
        boxed(
            "call with results",
            Box::pin(polled(limit, async {
                let call = peer.call("com.example.echo").arg(1).receive_progress();
                let mut results = call.await.unwrap();
                while results.next().await.is_some() {}
            })),
        ),
        boxed(
            "publish",
            Box::pin(polled(
                limit,
                peer.publish("com.example.topic").arg(1).send(),
            )),
        ),
        boxed(
            "post",
            Box::pin(polled(
                limit,
                peer.publish("com.example.topic").arg(1).post(),
            )),
        ),
        boxed(
            "acknowledged publish",
            Box::pin(polled(
                limit,
                peer.publish("com.example.topic").acknowledge().send(),
            )),
        ),
        boxed(
            "started publish",
            Box::pin(polled(limit, async {
                let publish = peer.publish("com.example.topic").acknowledge();
                publish.start().await.unwrap().await.unwrap()
            })),
        ),
        boxed(
            "subscribe",
            Box::pin(polled(limit, peer.subscribe("com.example.topic").send())),
        ),
        boxed(
            "unsubscribe",
            Box::pin(async move {
                let subscription = peer.subscribe("com.example.topic").await.unwrap();
                polled(limit, subscription.unsubscribe()).await
            }),
        ),
        boxed(
            "drain a subscription",
            Box::pin(async move {
                let mut subscription = peer.subscribe("com.example.topic").await.unwrap();
                polled(limit, subscription.drain()).await
            }),
        ),
        boxed(
            "drain a subscription with a handler",
            Box::pin(async move {
                let subscribe = peer.subscribe("com.example.topic");
                let subscription = subscribe.handler(|(): ()| async {}).await.unwrap();
                polled(limit, subscription.drain()).await
            }),
        ),
        boxed(
            "register",
            Box::pin(polled(limit, peer.register("com.example.own").send())),
        ),
        boxed(
            "unregister",
            Box::pin(async move {
                let mut registration = peer.register("com.example.own").await.unwrap();
                polled(limit, registration.unregister()).await
            }),
        ),
        boxed(
            "drain a registration",
            Box::pin(async move {
                let registration = own(peer).await;
                polled(limit, registration.drain().send()).await
            }),
        ),
        boxed(
            "drain a registration in time",
            Box::pin(async move {
                let registration = own(peer).await;
                let drain = registration.drain().within(Duration::from_secs(5));
                polled(limit, drain.send()).await
            }),
        ),
        boxed("join", Box::pin(polled(limit, join(router, "eve")))),
        boxed(
            "leave",
            Box::pin(async move {
                let eve = join(router, "eve").await;
                polled(limit, eve.leave().send()).await
            }),
        ),
        boxed(
            "leave when all is done",
            Box::pin(async move {
                let eve = join(router, "eve").await;
                let _own = own(&eve).await;
                polled(limit, eve.leave().drain(Duration::from_secs(5)).send()).await
            }),
        ),
    ]
}

/// What the router has of the kind: ids of subscriptions or registrations.
async fn ids(ada: &Client, procedure: &str) -> Vec<u64> {
    let ids: Dict = ada.call(procedure).await.unwrap().value().unwrap();
    let lists = ids.values().filter_map(|ids| ids.as_list().cloned());
    let ids = lists.flatten().filter_map(|id| id.as_u64());
    ids.collect()
}

#[tokio::test(start_paused = true)]
async fn whatever_is_dropped_wherever_it_stands_the_session_goes_on_and_nothing_is_left() {
    let router = router();
    let ada = join(&router, "ada").await;
    let echo = ada.register("com.example.echo");
    let echo = echo.handler(|(value,): (u64,)| async move { Ok(value) });
    let echo = echo.await.unwrap();
    let bob = join(&router, "bob").await;
    let session = |peer: &Client| -> SessionId { peer.session().unwrap().id() };
    let joined = session(&bob);
    let mut limit = Limit {
        polls: 0,
        count: Cell::new(0),
    };
    let mut done = Vec::new();
    while limit.count.get() < POLLS {
        limit.polls += 1;
        assert!(limit.polls < 1000, "only {done:?} are ever done");
        let operations = operations(&router, &bob, &limit);
        let all = operations.len();
        for (name, operation) in operations {
            if done.contains(&name) {
                continue;
            }
            if operation.await {
                done.push(name);
            }
            // A gap in the ids would end the session: the router is strict.
            let value: u64 = limit.polls.try_into().unwrap();
            let echo = bob.call("com.example.echo").arg(value).await.unwrap();
            assert_eq!(echo.value::<u64>().unwrap(), value, "after {name}");
            assert_eq!(session(&bob), joined, "after {name}");
        }
        if done.len() == all {
            // Each was dropped at all of its polls: begin anew.
            done.clear();
            limit.polls = 0;
        }
    }
    // Nothing is left: no session, no subscription, no registration but one.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(router.statistics().sessions, 2);
    assert_eq!(router.statistics().violations, 0);
    assert!(ids(&ada, "wamp.subscription.list").await.is_empty());
    assert_eq!(
        ids(&ada, "wamp.registration.list").await,
        [echo.id().unwrap().get()]
    );
    assert_eq!(echo.running(), 0);
}

/// How many polls there are at least, one after another.
const POLLS: usize = 10_000;
