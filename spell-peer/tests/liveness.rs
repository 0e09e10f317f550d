//! The peer against routers that fall silent, over the real transports, in a time that is made up.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::{ops::ControlFlow, time::Duration};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt, future::poll_immediate};
use spell_message::{
    Format, Message, Payload, RoleFeatures, RoleName, Uri,
    message::{Hello, Publish},
    options::{HelloDetails, PublishOptions},
};
use spell_peer::{
    CloseReason, Commands, Context, Peer, PeerBuilder, Role, RoundTripTime, SessionInfo,
};
use spell_serializer::{Json, PayloadBuilder};
use spell_transport::{
    ConnectError, KeepAlive, LifeSign, Serialization, Transport, connector_fn,
    rawsocket::{RawSocket, RawSocketConfig},
    websocket::{WebSocket, WebSocketConfig, WebSocketRequest},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    sync::{mpsc, oneshot},
    time::{Instant, advance, interval, sleep, timeout},
};

/// Says HELLO, joins at WELCOME, and publishes.
#[derive(Debug, Default)]
struct Client {
    /// What came in besides.
    observed: Vec<String>,
}

enum Ask {
    /// So many bytes.
    Publish(usize),
    Observed(oneshot::Sender<Vec<String>>),
}

#[derive(Clone, Debug)]
struct Handle(Commands<Ask>);

impl Handle {
    /// `false` once the peer has ended.
    async fn publish(&self, size: usize) -> bool {
        self.0.send(Ask::Publish(size)).await.is_ok()
    }

    async fn observed(&self) -> Vec<String> {
        let (reply, wait) = oneshot::channel();
        self.0.send(Ask::Observed(reply)).await.unwrap();
        wait.await.unwrap()
    }
}

impl Role for Client {
    type Command = Ask;
    type Handle = Handle;

    fn handle(commands: Commands<Ask>) -> Handle {
        Handle(commands)
    }

    fn on_open(&mut self, cx: &mut Context<'_, Ask>) {
        let mut details = HelloDetails::new();
        let mut roles = RoleFeatures::new();
        roles.add(RoleName::Publisher, []);
        details.set_roles(roles);
        let realm = Uri::new("realm1").unwrap();
        cx.send(Hello { realm, details }).unwrap();
    }

    fn on_message(
        &mut self,
        message: Message,
        cx: &mut Context<'_, Ask>,
    ) -> ControlFlow<(), Message> {
        match message {
            Message::Welcome(welcome) => {
                let realm = Uri::new("realm1").unwrap();
                cx.join(SessionInfo::new(welcome.session, realm, welcome.details));
            }
            other => self.observed.push(other.name().to_owned()),
        }
        ControlFlow::Break(())
    }

    fn handle_call(&mut self, command: Ask, cx: &mut Context<'_, Ask>) {
        match command {
            Ask::Publish(size) => {
                let arguments = PayloadBuilder::new(Format::Json).arg(&"x".repeat(size));
                let payload: Payload = arguments.finish().unwrap();
                // Without a session there is none to publish in.
                _ = cx.request(|request| {
                    Message::Publish(Publish {
                        request,
                        options: PublishOptions::new(),
                        topic: Uri::new("com.example.topic").unwrap(),
                        payload,
                    })
                });
            }
            Ask::Observed(reply) => reply.send(self.observed.clone()).unwrap(),
        }
    }
}

const WELCOME: &str = r#"[2,7,{"agent":"{agent}","roles":{"broker":{}}}]"#;

fn welcome(agent: &str) -> Bytes {
    WELCOME.replace("{agent}", agent).into()
}

fn builder() -> PeerBuilder<(Client,)> {
    PeerBuilder::new(Client::default()).serializers([Json::default().into()])
}

/// A peer, and the other end of its WebSocket, which has welcomed it; `room` bytes are under way at
/// most.
async fn by_websocket(
    builder: PeerBuilder<(Client,)>,
    room: usize,
) -> (Peer<(Client,)>, WebSocket<DuplexStream>) {
    let (near, far) = duplex(room);
    let mut near = Some(near);
    let connector = connector_fn(move |offers| {
        let near = near.take();
        async move {
            let near = near.ok_or(ConnectError::Closed)?;
            let request = WebSocketRequest::new("ws://router.example/").unwrap();
            WebSocket::client(near, request, &offers, WebSocketConfig::new()).await
        }
    });
    let router = async {
        let offers = [Serialization::JSON];
        let router = WebSocket::server(far, &offers, WebSocketConfig::new()).await;
        let mut router = router.unwrap();
        router.next().await.unwrap().unwrap();
        router.send(welcome("other")).await.unwrap();
        router
    };
    let (peer, router) = tokio::join!(builder.connect(connector), router);
    (peer.unwrap(), router)
}

