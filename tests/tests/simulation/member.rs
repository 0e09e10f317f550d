//! A client that does everything, and writes down what happens to it.

use std::time::Duration;

use spell::{
    CallError, Peer, PeerBuilder, PublishError,
    message::PublicationId,
    peer::Delivery,
    prelude::*,
    roles::{CallResult, Callee, Caller, Publisher, Session, Subscriber},
};
use tokio::{
    task::spawn_local,
    time::{sleep, timeout},
};

use crate::history::{Deed, SharedHistory, Told};

type Roles = (Session, Publisher, Subscriber, Caller, Callee);

pub(crate) type Client = Peer<Roles>;

/// A client with all roles, which is still to be told how patient it is.
pub(crate) fn client() -> PeerBuilder<Roles> {
    PeerBuilder::new(Session::new("com.example.realm"))
        .role(Publisher::new())
        .role(Subscriber::new())
        .role(Caller::new())
        .role(Callee::new())
}

/// Writes down what the router accepts.
pub(crate) async fn observe(observer: &Client, history: &SharedHistory) {
    let events = observer.subscribe(TOPICS).prefix();
    let mut events = events.queue_count(100_000).await.unwrap();
    let history = history.clone();
    spawn_local(async move {
        while let Some(event) = events.next().await {
            let deed: Deed = event.args().unwrap();
            history.borrow_mut().accept(deed, event.publication());
        }
    });
}

/// One of the clients that a run is about.
#[derive(Clone)]
pub(crate) struct Member {
    pub(crate) number: u64,
    pub(crate) client: Client,
    pub(crate) history: SharedHistory,
}

impl Member {
    /// Subscribes to what all publish.
    pub(crate) async fn listen(&self) {
        let events = self.client.subscribe(TOPICS).prefix();
        let mut events = events.await.unwrap();
        let (history, number) = (self.history.clone(), self.number);
        spawn_local(async move {
            while let Some(event) = events.next().await {
                let deed: Deed = event.args().unwrap();
                let publication = event.publication();
                history.borrow_mut().receive(number, deed, publication);
            }
        });
    }

    /// Offers a procedure of its own that says what it was asked.
    pub(crate) async fn serve(&self, mut chance: fastrand::Rng) {
        let mut invocations = self.client.register(procedure(self.number)).await.unwrap();
        let history = self.history.clone();
        spawn_local(async move {
            while let Some(invocation) = invocations.next().await {
                let deed: Deed = invocation.args().unwrap();
                history.borrow_mut().execute(deed);
                let takes = Duration::from_millis(chance.u64(..50));
                spawn_local(async move {
                    sleep(takes).await;
                    // The caller may be gone, or the connection.
                    let _ = invocation.respond().args(deed).await;
                });
            }
        });
    }

    /// Where it publishes.
    pub(crate) fn topic(&self) -> String {
        format!("{TOPICS}.{}", self.number)
    }

    /// Writes down what it was told of a publication.
    pub(crate) fn published(&self, deed: Deed, published: Result<PublicationId, PublishError>) {
        let told = match published {
            Ok(publication) => Told::Done(Some(publication)),
            Err(PublishError::Refused(_)) => Told::Refused,
            Err(error) => failed(error.delivery()),
        };
        self.history.borrow_mut().publish(deed, told);
    }

    /// Writes down what it was told of a call, and gives it.
    pub(crate) fn called(&self, deed: Deed, called: Result<CallResult, CallError>) -> Told {
        let told = match called {
            Ok(result) => {
                assert_eq!(result.args::<Deed>().unwrap(), deed);
                Told::Done(None)
            }
            Err(CallError::Refused(_)) => Told::Refused,
            Err(error) => failed(error.delivery()),
        };
        self.history.borrow_mut().call(deed, told);
        told
    }

    /// What is sent over a connection ends soon after it, and nothing waits longer than it may.
    pub(crate) async fn ends<T>(&self, future: impl Future<Output = T>) -> T {
        let Ok(output) = timeout(LONGEST, future).await else {
            panic!("a future of {} did not end", self.number);
        };
        output
    }
}

pub(crate) fn procedure(number: u64) -> String {
    format!("com.example.procedure{number}")
}

fn failed(delivery: Option<Delivery>) -> Told {
    Told::Failed(delivery.expect("not told what became of a request"))
}

/// Below this is where all publish.
const TOPICS: &str = "com.example.topic";

/// Longer than the time-out of a request. A callee that is cut off ends with its session, of which the router hears when
/// it next says something.
const LONGEST: Duration = Duration::from_secs(40);
