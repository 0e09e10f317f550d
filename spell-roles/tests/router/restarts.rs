//! Routers that go while requests are under way.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use spell_peer::{Backoff, Delivery};
use spell_roles::{CallError, Outbox, Posted, PublishError, prelude::*};
use spell_transport::{ConnectError, Connector, connector_fn};

use super::*;

/// Routers one after another, of which there may be none.
#[derive(Clone, Default)]
struct Place(Arc<Mutex<Option<Router>>>);

impl Place {
    fn open(&self) {
        *self.0.lock().unwrap() = Some(router());
    }

    /// The router goes, without a word.
    fn lose(&self) {
        let router = self.0.lock().unwrap().take();
        drop(router);
    }

    fn connector(&self) -> impl Connector + use<> {
        let place = self.0.clone();
        connector_fn(move |offers| {
            let router = place.lock().unwrap().as_ref().map(Router::connector);
            async move {
                let mut connector = router.ok_or(ConnectError::NothingToOffer);
                let connector = connector.as_mut().map_err(|_| refused())?;
                connector.connect(&offers).await
            }
        })
    }

    async fn join(&self, authid: &str) -> Client {
        let session = Session::new(REALM).authenticator(Ticket::new(authid, authid));
        let outbox = Outbox::new(100, 1 << 20, Duration::from_secs(60));
        let peer = PeerBuilder::new(session)
            .role(Publisher::new().outbox(outbox))
            .role(Subscriber::new())
            .role(Caller::new())
            .role(Callee::new())
            .retry(Backoff::constant(Duration::from_millis(100)));
        peer.connect(self.connector()).await.unwrap()
    }
}

fn refused() -> ConnectError {
    std::io::Error::from(std::io::ErrorKind::ConnectionRefused).into()
}

/// Wait until the peer has no session.
async fn lost(peer: &Client) {
    let mut state = peer.state();
    state.wait_for(|state| !state.is_joined()).await.unwrap();
}

/// Ada serves a procedure that takes the router with it, so often.
async fn serve(place: &Place, ada: &Client, losses: u64) -> Arc<AtomicU64> {
    let served = Arc::new(AtomicU64::new(0));
    let (count, place) = (served.clone(), place.clone());
    let work = ada.register("com.example.work").handler(move |(): ()| {
        let (count, place) = (count.clone(), place.clone());
        async move {
            let served = count.fetch_add(1, Ordering::Relaxed) + 1;
            if served <= losses {
                place.lose();
                std::future::pending::<()>().await;
            }
            Ok(served)
        }
    });
    work.await.unwrap().detach();
    served
}

#[tokio::test(start_paused = true)]
async fn an_idempotent_call_outlives_its_router_and_another_call_does_not() {
    for run in 0..50 {
        let place = Place::default();
        place.open();
        let (ada, bob) = (place.join("ada").await, place.join("bob").await);
        let served = serve(&place, &ada, 1 + run % 2).await;
        let reopened = place.clone();
        let reopening = tokio::spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_millis(300 + run)).await;
                if reopened.0.lock().unwrap().is_none() {
                    // It has all its callees again before it is called.
                    reopened.open();
                }
            }
        });
        let call = bob
            .call("com.example.work")
            .timeout(Duration::from_secs(20));
        if run % 2 == 0 {
            let error = call.await.unwrap_err();
            assert!(
                matches!(
                    error,
                    CallError::Closed {
                        delivery: Delivery::OutcomeUnknown,
                        ..
                    }
                ),
                "{error}"
            );
            assert_eq!(served.load(Ordering::Relaxed), 1, "it is not called again");
        } else {
            // The new router may not know the procedure yet.
            let result = loop {
                match call_again(&bob).await {
                    Ok(result) => break result,
                    Err(error) => assert!(error.uri().is_some(), "{error}"),
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            };
            assert_eq!(result, 3);
            drop(call);
        }
        reopening.abort();
    }
}

async fn call_again(bob: &Client) -> Result<u64, CallError> {
    let call = bob
        .call("com.example.work")
        .timeout(Duration::from_secs(20));
    let result = call.idempotent().attempts(10).await?;
    Ok(result.value().unwrap())
}

#[tokio::test(start_paused = true)]
async fn what_is_published_without_a_router_comes_in_order_after_all_is_restored() {
    for run in 0..50_u64 {
        let place = Place::default();
        place.open();
        let bob = place.join("bob").await;
        // Its own subscription must be restored first to get them.
        let mut numbers = bob.subscribe("com.example.number").await.unwrap();
        place.lose();
        lost(&bob).await;
        for number in 0..run {
            let publish = bob.publish("com.example.number").arg(number);
            let posted = publish.exclude_me(false).post().await.unwrap();
            assert_eq!(posted, Posted::Waiting);
        }
        place.open();
        bob.joined().await.unwrap();
        let publish = bob.publish("com.example.number").arg(run);
        publish.exclude_me(false).await.unwrap();
        for number in 0..=run {
            let event = numbers.next().await.unwrap();
            assert_eq!(event.value::<u64>().unwrap(), number);
        }
        let statistics = bob.role::<Publisher, _>().outbox().await.unwrap();
        assert_eq!((statistics.sent, statistics.waiting), (run, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_router_requests_fail_at_once_unless_they_may_wait() {
    let place = Place::default();
    place.open();
    let session = Session::new(REALM).authenticator(Ticket::new("bob", "bob"));
    let peer = PeerBuilder::new(session)
        .role(Publisher::new())
        .role(Caller::new())
        .retry(Backoff::constant(Duration::from_secs(1)));
    let bob = peer.connect(place.connector()).await.unwrap();
    place.lose();
    let mut state = bob.state();
    state.wait_for(|state| !state.is_joined()).await.unwrap();
    let begin = tokio::time::Instant::now();
    let error = bob.call("wamp.session.count").await.unwrap_err();
    assert!(
        matches!(
            error,
            CallError::Closed {
                delivery: Delivery::NotSent,
                ..
            }
        ),
        "{error}"
    );
    let error = bob.publish("com.example.topic").await.unwrap_err();
    assert!(
        matches!(
            error,
            PublishError::Closed {
                delivery: Delivery::NotSent,
                ..
            }
        ),
        "{error}"
    );
    let error = bob
        .publish("com.example.topic")
        .acknowledge()
        .await
        .unwrap_err();
    assert_eq!(error.delivery(), Some(Delivery::NotSent));
    assert!(begin.elapsed() < Duration::from_secs(1));

    let waiting = async {
        let call = bob.call("com.example.nobody").wait_for_session();
        let error = call.await.unwrap_err();
        assert!(error.uri().is_some(), "it was sent: {error}");
    };
    let publishing = async {
        let publish = bob.publish("com.example.topic").acknowledge();
        publish.idempotent().await.unwrap();
    };
    let opening = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        place.open();
    };
    tokio::join!(waiting, publishing, opening);
    assert!(begin.elapsed() >= Duration::from_secs(5));
}
