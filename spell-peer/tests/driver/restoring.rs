//! What roles want of every session, and when nothing is read.

use std::{
    collections::HashMap,
    io,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{self, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{Sink, Stream, StreamExt};
use spell_message::{Message, Pattern, message::Subscribe, options::SubscribeOptions};
use spell_peer::{
    Backoff, Commands, Context, Peer, PeerBuilder, PeerState, Probe, Role, SessionInfo,
};
use spell_transport::{
    Adapter, KeepAlive, Serialization, TransportInfo,
    memory::{MemoryConnector, MemoryListener},
};

use crate::support::{Client, Reading, Script, WELCOME, builder, listener};

/// Wants many topics in every session, and can make the reading pause.
#[derive(Debug, Default)]
struct Wanting {
    topics: usize,
    left: usize,
    /// Whether what is wanted can never be had, so that nothing is sent for it.
    is_futile: bool,
    is_paused: bool,
    clock: Clock,
}

/// How many topics were asked for between two turns of other tasks.
#[derive(Clone, Debug, Default)]
struct Clock {
    turn: Arc<AtomicUsize>,
    asked: Arc<Mutex<HashMap<usize, usize>>>,
}

/// Whether to pause.
struct Pause(bool);

impl Role for Wanting {
    type Command = Pause;
    type Handle = Commands<Pause>;

    fn handle(commands: Commands<Pause>) -> Commands<Pause> {
        commands
    }

    fn on_join(&mut self, _: &SessionInfo, _: &mut Context<'_, Pause>) {
        self.left = self.topics;
    }

    fn is_restoring(&self) -> bool {
        self.left > 0
    }

    fn restore(&mut self, cx: &mut Context<'_, Pause>) {
        let turn = self.clock.turn.load(Ordering::Relaxed);
        *self.clock.asked.lock().unwrap().entry(turn).or_default() += 1;
        self.left -= 1;
        if self.is_futile {
            return;
        }
        let topic = Pattern::exact("com.example.topic").unwrap();
        let options = SubscribeOptions::new();
        let subscribe = |request| {
            Message::Subscribe(Subscribe {
                request,
                options,
                topic,
            })
        };
        cx.request(subscribe).unwrap();
    }

    fn pauses_reading(&self) -> bool {
        self.is_paused
    }

    fn handle_call(&mut self, Pause(is_paused): Pause, _: &mut Context<'_, Pause>) {
        self.is_paused = is_paused;
    }
}

type Wanted = Peer<(Client, Wanting)>;

fn wanting(topics: usize) -> PeerBuilder<(Client, Wanting)> {
    builder().role(Wanting {
        topics,
        ..Wanting::default()
    })
}

/// A peer that runs, and where it dials.
fn running(builder: PeerBuilder<(Client, Wanting)>) -> (Wanted, MemoryListener) {
    let (connector, listener): (MemoryConnector, _) = listener();
    let (peer, supervisor) = builder.build(connector).unwrap();
    tokio::spawn(supervisor.run());
    (peer, listener)
}

fn subscribe(request: usize) -> String {
    format!(r#"[32,{request},{{}},"com.example.topic"]"#)
}

/// Let all tasks go on as far as they can.
async fn settle() {
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_is_wanted_is_asked_for_before_the_user_hears_of_a_session_and_asks_for_more() {
    const TOPICS: usize = 10_000;
    let retry = Backoff::constant(Duration::ZERO);
    let (peer, mut listener) = running(wanting(TOPICS).retry(retry));
    for session in 1..=2 {
        let mut script = Script::welcome(&mut listener).await;
        // The router does not read, and the transport takes only so much.
        settle().await;
        let state = peer.state();
        assert!(!state.borrow().is_joined(), "in session {session}");
        let handle = peer.role::<Client, _>().clone();
        let call = tokio::spawn(async move { handle.call().await });
        for request in 1..=TOPICS {
            script.expect(&subscribe(request)).await;
        }
        script.expect(r#"[48,10001,{},"com.example.echo"]"#).await;
        script.send("[50,10001,{}]").await;
        call.await.unwrap().unwrap();
        assert!(peer.state().borrow().is_joined());
        drop(script);
        let mut state = peer.state();
        state
            .wait_for(|state| !matches!(state, PeerState::Joined(_)))
            .await
            .unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn commands_are_taken_once_nothing_is_wanted_any_more_though_nothing_was_sent_for_it() {
    let reading = Reading::default();
    let role = Wanting {
        topics: 1,
        is_futile: true,
        ..Wanting::default()
    };
    let (peer, supervisor) = builder().role(role).build(reading.connector()).unwrap();
    tokio::spawn(supervisor.run());
    tokio::time::sleep(Duration::from_millis(1)).await;
    let handle = peer.role::<Client, _>().clone();
    tokio::spawn(async move { handle.call().await });
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(reading.frames(), 1);
    reading.go_on();
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(reading.frames(), 2, "nothing else would wake the driver");
}

/// The end of a router that welcomes, and then only reads, however much it is.
struct Glutton {
    welcomed: bool,
    frames: usize,
}

impl Stream for Glutton {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut task::Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::replace(&mut self.welcomed, true) {
            return Poll::Pending;
        }
        Poll::Ready(Some(Ok(Bytes::from(WELCOME))))
    }
}

impl Sink<Bytes> for Glutton {
    type Error = io::Error;

    fn poll_ready(self: Pin<&mut Self>, _: &mut task::Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn start_send(mut self: Pin<&mut Self>, _: Bytes) -> io::Result<()> {
        self.frames += 1;
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut task::Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut task::Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn much_that_is_wanted_is_spread_over_the_turns_of_other_tasks() {
    let clock = Clock::default();
    let connector = spell_transport::connector_fn(|_| async {
        let glutton = Glutton {
            welcomed: false,
            frames: 0,
        };
        Ok(Adapter::new(
            glutton,
            TransportInfo::new(Serialization::JSON),
        ))
    });
    let role = Wanting {
        topics: 10_000,
        clock: clock.clone(),
        ..Wanting::default()
    };
    let turn = clock.turn.clone();
    let other = tokio::spawn(std::future::poll_fn(move |cx| {
        turn.fetch_add(1, Ordering::Relaxed);
        cx.waker().wake_by_ref();
        Poll::<()>::Pending
    }));
    let _peer = builder().role(role).connect(connector).await.unwrap();
    other.abort();
    let asked = clock.asked.lock().unwrap();
    assert_eq!(asked.values().sum::<usize>(), 10_000);
    let most = asked.values().max().unwrap();
    assert!(*most <= 512, "{most} in a row");
}

#[tokio::test]
async fn while_reading_pauses_the_peer_goes_on_to_send() {
    let (peer, mut listener) = running(wanting(0));
    let mut script = Script::welcome(&mut listener).await;
    peer.joined().await.unwrap();
    let pause = peer.role::<Wanting, _>().clone();
    pause.send(Pause(true)).await.unwrap();
    settle().await;
    let handle = peer.role::<Client, _>().clone();
    let call = tokio::spawn(async move { handle.call().await });
    script.expect(r#"[48,1,{},"com.example.echo"]"#).await;
    script.send("[50,1,{}]").await;
    settle().await;
    assert!(!call.is_finished(), "the result was read");
    pause.release(Pause(false));
    call.await.unwrap().unwrap();
    // A stop needs no reading.
    pause.send(Pause(true)).await.unwrap();
    settle().await;
    peer.stop();
    assert!(script.0.next().await.unwrap().unwrap().starts_with(b"[6,"));
    peer.closed().await;
}

#[tokio::test(start_paused = true)]
async fn a_router_that_is_not_read_is_not_taken_for_dead() {
    for is_paused in [true, false] {
        let watched = wanting(0)
            .keep_alive(KeepAlive::within(Duration::from_secs(2)))
            .configure(|config| config.probe = Probe::RoundTrip);
        let (peer, mut listener) = running(watched);
        let _script = Script::welcome(&mut listener).await;
        peer.joined().await.unwrap();
        let pause = peer.role::<Wanting, _>().clone();
        pause.send(Pause(is_paused)).await.unwrap();
        tokio::time::sleep(Duration::from_secs(600)).await;
        assert_eq!(peer.state().borrow().is_joined(), is_paused);
    }
}
