//! What stays when all is done: nothing, in the client and in the router.

use spell::{
    Peer, PeerBuilder,
    prelude::*,
    roles::{Callee, Caller, Publisher, Session, Subscriber},
    router::Router,
};
use spell_tests::{notice, runs::count};
use tokio::task::yield_now;

use crate::{alone, block_on, heap};

type Client = Peer<(Session, Publisher, Subscriber, Caller, Callee)>;

async fn join(router: &Router) -> Client {
    PeerBuilder::new(Session::new("com.example.realm"))
        .role(Publisher::new())
        .role(Subscriber::new())
        .role(Caller::new())
        .role(Callee::new())
        .connect(router.connector())
        .await
        .unwrap()
}

/// Does something many times, after some times to warm up, and looks at the heap before and after.
fn does_not_grow(what: &str, times: u64, mut doing: impl AsyncFnMut(&Router, &Client)) {
    let _alone = alone();
    block_on(async {
        let router = Router::local();
        let client = join(&router).await;
        let echo = client.register("com.example.echo");
        let _echo = echo.handler(async |(number,): (u64,)| Ok(number)).await;
        let mut repeat = async |times| {
            for _ in 0..times {
                doing(&router, &client).await;
            }
            // What ends in the background ends.
            while router.statistics().sessions > 1 {
                yield_now().await;
            }
            client
                .publish("com.example.sync")
                .acknowledge()
                .await
                .unwrap();
            for _ in 0..100 {
                yield_now().await;
            }
        };
        repeat(times / 20 + 100).await;
        let before = heap();
        repeat(times).await;
        let after = heap();
        notice(&format!(
            "{times} {what}: {before} bytes of heap before, {after} after"
        ));
        assert!(
            after <= before + before / 100,
            "{times} {what}: the heap grew from {before} to {after} bytes"
        );
    });
}

#[test]
fn calls_leave_nothing_behind() {
    does_not_grow("calls", count(20_000, 1_000_000), async |_, client| {
        let result = client.call("com.example.echo").arg(7).await.unwrap();
        assert_eq!(result.value::<u64>().unwrap(), 7);
    });
}

#[test]
fn calls_that_are_given_up_leave_nothing_behind() {
    does_not_grow(
        "dropped calls",
        count(5_000, 1_000_000),
        async |_, client| {
            let call = client.call("com.example.echo").arg(7).start().await;
            drop(call.unwrap());
        },
    );
}

#[test]
fn calls_that_fail_leave_nothing_behind() {
    does_not_grow(
        "failed calls",
        count(5_000, 1_000_000),
        async |_, client| {
            client.call("com.example.nobody").await.unwrap_err();
        },
    );
}

#[test]
fn subscriptions_leave_nothing_behind() {
    let mut number = 0;
    does_not_grow(
        "subscriptions",
        count(5_000, 1_000_000),
        async |_, client| {
            number += 1;
            // Of topics that there never were before.
            let subscription = client.subscribe(format!("com.example.topic{number}"));
            subscription.await.unwrap().unsubscribe().await.unwrap();
        },
    );
}

#[test]
fn registrations_leave_nothing_behind() {
    let mut number = 0;
    does_not_grow(
        "registrations",
        count(5_000, 1_000_000),
        async |_, client| {
            number += 1;
            let registration = client.register(format!("com.example.procedure{number}"));
            registration.await.unwrap().unregister().await.unwrap();
        },
    );
}

#[test]
fn sessions_leave_nothing_behind() {
    does_not_grow("sessions", count(1_000, 100_000), async |router, _| {
        let client = join(router).await;
        let _events = client.subscribe("com.example.topic").await.unwrap();
        let _calls = client.register("com.example.mine").await.unwrap();
        client.leave().await.unwrap();
    });
}

#[test]
fn sessions_that_are_dropped_leave_nothing_behind() {
    does_not_grow(
        "dropped sessions",
        count(500, 100_000),
        async |router, _| {
            let client = join(router).await;
            let _events = client.subscribe("com.example.topic").await.unwrap();
            drop(client);
        },
    );
}
