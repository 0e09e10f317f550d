//! The router dies and comes back, again and again, under load.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use spell::{
    Backoff, Peer, PeerBuilder, PeerEvent, PeerState, SessionInfo,
    message::{
        Message,
        options::{InvocationPolicy, RegisterOptions, SubscribeOptions},
    },
    peer::PeerEvents,
    prelude::*,
    roles::{Callee, Caller, Publisher, Session, Subscriber},
    router::Router,
    serializer::{AnySerializer, Json},
    transport::connector,
};
use spell_tests::{
    accounts::REALM,
    conversation::Conversation,
    crossbar::Crossbar,
    faults::{Cut, FaultProxy},
    link::Link,
    notice,
    overhear::{Heard, overhear},
    runs::count,
    scratch::fresh_folder,
};
use tokio::time::{Instant, sleep, timeout};

type Client = Peer<(Session, Publisher, Subscriber, Caller, Callee)>;

#[tokio::test]
async fn all_is_restored_when_the_router_is_killed_and_started_again() {
    let folder = fresh_folder("restart").unwrap();
    let url = format!("ws+unix:{}", folder.join("r.sock").display());
    let start = async || {
        let router = Router::builder().realm(REALM).build().unwrap();
        router.listen(&url).await.unwrap();
        router
    };
    let mut router = Some(start().await);
    let restart = async || {
        // Without a word to anybody.
        drop(router.take());
        tokio::task::yield_now().await;
        router = Some(start().await);
    };
    survives(&url, count(100, 1000), restart).await;
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn all_is_restored_when_the_connection_is_cut_again_and_again() {
    let router = Router::builder().realm(REALM).build().unwrap();
    let url = router.listen("rs://127.0.0.1:0").await.unwrap();
    let proxy = FaultProxy::start(&url, 0).await.unwrap();
    let mut cuts = [Cut::Reset, Cut::Finish].into_iter().cycle();
    let cut = async || proxy.cut(cuts.next().unwrap());
    survives(proxy.url(), count(50, 1000), cut).await;
}

#[tokio::test]
async fn all_is_restored_when_crossbar_is_killed_and_started_again() {
    let Some(first) = Crossbar::own() else { return };
    let mut crossbar = Some(first.unwrap());
    let url = |crossbar: &Option<Crossbar>| {
        let urls = crossbar.as_ref().unwrap().anonymous();
        urls.url(Link::WebSocket).unwrap().to_owned()
    };
    let proxy = FaultProxy::start(&url(&crossbar), 0).await.unwrap();
    let restart = async || {
        drop(crossbar.take());
        let started = tokio::task::spawn_blocking(|| Crossbar::own().unwrap().unwrap());
        crossbar = Some(started.await.unwrap());
        // Where nobody listens any more, another one does.
        proxy.lead_to(&url(&crossbar)).unwrap();
    };
    survives(proxy.url(), count(2, 10), restart).await;
}

/// A client with subscriptions and registrations of all kinds gets them back as they were, each time the router comes
/// back, and no event twice, while others publish and call all the time. It tells of each step in order, and needs little
/// more than its wait and some round trips from the moment when there is a router again.
async fn survives(url: &str, times: u64, mut strike: impl AsyncFnMut()) {
    let wishes = Wishes::default();
    let events = Events::default();
    let client = join(url, wishes.clone()).await;
    wish(&client, &events).await;
    let expected = wishes.last();
    assert_eq!(expected.len(), 7, "{expected:?}");

    let other = join(url, Wishes::default()).await;
    let number = Arc::new(AtomicU64::new(0));
    let stop = Arc::new(AtomicBool::new(false));
    let load = tokio::spawn(load(other.clone(), number.clone(), stop.clone()));

    let mut happened = client.events();
    let mut returns = Vec::new();
    for _ in 0..times {
        let before = [&client, &other].map(|client| client.session().map(|session| session.id()));
        let struck = async {
            strike().await;
            Instant::now()
        };
        // A router may take long to start, with more attempts meanwhile than wait for a reader.
        let (struck, ()) = tokio::join!(struck, is_told_in_order(&mut happened));
        returns.push(struck.elapsed());
        for (client, before) in [&client, &other].into_iter().zip(before) {
            let session = joined_again(client, before).await;
            assert_eq!(session.realm().as_str(), REALM);
        }
        // Behind what it wished for.
        client
            .publish("com.example.sync")
            .acknowledge()
            .await
            .unwrap();
        assert_eq!(wishes.last(), expected);
        works(&other, &events, &number).await;
    }
    stop.store(true, Ordering::Relaxed);
    let (published, called) = timeout(LONGEST, load).await.unwrap().unwrap();
    assert!(published > 0 && called > 0);
    events.came_once();
    assert_eq!(wishes.wrong(), Vec::<String>::new());
    // Of two returns there is no percentile.
    if times >= 50 {
        returns.sort_unstable();
        let p99 = returns[returns.len() * 99 / 100 - 1];
        notice(&format!("{times} returns to {url}: p99 {p99:?}"));
        assert!(p99 <= WAIT + 4 * ROUND_TRIP + Duration::from_millis(250));
    }
}

/// A loss, then attempts that fail and are waited after, then a session.
async fn is_told_in_order(happened: &mut PeerEvents) {
    let mut told = Vec::new();
    let mut attempts = 0;
    loop {
        let event = timeout(LONGEST, happened.next()).await;
        let event = event.expect("the client does not come back").unwrap();
        let is_next = match (told.last(), &event) {
            (_, PeerEvent::Role(_)) => continue,
            (None, PeerEvent::Lost { .. })
            | (
                Some(PeerEvent::Lost { .. } | PeerEvent::Failed { .. }),
                PeerEvent::Waiting { delay: WAIT, .. },
            )
            | (
                Some(PeerEvent::Connecting { .. }),
                PeerEvent::Failed { .. } | PeerEvent::Joined(_),
            ) => true,
            (Some(PeerEvent::Waiting { .. }), PeerEvent::Connecting { attempt, .. }) => {
                attempts += 1;
                *attempt == attempts
            }
            _ => false,
        };
        assert!(is_next, "{event:?} after {told:?}");
        let is_joined = matches!(event, PeerEvent::Joined(_));
        told.push(event);
        if is_joined {
            return;
        }
    }
}

/// Asks for subscriptions and registrations with every kind of options.
async fn wish(client: &Client, events: &Events) {
    let plain = client.subscribe("com.example.topic.a");
    plain.handler(events.handler(0)).await.unwrap().detach();
    let prefix = client.subscribe("com.example.topic").prefix();
    prefix.handler(events.handler(1)).await.unwrap().detach();
    let wildcard = client.subscribe("com.example..a").wildcard();
    let wildcard = wildcard.option("_mark", 1);
    wildcard.handler(events.handler(2)).await.unwrap().detach();

    let echo = async |(number,): (u64,)| Ok(number);
    let plain = client.register("com.example.plain").handler(echo);
    plain.await.unwrap().detach();
    let prefix = client.register("com.example.prefix").prefix();
    prefix.handler(echo).await.unwrap().detach();
    let wildcard = client.register("com.example..wild").wildcard();
    let wildcard = wildcard.invoke(InvocationPolicy::RoundRobin);
    wildcard.handler(echo).await.unwrap().detach();
    let shared = client.register("com.example.shared");
    let shared = shared.invoke(InvocationPolicy::First).concurrency(3);
    shared.handler(echo).await.unwrap().detach();
}

/// Everything that was wished for is there: each subscription gets what is published now, each procedure answers.
async fn works(other: &Client, events: &Events, number: &AtomicU64) {
    let marker = number.fetch_add(1, Ordering::Relaxed);
    let publish = other.publish("com.example.topic.a").arg(marker);
    publish.acknowledge().await.unwrap();
    let came = async {
        while events.count(marker) < 3 {
            tokio::task::yield_now().await;
        }
    };
    timeout(LONGEST, came)
        .await
        .expect("a subscription is gone");
    for procedure in ["plain", "prefix.any", "any.wild", "shared"] {
        let call = other.call(format!("com.example.{procedure}")).arg(marker);
        let result = call.await.unwrap();
        assert_eq!(result.value::<u64>().unwrap(), marker);
    }
}

/// Publishes and calls until it is told to stop; gives how often that was acknowledged and answered.
async fn load(client: Client, number: Arc<AtomicU64>, stop: Arc<AtomicBool>) -> (u64, u64) {
    let (mut published, mut called) = (0, 0);
    while !stop.load(Ordering::Relaxed) {
        let number = number.fetch_add(1, Ordering::Relaxed);
        let publish = client.publish("com.example.topic.a").arg(number);
        let call = client.call("com.example.plain").arg(number);
        let (publish, call) = tokio::join!(publish.acknowledge(), call);
        published += u64::from(publish.is_ok());
        called += u64::from(call.is_ok());
        // Without a session it fails at once, and others are to have a turn.
        sleep(Duration::from_millis(1)).await;
    }
    (published, called)
}

async fn join(url: &str, wishes: Wishes) -> Client {
    let connector = overhear(connector(url).unwrap(), move |heard| wishes.hear(heard));
    PeerBuilder::new(Session::new(REALM))
        .role(Publisher::new())
        .role(Subscriber::new())
        .role(Caller::new())
        .role(Callee::new())
        .serializers([AnySerializer::from(Json::new())])
        .retry(Backoff::constant(WAIT))
        .connect(connector)
        .await
        .unwrap()
}

/// Waits for a session that is not the one before.
async fn joined_again(
    client: &Client,
    before: Option<spell::message::SessionId>,
) -> Arc<SessionInfo> {
    let mut state = client.state();
    let is_new = |state: &PeerState| match state {
        PeerState::Joined(session) => Some(session.id()) != before,
        PeerState::Closed(reason) => panic!("the client gave up: {reason:?}"),
        _ => false,
    };
    let state = timeout(LONGEST, state.wait_for(is_new)).await;
    match &*state.expect("the client does not come back").unwrap() {
        PeerState::Joined(session) => session.clone(),
        other => panic!("{other:?}"),
    }
}

/// How often each event came to each subscription.
#[derive(Clone, Default)]
struct Events(Arc<Mutex<HashMap<(u64, usize), u64>>>);

impl Events {
    fn handler(
        &self,
        subscription: usize,
    ) -> impl FnMut(spell::Event) -> std::future::Ready<()> + use<> {
        let events = self.0.clone();
        move |event| {
            let number = event.value::<u64>().unwrap();
            *events
                .lock()
                .unwrap()
                .entry((number, subscription))
                .or_default() += 1;
            std::future::ready(())
        }
    }

    /// To how many subscriptions an event came.
    fn count(&self, number: u64) -> usize {
        let events = self.0.lock().unwrap();
        (0..3)
            .filter(|subscription| events.contains_key(&(number, *subscription)))
            .count()
    }

    fn came_once(&self) {
        let events = self.0.lock().unwrap();
        let twice: Vec<_> = events.iter().filter(|(_, count)| **count != 1).collect();
        assert!(twice.is_empty(), "{twice:?}");
    }
}

/// What a client asked its routers for.
#[derive(Clone, Default)]
struct Wishes(Arc<Mutex<Heards>>);

#[derive(Default)]
struct Heards {
    /// Over the connection that was opened last, in order.
    last: Vec<Wish>,
    conversation: Option<Conversation>,
    wrong: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
enum Wish {
    Subscribe(SubscribeOptions, String),
    Register(RegisterOptions, String),
}

impl Wishes {
    fn hear(&self, heard: Heard<'_>) {
        let serializer = AnySerializer::from(Json::new());
        let mut heards = self.0.lock().unwrap();
        let heards = &mut *heards;
        let conversation = heards
            .conversation
            .get_or_insert_with(|| Conversation::new(serializer.clone()));
        let said = match heard {
            Heard::Opened => {
                heards.last.clear();
                heards.conversation = None;
                return;
            }
            Heard::Router(frame) => conversation.router_says(frame),
            Heard::Client(frame) => {
                match serializer.decode(frame) {
                    Ok(Message::Subscribe(subscribe)) => heards.last.push(Wish::Subscribe(
                        subscribe.options,
                        subscribe.topic.to_string(),
                    )),
                    Ok(Message::Register(register)) => heards.last.push(Wish::Register(
                        register.options,
                        register.procedure.to_string(),
                    )),
                    _ => {}
                }
                conversation.client_says(frame)
            }
        };
        heards.wrong.extend(said.err());
    }

    fn last(&self) -> Vec<Wish> {
        self.0.lock().unwrap().last.clone()
    }

    fn wrong(&self) -> Vec<String> {
        self.0.lock().unwrap().wrong.clone()
    }
}

/// Before each attempt.
const WAIT: Duration = Duration::from_millis(5);

/// On loopback it is less.
const ROUND_TRIP: Duration = Duration::from_millis(1);

/// Crossbar.io takes some seconds to start.
const LONGEST: Duration = Duration::from_secs(120);
