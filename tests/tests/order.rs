//! What is in order stays in order: events, and the ids of requests.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it is surprised"
)]

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use spell::{
    CallError, Client, Peer, PeerBuilder,
    prelude::*,
    roles::{Callee, Caller, Publisher, Session, Subscriber},
    router::Router,
    serializer::{AnySerializer, Cbor, Json, MsgPack},
};
use spell_tests::{
    conversation::Conversation,
    overhear::{Heard, overhear},
    runs::{count, named},
};
use tokio::{
    sync::Semaphore,
    task::{JoinSet, yield_now},
    time::timeout,
};

const REALM: &str = "com.example.realm";

/// Longer than anything takes that does not hang.
const LONGEST: Duration = Duration::from_secs(600);

/// Who publishes at the same time.
const PUBLISHERS: u64 = 8;

/// How many events may be under way, so that no queue overflows.
const UNDER_WAY: usize = 5_000;

/// Each publisher's events reach a subscriber in its order, and a handler is called for one after the other. `events` are
/// published in all: with `SPELL_LONG` a million over each transport.
async fn events_keep_their_order(scheme: &str) {
    let router = Router::local();
    let url = router
        .listen(&format!("{scheme}://127.0.0.1:0"))
        .await
        .unwrap();
    let serializers: [AnySerializer; 3] = [
        Json::new().into(),
        MsgPack::new().into(),
        Cbor::new().into(),
    ];
    for serializer in serializers {
        let each = count(7_500, 336_000) / PUBLISHERS;
        let name = format!("{scheme} {serializer:?}");
        let ordered = keep_order(&url, &serializer, each);
        timeout(LONGEST, ordered)
            .await
            .unwrap_or_else(|_| panic!("{name} hangs"));
    }
}

