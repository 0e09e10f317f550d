//! Clients and a router, each on a host of its own, over sockets of a network that turmoil simulates: it delays, holds
//! back and loses segments. RawSocket, WebSocket and their framing are as on a real network, and so is how a peer notices
//! that nothing comes through any more.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use spell::{
    Backoff,
    prelude::*,
    router::Router,
    transport::{
        AcceptError, BoxTransport, ConnectError, KeepAlive, Serialization, connector_fn,
        rawsocket::{RawSocket, RawSocketConfig},
        websocket::{WebSocket, WebSocketConfig, WebSocketRequest},
    },
};
use spell_tests::runs::{Naming, seeds};
use tokio::time::sleep;
use turmoil::net::{TcpListener, TcpStream};

use crate::{
    history::{History, SharedHistory, Told},
    member::{Client, Member, client, observe, procedure},
};

/// With `SPELL_LONG` 5 000 seeds.
#[test]
fn what_a_client_was_told_is_true_over_sockets_that_lose_segments() {
    let seeds = seeds(20, 5_000);
    let many = seeds.end - seeds.start > 10;
    for protocol in [Protocol::RawSocket, Protocol::WebSocket] {
        let mut total = [0; 4];
        for seed in seeds.clone() {
            let tally = run(seed, protocol);
            total = std::array::from_fn(|kind| total[kind] + tally[kind]);
        }
        let [done, _, not_sent, unknown] = total;
        // A network that does nothing shows nothing.
        assert!(
            !many || (done > 0 && not_sent > 0 && unknown > 0),
            "{protocol:?}: {total:?}"
        );
    }
}

fn run(seed: u64, protocol: Protocol) -> [u64; 4] {
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
        move || route(protocol, history.clone())
    });
    let course = Rc::new(Course::default());
    for number in 0..CLIENTS {
        let (history, mut chance) = (history.clone(), chance.fork());
        let course = course.clone();
        network.client(host(number), async move {
            let wait = Duration::from_millis(chance.u64(20..500));
            let client = protocol.join(wait).await;
            let member = Member {
                number,
                client,
                history,
            };
            live(member, chance, course).await
        });
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
    assert_eq!(history.violations(), Vec::<String>::new(), "{protocol:?}");
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

/// What the sockets carry.
#[derive(Clone, Copy, Debug)]
enum Protocol {
    RawSocket,
    WebSocket,
}

impl Protocol {
    /// A client that gives up a connection after some silence, and dials again after `wait`.
    async fn join(self, wait: Duration) -> Client {
        let dial = connector_fn(move |_: Vec<Serialization>| self.dial());
        let client = client()
            .retry(Backoff::constant(wait))
            .wait_for_router()
            .join_timeout(SILENCE)
            .keep_alive(KeepAlive::within(SILENCE));
        client.connect(dial).await.unwrap()
    }

    async fn dial(self) -> Result<BoxTransport, ConnectError> {
        let dialled = TcpStream::connect(("router", PORT)).await;
        let io = dialled.map_err(|source| ConnectError::Dial {
            address: "router".to_owned(),
            source,
        })?;
        let format = Serialization::JSON;
        Ok(match self {
            Self::RawSocket => {
                Box::new(RawSocket::client(io, format, RawSocketConfig::new()).await?)
            }
            Self::WebSocket => {
                let request = WebSocketRequest::new("ws://router/").unwrap();
                let config = WebSocketConfig::new();
                Box::new(WebSocket::client(io, request, &[format], config).await?)
            }
        })
    }

    async fn accept(self, io: TcpStream) -> Result<BoxTransport, AcceptError> {
        let formats = [Serialization::JSON];
        Ok(match self {
            Self::RawSocket => {
                Box::new(RawSocket::server(io, &formats, RawSocketConfig::new()).await?)
            }
            Self::WebSocket => {
                Box::new(WebSocket::server(io, &formats, WebSocketConfig::new()).await?)
            }
        })
    }
}

/// The router, and one who sees all that it accepts.
async fn route(protocol: Protocol, history: SharedHistory) -> turmoil::Result {
    let router = Router::local();
    let observer = client().connect(router.connector()).await?;
    observe(&observer, &history).await;
    let listener = TcpListener::bind(("0.0.0.0", PORT)).await?;
    loop {
        let (io, _) = listener.accept().await?;
        let router = router.clone();
        tokio::spawn(async move {
            if let Ok(transport) = protocol.accept(io).await {
                router.attach(transport);
            }
        });
    }
}

/// Publishes and calls while the network fails, and is whole again after that.
async fn live(member: Member, mut chance: fastrand::Rng, course: Rc<Course>) -> turmoil::Result {
    member.listen().await;
    member.serve(chance.fork()).await;
    course.ready.set(course.ready.get() + 1);
    let topic = member.topic();
    let mut count = 0;
    loop {
        count += 1;
        let deed = (member.number, count);
        let publish = member.client.publish(&topic).args(deed).acknowledge();
        let published = member.ends(publish.send()).await;
        member.published(deed, published);

        let callee = chance.u64(..CLIENTS);
        // When all is well again, that what it offers is there, however long its last session stays with the router.
        let callee = if course.is_quiet.get() {
            member.number
        } else {
            callee
        };
        let call = member.client.call(procedure(callee)).args(deed);
        let called = member.ends(call.send()).await;
        let told = member.called(deed, called);
        if course.is_quiet.get() && callee == member.number && told == Told::Done(None) {
            return Ok(());
        }
        sleep(Duration::from_millis(chance.u64(..400))).await;
    }
}

const CLIENTS: u64 = 2;
const PORT: u16 = 8080;

/// After so much silence a connection is given up.
const SILENCE: Duration = Duration::from_secs(1);
