use std::{
    future::poll_fn,
    time::{Duration, Instant},
};

use bytes::Bytes;
use spell_message::{
    Message, Payload, RequestId, Uri,
    message::{Call, Cancel, Kind},
    options::{CallOptions, CancelOptions},
};
use spell_peer::{CloseReason, Commands, Engine, Inbox, PeerBuilder, PeerConfig, Role, SendError};
use spell_serializer::{AnySerializer, Json};
use spell_transport::{Serialization, memory};
use tokio::task::JoinHandle;

use super::*;
use crate::Session;

type Roles = (Session, Tap);

struct Bench {
    engine: Engine<Roles>,
    inbox: Inbox<<Roles as Role>::Command>,
    handle: TapHandle,
    now: Instant,
}

const WELCOME: &str = r#"[2,7,{"roles":{"broker":{},"dealer":{}}}]"#;
const SECOND: Duration = Duration::from_secs(1);

impl Bench {
    fn open(tap: Tap) -> Self {
        let config = PeerConfig::default();
        let (commands, inbox) = Commands::channel(&config);
        let (_, handle) = Roles::handle(commands);
        let mut engine = Engine::new((Session::new("realm1"), tap), config).unwrap();
        let now = Instant::now();
        engine.open(AnySerializer::from(Json::default()), None, now);
        engine.poll_transmit().unwrap();
        Self {
            engine,
            inbox,
            handle,
            now,
        }
    }

    fn joined(tap: Tap) -> Self {
        let mut bench = Self::open(tap);
        bench.receive(WELCOME);
        assert!(bench.engine.session().is_some());
        bench
    }

    fn receive(&mut self, frame: &str) {
        let frame = Bytes::copy_from_slice(frame.as_bytes());
        self.engine.handle_frame(&frame, self.now);
    }

    fn sent(&mut self) -> Vec<String> {
        let frames = std::iter::from_fn(|| self.engine.poll_transmit());
        frames
            .map(|frame| String::from_utf8(frame.to_vec()).unwrap())
            .collect()
    }

    async fn take_command(&mut self) {
        let command = poll_fn(|cx| self.inbox.poll_next(cx)).await.unwrap();
        self.engine.handle_command(command, self.now);
    }

    async fn next(&mut self, kind: Kind) -> JoinHandle<Result<Message, TapError>> {
        let handle = self.handle.clone();
        let next = tokio::spawn(async move { handle.next_message(kind, SECOND).await });
        self.take_command().await;
        next
    }

    async fn send(&mut self, message: impl Into<Message>) -> Result<Option<RequestId>, TapError> {
        let (handle, message) = (self.handle.clone(), message.into());
        let send = tokio::spawn(async move { handle.send_message(message).await });
        self.take_command().await;
        answer(send).await
    }

    async fn lost(&mut self) -> u64 {
        let handle = self.handle.clone();
        let lost = tokio::spawn(async move { handle.lost().await });
        self.take_command().await;
        answer(lost).await.unwrap()
    }

    async fn stream(&mut self) -> Messages {
        let messages = self.handle.messages();
        self.take_command().await;
        messages
    }
}

/// What nobody answers fails the test.
async fn within<T>(work: impl Future<Output = T>) -> T {
    let limit = Duration::from_secs(60);
    tokio::time::timeout(limit, work).await.expect("an answer")
}

async fn answer<T>(task: JoinHandle<T>) -> T {
    within(task).await.unwrap()
}

