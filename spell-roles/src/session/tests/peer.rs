//! Whole peers over a transport in memory, against a scripted router.

use futures_util::{SinkExt, StreamExt};
use spell_peer::{Backoff, JoinError, Peer, PeerBuilder};
use spell_transport::{
    Listener, Serialization,
    memory::{self, MemoryConnector, MemoryListener, MemoryTransport},
};
use tokio::task::spawn_blocking;

use super::*;

fn builder() -> PeerBuilder<(Session,)> {
    PeerBuilder::new(Session::new("realm1"))
}

fn router() -> (MemoryConnector, MemoryListener) {
    memory::listener([Serialization::JSON])
}

/// The router's end of one connection.
struct Link(MemoryTransport);

impl Link {
    async fn accept(listener: &mut MemoryListener) -> Self {
        Self(listener.accept().await.unwrap().await.unwrap())
    }

    async fn welcome(listener: &mut MemoryListener) -> Self {
        let mut link = Self::accept(listener).await;
        assert!(link.receive().await.unwrap().starts_with("[1,"));
        link.send(WELCOME).await;
        link
    }

    async fn receive(&mut self) -> Option<String> {
        let frame = self.0.next().await?.ok()?;
        Some(String::from_utf8(frame.to_vec()).unwrap())
    }

    async fn send(&mut self, frame: &str) {
        let frame = Bytes::copy_from_slice(frame.as_bytes());
        self.0.send(frame).await.unwrap();
    }
}

async fn connected(builder: PeerBuilder<(Session,)>) -> (Peer<(Session,)>, Link, MemoryListener) {
    let (connector, mut listener) = router();
    let (peer, link) = tokio::join!(builder.connect(connector), Link::welcome(&mut listener));
    (peer.unwrap(), link, listener)
}

#[tokio::test(start_paused = true)]
async fn a_router_that_says_nothing_after_hello_is_not_waited_for_for_ever() {
    let (connector, mut listener) = router();
    let limit = Duration::from_secs(3);
    let start = tokio::time::Instant::now();
    let silent = async {
        let mut link = Link::accept(&mut listener).await;
        link.receive().await.unwrap();
        link
    };
    let (peer, _link) = tokio::join!(builder().join_timeout(limit).connect(connector), silent);
    let error = peer.unwrap_err();
    assert!(matches!(error, JoinError::Timeout(after) if after == limit));
    assert_eq!(start.elapsed(), limit);
}

