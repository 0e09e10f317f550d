//! Clients and a router, each on a host of its own, over sockets of a network that turmoil simulates: it delays, holds
//! back and loses segments. RawSocket and its framing are as on a real network, and so is how a peer notices that
//! nothing comes through any more.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use spell::{
    Backoff, CallError, PeerBuilder, PublishError,
    peer::NoRetry,
    prelude::*,
    roles::{Callee, Caller, Publisher, Session, Subscriber},
    router::Router,
    transport::{
        ConnectError, Connector, KeepAlive, Serialization, connector_fn,
        rawsocket::{RawSocket, RawSocketConfig},
    },
};
use spell_tests::runs::{Naming, seeds};
use tokio::{
    task::spawn_local,
    time::{sleep, timeout},
};
use turmoil::net::{TcpListener, TcpStream};

use crate::{
    history::{Deed, History, SharedHistory, Told},
    world::{Client, observe, procedure},
};

/// With `SPELL_LONG` 5 000 seeds.
#[test]
fn what_a_client_was_told_is_true_over_sockets_that_lose_segments() {
    let seeds = seeds(20, 5_000);
    let many = seeds.end - seeds.start > 10;
    let mut total = [0; 4];
    for seed in seeds {
        let tally = run(seed);
        total = std::array::from_fn(|kind| total[kind] + tally[kind]);
    }
    let [done, _, not_sent, unknown] = total;
    // A network that does nothing shows nothing.
    assert!(
        !many || (done > 0 && not_sent > 0 && unknown > 0),
        "{total:?}"
    );
}

fn run(seed: u64) -> [u64; 4] {
    let _naming = Naming(seed);
    let mut chance = fastrand::Rng::with_seed(seed);
    let mut network = turmoil::Builder::new()
        .rng_seed(seed)
        .max_message_latency(Duration::from_millis(20))
        .simulation_duration(Duration::from_secs(300))
        .tcp_capacity(4096)
        .build();
    let history = SharedHistory::new(RefCell::new(History::default()));
    network.host("router", {
        let history = history.clone();
        move || route(history.clone())
    });
    let course = Rc::new(Course::default());
    for number in 0..CLIENTS {
        let (history, chance) = (history.clone(), chance.fork());
        network.client(host(number), live(number, chance, history, course.clone()));
    }
    let mut troubles = chance.u8(2..5);
    let mut next = Duration::from_millis(chance.u64(..1500));
    let mut trouble = None;
    while !network.step().unwrap() {
        if course.ready.get() < CLIENTS || network.elapsed() < next {
            continue;
        }
        next = network.elapsed() + Duration::from_millis(chance.u64(..1500));
        match trouble.take() {
            Some((victim, true)) => network.release(host(victim), "router"),
            Some((victim, false)) => network.repair(host(victim), "router"),
            None if troubles > 0 => {
                troubles -= 1;
                let (victim, is_hold) = (chance.u64(..CLIENTS), chance.bool());
                if is_hold {
                    network.hold(host(victim), "router");
                } else {
                    network.partition(host(victim), "router");
                }
                trouble = Some((victim, is_hold));
            }
            None => course.is_quiet.set(true),
        }
    }
    let history = history.borrow();
    assert_eq!(history.violations(), Vec::<String>::new());
    history.tally()
}

/// How far a run is.
#[derive(Default)]
struct Course {
    /// How many clients are there, with what they ask for; the network fails when all are.
    ready: Cell<u64>,
    /// Whether the network fails no more.
    is_quiet: Cell<bool>,
}

fn host(number: u64) -> String {
    format!("client{number}")
}

/// The router, and one who sees all that it accepts.
async fn route(history: SharedHistory) -> turmoil::Result {
    let router = Router::local();
    let observer = join(router.connector(), NoRetry).await;
    observe(&observer, &history).await;
    let listener = TcpListener::bind(("0.0.0.0", PORT)).await?;
    loop {
        let (io, _) = listener.accept().await?;
        let router = router.clone();
        tokio::spawn(async move {
            let formats = [Serialization::JSON];
            let accepted = RawSocket::server(io, &formats, RawSocketConfig::new()).await;
            if let Ok(transport) = accepted {
                router.attach(transport);
            }
        });
    }
}