fn event(publication: u64, text: &str) -> String {
    format!(r#"[36,1,{publication},{{}},["{text}"]]"#)
}

fn publication(message: &Message) -> u64 {
    match message {
        Message::Event(event) => event.publication.get(),
        other => panic!("{other:?}"),
    }
}

fn call() -> Call {
    Call {
        request: RequestId::MAX,
        options: CallOptions::new(),
        procedure: Uri::new("a.b").unwrap(),
        payload: Payload::default(),
    }
}

#[tokio::test(start_paused = true)]
async fn the_next_message_of_a_kind_goes_to_who_waits_for_it() {
    let mut bench = Bench::joined(Tap::new());
    let event_waits = bench.next(Kind::Event).await;
    bench.receive("[17,1,2]");
    bench.receive(&event(5, "a"));
    assert_eq!(publication(&answer(event_waits).await.unwrap()), 5);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_came_before_is_found_in_the_mailbox_once() {
    let mut bench = Bench::joined(Tap::new());
    bench.receive(&event(5, "a"));
    bench.receive("[17,1,2]");
    bench.receive(&event(6, "a"));
    for expected in [5, 6] {
        let next = bench.next(Kind::Event).await;
        assert_eq!(publication(&answer(next).await.unwrap()), expected);
    }
    let next = bench.next(Kind::Event).await;
    let due = bench.engine.poll_timeout().expect("it waits");
    bench.engine.handle_timeout(due);
    assert!(answer(next).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn welcome_and_challenge_are_seen_too() {
    let mut bench = Bench::open(Tap::new());
    let next = bench.next(Kind::Welcome).await;
    bench.receive(WELCOME);
    let Message::Welcome(welcome) = answer(next).await.unwrap() else {
        panic!();
    };
    assert_eq!(welcome.session.get(), 7);
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_are_served_in_their_order() {
    let mut bench = Bench::joined(Tap::new());
    let first = bench.next(Kind::Event).await;
    let second = bench.next(Kind::Event).await;
    bench.receive(&event(1, "a"));
    bench.receive(&event(2, "a"));
    assert_eq!(publication(&answer(first).await.unwrap()), 1);
    assert_eq!(publication(&answer(second).await.unwrap()), 2);
}

#[tokio::test(start_paused = true)]
async fn who_stopped_waiting_takes_no_message() {
    let mut bench = Bench::joined(Tap::new());
    let first = bench.next(Kind::Event).await;
    let second = bench.next(Kind::Event).await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    bench.receive(&event(1, "a"));
    assert_eq!(publication(&answer(second).await.unwrap()), 1);
}

#[tokio::test(start_paused = true)]
async fn waiting_ends_when_its_time_is_over() {
    let mut bench = Bench::joined(Tap::new());
    let next = bench.next(Kind::Event).await;
    let due = bench.now + SECOND;
    assert_eq!(bench.engine.poll_timeout(), Some(due));
    bench.engine.handle_timeout(bench.now + SECOND / 2);
    assert_eq!(bench.engine.poll_timeout(), Some(due));
    bench.engine.handle_timeout(due);
    assert_eq!(bench.engine.poll_timeout(), None);
    let error = answer(next).await.unwrap_err();
    assert!(matches!(error, TapError::Timeout(after) if after == SECOND));
}

#[tokio::test(start_paused = true)]
async fn waiting_ends_with_the_connection() {
    let mut bench = Bench::joined(Tap::new());
    let next = bench.next(Kind::Event).await;
    bench.engine.close(CloseReason::Overflow);
    let TapError::Closed(closed) = answer(next).await.unwrap_err() else {
        panic!();
    };
    assert!(matches!(closed.reason, CloseReason::Overflow));
}

#[tokio::test(start_paused = true)]
async fn a_full_mailbox_drops_the_oldest_and_counts() {
    let mut bench = Bench::joined(Tap::new().capacity(2));
    for number in 1..=4 {
        bench.receive(&event(number, "a"));
    }
    // WELCOME was the first to go.
    assert_eq!(bench.lost().await, 3);
    let next = bench.next(Kind::Event).await;
    assert_eq!(publication(&answer(next).await.unwrap()), 3);
}

#[tokio::test(start_paused = true)]
async fn the_mailbox_is_bounded_in_bytes_too() {
    let mut bench = Bench::joined(Tap::new().capacity_bytes(5000));
    for number in 1..=3 {
        bench.receive(&event(number, &"a".repeat(2000)));
    }
    let next = bench.next(Kind::Event).await;
    assert_eq!(publication(&answer(next).await.unwrap()), 2);
    // What was taken makes room.
    bench.receive(&event(4, &"a".repeat(2000)));
    let next = bench.next(Kind::Event).await;
    assert_eq!(publication(&answer(next).await.unwrap()), 3);
    // Details count as well as arguments.
    let details = "a".repeat(5000);
    bench.receive(&format!(r#"[36,1,5,{{"x_more":"{details}"}}]"#));
    assert_eq!(bench.lost().await, 4);
}

#[tokio::test(start_paused = true)]
async fn streams_see_all_messages_and_take_none_away() {
    let mut bench = Bench::joined(Tap::new());
    let (mut one, mut two) = (bench.stream().await, bench.stream().await);
    let next = bench.next(Kind::Event).await;
    bench.receive("[17,1,2]");
    bench.receive(&event(5, "a"));
    for stream in [&mut one, &mut two] {
        assert_eq!(
            within(stream.next()).await.unwrap().kind(),
            Some(Kind::Published)
        );
        assert_eq!(publication(&within(stream.next()).await.unwrap()), 5);
        assert_eq!(stream.lost(), 0);
    }
    assert_eq!(publication(&answer(next).await.unwrap()), 5);
}

#[tokio::test(start_paused = true)]
async fn a_full_stream_loses_what_comes_and_counts_it() {
    let mut bench = Bench::joined(Tap::new().capacity(0));
    let mut stream = bench.stream().await;
    let capacity = u64::try_from(messages::CAPACITY).unwrap();
    for number in 1..=capacity + 2 {
        bench.receive(&event(number, "a"));
    }
    assert_eq!(stream.lost(), 2);
    assert_eq!(publication(&within(stream.next()).await.unwrap()), 1);
    bench.receive(&event(9_999, "a"));
    for expected in (2..=capacity).chain([9_999]) {
        assert_eq!(publication(&within(stream.next()).await.unwrap()), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_bounded_in_bytes_too() {
    let mut bench = Bench::joined(Tap::new().capacity(0));
    let mut stream = bench.stream().await;
    let text = "a".repeat(messages::CAPACITY_BYTES / 2);
    bench.receive(&event(1, &text));
    bench.receive(&event(2, &text));
    assert_eq!(stream.lost(), 1);
    assert_eq!(publication(&within(stream.next()).await.unwrap()), 1);
    bench.receive(&event(3, &text));
    assert_eq!(publication(&within(stream.next()).await.unwrap()), 3);
}

#[tokio::test(start_paused = true)]
async fn a_stream_goes_on_over_reconnects_and_ends_with_the_peer() {
    let mut bench = Bench::joined(Tap::new());
    let mut stream = bench.stream().await;
    bench.engine.close(CloseReason::Disconnected);
    bench.engine.disconnect();
    let json = AnySerializer::from(Json::default());
    bench.engine.open(json, None, bench.now);
    bench.receive(WELCOME);
    assert_eq!(
        within(stream.next()).await.unwrap().kind(),
        Some(Kind::Welcome)
    );
    drop(bench);
    assert!(within(stream.next()).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_raw_request_gets_the_next_id_whatever_id_it_has() {
    let mut bench = Bench::joined(Tap::new());
    for expected in 1..=2 {
        let id = bench.send(call()).await.unwrap().unwrap();
        assert_eq!(id.get(), expected);
    }
    assert_eq!(bench.sent(), [r#"[48,1,{},"a.b"]"#, r#"[48,2,{},"a.b"]"#]);
    // Nobody waits for the answer, and it does no harm.
    let next = bench.next(Kind::Result).await;
    bench.receive("[50,1,{}]");
    let answer = answer(next).await.unwrap();
    assert_eq!(answer.request(), Some(RequestId::MIN));
    assert!(bench.engine.closed().is_none());
}

#[tokio::test(start_paused = true)]
async fn any_other_message_is_sent_as_it_is() {
    let mut bench = Bench::joined(Tap::new());
    let cancel = Cancel {
        request: RequestId::MIN,
        options: CancelOptions::new(),
    };
    assert_eq!(bench.send(cancel).await.unwrap(), None);
    assert_eq!(bench.sent(), ["[49,1,{}]"]);
}

#[tokio::test(start_paused = true)]
async fn a_raw_request_without_a_session_is_an_error() {
    let mut bench = Bench::open(Tap::new());
    let TapError::Send(error) = bench.send(call()).await.unwrap_err() else {
        panic!();
    };
    assert!(matches!(*error, SendError::NotJoined));
    assert_eq!(bench.sent(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_ended_says_why() {
    let (connector, _) = memory::listener([Serialization::JSON]);
    let builder = PeerBuilder::new(Session::new("realm1")).role(Tap::new());
    let (peer, supervisor) = builder.build(connector).unwrap();
    let reason = supervisor.run().await;
    assert!(matches!(reason, CloseReason::Connect(_)));
    let mut messages = peer.messages();
    assert!(messages.next().await.is_none());
    for error in [
        peer.next_message(Kind::Event, SECOND).await.unwrap_err(),
        peer.send_message(call()).await.unwrap_err(),
    ] {
        let TapError::Closed(closed) = error else {
            panic!("{error}");
        };
        assert!(matches!(closed.reason, CloseReason::Connect(_)));
    }
}
