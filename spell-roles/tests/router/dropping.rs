//! Futures that are dropped at any await.

use std::{
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
async fn polled(times: usize, future: impl Future) -> bool {
    let mut future = pin!(future);
    for _ in 0..times {
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

/// All that a peer does, each dropped after so many polls; gives whether each came to its end.
fn operations<'a>(
    router: &'a Router,
    peer: &'a Client,
    times: usize,
) -> Vec<(&'static str, Step<'a>)> {
    let boxed = |name, step: Step<'a>| (name, step);
    vec![
        boxed(
            "call",
            Box::pin(polled(times, peer.call("com.example.echo").arg(1).send())),
        ),
        boxed(
            "idempotent call",
            Box::pin(polled(
                times,
                peer.call("com.example.echo").arg(1).idempotent().send(),
            )),
        ),
        boxed(
            "call with results",
            Box::pin(polled(times, async {
                let call = peer.call("com.example.echo").arg(1).receive_progress();
                let mut results = call.await.unwrap();
                while results.next().await.is_some() {}
            })),
        ),
        boxed(
            "publish",
            Box::pin(polled(
                times,
                peer.publish("com.example.topic").arg(1).send(),
            )),
        ),
        boxed(
            "post",
            Box::pin(polled(
                times,
                peer.publish("com.example.topic").arg(1).post(),
            )),
        ),
        boxed(
            "acknowledged publish",
            Box::pin(polled(
                times,
                peer.publish("com.example.topic").acknowledge().send(),
            )),
        ),
        boxed(
            "started publish",
            Box::pin(polled(times, async {
                let publish = peer.publish("com.example.topic").acknowledge();
                publish.start().await.unwrap().await.unwrap()
            })),
        ),
        boxed(
            "subscribe",
            Box::pin(polled(times, peer.subscribe("com.example.topic").send())),
        ),
        boxed(
            "unsubscribe",
            Box::pin(async move {
                let subscription = peer.subscribe("com.example.topic").await.unwrap();
                polled(times, subscription.unsubscribe()).await
            }),
        ),
        boxed(
            "drain a subscription",
            Box::pin(async move {
                let mut subscription = peer.subscribe("com.example.topic").await.unwrap();
                polled(times, subscription.drain()).await
            }),
        ),
        boxed(
            "drain a subscription with a handler",
            Box::pin(async move {
                let subscribe = peer.subscribe("com.example.topic");
                let subscription = subscribe.handler(|(): ()| async {}).await.unwrap();
                polled(times, subscription.drain()).await
            }),
        ),
        boxed(
            "register",
            Box::pin(polled(times, peer.register("com.example.own").send())),
        ),
        boxed(
            "unregister",
            Box::pin(async move {
                let mut registration = peer.register("com.example.own").await.unwrap();
                polled(times, registration.unregister()).await
            }),
        ),
        boxed(
            "drain a registration",
            Box::pin(async move {
                let registration = own(peer).await;
                polled(times, registration.drain().send()).await
            }),
        ),
        boxed(
            "drain a registration in time",
            Box::pin(async move {
                let registration = own(peer).await;
                let drain = registration.drain().within(Duration::from_secs(5));
                polled(times, drain.send()).await
            }),
        ),
        boxed("join", Box::pin(polled(times, join(router, "eve")))),
        boxed(
            "leave",
            Box::pin(async move {
                let eve = join(router, "eve").await;
                polled(times, eve.leave().send()).await
            }),
        ),
        boxed(
            "leave when all is done",
            Box::pin(async move {
                let eve = join(router, "eve").await;
                let _own = own(&eve).await;
                polled(times, eve.leave().drain(Duration::from_secs(5)).send()).await
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
    let mut polls = 0;
    while polls < POLLS {
        let mut unfinished = Vec::new();
        for times in 1.. {
            let operations = operations(&router, &bob, times);
            let mut is_done = true;
            for (name, operation) in operations {
                let ended = operation.await;
                is_done &= ended;
                if !ended {
                    unfinished.push(name);
                }
                polls += times;
                // A gap in the ids would end the session: the router is strict.
                let value: u64 = bob
                    .call("com.example.echo")
                    .arg(times)
                    .await
                    .unwrap()
                    .value()
                    .unwrap();
                assert_eq!(value, u64::try_from(times).unwrap(), "after {name}");
                assert_eq!(session(&bob), joined, "after {name}");
            }
            if is_done {
                break;
            }
            assert!(times < 1000, "never done: {unfinished:?}");
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
