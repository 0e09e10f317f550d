//! How a connection is driven.

use std::{
    future::poll_fn,
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
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use spell_peer::{Backoff, CloseReason, Delivery, JoinError, Peer, PeerBuilder, PeerState};
use spell_serializer::{AnySerializer, Json, MsgPack};
use spell_transport::{Adapter, Serialization, TransportInfo, memory::MemoryTransport};
use tokio::sync::{mpsc, oneshot};

use crate::support::{
    Ask, CALL_1, CALL_2, Client, Reading, Script, WELCOME, builder, handle, joined, listener,
};

#[tokio::test]
async fn connecting_joins_and_calls_come_back() {
    let (peer, mut script, _listener) = joined(builder()).await;
    assert_eq!(peer.session().unwrap().id().get(), 7);
    let call = tokio::spawn({
        let handle = handle(&peer);
        async move { handle.call().await.unwrap() }
    });
    script.expect(CALL_1).await;
    script.send("[50,1,{}]").await;
    call.await.unwrap();
}

#[tokio::test]
async fn whatever_is_pending_ends_with_the_cause_when_the_connection_does() {
    let (peer, mut script, _listener) = joined(builder()).await;
    let call = tokio::spawn({
        let handle = handle(&peer);
        async move { handle.call().await }
    });
    script.expect(CALL_1).await;
    drop(script);
    let (reason, delivery) = call.await.unwrap().unwrap_err();
    assert!(matches!(reason, CloseReason::Transport(_)), "{reason:?}");
    assert_eq!(delivery, Delivery::OutcomeUnknown);
    peer.closed().await;
    let (_, delivery) = handle(&peer).call().await.unwrap_err();
    assert_eq!(delivery, Delivery::NotSent);
}

#[tokio::test(start_paused = true)]
async fn handles_outlive_a_connection_and_ids_begin_anew() {
    let policy = Backoff::constant(Duration::from_secs(1));
    let (peer, mut script, mut listener) = joined(builder().retry(policy)).await;
    let handle = handle(&peer);
    let (call, ()) = tokio::join!(handle.call(), async {
        script.expect(CALL_1).await;
        drop(script);
    });
    assert!(call.is_err());
    let mut state = peer.state();
    let waiting = state.wait_for(|state| matches!(state, PeerState::Waiting { .. }));
    waiting.await.unwrap();
    assert_eq!(handle.call().await.unwrap_err().1, Delivery::NotSent);

    let mut script = Script::welcome(&mut listener).await;
    peer.joined().await.unwrap();
    let (call, ()) = tokio::join!(handle.call(), async {
        script.expect(CALL_1).await;
        script.send("[50,1,{}]").await;
    });
    call.unwrap();
}

#[tokio::test(start_paused = true)]
async fn one_timeout_covers_dialling_and_joining() {
    let (connector, mut listener) = listener();
    let begun = tokio::time::Instant::now();
    let connect = builder()
        .join_timeout(Duration::from_secs(3))
        .connect(connector);
    let (joined, mut script) = tokio::join!(connect, Script::accept(&mut listener));
    assert!(matches!(joined, Err(JoinError::Timeout(_))), "{joined:?}");
    assert_eq!(begun.elapsed().as_secs(), 3);
    script.expect(r#"[1,"realm1",{"roles":{}}]"#).await;
}

#[tokio::test(start_paused = true)]
async fn dialling_that_never_ends_times_out() {
    let connector = spell_transport::connector_fn(|_: Vec<Serialization>| {
        std::future::pending::<Result<MemoryTransport, _>>()
    });
    let joined = builder().connect(connector).await;
    assert!(matches!(joined, Err(JoinError::Timeout(_))), "{joined:?}");
}

#[tokio::test]
async fn a_refused_session_tells_why() {
    let (connector, mut listener) = listener();
    let (joined, ()) = tokio::join!(builder().connect(connector), async {
        let mut script = Script::accept(&mut listener).await;
        script.send(r#"[3,{},"wamp.error.no_such_realm"]"#).await;
    });
    let Err(JoinError::Refused(abort)) = joined else {
        panic!("{joined:?}")
    };
    assert_eq!(abort.reason, "wamp.error.no_such_realm");
}

#[tokio::test]
async fn an_attempt_that_is_dropped_leaves_nothing_behind() {
    let (connector, mut listener) = listener();
    let mut connect = Box::pin(builder().connect(connector));
    let mut script = tokio::select! {
        _ = &mut connect => panic!("joined without a WELCOME"),
        script = Script::accept(&mut listener) => script,
    };
    script.expect(r#"[1,"realm1",{"roles":{}}]"#).await;
    drop(connect);
    script.expect(r#"[6,{},"wamp.close.close_realm"]"#).await;
    script.expect_end().await;
}

#[tokio::test]
async fn dropping_the_last_handle_says_goodbye() {
    let (peer, mut script, _listener) = joined(builder()).await;
    let handle = handle(&peer);
    drop(peer);
    let (call, ()) = tokio::join!(handle.call(), async {
        script.expect(CALL_1).await;
        script.send("[50,1,{}]").await;
    });
    call.unwrap();
    drop(handle);
    script.expect(r#"[6,{},"wamp.close.close_realm"]"#).await;
    script.expect_end().await;
}

#[tokio::test]
async fn what_the_last_handle_asked_for_is_done_before_the_goodbye() {
    let (peer, mut script, _listener) = joined(builder()).await;
    let handle = handle(&peer);
    drop(peer);
    for _ in 0..2 {
        let (reply, _) = oneshot::channel();
        handle.0.send(Ask::Call(reply)).await.unwrap();
    }
    drop(handle);
    script.expect(CALL_1).await;
    script.expect(CALL_2).await;
    script.expect(r#"[6,{},"wamp.close.close_realm"]"#).await;
}

#[tokio::test]
async fn stopping_ends_what_is_pending_and_says_goodbye() {
    let (peer, mut script, _listener) = joined(builder()).await;
    let handle = handle(&peer);
    let (call, ()) = tokio::join!(handle.call(), async {
        script.expect(CALL_1).await;
        peer.stop();
    });
    assert!(matches!(call.unwrap_err().0, CloseReason::Stopped));
    script.expect(r#"[6,{},"wamp.close.close_realm"]"#).await;
    script.expect_end().await;
    assert!(matches!(peer.closed().await, CloseReason::Stopped));
}

#[tokio::test]
async fn a_panic_of_a_task_closes_the_peer() {
    let (peer, _script, _listener) = joined(builder()).await;
    handle(&peer).0.send(Ask::Panic).await.unwrap();
    assert!(matches!(peer.closed().await, CloseReason::Panicked));
}

#[tokio::test]
async fn what_the_router_said_last_is_heard_though_writing_fails() {
    let (peer, mut script, _listener) = joined(builder()).await;
    script.send(r#"[3,{},"wamp.error.not_authorized"]"#).await;
    script.0.close().await.unwrap();
    let (reason, _) = handle(&peer).call().await.unwrap_err();
    assert_eq!(
        reason.uri(),
        Some("wamp.error.not_authorized"),
        "{reason:?}"
    );
}

#[tokio::test]
async fn while_the_router_does_not_read_commands_wait_and_reading_goes_on() {
    let small = |config: &mut spell_peer::PeerConfig| {
        config.outbox_soft_limit = 1;
        config.command_capacity = 1;
    };
    let (peer, mut script, _listener) = joined(builder().configure(small)).await;
    // Enough calls to fill the transport, the outbox and the channel.
    let calls: Vec<_> = (0..2000)
        .map(|_| {
            let handle = handle(&peer);
            tokio::spawn(async move { handle.call().await })
        })
        .collect();
    script.expect(CALL_1).await;
    // The router reads no more, but it answers, and that is heard.
    script.send("[50,1,{}]").await;
    let mut done = futures_util::stream::FuturesUnordered::from_iter(calls);
    done.next().await.unwrap().unwrap().unwrap();
    assert_eq!(done.len(), 1999);
    // It reads again: ids have no gap.
    for id in 2..=2000 {
        script
            .expect(&format!(r#"[48,{id},{{}},"com.example.echo"]"#))
            .await;
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_loss_the_serializer_in_force_is_offered_first() {
    let offers = Arc::new(Mutex::new(Vec::new()));
    let (dial, mut listener) = listener();
    let connector = spell_transport::connector_fn({
        let offers = offers.clone();
        move |offered: Vec<Serialization>| {
            offers.lock().unwrap().push(offered.clone());
            let mut dial = dial.clone();
            async move { spell_transport::Connector::connect(&mut dial, &offered).await }
        }
    });
    let builder = PeerBuilder::new(Client::default())
        .serializers([
            AnySerializer::from(MsgPack::default()),
            Json::default().into(),
        ])
        .retry(Backoff::constant(Duration::from_secs(1)));
    let (peer, script) = tokio::join!(builder.connect(connector), Script::welcome(&mut listener));
    let peer = peer.unwrap();
    drop(script);
    let _script = Script::welcome(&mut listener).await;
    peer.joined().await.unwrap();
    let (json, msgpack) = (Serialization::JSON, Serialization::MSGPACK);
    assert_eq!(*offers.lock().unwrap(), [[msgpack, json], [json, msgpack]]);
}

#[tokio::test]
async fn commands_of_dropped_futures_spend_no_id() {
    let (peer, mut script, _listener) = joined(builder()).await;
    let handle = handle(&peer);
    let (first, ()) = tokio::join!(handle.call(), async {
        script.expect(CALL_1).await;
        script.send("[50,1,{}]").await;
    });
    first.unwrap();
    handle.0.send(Ask::Spawned).await.unwrap();
    let (second, ()) = tokio::join!(handle.call(), async {
        script.expect(CALL_2).await;
        script.send("[50,2,{}]").await;
    });
    second.unwrap();
}

/// The end of a router that welcomes and then sends one event without a pause.
struct Flood {
    welcomed: bool,
    event: Bytes,
    read: Arc<AtomicUsize>,
    sent: mpsc::UnboundedSender<Bytes>,
}

impl Stream for Flood {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut task::Context<'_>) -> Poll<Option<Self::Item>> {
        if !std::mem::replace(&mut self.welcomed, true) {
            return Poll::Ready(Some(Ok(Bytes::from(WELCOME))));
        }
        self.read.fetch_add(1, Ordering::Relaxed);
        Poll::Ready(Some(Ok(self.event.clone())))
    }
}

impl Sink<Bytes> for Flood {
    type Error = io::Error;

    fn poll_ready(self: Pin<&mut Self>, _: &mut task::Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn start_send(self: Pin<&mut Self>, frame: Bytes) -> io::Result<()> {
        self.sent.send(frame).map_err(io::Error::other)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut task::Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut task::Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// A peer whose router floods it with this event, how many of them were read, and what the peer sent.
async fn flooded(
    event: Bytes,
) -> (
    Peer<(Client,)>,
    Arc<AtomicUsize>,
    mpsc::UnboundedReceiver<Bytes>,
) {
    let (sent, frames) = mpsc::unbounded_channel();
    let read = Arc::new(AtomicUsize::new(0));
    let count = read.clone();
    let connector = spell_transport::connector_fn(move |_| {
        let flood = Flood {
            welcomed: false,
            event: event.clone(),
            read: count.clone(),
            sent: sent.clone(),
        };
        async { Ok(Adapter::new(flood, TransportInfo::new(Serialization::JSON))) }
    });
    let peer = builder().connect(connector).await.unwrap();
    (peer, read, frames)
}

#[tokio::test(start_paused = true)]
async fn commands_that_waited_for_the_wire_are_taken_once_it_takes_frames_again() {
    let reading = Reading::default();
    let small = |config: &mut spell_peer::PeerConfig| config.outbox_soft_limit = 1;
    let connecting = builder().configure(small).connect(reading.connector());
    let peer = connecting.await.unwrap();
    for _ in 0..3 {
        let handle = handle(&peer);
        tokio::spawn(async move { handle.call().await });
    }
    // The first call fills the outbox, the others wait in the queue.
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(reading.frames(), 1);
    reading.go_on();
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(reading.frames(), 4, "nothing else would wake the driver");
}

#[tokio::test]
async fn a_router_that_sends_without_pause_does_not_keep_commands_from_being_taken() {
    let (peer, _read, mut frames) = flooded(Bytes::from("[36,1,1,{}]")).await;
    let handle = handle(&peer);
    let call = async { while frames.recv().await.unwrap() != CALL_1 {} };
    tokio::select! {
        _ = handle.call() => panic!("nobody answers it"),
        sent = tokio::time::timeout(Duration::from_secs(10), call) => sent.unwrap(),
    }
}

#[tokio::test]
async fn other_tasks_have_their_turn_after_64_kib_of_messages() {
    let event = format!("[36,1,1,{{}},[\"{}\"]]", "x".repeat(20_000));
    let (_peer, read, _frames) = flooded(Bytes::from(event)).await;
    // It is woken at once, as the peer is, so that each has its turn after the other.
    let most = tokio::spawn(async move {
        let mut turns = 100;
        let (mut before, mut most) = (read.load(Ordering::Relaxed), 0);
        poll_fn(move |cx| {
            let now = read.load(Ordering::Relaxed);
            most = most.max(now - before);
            before = now;
            turns -= 1;
            if turns == 0 {
                return Poll::Ready(most);
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await
    });
    assert_eq!(most.await.unwrap(), 4);
}

#[tokio::test]
async fn many_large_commands_at_once_wait_and_do_not_end_the_session() {
    let small = |config: &mut spell_peer::PeerConfig| {
        config.outbox_soft_limit = 2000;
        config.outbox_hard_limit = 8000;
    };
    let (peer, mut script, _listener) = joined(builder().configure(small)).await;
    let calls: Vec<_> = (0..50)
        .map(|_| {
            let handle = handle(&peer);
            tokio::spawn(async move {
                let (reply, wait) = oneshot::channel();
                handle.0.send(Ask::Large(1000, reply)).await.unwrap();
                wait.await.unwrap()
            })
        })
        .collect();
    for id in 1..=50 {
        let frame = script.0.next().await.unwrap().unwrap();
        assert!(frame.starts_with(format!("[48,{id},").as_bytes()));
        script
            .0
            .send(Bytes::from(format!("[50,{id},{{}}]")))
            .await
            .unwrap();
    }
    for call in calls {
        call.await.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn deadlines_pass_without_a_connection_too() {
    let connector = spell_transport::connector_fn(|_| async {
        std::future::pending::<Result<MemoryTransport, _>>().await
    });
    let (peer, supervisor) = builder()
        .join_timeout(Duration::from_secs(100))
        .build(connector)
        .unwrap();
    tokio::spawn(supervisor.run());
    let begin = tokio::time::Instant::now();
    let at = (begin + Duration::from_secs(1)).into_std();
    let (reply, woken) = oneshot::channel();
    handle(&peer).0.send(Ask::Wake(at, reply)).await.unwrap();
    woken.await.unwrap();
    assert!(begin.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn other_tasks_have_their_turn_among_commands_without_a_connection() {
    let connector = spell_transport::connector_fn(|_| async {
        std::future::pending::<Result<MemoryTransport, _>>().await
    });
    let (peer, supervisor) = builder().build(connector).unwrap();
    let commands = handle(&peer).0;
    let mut answers = Vec::new();
    for _ in 0..1000 {
        let (reply, answer) = oneshot::channel();
        commands.send(Ask::Call(reply)).await.unwrap();
        answers.push(answer);
    }
    tokio::spawn(supervisor.run());
    let answered = tokio::spawn(async move {
        let answered = |answer: &mut oneshot::Receiver<_>| answer.try_recv().is_ok();
        answers.iter_mut().map(answered).filter(|is| *is).count()
    });
    let answered = answered.await.unwrap();
    assert!((1..1000).contains(&answered), "{answered}");
}