/// A peer, and the octets at the other end of its RawSocket, where it was welcomed.
async fn by_rawsocket(agent: &'static str) -> (Peer<(Client,)>, DuplexStream) {
    let (near, mut far) = duplex(1 << 12);
    let mut near = Some(near);
    let connector = connector_fn(move |offers: Vec<Serialization>| {
        let near = near.take();
        async move {
            let near = near.ok_or(ConnectError::Closed)?;
            let config = RawSocketConfig::new();
            RawSocket::client(near, *offers.first().unwrap(), config).await
        }
    });
    let router = async {
        let mut request = [0; 4];
        far.read_exact(&mut request).await.unwrap();
        far.write_all(&[0x7f, 0xf1, 0, 0]).await.unwrap();
        let (kind, _hello) = frame(&mut far).await;
        assert_eq!(kind, 0);
        answer(&mut far, 0, &welcome(agent)).await;
        far
    };
    let (peer, router) = tokio::join!(builder().connect(connector), router);
    (peer.unwrap(), router)
}

/// The type and the payload of the next RawSocket frame.
async fn frame(io: &mut DuplexStream) -> (u8, Vec<u8>) {
    let prefix = io.read_u32().await.unwrap();
    let mut payload = vec![0; usize::try_from(prefix & 0x00ff_ffff).unwrap()];
    io.read_exact(&mut payload).await.unwrap();
    (u8::try_from(prefix >> 24).unwrap(), payload)
}

async fn answer(io: &mut DuplexStream, kind: u8, payload: &[u8]) {
    let length = u32::try_from(payload.len()).unwrap();
    io.write_u32((u32::from(kind) << 24) | length)
        .await
        .unwrap();
    io.write_all(payload).await.unwrap();
}

/// How long the peer still lived, in seconds; it must have been given up for silence.
async fn given_up(peer: &Peer<(Client,)>, since: Instant) -> u64 {
    let reason = peer.closed().await;
    let CloseReason::Unresponsive { silent_for, .. } = reason else {
        panic!("ended for another reason: {reason}");
    };
    assert_eq!(silent_for.as_secs(), since.elapsed().as_secs());
    since.elapsed().as_secs()
}