#[tokio::test(start_paused = true)]
async fn the_time_an_authenticator_takes_counts_as_time_for_joining() {
    let (connector, mut listener) = router();
    let ticket = Ticket::provider("joe", || {
        std::future::pending::<Result<_, std::io::Error>>()
    });
    let builder = PeerBuilder::new(Session::new("realm1").authenticator(ticket));
    let challenge = async {
        let mut link = Link::accept(&mut listener).await;
        link.receive().await.unwrap();
        link.send(r#"[4,"ticket",{}]"#).await;
        link
    };
    let (peer, _link) = tokio::join!(builder.connect(connector), challenge);
    assert!(matches!(peer.unwrap_err(), JoinError::Timeout(_)));
}

#[tokio::test]
async fn a_key_is_derived_beside_the_driver_and_the_peer_joins() {
    let (connector, mut listener) = router();
    let builder =
        PeerBuilder::new(Session::new("realm1").authenticator(Cra::new("joe", "secret123")));
    let router = async {
        let mut link = Link::accept(&mut listener).await;
        link.receive().await.unwrap();
        link.send(
            r#"[4,"wampcra",{"challenge":"{\"nonce\":\"n1\",\"session\":1}","salt":"salt123"}]"#,
        )
        .await;
        let answer = link.receive().await.unwrap();
        assert_eq!(
            answer,
            r#"[5,"wedkAHWWTcjugm0GzgqrmMDBJxKa7NgE2jxwVugnTSk=",{}]"#
        );
        link.send(r#"[2,7,{"roles":{"broker":{}},"authmethod":"wampcra"}]"#)
            .await;
        link
    };
    let (peer, _link) = tokio::join!(builder.connect(connector), router);
    let session = peer.unwrap().session().unwrap();
    assert_eq!(session.authmethod(), Some("wampcra"));
    // The runtime's threads for blocking work are still there.
    spawn_blocking(|| ()).await.unwrap();
}

#[tokio::test]
async fn a_peer_leaves_by_its_extension_trait_and_is_closed_as_left() {
    let (peer, mut link, _listener) = connected(builder()).await;
    let router = async {
        let goodbye = link.receive().await;
        assert_eq!(
            goodbye.as_deref(),
            Some(r#"[6,{},"wamp.close.close_realm"]"#)
        );
        link.send(r#"[6,{},"wamp.close.goodbye_and_out"]"#).await;
        assert_eq!(link.receive().await, None, "the transport is closed");
    };
    let (left, ()) = tokio::join!(peer.leave().into_future(), router);
    left.unwrap();
    assert!(matches!(peer.closed().await, CloseReason::Left));
    // Again: nothing left to do.
    peer.leave().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_left_is_not_joined_again_whatever_its_policy_says() {
    let builder = builder().retry(Backoff::constant(Duration::from_secs(1)));
    let (peer, mut link, mut listener) = connected(builder).await;
    let router = async {
        link.receive().await.unwrap();
        drop(link);
    };
    let (left, ()) = tokio::join!(peer.leave().into_future(), router);
    assert!(matches!(left.unwrap_err(), LeaveError::Interrupted));
    let minute = Duration::from_secs(60);
    let closed = tokio::time::timeout(minute, peer.closed()).await;
    assert!(matches!(closed, Ok(CloseReason::Left)));
    let again = tokio::time::timeout(minute, listener.accept());
    assert!(again.await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_waits_for_its_next_attempt_can_leave() {
    let builder = builder().retry(Backoff::constant(Duration::from_secs(3600)));
    let (peer, link, _listener) = connected(builder).await;
    drop(link);
    let mut state = peer.state();
    let waiting = |state: &spell_peer::PeerState| !state.is_joined();
    state.wait_for(waiting).await.unwrap();
    peer.leave().await.unwrap();
    assert!(matches!(peer.closed().await, CloseReason::Left));
}

#[tokio::test]
async fn a_peer_that_ended_before_says_why_it_cannot_leave() {
    let (peer, mut link, _listener) = connected(builder()).await;
    link.send(r#"[6,{},"wamp.close.system_shutdown"]"#).await;
    assert!(matches!(peer.closed().await, CloseReason::Goodbye(_)));
    let error = peer.leave().await.unwrap_err();
    assert!(matches!(error, LeaveError::Closed(CloseReason::Goodbye(_))));
}

#[tokio::test]
async fn dropping_the_last_handle_says_goodbye() {
    let (peer, mut link, _listener) = connected(builder()).await;
    drop(peer);
    let goodbye = link.receive().await;
    assert_eq!(
        goodbye.as_deref(),
        Some(r#"[6,{},"wamp.close.close_realm"]"#)
    );
    assert_eq!(link.receive().await, None);
}

#[tokio::test]
async fn a_refusal_of_the_router_is_the_error_of_connect() {
    let (connector, mut listener) = router();
    let refuse = async {
        let mut link = Link::accept(&mut listener).await;
        link.receive().await.unwrap();
        link.send(r#"[3,{},"wamp.error.no_such_realm"]"#).await;
        link
    };
    let (peer, _link) = tokio::join!(builder().connect(connector), refuse);
    let JoinError::Refused(abort) = peer.unwrap_err() else {
        panic!();
    };
    assert_eq!(abort.reason.as_str(), "wamp.error.no_such_realm");
}
