//! The connection dies before there is a session.

use spell::{
    ClientBuilder, CloseReason, JoinError, auth::Cra, prelude::*, transport::ConnectError,
};
use spell_tests::{
    accounts::CRA,
    faults::{Cut, Direction, Fault},
    runs::{count, named},
};

use crate::place::{Place, SCHEMES, soon};

/// A client that has to answer a challenge.
pub(crate) fn client(place: &Place) -> ClientBuilder {
    place
        .client()
        .authenticator(Cra::new(CRA.authid, CRA.secret))
}

/// What the two sides say to each other while a session is joined: of a TLS handshake some, then, but for RawSocket,
/// an upgrade and its answer, or the handshake of RawSocket, HELLO and CHALLENGE, AUTHENTICATE and WELCOME.
pub(crate) async fn sayings(place: &Place) -> Vec<(Direction, u64)> {
    let healthy = client(place).connect().await.unwrap();
    let chunks = place.proxy.chunks();
    healthy.leave().await.unwrap();
    let chunks = chunks.into_iter();
    chunks
        .map(|(direction, size)| (direction, u64::try_from(size).unwrap()))
        .collect()
}

/// Cuts the connection within each of the sayings, and right before it.
async fn dies_at_each(scheme: &str) {
    let place = Place::new(scheme, 0).await;
    let before = place.belongings();
    let sayings = sayings(&place).await;
    assert!(sayings.len() >= 6, "{sayings:?}");
    place.settles(0, before).await;
    for (number, &(direction, size)) in sayings.iter().enumerate() {
        let earlier = sayings[..number].iter();
        let earlier = earlier.filter(|(other, _)| *other == direction);
        let start: u64 = earlier.map(|(_, size)| size).sum();
        for seed in 0..count(20, 500) {
            let mut chance = fastrand::Rng::with_seed(seed);
            // Certificates and ids that are shorter by a few bytes must not end before the cut.
            let within = chance.u64(0..size.saturating_sub(16).max(1));
            let how = if chance.bool() {
                Cut::Reset
            } else {
                Cut::Finish
            };
            let fault = Fault::CutAfter(
                start.saturating_sub(8 * u64::from(start > 64)) + within,
                how,
            );
            let joining = async {
                place.proxy.clear();
                place.proxy.set(direction, fault);
                let joined = soon("joining", client(&place).connect()).await;
                let error = joined.expect_err("joined over a dead connection");
                assert!(
                    matches!(error, JoinError::Connect(_))
                        || matches!(
                            &error,
                            JoinError::Closed(
                                CloseReason::Disconnected | CloseReason::Transport(_)
                            )
                        ),
                    "{scheme}, {number}, {fault:?}: {error:?}"
                );
            };
            named(seed, joining).await;
        }
        place.settles(0, before).await;
        assert_eq!(place.proxy.open(), 0);
    }
}

#[tokio::test]
async fn joining_ends_when_a_websocket_dies_at_any_byte() {
    dies_at_each("ws").await;
}

#[tokio::test]
async fn joining_ends_when_a_rawsocket_dies_at_any_byte() {
    dies_at_each("rs").await;
}

#[tokio::test]
async fn joining_ends_when_a_secure_websocket_dies_at_any_byte() {
    dies_at_each("wss").await;
}

#[tokio::test]
async fn joining_ends_when_a_secure_rawsocket_dies_at_any_byte() {
    dies_at_each("rss").await;
}

#[tokio::test]
async fn joining_ends_when_the_connection_is_refused() {
    for scheme in SCHEMES {
        let place = Place::new(scheme, 0).await;
        let before = place.belongings();
        place.proxy.refuse();
        for _ in 0..count(20, 500) {
            let joined = soon("joining", client(&place).connect()).await;
            assert!(matches!(joined, Err(JoinError::Connect(_))), "{joined:?}");
        }
        place.settles(0, before).await;
    }
}

#[tokio::test]
async fn joining_ends_when_nobody_listens() {
    let place = Place::new("ws", 0).await;
    let url = place.proxy.url().to_owned();
    drop(place);
    // The proxy's task ends, and its listener with it.
    tokio::task::yield_now().await;
    let joined = soon("joining", spell::connect(&url, "realm1")).await;
    assert!(matches!(joined, Err(JoinError::Connect(_))), "{joined:?}");
}

#[tokio::test]
async fn joining_ends_when_the_name_has_no_address() {
    // Longer than a part of a name may be, so nobody else is asked.
    let url = format!("ws://{}.example:9/", "x".repeat(64));
    let joined = soon("joining", spell::connect(&url, "realm1")).await;
    let Err(JoinError::Connect(error)) = joined else {
        panic!("{joined:?}");
    };
    assert!(matches!(*error, ConnectError::Resolve { .. }), "{error:?}");
}