async fn measured(peer: &Peer<(Client,)>) -> RoundTripTime {
    let mut time = peer.round_trip_time();
    time.wait_for(Option::is_some).await.unwrap().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_router_that_falls_silent_is_given_up_after_a_minute() {
    let (peer, _router) = by_websocket(builder(), 1 << 16).await;
    assert_eq!(given_up(&peer, Instant::now()).await, 60);
}

#[tokio::test(start_paused = true)]
async fn a_router_that_falls_silent_is_given_up_while_the_peer_publishes() {
    // Room for all that is published, and room for hardly anything: the writer is stuck.
    for room in [1 << 24, 1 << 10] {
        let (peer, _router) = by_websocket(builder(), room).await;
        let handle = peer.role::<Client, _>().clone();
        let publishing = tokio::spawn(async move {
            let mut often = interval(Duration::from_secs(2));
            while handle.publish(10_000).await {
                often.tick().await;
            }
        });
        assert_eq!(given_up(&peer, Instant::now()).await, 60, "room {room}");
        publishing.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_router_is_given_up_while_commands_wait_for_it_to_read() {
    let (peer, _router) = by_websocket(
        builder().configure(|config| {
            config.outbox_soft_limit = 1;
        }),
        1 << 10,
    )
    .await;
    let since = Instant::now();
    let handle = peer.role::<Client, _>().clone();
    let publishing = tokio::spawn(async move { while handle.publish(10_000).await {} });
    assert_eq!(given_up(&peer, since).await, 60);
    publishing.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_publications_does_not_keep_pings_back() {
    let (peer, mut router) = by_rawsocket("spell-router/0.1.0").await;
    // It reads all, and says nothing.
    let (ping, mut pings) = mpsc::unbounded_channel();
    let reading = tokio::spawn(async move {
        loop {
            if frame(&mut router).await.0 == 1 {
                ping.send(()).unwrap();
            }
        }
    });
    let handle = peer.role::<Client, _>().clone();
    let publishing = tokio::spawn(async move { while handle.publish(1).await {} });
    // Time stands still meanwhile, as there is always something to do.
    for _ in 0..2 {
        advance(Duration::from_secs(20)).await;
        pings.recv().await.unwrap();
    }
    advance(Duration::from_secs(20)).await;
    let reason = peer.closed().await;
    assert!(matches!(reason, CloseReason::Unresponsive { .. }));
    publishing.await.unwrap();
    reading.abort();
}

#[tokio::test(start_paused = true)]
async fn a_router_may_be_given_up_within_two_seconds() {
    let builder = builder().keep_alive(KeepAlive::within(Duration::from_secs(2)));
    let (peer, _router) = by_websocket(builder, 1 << 16).await;
    let ended = timeout(Duration::from_secs(2), peer.closed());
    assert!(matches!(
        ended.await.unwrap(),
        CloseReason::Unresponsive { .. }
    ));
}

#[tokio::test(start_paused = true)]
async fn the_end_does_not_wait_for_a_router_that_does_not_read() {
    let builder = builder().configure(|config| config.close_timeout = Duration::from_secs(900));
    let (near, mut router) = by_websocket(builder, 1 << 10).await;
    let handle = near.role::<Client, _>().clone();
    assert!(handle.publish(100_000).await);
    near.closed().await;
    let since = Instant::now();
    // What was written is still there, and then nothing: no close frame.
    assert!(router.next().await.unwrap().is_err());
    assert_eq!(since.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_router_that_answers_lives_and_its_distance_is_known() {
    let (peer, mut router) = by_websocket(builder(), 1 << 16).await;
    assert_eq!(*peer.round_trip_time().borrow(), None);
    // Its transport answers pings while it is read.
    let reading = tokio::spawn(async move { router.next().await });
    let hour = timeout(Duration::from_secs(3600), peer.closed());
    assert!(hour.await.is_err(), "the peer gave a living router up");
    assert_eq!(measured(&peer).await.last(), Duration::ZERO);
    reading.abort();
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_only_receives_sends_no_pings() {
    let (peer, mut router) = by_websocket(builder(), 1 << 16).await;
    // What came with the handshake and HELLO.
    assert_eq!(router.life_sign(), LifeSign::Heard);
    for _ in 0..100 {
        sleep(Duration::from_secs(15)).await;
        let event = Bytes::from_static(b"[36,7,8,{}]");
        router.send(event).await.unwrap();
        assert!(poll_immediate(router.next()).await.is_none());
        assert_eq!(router.life_sign(), LifeSign::None);
    }
    assert_eq!(peer.role::<Client, _>().observed().await.len(), 100);
}

#[tokio::test(start_paused = true)]
async fn a_rawsocket_router_that_is_not_known_is_never_pinged() {
    let (peer, mut router) = by_rawsocket("Crossbar.io/26.10.1").await;
    let handle = peer.role::<Client, _>().clone();
    let router = tokio::spawn(async move {
        for id in [1, 3, 4] {
            let (kind, payload) = frame(&mut router).await;
            assert_eq!(kind, 0, "a PING");
            let text = String::from_utf8(payload).unwrap();
            if id == 3 {
                assert!(text.starts_with("[16,2,"), "{text}");
                let (kind, payload) = frame(&mut router).await;
                assert_eq!((kind, payload), (0, question(3)));
            } else {
                assert_eq!(text.into_bytes(), question(id));
            }
            sleep(Duration::from_secs(2)).await;
            let refusal = format!(r#"[8,34,{id},{{}},"wamp.error.no_such_subscription"]"#);
            answer(&mut router, 0, refusal.as_bytes()).await;
        }
        router
    });
    let time = measured(&peer).await;
    assert_eq!(time.last(), Duration::from_secs(2));
    assert!(handle.publish(1).await);
    let _router = router.await.unwrap();
    assert_eq!(handle.observed().await, [""; 0], "shown to a role");
    given_up(&peer, Instant::now()).await;
}

fn question(id: u64) -> Vec<u8> {
    format!("[34,{id},9007199254740992]").into_bytes()
}

#[tokio::test(start_paused = true)]
async fn a_rawsocket_router_of_ours_is_pinged() {
    let (peer, mut router) = by_rawsocket("spell-router/0.1.0").await;
    let (kind, payload) = frame(&mut router).await;
    assert_eq!(kind, 1);
    answer(&mut router, 2, &payload).await;
    let time = measured(&peer).await;
    assert_eq!(time.last(), Duration::ZERO);
    // It answers no more.
    let since = Instant::now();
    let reason = peer.closed().await;
    assert!(matches!(reason, CloseReason::Unresponsive { .. }));
    assert!(since.elapsed() <= Duration::from_secs(60));
}