async fn keep_order(url: &str, serializer: &AnySerializer, each: u64) {
    let join = async || {
        let client = spell::client(url, REALM).serializers([serializer.clone()]);
        client.connect().await.unwrap()
    };
    let subscriber: Client = join().await;
    // Each event takes a place of both, as the handler and the stream may be far apart.
    let room = Arc::new(Semaphore::new(UNDER_WAY));
    let room_of_stream = Arc::new(Semaphore::new(UNDER_WAY));
    let events = subscriber.subscribe("com.example.topic").prefix();
    let mut events = events.queue_count(UNDER_WAY).await.unwrap();
    // The handler is slow now and then, so that it would be overtaken if it could be.
    let handled = Arc::new(Mutex::new((false, Vec::new())));
    let handler = {
        let (handled, room) = (handled.clone(), room.clone());
        move |event: spell::Event| {
            let (handled, room) = (handled.clone(), room.clone());
            async move {
                let (publisher, number) = event.args::<(u64, u64)>().unwrap();
                {
                    let mut handled = handled.lock().unwrap();
                    assert!(!handled.0, "a handler runs twice at a time");
                    handled.0 = true;
                }
                if number % 100 == 0 {
                    yield_now().await;
                }
                let mut handled = handled.lock().unwrap();
                handled.0 = false;
                handled.1.push((publisher, number));
                room.add_permits(1);
            }
        }
    };
    let handling = subscriber.subscribe("com.example.topic").prefix();
    let handling = handling.queue_count(UNDER_WAY).handler(handler);
    let handling = handling.await.unwrap();

    let mut publishers = JoinSet::new();
    for publisher in 0..PUBLISHERS {
        let (client, room) = (join().await, [room.clone(), room_of_stream.clone()]);
        publishers.spawn(async move {
            let topic = format!("com.example.topic.{publisher}");
            for number in 0..each {
                for room in &room {
                    room.acquire().await.unwrap().forget();
                }
                let publish = client.publish(&topic).args((publisher, number));
                publish.await.unwrap();
            }
            client
        });
    }
    let mut next = vec![0; usize::try_from(PUBLISHERS).unwrap()];
    for _ in 0..each * PUBLISHERS {
        let event = events.next().await.unwrap();
        room_of_stream.add_permits(1);
        let (publisher, number) = event.args::<(u64, u64)>().unwrap();
        let expected = next.get_mut(usize::try_from(publisher).unwrap()).unwrap();
        assert_eq!(number, *expected, "of publisher {publisher}");
        *expected += 1;
    }
    drop(publishers.join_all().await);
    while handled.lock().unwrap().1.len() < usize::try_from(each * PUBLISHERS).unwrap() {
        yield_now().await;
    }
    let mut handled = std::mem::take(&mut handled.lock().unwrap().1);
    // Stable, so what was of one publisher stays as it was.
    handled.sort_by_key(|(publisher, _)| *publisher);
    assert!(handled.is_sorted(), "a handler got events in another order");
    assert_eq!((events.missed(), handling.missed()), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_of_each_publisher_keep_their_order_over_websocket() {
    events_keep_their_order("ws").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_of_each_publisher_keep_their_order_over_rawsocket() {
    events_keep_their_order("rs").await;
}

type Roles = (Session, Publisher, Subscriber, Caller, Callee);

/// 64 tasks of one client ask for everything at once and drop half of it before it is done; no id is left out, and the
/// router, which would end the session for that, has nothing to say. With `SPELL_LONG` ten million requests.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn request_ids_have_no_gap_whatever_is_given_up() {
    let router = Router::local();
    let callee = roles(router.connector()).await;
    let echo = callee.register("com.example.echo");
    let _echo = echo
        .handler(async |(number,): (u64,)| Ok(number))
        .await
        .unwrap();

    let conversation = Arc::new(Mutex::new(Conversation::new(MsgPack::new().into())));
    let wrong = Arc::new(Mutex::new(Vec::new()));
    let asked = Arc::new(AtomicU64::new(0));
    let connector = overhear(router.connector(), {
        let (conversation, wrong, asked) = (conversation.clone(), wrong.clone(), asked.clone());
        move |heard| {
            let mut conversation = conversation.lock().unwrap();
            let said = match heard {
                Heard::Opened => Ok(()),
                Heard::Client(frame) => conversation.client_says(frame),
                Heard::Router(frame) => conversation.router_says(frame),
            };
            asked.store(conversation.requests(), Ordering::Relaxed);
            wrong.lock().unwrap().extend(said.err());
        }
    });
    let client = roles(connector).await;
    let requests = count(100_000, 10_000_000);
    let mut tasks = JoinSet::new();
    for seed in 0..64 {
        let (client, asked) = (client.clone(), asked.clone());
        tasks.spawn(named(seed, async move {
            let mut chance = fastrand::Rng::with_seed(seed);
            while asked.load(Ordering::Relaxed) < requests {
                let patience = chance.u32(..8);
                // Half of them are given up in the middle.
                if chance.bool() {
                    something(&client, &mut chance).await;
                } else {
                    tokio::select! {
                        biased;
                        () = something(&client, &mut chance) => {}
                        () = yields(patience) => {}
                    }
                }
            }
        }));
    }
    timeout(LONGEST * 10, tasks.join_all()).await.unwrap();
    // The session is the first one still.
    client
        .publish("com.example.topic")
        .acknowledge()
        .await
        .unwrap();
    assert_eq!(*wrong.lock().unwrap(), Vec::<String>::new());
    assert!(asked.load(Ordering::Relaxed) >= requests);
    assert_eq!(router.statistics().violations, 0);
}

async fn roles(connector: impl spell::transport::Connector) -> Peer<Roles> {
    PeerBuilder::new(Session::new(REALM))
        .role(Publisher::new())
        .role(Subscriber::new())
        .role(Caller::new())
        .role(Callee::new())
        .serializers([AnySerializer::from(MsgPack::new())])
        .connect(connector)
        .await
        .unwrap()
}

/// One request of some kind, or two.
async fn something(client: &Peer<Roles>, chance: &mut fastrand::Rng) {
    let number = chance.u64(..1000);
    match chance.u8(..8) {
        0 => {
            let subscription = client.subscribe(format!("com.example.topic{number}"));
            subscription.await.unwrap().unsubscribe().await.unwrap();
        }
        1 => {
            let registration = client.register(format!("com.example.procedure{number}"));
            // Another task may have it, or have given it up a moment ago.
            if let Ok(mut registration) = registration.await {
                registration.unregister().await.unwrap();
            }
        }
        2 => {
            _ = client
                .publish("com.example.topic")
                .acknowledge()
                .await
                .unwrap();
        }
        3 | 4 => client
            .publish("com.example.topic")
            .arg(number)
            .await
            .unwrap(),
        5 => match client.call("com.example.nobody").await {
            Err(CallError::Refused(_)) => {}
            other => panic!("{other:?}"),
        },
        _ => {
            let result = client.call("com.example.echo").arg(number).await.unwrap();
            assert_eq!(result.value::<u64>().unwrap(), number);
        }
    }
}

async fn yields(times: u32) {
    for _ in 0..times {
        yield_now().await;
    }
}
