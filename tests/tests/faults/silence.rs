//! The router, or who knows its address, says nothing, before there is a session.

use std::{pin::pin, sync::mpsc, time::Duration};

use spell::JoinError;
use spell_tests::{
    faults::{Cut, Direction, Fault},
    runs::count,
};
use tokio::{
    task::{spawn_blocking, yield_now},
    time::{Instant, advance, pause, resume},
};

use crate::{
    joining::{client, sayings},
    place::Place,
};

/// The limit of a join. The router gives up later.
const LIMIT: Duration = Duration::from_secs(5);

/// How much later than that a join may end.
const GRACE: Duration = Duration::from_millis(100);

/// The router says nothing more after each of its sayings in a join, and before the first of them: after TCP is
/// connected, after the handshake of TLS, after the upgrade or the handshake of RawSocket and HELLO, after CHALLENGE. One
/// limit covers it all.
///
/// The clock stands still as soon as there is silence, and jumps to what is to happen next, so what is measured is not how
/// busy the machine is.
async fn one_limit_covers_all(scheme: &str, least: usize) {
    let place = Place::new(scheme, 0).await;
    let before = place.belongings();
    let sayings = sayings(&place).await;
    let router = sayings
        .iter()
        .filter(|(who, _)| *who == Direction::ToClient);
    let router: Vec<u64> = router.map(|(_, size)| *size).collect();
    assert!(router.len() >= least, "{sayings:?}");
    place.settles(0, before).await;
    for said in 0..router.len() {
        // A signature may be some bytes longer than before. What is of the next saying then is too little of it.
        let slack = if scheme.ends_with("ss") && said > 0 {
            8
        } else {
            0
        };
        let heard = router[..said].iter().sum::<u64>() + slack;
        for _ in 0..count(5, 100) {
            place.proxy.clear();
            place
                .proxy
                .set(Direction::ToClient, Fault::SwallowAfter(heard));
            let swallowed = place.proxy.swallowed();
            let start = Instant::now();
            let mut joining = pin!(client(&place).join_timeout(LIMIT).connect());
            let silence = async {
                while place.proxy.swallowed() == swallowed {
                    yield_now().await;
                }
            };
            tokio::select! {
                joined = &mut joining => panic!("{scheme}, {said}: {joined:?}"),
                () = silence => {}
            }
            pause();
            let joined = joining.await;
            let took = start.elapsed();
            resume();
            assert!(
                matches!(joined, Err(JoinError::Timeout(LIMIT))),
                "{scheme}, {said}: {joined:?}"
            );
            assert!(
                (LIMIT..=LIMIT + GRACE).contains(&took),
                "{scheme}, {said}: {took:?}"
            );
        }
        place.proxy.cut(Cut::Reset);
    }
    place.settles(0, before).await;
}

#[tokio::test]
async fn one_limit_covers_a_join_over_websocket_wherever_the_router_falls_silent() {
    one_limit_covers_all("ws", 3).await;
}

#[tokio::test]
async fn one_limit_covers_a_join_over_rawsocket_wherever_the_router_falls_silent() {
    one_limit_covers_all("rs", 3).await;
}

#[tokio::test]
async fn one_limit_covers_a_join_over_secure_websocket_wherever_the_router_falls_silent() {
    one_limit_covers_all("wss", 4).await;
}

#[tokio::test]
async fn one_limit_covers_a_join_over_secure_rawsocket_wherever_the_router_falls_silent() {
    one_limit_covers_all("rss", 4).await;
}

/// Names are resolved on tokio's threads for what blocks. The only one there is has something else to do, so the resolver
/// never answers.
#[test]
fn joining_ends_in_time_when_nobody_resolves_the_name() {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().max_blocking_threads(1);
    let runtime = runtime.start_paused(true).build().unwrap();
    let (release, released) = mpsc::channel::<()>();
    runtime.block_on(async {
        let busy = spawn_blocking(move || released.recv());
        let joining = spell::client("ws://localhost:9/", "realm1").join_timeout(LIMIT);
        let joining = tokio::spawn(joining.connect().into_future());
        yield_now().await;
        // While a thread is busy the clock goes on by hand only.
        advance(LIMIT.saturating_sub(GRACE)).await;
        yield_now().await;
        assert!(!joining.is_finished(), "{:?}", joining.await);
        advance(GRACE.saturating_mul(2)).await;
        let joined = joining.await.unwrap();
        assert!(
            matches!(joined, Err(JoinError::Timeout(LIMIT))),
            "{joined:?}"
        );
        drop(release);
        busy.await.unwrap().unwrap_err();
    });
}
