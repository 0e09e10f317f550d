//! One run: who there is and what they do.

use std::{cell::RefCell, rc::Rc, time::Duration};

use spell::{
    Backoff, CallError, Peer, PeerBuilder, PeerEvent, PublishError,
    peer::{Delivery, NoRetry, PeerEvents},
    prelude::*,
    roles::{Callee, Caller, Publisher, Session, Subscriber},
    router::Router,
    transport::Connector,
};
use tokio::{
    task::{LocalSet, yield_now},
    time::{sleep, timeout},
};

use crate::{
    history::{Deed, History, SharedHistory, Told},
    network::{Line, ROUND_TRIP},
};

pub(crate) type Client = Peer<(Session, Publisher, Subscriber, Caller, Callee)>;

/// Runs the world of a seed; gives how often which outcome was.
pub(crate) async fn run(seed: u64) -> [u64; 5] {
    LocalSet::new().run_until(live(seed)).await
}

async fn live(seed: u64) -> [u64; 5] {
    let mut chance = fastrand::Rng::with_seed(seed);
    let history = SharedHistory::new(RefCell::new(History::default()));
    let router = Router::local();
    let observer = join(router.connector(), NoRetry).await;
    observe(&observer, &history).await;

    let mut members = Vec::new();
    for number in 0..CLIENTS {
        let line = Line::new(chance.u64(..));
        let wait = Duration::from_millis(chance.u64(20..500));
        let client = join(line.connector(&router), Backoff::constant(wait)).await;
        tokio::task::spawn_local(returns_soon(client.events(), wait, line.clone()));
        let member = Member {
            number,
            client,
            line,
            history: history.clone(),
        };
        member.listen().await;
        member.serve(chance.fork()).await;
        members.push(member);
    }

    let mut doings = Vec::new();
    let mut disturbances = Vec::new();
    for member in &members {
        let member = Rc::new(member.clone());
        doings.push(tokio::task::spawn_local(
            member.clone().publish(chance.fork()),
        ));
        doings.push(tokio::task::spawn_local(member.clone().call(chance.fork())));
        disturbances.push(tokio::task::spawn_local(disturb(
            member.line.clone(),
            chance.fork(),
        )));
    }
    for doing in doings.into_iter().chain(disturbances) {
        doing.await.unwrap();
    }

    for member in &members {
        member.is_whole_again(&observer).await;
    }
    let mut wrong = history.borrow().violations();
    for member in &members {
        wrong.extend(member.line.wrong());
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let [done, refused, not_sent, unknown] = history.borrow().tally();
    let conflicts = members.iter().map(|member| member.line.conflicts()).sum();
    [done, refused, not_sent, unknown, conflicts]
}

async fn join(connector: impl Connector, policy: impl spell::peer::RetryPolicy) -> Client {
    PeerBuilder::new(Session::new("com.example.realm"))
        .role(Publisher::new())
        .role(Subscriber::new())
        .role(Caller::new())
        .role(Callee::new())
        .retry(policy)
        .connect(connector)
        .await
        .unwrap()
}

/// Writes down what the router accepts.
pub(crate) async fn observe(observer: &Client, history: &SharedHistory) {
    let events = observer.subscribe("com.example.topic").prefix();
    let mut events = events.queue_count(100_000).await.unwrap();
    let history = history.clone();
    tokio::task::spawn_local(async move {
        while let Some(event) = events.next().await {
            let deed: Deed = event.args().unwrap();
            history.borrow_mut().accept(deed, event.publication());
        }
    });
}

/// From the moment when the router can be dialled again, a client needs little more than its wait and some round trips.
async fn returns_soon(mut happened: PeerEvents, wait: Duration, line: Line) {
    while let Some(event) = happened.next().await {
        if let (PeerEvent::Joined(_), Some(after)) = (event, line.since_outage()) {
            let longest = wait + 4 * ROUND_TRIP + Duration::from_millis(250);
            if after > longest {
                line.is_wrong(format!("joined after {after:?}, with a wait of {wait:?}"));
            }
        }
    }
}

/// Cuts a line now and then, some time after nothing came through it any more.
async fn disturb(line: Line, mut chance: fastrand::Rng) {
    for _ in 0..chance.u8(1..4) {
        sleep(Duration::from_millis(chance.u64(..1500))).await;
        if chance.u8(..3) == 0 {
            line.fall_silent();
            sleep(Duration::from_millis(chance.u64(..1000))).await;
        }
        line.cut(Duration::from_millis(chance.u64(..1000))).await;
    }
}

/// A client that does everything, over a line that fails.
#[derive(Clone)]
struct Member {
    number: u64,
    client: Client,
    line: Line,
    history: SharedHistory,
}

impl Member {
    /// Subscribes to what all publish.
    async fn listen(&self) {
        let events = self.client.subscribe("com.example.topic").prefix();
        let mut events = events.await.unwrap();
        let (history, number) = (self.history.clone(), self.number);
        tokio::task::spawn_local(async move {
            while let Some(event) = events.next().await {
                let deed: Deed = event.args().unwrap();
                let publication = event.publication();
                history.borrow_mut().receive(number, deed, publication);
            }
        });
    }

    /// Offers a procedure of its own that says what it was asked.
    async fn serve(&self, mut chance: fastrand::Rng) {
        let mut invocations = self.client.register(procedure(self.number)).await.unwrap();
        let history = self.history.clone();
        tokio::task::spawn_local(async move {
            while let Some(invocation) = invocations.next().await {
                let deed: Deed = invocation.args().unwrap();
                history.borrow_mut().execute(deed);
                let takes = Duration::from_millis(chance.u64(..50));
                tokio::task::spawn_local(async move {
                    sleep(takes).await;
                    // The caller may be gone, or the connection.
                    let _ = invocation.respond().args(deed).await;
                });
            }
        });
    }

    /// Publishes, sometimes several at once.
    async fn publish(self: Rc<Self>, mut chance: fastrand::Rng) {
        let topic = format!("com.example.topic.{}", self.number);
        let mut number = 0;
        while number < PUBLICATIONS {
            for _ in 0..chance.u8(1..4) {
                let deed = (self.number, number);
                let publish = self.client.publish(&topic).args(deed).acknowledge();
                // Its place in the order is taken here.
                let started = self.ends(publish.start()).await;
                let (member, wait) = (self.clone(), chance.bool());
                let end = async move {
                    let published = match started {
                        Ok(started) => member.ends(started.into_future()).await,
                        Err(error) => Err(error),
                    };
                    let told = match published {
                        Ok(publication) => Told::Done(Some(publication)),
                        Err(PublishError::Refused(_)) => Told::Refused,
                        Err(PublishError::Timeout(delivery)) => Told::Failed(delivery),
                        Err(error) => Told::Failed(member.lost(error.delivery())),
                    };
                    member.history.borrow_mut().publish(deed, told);
                };
                let end = tokio::task::spawn_local(end);
                if wait {
                    end.await.unwrap();
                }
                number += 1;
            }
            pause(&mut chance).await;
        }
    }

    /// Calls what anyone offers.
    async fn call(self: Rc<Self>, mut chance: fastrand::Rng) {
        for number in 0..CALLS {
            let deed = (self.number, number);
            let callee = procedure(chance.u64(..CLIENTS));
            let called = self.ends(self.client.call(callee).args(deed).send()).await;
            let told = match called {
                Ok(result) => {
                    assert_eq!(result.args::<Deed>().unwrap(), deed);
                    Told::Done(None)
                }
                Err(CallError::Refused(_)) => Told::Refused,
                Err(CallError::Timeout(delivery)) => Told::Failed(delivery),
                Err(error) => Told::Failed(self.lost(error.delivery())),
            };
            self.history.borrow_mut().call(deed, told);
            pause(&mut chance).await;
        }
    }

    /// What is sent over a connection ends soon after it, and nothing waits longer than it may.
    async fn ends<T>(&self, future: impl Future<Output = T>) -> T {
        let Ok(output) = timeout(LONGEST, future).await else {
            panic!("a future of {} did not end", self.number);
        };
        output
    }

    /// What became of a request that the loss of the connection ended: that is told at once.
    fn lost(&self, delivery: Option<Delivery>) -> Delivery {
        let delivery = delivery.expect("not told what became of a request");
        if delivery == Delivery::OutcomeUnknown {
            let ago = self.line.since_cut().expect("lost without a cut");
            assert!(ago <= Duration::from_secs(1), "lost {ago:?} before");
        }
        delivery
    }

    /// After all that, its subscription and its registration are what they were.
    async fn is_whole_again(&self, observer: &Client) {
        self.ends(self.client.joined()).await.unwrap();
        // Behind what was asked for when the session was joined.
        let sync = self.client.publish("com.example.sync").acknowledge();
        self.ends(sync.send()).await.unwrap();
        let deed = (OBSERVER, self.number);
        let result = self.ends(async {
            // Its last session may have the procedure for some time still.
            loop {
                let call = observer.call(procedure(self.number)).args(deed);
                match call.await {
                    Err(CallError::Refused(_)) => sleep(Duration::from_millis(100)).await,
                    called => return called.unwrap(),
                }
            }
        });
        let result = result.await;
        assert_eq!(result.args::<Deed>().unwrap(), deed);
        self.history.borrow_mut().call(deed, Told::Done(None));
    }
}

pub(crate) fn procedure(number: u64) -> String {
    format!("com.example.procedure{number}")
}

async fn pause(chance: &mut fastrand::Rng) {
    match chance.u8(..3) {
        0 => yield_now().await,
        _ => sleep(Duration::from_millis(chance.u64(..400))).await,
    }
}

const CLIENTS: u64 = 3;
const PUBLICATIONS: u64 = 8;
const CALLS: u64 = 6;

/// The number of one who calls at the end.
const OBSERVER: u64 = 99;

/// Longer than the time-out of a request.
const LONGEST: Duration = Duration::from_secs(40);
