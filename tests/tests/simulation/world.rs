//! One run: who there is and what they do.

use std::{cell::RefCell, rc::Rc, time::Duration};

use spell::{
    Backoff, CallError, PeerEvent, PublishError,
    peer::{Delivery, PeerEvents},
    prelude::*,
    router::Router,
};
use tokio::{
    task::{LocalSet, spawn_local, yield_now},
    time::sleep,
};

use crate::{
    history::{History, SharedHistory},
    member::{Client, Member, client, observe, procedure},
    network::{Line, ROUND_TRIP},
};

/// Runs the world of a seed; gives how often which outcome was.
pub(crate) async fn run(seed: u64) -> [u64; 5] {
    LocalSet::new().run_until(live(seed)).await
}

async fn live(seed: u64) -> [u64; 5] {
    let mut chance = fastrand::Rng::with_seed(seed);
    let history = SharedHistory::new(RefCell::new(History::default()));
    let router = Router::local();
    let observer = client().connect(router.connector()).await.unwrap();
    observe(&observer, &history).await;

    let mut remotes = Vec::new();
    for number in 0..CLIENTS {
        let line = Line::new(chance.u64(..));
        let wait = Duration::from_millis(chance.u64(20..500));
        let client = client().retry(Backoff::constant(wait));
        let client = client.connect(line.connector(&router)).await.unwrap();
        spawn_local(returns_soon(client.events(), wait, line.clone()));
        let history = history.clone();
        let member = Member {
            number,
            client,
            history,
        };
        member.listen().await;
        member.serve(chance.fork()).await;
        remotes.push(Remote { member, line });
    }

    let mut doings = Vec::new();
    let mut disturbances = Vec::new();
    for remote in &remotes {
        let remote = Rc::new(remote.clone());
        doings.push(spawn_local(remote.clone().publish(chance.fork())));
        doings.push(spawn_local(remote.clone().call(chance.fork())));
        let disturbance = disturb(remote.line.clone(), chance.fork());
        disturbances.push(spawn_local(disturbance));
    }
    for doing in doings.into_iter().chain(disturbances) {
        doing.await.unwrap();
    }

    for remote in &remotes {
        remote.is_whole_again(&observer).await;
    }
    let mut wrong = history.borrow().violations();
    for remote in &remotes {
        wrong.extend(remote.line.wrong());
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let [done, refused, not_sent, unknown] = history.borrow().tally();
    let conflicts = remotes.iter().map(|remote| remote.line.conflicts()).sum();
    [done, refused, not_sent, unknown, conflicts]
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

/// A member, over a line that fails.
#[derive(Clone)]
struct Remote {
    member: Member,
    line: Line,
}

impl Remote {
    /// Publishes, sometimes several at once.
    async fn publish(self: Rc<Self>, mut chance: fastrand::Rng) {
        let topic = self.member.topic();
        let mut number = 0;
        while number < PUBLICATIONS {
            for _ in 0..chance.u8(1..4) {
                let deed = (self.member.number, number);
                let publish = self.member.client.publish(&topic).args(deed).acknowledge();
                // Its place in the order is taken here.
                let started = self.member.ends(publish.start()).await;
                let (remote, wait) = (self.clone(), chance.bool());
                let end = async move {
                    let published = match started {
                        Ok(started) => remote.member.ends(started.into_future()).await,
                        Err(error) => Err(error),
                    };
                    match &published {
                        Ok(_) | Err(PublishError::Refused(_) | PublishError::Timeout(_)) => {}
                        Err(error) => remote.lost(error.delivery()),
                    }
                    remote.member.published(deed, published);
                };
                let end = spawn_local(end);
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
            let deed = (self.member.number, number);
            let callee = procedure(chance.u64(..CLIENTS));
            let call = self.member.client.call(callee).args(deed);
            let called = self.member.ends(call.send()).await;
            match &called {
                Ok(_) | Err(CallError::Refused(_) | CallError::Timeout(_)) => {}
                Err(error) => self.lost(error.delivery()),
            }
            self.member.called(deed, called);
            pause(&mut chance).await;
        }
    }

    /// That the loss of the connection ended a request is told at once.
    fn lost(&self, delivery: Option<Delivery>) {
        if delivery == Some(Delivery::OutcomeUnknown) {
            let ago = self.line.since_cut().expect("lost without a cut");
            assert!(ago <= Duration::from_secs(1), "lost {ago:?} before");
        }
    }

    /// After all that, its subscription and its registration are what they were.
    async fn is_whole_again(&self, observer: &Client) {
        let Member { number, client, .. } = &self.member;
        self.member.ends(client.joined()).await.unwrap();
        // Behind what was asked for when the session was joined.
        let sync = client.publish("com.example.sync").acknowledge();
        self.member.ends(sync.send()).await.unwrap();
        let deed = (OBSERVER, *number);
        let result = self.member.ends(async {
            // Its last session may have the procedure for some time still.
            loop {
                let call = observer.call(procedure(*number)).args(deed);
                match call.await {
                    Err(CallError::Refused(_)) => sleep(Duration::from_millis(100)).await,
                    called => return called.unwrap(),
                }
            }
        });
        let result = result.await;
        self.member.called(deed, Ok(result));
    }
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