/// Publishes and calls while the network fails, and is whole again after that.
async fn live(
    number: u64,
    mut chance: fastrand::Rng,
    history: SharedHistory,
    course: Rc<Course>,
) -> turmoil::Result {
    let dial = connector_fn(|_: Vec<Serialization>| async {
        let dialled = TcpStream::connect(("router", PORT)).await;
        let io = dialled.map_err(|source| ConnectError::Dial {
            address: "router".to_owned(),
            source,
        })?;
        RawSocket::client(io, Serialization::JSON, RawSocketConfig::new()).await
    });
    let wait = Duration::from_millis(chance.u64(20..500));
    let client = join(dial, Backoff::constant(wait)).await;
    let events = client.subscribe("com.example.topic").prefix();
    let mut events = events.await?;
    spawn_local({
        let history = history.clone();
        async move {
            while let Some(event) = events.next().await {
                let deed: Deed = event.args().unwrap();
                let publication = event.publication();
                history.borrow_mut().receive(number, deed, publication);
            }
        }
    });
    let mut invocations = client.register(procedure(number)).await?;
    spawn_local({
        let history = history.clone();
        async move {
            while let Some(invocation) = invocations.next().await {
                let deed: Deed = invocation.args().unwrap();
                history.borrow_mut().execute(deed);
                // The caller may be gone, or the connection.
                let _ = invocation.respond().args(deed).await;
            }
        }
    });

    course.ready.set(course.ready.get() + 1);
    let topic = format!("com.example.topic.{number}");
    let mut count = 0;
    loop {
        count += 1;
        let deed = (number, count);
        let publish = client.publish(&topic).args(deed).acknowledge();
        let told = match ends(publish.send()).await {
            Ok(publication) => Told::Done(Some(publication)),
            Err(PublishError::Refused(_)) => Told::Refused,
            Err(error) => Told::Failed(error.delivery().unwrap()),
        };
        history.borrow_mut().publish(deed, told);

        let callee = chance.u64(..CLIENTS);
        // When all is well again, that what it offers is there, however long its last session stays with the router.
        let callee = if course.is_quiet.get() {
            number
        } else {
            callee
        };
        let told = match ends(client.call(procedure(callee)).args(deed).send()).await {
            Ok(result) => {
                assert_eq!(result.args::<Deed>()?, deed);
                Told::Done(None)
            }
            Err(CallError::Refused(_)) => Told::Refused,
            Err(error) => Told::Failed(error.delivery().unwrap()),
        };
        history.borrow_mut().call(deed, told);
        if course.is_quiet.get() && callee == number && told == Told::Done(None) {
            return Ok(());
        }
        sleep(Duration::from_millis(chance.u64(..400))).await;
    }
}

async fn join(connector: impl Connector, policy: impl spell::peer::RetryPolicy) -> Client {
    PeerBuilder::new(Session::new("com.example.realm"))
        .role(Publisher::new())
        .role(Subscriber::new())
        .role(Caller::new())
        .role(Callee::new())
        .retry(policy)
        .wait_for_router()
        .join_timeout(SILENCE)
        .keep_alive(KeepAlive::within(SILENCE))
        .connect(connector)
        .await
        .unwrap()
}

/// What ends soon: with the connection, which is given up when nothing comes through.
async fn ends<T>(future: impl Future<Output = T>) -> T {
    let Ok(output) = timeout(LONGEST, future).await else {
        panic!("a future did not end");
    };
    output
}

const CLIENTS: u64 = 2;
const PORT: u16 = 8080;

/// After so much silence a connection is given up.
const SILENCE: Duration = Duration::from_secs(1);

/// A callee that is cut off ends with its session, of which the router hears when it next says something.
const LONGEST: Duration = Duration::from_secs(40);
