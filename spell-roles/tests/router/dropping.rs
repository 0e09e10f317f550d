//! Futures that are dropped at any await.

use std::{
    cell::Cell,
    future::poll_fn,
    pin::{Pin, pin},
    task::Poll,
    time::Duration,
};

use futures_util::StreamExt;
use spell_message::{Dict, SessionId};
use spell_roles::{Handled, Registration, prelude::*};
use spell_transport::{Connector, Serialization, Transport, connector_fn, memory};

use super::*;

type Step<'a> = Pin<Box<dyn Future<Output = bool> + 'a>>;

/// Poll a future so many times at most, with one poll of another task after each, and drop it.
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
        step().await;
    }
    false
}

/// A procedure of the peer.
async fn own(peer: &Client) -> Registration<Handled> {
    let register = peer.register("com.example.own");
    let register = register.handler(|(value,): (u64,)| async move { Ok(value) });
    register.await.unwrap()
}

/// Let one other task be polled once; tokio's own way to yield lets them run until all wait.
async fn step() {
    let mut is_woken = false;
    poll_fn(|cx| {
        if is_woken {
            return Poll::Ready(());
        }
        is_woken = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Join over a way on which each message takes some polls of other tasks, there and back: so that a
/// future can be dropped before the router has what was sent, and before its answer is here.
async fn join_from_afar(router: &Router, authid: &str) -> Client {
    let direct = router.connector();
    let connector = connector_fn(move |offers: Vec<Serialization>| {
        let mut direct = direct.clone();
        async move {
            let mut router = direct.connect(&offers).await?;
            for _ in 0..STATIONS {
                let (near, far) = memory::pair(router.info().serialization());
                let (to_router, from_router) = router.split();
                let (to_peer, from_peer) = far.split();
                tokio::spawn(from_peer.forward(to_router));
                tokio::spawn(from_router.forward(to_peer));
                router = near;
            }
            Ok(router)
        }
    });
    let session = Session::new(REALM).authenticator(Ticket::new(authid, authid));
    let peer = PeerBuilder::new(session)
        .role(Publisher::new())
        .role(Subscriber::new())
        .role(Caller::new())
        .role(Callee::new());
    peer.connect(connector).await.unwrap()
}

/// Between a peer and the router.
const STATIONS: usize = 2;

/// How often a future is polled before it is dropped.
struct Limit {
    polls: usize,
    /// How many polls there were.
    count: Cell<usize>,
}

/// What a peer does, each dropped after so many polls; gives whether it came to its end.
type Operations<'a> = Vec<(&'static str, Step<'a>)>;

fn calls<'a>(peer: &'a Client, limit: &'a Limit) -> Operations<'a> {
    let call = || peer.call("com.example.echo").arg(1);
    vec![
        ("call", Box::pin(polled(limit, call().send()))),
        (
            "idempotent call",
            Box::pin(polled(limit, call().idempotent().send())),
        ),
        (
            "call with results",
            Box::pin(polled(limit, async move {
                let mut results = call().receive_progress().await.unwrap();
                while results.next().await.is_some() {}
            })),
        ),
    ]
}

fn publications<'a>(peer: &'a Client, limit: &'a Limit) -> Operations<'a> {
    let publish = || peer.publish("com.example.topic").arg(1);
    vec![
        ("publish", Box::pin(polled(limit, publish().send()))),
        ("post", Box::pin(polled(limit, publish().post()))),
        (
            "acknowledged publish",
            Box::pin(polled(limit, publish().acknowledge().send())),
        ),
        (
            "idempotent publish",
            Box::pin(polled(limit, publish().acknowledge().idempotent().send())),
        ),
        (
            "started publish",
            Box::pin(polled(limit, async move {
                let started = publish().acknowledge().start().await.unwrap();
                started.await.unwrap()
            })),
        ),
    ]
}

fn subscriptions<'a>(peer: &'a Client, limit: &'a Limit) -> Operations<'a> {
    let subscribe = || peer.subscribe("com.example.topic");
    vec![
        ("subscribe", Box::pin(polled(limit, subscribe().send()))),
        (
            "unsubscribe",
            Box::pin(async move {
                let subscription = subscribe().await.unwrap();
                polled(limit, subscription.unsubscribe()).await
            }),
        ),
        (
            "drain a subscription",
            Box::pin(async move {
                let mut subscription = subscribe().await.unwrap();
                polled(limit, subscription.drain()).await
            }),
        ),
        (
            "drain a subscription with a handler",
            Box::pin(async move {
                let subscription = subscribe().handler(|(): ()| async {}).await.unwrap();
                polled(limit, subscription.drain()).await
            }),
        ),
    ]
}

fn registrations<'a>(peer: &'a Client, limit: &'a Limit) -> Operations<'a> {
    let register = || peer.register("com.example.own");
    vec![
        ("register", Box::pin(polled(limit, register().send()))),
        (
            "unregister",
            Box::pin(async move {
                let mut registration = register().await.unwrap();
                polled(limit, registration.unregister()).await
            }),
        ),
        (
            "drain a registration",
            Box::pin(async move {
                let registration = own(peer).await;
                polled(limit, registration.drain().send()).await
            }),
        ),
        (
            "drain a registration in time",
            Box::pin(async move {
                let registration = own(peer).await;
                let drain = registration.drain().within(Duration::from_secs(5));
                polled(limit, drain.send()).await
            }),
        ),
    ]
}

fn sessions<'a>(router: &'a Router, limit: &'a Limit) -> Operations<'a> {
    vec![
        (
            "join",
            Box::pin(polled(limit, join_from_afar(router, "eve"))),
        ),
        (
            "leave",
            Box::pin(async move {
                let eve = join_from_afar(router, "eve").await;
                polled(limit, eve.leave().send()).await
            }),
        ),
        (
            "leave when all is done",
            Box::pin(async move {
                let eve = join_from_afar(router, "eve").await;
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

#[test]
fn whatever_is_dropped_wherever_it_stands_the_session_goes_on_and_nothing_is_left() {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    // The test is polled after each poll of another task.
    let runtime = runtime.enable_all().start_paused(true).event_interval(1);
    runtime.build().unwrap().block_on(drop_all());
}

async fn drop_all() {
    let router = router();
    let ada = join(&router, "ada").await;
    let echo = ada.register("com.example.echo");
    let echo = echo.handler(|(value,): (u64,)| async move { Ok(value) });
    let echo = echo.await.unwrap();
    let bob = join_from_afar(&router, "bob").await;
    let session = |peer: &Client| -> SessionId { peer.session().unwrap().id() };
    let joined = session(&bob);
    let mut limit = Limit {
        polls: 0,
        count: Cell::new(0),
    };
    let mut done = Vec::new();
    let polls = polls();
    while limit.count.get() < polls {
        limit.polls += 1;
        assert!(limit.polls < 1000, "only {done:?} are ever done");
        let mut operations = calls(&bob, &limit);
        operations.extend(publications(&bob, &limit));
        operations.extend(subscriptions(&bob, &limit));
        operations.extend(registrations(&bob, &limit));
        operations.extend(sessions(&router, &limit));
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

/// How many polls there are at least, one after another: a million with `SPELL_LONG`.
fn polls() -> usize {
    match std::env::var_os("SPELL_LONG") {
        Some(_) => 1_000_000,
        None => 10_000,
    }
}
