//! Whether the first connect waits for a router.

use std::time::Duration;

use spell_peer::{Backoff, Endpoints, JoinError, PeerBuilder, PeerState};
use tokio::time::Instant;

use crate::support::{Client, Place, Script, builder, places};

fn patient() -> PeerBuilder<(Client,)> {
    builder().retry(Backoff::constant(Duration::from_secs(1)))
}

#[tokio::test(start_paused = true)]
async fn it_fails_when_each_router_was_tried_once_whatever_the_policy() {
    let [a, b] = places();
    let begun = Instant::now();
    let endpoints = Endpoints::new([a.clone(), b.clone()]);
    let error = patient().connect(endpoints).await.unwrap_err();
    assert!(matches!(error, JoinError::Connect(_)), "{error}");
    assert_eq!((a.dialled(), b.dialled()), (1, 1));
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn it_joins_at_a_router_that_is_there_though_a_better_one_is_not() {
    let [a, b] = places();
    let mut at_b = b.listen();
    let connect = builder().connect(Endpoints::new([a, b]));
    let (peer, _script) = tokio::join!(connect, Script::welcome(&mut at_b));
    assert_eq!(peer.unwrap().session().unwrap().endpoint(), Some("b"));
}

#[tokio::test(start_paused = true)]
async fn it_waits_for_a_router_when_asked() {
    let [a, _] = places();
    let begun = Instant::now();
    let connect = patient().wait_for_router().connect(a.clone());
    let router = async {
        tokio::time::sleep(Duration::from_millis(2500)).await;
        Script::welcome(&mut a.listen()).await
    };
    let (peer, _script) = tokio::join!(connect, router);
    peer.unwrap();
    assert_eq!((a.dialled(), begun.elapsed().as_secs()), (4, 3));
}

#[tokio::test(start_paused = true)]
async fn it_waits_as_long_as_the_policy_does() {
    let [a, _] = places();
    let policy = Backoff::constant(Duration::from_secs(1)).attempts(2);
    let connect = builder().retry(policy).wait_for_router().connect(a.clone());
    let error = connect.await.unwrap_err();
    assert!(matches!(error, JoinError::Connect(_)), "{error}");
    assert_eq!(a.dialled(), 3);
}

/// Connect to a router that aborts with `abort` and later welcomes; gives after how many seconds.
async fn connect_after(abort: &'static str) -> Result<u64, JoinError> {
    let [a, _] = places();
    let mut listener = a.listen();
    let begun = Instant::now();
    let router = async {
        Script::accept(&mut listener).await.send(abort).await;
        let _script = Script::welcome(&mut listener).await;
        std::future::pending().await
    };
    tokio::select! {
        peer = patient().connect(a) => peer.map(|_| begun.elapsed().as_secs()),
        never = router => never,
    }
}

#[tokio::test(start_paused = true)]
async fn a_router_that_says_that_it_will_pass_is_waited_for() {
    for abort in [
        r#"[3,{},"wamp.close.system_shutdown"]"#,
        r#"[3,{},"wamp.error.unavailable"]"#,
        r#"[3,{"nature":"transient"},"com.example.not_yet"]"#,
        r#"[3,{"nature":"transient"},"wamp.error.no_such_realm"]"#,
    ] {
        assert_eq!(connect_after(abort).await.unwrap(), 1, "{abort}");
    }
}

#[tokio::test(start_paused = true)]
async fn any_other_refusal_of_the_router_is_the_error_of_connect() {
    for abort in [
        r#"[3,{},"com.example.not_yet"]"#,
        r#"[3,{},"wamp.error.authentication_failed"]"#,
        r#"[3,{},"wamp.error.no_such_realm"]"#,
        r#"[3,{"nature":"permanent"},"wamp.error.unavailable"]"#,
    ] {
        let error = connect_after(abort).await.unwrap_err();
        assert!(matches!(error, JoinError::Refused(_)), "{abort}: {error}");
    }
}

#[tokio::test(start_paused = true)]
async fn once_a_session_was_joined_its_router_is_waited_for() {
    let [a, _] = places();
    let mut listener = a.listen();
    let (peer, script) = tokio::join!(patient().connect(a.clone()), Script::welcome(&mut listener));
    let peer = peer.unwrap();
    drop((script, listener));
    let mut state = peer.state();
    let waits = |state: &PeerState| matches!(state, PeerState::Waiting { .. });
    state.wait_for(waits).await.unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    let _script = Script::welcome(&mut a.listen()).await;
    peer.joined().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_is_built_waits_as_its_policy_says() {
    let [a, _] = places();
    let (peer, supervisor) = patient().build(Place::clone(&a)).unwrap();
    tokio::spawn(supervisor.run());
    tokio::time::sleep(Duration::from_secs(5)).await;
    let _script = Script::welcome(&mut a.listen()).await;
    peer.joined().await.unwrap();
}
