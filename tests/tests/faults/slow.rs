//! Somebody does not read: a subscription, a client, or the router.

use std::time::Duration;

use spell::{
    CallError,
    peer::Delivery,
    prelude::*,
    roles::Overflow,
    router::{Realm, Router},
};
use spell_tests::{
    accounts::REALM,
    faults::{Direction, Fault, FaultProxy},
    runs::count,
};
use tokio::time::timeout;

use crate::place::{Place, soon};

/// How many subscriptions there are.
const SUBSCRIPTIONS: usize = 100;
/// How many events wait for the one that does not read.
const ROOM: u64 = 10;

/// One subscription of a hundred does not read. The others get every event, calls are answered, and what the one lost
/// is counted to the last event.
async fn one_does_not_read(scheme: &str, overflow: Overflow) {
    let place = Place::new(scheme, 0).await;
    let publisher = place.bystander().await;
    let client = place.client().connect().await.unwrap();
    let echo = publisher.register("com.example.echo");
    let _echo = echo.handler(async |(number,): (u64,)| Ok(number)).await;

    let lazy = client.subscribe("com.example.topic0").overflow(overflow);
    let mut lazy = lazy
        .queue_count(usize::try_from(ROOM).unwrap())
        .await
        .unwrap();
    let mut others = Vec::new();
    for number in 1..SUBSCRIPTIONS {
        let topic = format!("com.example.topic{number}");
        others.push(client.subscribe(topic).await.unwrap());
    }
    let rounds = count(30, 30_000);
    for round in 0..rounds {
        for number in 0..SUBSCRIPTIONS {
            let topic = format!("com.example.topic{number}");
            publisher.publish(topic).arg(round).await.unwrap();
        }
        for events in &mut others {
            let event = soon("an event", events.next()).await.unwrap();
            assert_eq!(event.value::<u64>().unwrap(), round);
        }
        let result = soon("a call", client.call("com.example.echo").arg(round).send());
        assert_eq!(result.await.unwrap().value::<u64>().unwrap(), round);
    }
    assert!(others.iter().all(|events| events.missed() == 0));

    let (kept, first) = match overflow {
        Overflow::DropNewest | Overflow::End => (ROOM, 0),
        Overflow::DropOldest => (ROOM, rounds - ROOM),
        _ => (1, rounds - 1),
    };
    if overflow == Overflow::End {
        // What came after the end was for nobody.
        assert_eq!(lazy.missed(), 1);
    } else {
        assert_eq!(lazy.missed(), rounds - kept);
    }
    for number in first..first + kept {
        let event = soon("what waited", lazy.next()).await.unwrap();
        assert_eq!(event.value::<u64>().unwrap(), number, "{overflow:?}");
    }
}

#[tokio::test]
async fn a_subscription_that_does_not_read_disturbs_no_other() {
    for scheme in ["ws", "rs"] {
        for overflow in [
            Overflow::DropNewest,
            Overflow::DropOldest,
            Overflow::KeepLatest,
            Overflow::End,
        ] {
            one_does_not_read(scheme, overflow).await;
        }
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut_off_and_disturbs_no_other() {
    let router = Router::builder()
        .realm(Realm::new(REALM))
        .queue_limits(100, 1 << 20)
        .build()
        .unwrap();
    for scheme in ["ws", "rs"] {
        let url = router
            .listen(&format!("{scheme}://127.0.0.1:0"))
            .await
            .unwrap();
        let proxy = FaultProxy::start(&url, 0).await.unwrap();
        let publisher = spell::connect(&url, REALM).await.unwrap();
        let reader = spell::connect(&url, REALM).await.unwrap();
        let mut events = reader.subscribe("com.example.topic").await.unwrap();
        let lazy = spell::connect(proxy.url(), REALM).await.unwrap();
        let _unread = lazy.subscribe("com.example.topic").await.unwrap();
        proxy.set(Direction::ToClient, Fault::Stall);

        let before = router.statistics().too_slow;
        let text = "x".repeat(64 << 10);
        let mut published = 0_u64;
        while router.statistics().too_slow == before {
            let publish = publisher.publish("com.example.topic");
            let publish = publish.args((published, text.as_str())).acknowledge();
            soon("publishing", publish.send()).await.unwrap();
            let event = soon("an event", events.next()).await.unwrap();
            assert_eq!(event.args::<(u64, String)>().unwrap().0, published);
            published += 1;
            assert!(published < 10_000, "the client is never cut off");
        }
        assert_eq!(router.statistics().too_slow, before + 1);
        proxy.clear();
        soon("the end of the client", lazy.closed()).await;
    }
}

/// The router does not read. What waits for it is bounded, who sends waits or is told in time, what comes from the router
/// still comes, and when it reads again nothing is lost.
async fn the_router_does_not_read(scheme: &str) {
    let place = Place::new(scheme, 0).await;
    let other = place.bystander().await;
    let subscription = other.subscribe("com.example.there").queue_count(100_000);
    let mut there = subscription.queue_bytes(usize::MAX).await.unwrap();
    let client = place.client().configure(|config| {
        config.outbox_soft_limit = SOFT_LIMIT;
        config.command_capacity = 4;
    });
    let client = client.connect().await.unwrap();
    let mut back = client.subscribe("com.example.back").await.unwrap();
    place.proxy.set(Direction::ToRouter, Fault::Stall);

    let text = "x".repeat(PIECE);
    let mut published = 0_usize;
    loop {
        let publish = client.publish("com.example.there");
        let publish = publish.args((published, text.as_str())).send();
        // Nothing is known of one that waits so long; given up, it is not sent.
        match timeout(Duration::from_millis(300), publish).await {
            Ok(sent) => sent.unwrap(),
            Err(_) => break,
        }
        published += 1;
        // The buffers of the system beside those of the peer.
        assert!(
            published * PIECE < SOFT_LIMIT + (24 << 20),
            "nothing is bounded"
        );
    }
    let called = client
        .call("com.example.nobody")
        .timeout(Duration::from_millis(50));
    match soon("the call", called.send()).await {
        Err(CallError::Timeout(delivery)) => assert_eq!(delivery, Delivery::NotSent),
        other => panic!("{other:?}"),
    }
    for number in 0..10 {
        let publish = other.publish("com.example.back").arg(number);
        publish.await.unwrap();
        let event = soon("an event", back.next()).await.unwrap();
        assert_eq!(event.value::<u64>().unwrap(), number);
    }

    place.proxy.clear();
    for number in 0..published {
        let event = soon("what waited", there.next()).await.unwrap();
        assert_eq!(event.args::<(usize, String)>().unwrap().0, number);
    }
    client
        .publish("com.example.there")
        .arg(0)
        .acknowledge()
        .await
        .unwrap();
}

const SOFT_LIMIT: usize = 1 << 20;
const PIECE: usize = 64 << 10;

#[tokio::test]
async fn a_router_that_does_not_read_holds_up_no_more_than_its_share() {
    for scheme in ["ws", "rs"] {
        the_router_does_not_read(scheme).await;
    }
}
