//! The router still has the session that a client lost.

use std::time::Duration;

use spell::{
    Backoff, Client, ClientBuilder, Conflict,
    auth::Cra,
    message::reason,
    prelude::*,
    roles::{Handled, Registration, RegistrationEnd},
    transport::KeepAlive,
};
use spell_tests::{
    accounts::CRA,
    faults::{Direction, Fault},
};
use tokio::task::yield_now;

use crate::place::{Place, soon};

const PROCEDURE: &str = "com.example.half";

/// A client that registers a procedure, and whose connection then is gone for it alone; it comes back by another way.
async fn come_back(
    place: &Place,
    identify: impl FnOnce(ClientBuilder) -> ClientBuilder,
) -> (Client, Registration<Handled>) {
    let client = place.client_by_two_ways();
    let client = client
        .keep_alive(KeepAlive::within(Duration::from_millis(200)))
        .retry(Backoff::constant(Duration::from_millis(1)));
    let client = identify(client).connect().await.unwrap();
    let half = client.register(PROCEDURE).on_conflict(Conflict::Replace);
    let half = half.handler(async |(number,): (u64,)| Ok(number / 2));
    let half = half.await.unwrap();
    let before = client.session().unwrap().id();
    for direction in [Direction::ToRouter, Direction::ToClient] {
        place.proxy.set(direction, Fault::Swallow);
    }
    let comes_back = async {
        while client
            .session()
            .is_none_or(|session| session.id() == before)
        {
            yield_now().await;
        }
    };
    soon("another session", comes_back).await;
    assert_eq!(
        place.router.statistics().sessions,
        2,
        "the last one is stale"
    );
    (client, half)
}

#[tokio::test]
async fn a_client_that_authenticated_takes_its_procedure_from_its_stale_session() {
    let place = Place::new("rs", 0).await;
    let (_client, half) = come_back(&place, |client| {
        client.authenticator(Cra::new(CRA.authid, CRA.secret))
    })
    .await;
    let is_restored = async {
        while half.id().is_none() {
            yield_now().await;
        }
    };
    soon("the procedure", is_restored).await;
    let called = place.bystander().await.call(PROCEDURE).arg(42).await;
    assert_eq!(called.unwrap().value::<u64>().unwrap(), 21);
    assert_eq!(place.router.statistics().sessions, 3);
}

#[tokio::test]
async fn a_client_that_did_not_authenticate_takes_nothing() {
    let place = Place::new("rs", 0).await;
    let (_client, half) = come_back(&place, |client| client).await;
    let ends = async {
        while half.end().is_none() {
            yield_now().await;
        }
    };
    soon("the end of the registration", ends).await;
    match half.end() {
        Some(RegistrationEnd::NotRestored(error)) => {
            let error = error.uri().unwrap().as_str();
            assert_eq!(error, reason::PROCEDURE_ALREADY_EXISTS);
        }
        other => panic!("{other:?}"),
    }
}
