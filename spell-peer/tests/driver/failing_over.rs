//! A peer that may join at several routers.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use spell_peer::{
    Backoff, CloseReason, Endpoints, JoinError, Peer, PeerEvent, PeerEvents, PeerState,
};
use spell_transport::{
    Adapter, ConnectError, Connector, Serialization, TransportError, TransportInfo, connector_fn,
    memory::{MemoryListener, MemoryTransport},
};
use tokio::time::Instant;

use crate::support::{Client, Place, Script, builder, places};

const SHUTDOWN: &str = r#"[6,{},"wamp.close.system_shutdown"]"#;

type Client1 = Peer<(Client,)>;

/// A peer that waits exactly a second between rounds, and is joined at the first router.
async fn joined_at_first(
    endpoints: Endpoints<Place>,
    listener: &mut MemoryListener,
) -> (Client1, Script) {
    let builder = builder().retry(Backoff::constant(Duration::from_secs(1)));
    let (peer, script) = tokio::join!(builder.connect(endpoints), Script::welcome(listener));
    (peer.unwrap(), script)
}

/// Where the peer is joined next, and after how long.
async fn moves(events: &mut PeerEvents) -> (Arc<str>, Duration) {
    let begun = Instant::now();
    loop {
        if let PeerEvent::Joined(session) = events.next().await.unwrap() {
            return (session.endpoint().unwrap().into(), begun.elapsed());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_router_that_shuts_down_is_left_for_another_one_at_once() {
    let [a, b] = places();
    let (mut at_a, mut at_b) = (a.listen(), b.listen());
    let (peer, mut script) = joined_at_first(Endpoints::new([a, b]), &mut at_a).await;
    let mut events = peer.events();
    script.send(SHUTDOWN).await;
    let (moved, _at_b) = tokio::join!(moves(&mut events), Script::welcome(&mut at_b));
    assert_eq!(moved, ("b".into(), Duration::ZERO));
    script
        .expect(r#"[6,{},"wamp.close.goodbye_and_out"]"#)
        .await;
    script.expect_end().await;
}

#[tokio::test(start_paused = true)]
async fn a_router_that_breaks_is_left_for_another_one_at_once() {
    let [a, b] = places();
    let (mut at_a, mut at_b) = (a.listen(), b.listen());
    let (peer, script) = joined_at_first(Endpoints::new([a, b]), &mut at_a).await;
    let mut events = peer.events();
    drop(script);
    let (moved, _at_b) = tokio::join!(moves(&mut events), Script::welcome(&mut at_b));
    assert_eq!(moved, ("b".into(), Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_router_that_dismisses_the_session_otherwise_is_left_after_a_wait() {
    let [a, b] = places();
    let (mut at_a, mut at_b) = (a.listen(), b.listen());
    let (peer, mut script) = joined_at_first(Endpoints::new([a, b]), &mut at_a).await;
    let mut events = peer.events();
    script.send(r#"[6,{},"com.example.moved"]"#).await;
    let (moved, _at_b) = tokio::join!(moves(&mut events), Script::welcome(&mut at_b));
    assert_eq!(moved, ("b".into(), Duration::from_secs(1)));
}

/// A transport that never finishes closing.
struct Unclosed(MemoryTransport);

impl Stream for Unclosed {
    type Item = Result<Bytes, TransportError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_next_unpin(cx)
    }
}

impl Sink<Bytes> for Unclosed {
    type Error = TransportError;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready_unpin(cx)
    }

    fn start_send(mut self: Pin<&mut Self>, frame: Bytes) -> Result<(), Self::Error> {
        self.0.start_send_unpin(frame)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_flush_unpin(cx)
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Pending
    }
}

#[tokio::test(start_paused = true)]
async fn last_words_to_a_router_do_not_hold_up_the_way_to_the_next() {
    let unclosed = |place: Place| {
        connector_fn(move |offers: Vec<Serialization>| {
            let mut place = place.clone();
            async move {
                let transport = place.connect(&offers).await?;
                let info = TransportInfo::new(Serialization::JSON);
                Ok(Adapter::new(Unclosed(transport), info))
            }
        })
    };
    let (a, b) = (Place::new("a"), Place::new("b"));
    let (mut at_a, mut at_b) = (a.listen(), b.listen());
    let connect = builder().connect(Endpoints::new([a, b].map(unclosed)));
    let (peer, mut script) = tokio::join!(connect, Script::welcome(&mut at_a));
    let peer = peer.unwrap();
    let mut events = peer.events();
    script.send(SHUTDOWN).await;
    let (moved, _at_b) = tokio::join!(moves(&mut events), Script::welcome(&mut at_b));
    assert_eq!(moved.1, Duration::ZERO);
    script
        .expect(r#"[6,{},"wamp.close.goodbye_and_out"]"#)
        .await;
}

#[tokio::test(start_paused = true)]
async fn without_another_router_shutting_down_is_waited_out() {
    let [a, _] = places();
    let mut at_a = a.listen();
    let (peer, mut script) = joined_at_first(a.into(), &mut at_a).await;
    let mut events = peer.events();
    script.send(SHUTDOWN).await;
    let (moved, _at_a) = tokio::join!(moves(&mut events), Script::welcome(&mut at_a));
    assert_eq!(moved, ("a".into(), Duration::from_secs(1)));
}

#[tokio::test(start_paused = true)]
async fn a_wait_comes_once_all_routers_failed_and_each_is_tried_once_a_round() {
    let [a, b] = places();
    let mut at_a = a.listen();
    let (peer, script) = joined_at_first(Endpoints::new([a.clone(), b.clone()]), &mut at_a).await;
    drop(script);
    drop(at_a);
    let mut events = peer.events();
    let mut told = Vec::new();
    while told.len() < 9 {
        told.push(match events.next().await.unwrap() {
            PeerEvent::Lost { endpoint, .. } => format!("lost {endpoint}"),
            PeerEvent::Connecting { endpoint, .. } => format!("try {endpoint}"),
            PeerEvent::Failed { endpoint, .. } => format!("no {endpoint}"),
            PeerEvent::Waiting { delay, .. } => format!("wait {delay:?}"),
            other => panic!("{other}"),
        });
    }
    // Of two that failed, the one that failed longer ago goes first.
    let expected = [
        "lost a", "try b", "no b", "wait 1s", "try a", "no a", "try b", "no b", "wait 1s",
    ];
    assert_eq!(told, expected);
}

#[tokio::test(start_paused = true)]
async fn routers_that_drop_each_session_are_not_rushed_from_one_to_the_other() {
    let [a, b] = places();
    let (mut at_a, mut at_b) = (a.listen(), b.listen());
    let (peer, script) = joined_at_first(Endpoints::new([a, b]), &mut at_a).await;
    let mut events = peer.events();
    drop(script);
    let (first, script) = tokio::join!(moves(&mut events), Script::welcome(&mut at_b));
    assert_eq!(first, ("b".into(), Duration::ZERO));
    // It did not hold: no router is left that was not tried.
    drop(script);
    let (second, script) = tokio::join!(moves(&mut events), Script::welcome(&mut at_a));
    assert_eq!(second, ("a".into(), Duration::from_secs(1)));
    // This one does.
    tokio::time::advance(Duration::from_secs(10)).await;
    drop(script);
    let (third, _script) = tokio::join!(moves(&mut events), Script::welcome(&mut at_b));
    assert_eq!(third, ("b".into(), Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_router_that_failed_comes_after_the_others_until_that_is_forgotten() {
    let places = ["a", "b", "c"].map(Place::new);
    let mut listeners = places.each_ref().map(Place::listen);
    let endpoints = Endpoints::new(places).memory(Duration::from_secs(60));
    let (peer, mut script) = joined_at_first(endpoints, &mut listeners[0]).await;
    let mut events = peer.events();
    for (seconds, next) in [
        (20, 1),
        // Of those that did not fail.
        (20, 2),
        // All did: the one that did so first.
        (20, 0),
        (20, 1),
        // Forgotten, so that the order counts again; by its failure it would be the last one's turn.
        (61, 0),
    ] {
        tokio::time::advance(Duration::from_secs(seconds)).await;
        drop(script);
        let moved;
        (moved, script) = tokio::join!(moves(&mut events), Script::welcome(&mut listeners[next]));
        assert_eq!(moved, (["a", "b", "c"][next].into(), Duration::ZERO));
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_policy_each_router_is_tried_once() {
    let [a, b] = places();
    let (mut at_a, mut at_b) = (a.listen(), b.listen());
    let connect = builder().connect(Endpoints::new([a, b]));
    let (peer, script) = tokio::join!(connect, Script::welcome(&mut at_a));
    let peer = peer.unwrap();
    let mut events = peer.events();
    drop(script);
    let (_, script) = tokio::join!(moves(&mut events), Script::welcome(&mut at_b));
    drop(script);
    assert!(matches!(peer.closed().await, CloseReason::Transport(_)));
}

#[tokio::test(start_paused = true)]
async fn the_state_tells_which_router_is_tried_and_joined() {
    let [a, b] = places();
    let mut at_b = b.listen();
    let (peer, supervisor) = builder().build(Endpoints::new([a, b])).unwrap();
    let mut state = peer.state();
    tokio::spawn(supervisor.run());
    let tries = |name: &'static str| move |state: &PeerState| matches!(state, PeerState::Connecting { endpoint: Some(endpoint), .. } if **endpoint == *name);
    let script = Script::accept(&mut at_b);
    let (tried, mut script) = tokio::join!(state.wait_for(tries("b")), script);
    drop(tried.unwrap());
    script.send(crate::support::WELCOME).await;
    assert_eq!(peer.joined().await.unwrap().endpoint(), Some("b"));
}

#[tokio::test(start_paused = true)]
async fn routers_can_be_named_anew_for_each_round() {
    let [a, b] = places();
    let (mut at_a, mut at_b) = (a.listen(), b.listen());
    let mut known = [
        Ok(vec![a]),
        Err(ConnectError::Closed),
        Ok(Vec::new()),
        Ok(vec![b]),
    ]
    .into_iter();
    let endpoints = Endpoints::resolve(move || {
        let named = known.next().unwrap();
        async { named }
    });
    let (peer, script) = joined_at_first(endpoints, &mut at_a).await;
    let mut events = peer.events();
    drop((script, at_a));
    // Two rounds at the router that was known last, then at the new one.
    let (moved, _script) = tokio::join!(moves(&mut events), Script::welcome(&mut at_b));
    assert_eq!(moved, ("b".into(), Duration::from_secs(3)));
}

#[tokio::test]
async fn a_directory_that_knows_no_router_is_a_failure_to_connect() {
    let none = Endpoints::<Place>::resolve(|| async { Ok(Vec::new()) });
    let error = builder().connect(none).await.unwrap_err();
    assert!(matches!(error, JoinError::Connect(_)), "{error}");
    let none = Endpoints::<Place>::new([]);
    let error = builder().connect(none).await.unwrap_err();
    assert!(matches!(error, JoinError::Init(_)), "{error}");
}

#[tokio::test]
async fn many_peers_spread_over_routers_that_are_shuffled() {
    let [a, b] = places();
    for _ in 0..100 {
        let endpoints = Endpoints::new([a.clone(), b.clone()]).shuffle();
        builder().connect(endpoints).await.unwrap_err();
        assert_eq!(a.dialled(), b.dialled(), "each is tried once a round");
    }
    let mut first = [0, 0];
    for _ in 0..100 {
        let (mut at_a, mut at_b) = (a.listen(), b.listen());
        let endpoints = Endpoints::new([a.clone(), b.clone()]).shuffle();
        let connect = builder().connect(endpoints);
        tokio::select! {
            _ = connect => panic!("nobody welcomes it"),
            _ = Script::accept(&mut at_a) => first[0] += 1,
            _ = Script::accept(&mut at_b) => first[1] += 1,
        }
    }
    assert!(first.iter().all(|times| *times > 10), "{first:?}");
}
