//! What whoever listens to a peer is told.

use std::time::Duration;

use spell_peer::{Backoff, CloseReason, PeerEvent, PeerEvents};

use crate::support::{Ask, Script, builder, handle, joined, listener};

async fn next(events: &mut PeerEvents) -> PeerEvent {
    events.next().await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn each_change_is_an_event_with_its_cause_in_order() {
    let (connector, mut listener) = listener();
    let policy = Backoff::constant(Duration::from_secs(1)).attempts(1);
    let (peer, supervisor) = builder().retry(policy).build(connector).unwrap();
    let mut events = peer.events();
    tokio::spawn(supervisor.run());
    let script = Script::welcome(&mut listener).await;
    let PeerEvent::Connecting { attempt: 1, .. } = next(&mut events).await else {
        panic!("no attempt");
    };
    let PeerEvent::Joined(session) = next(&mut events).await else {
        panic!("not joined");
    };
    assert_eq!(session.id().get(), 7);
    drop(script);
    let PeerEvent::Lost {
        cause, endpoint, ..
    } = next(&mut events).await
    else {
        panic!("not lost");
    };
    assert!(matches!(cause, CloseReason::Transport(_)), "{cause}");
    assert_eq!(session.endpoint(), Some(&*endpoint));
    let PeerEvent::Waiting { delay, .. } = next(&mut events).await else {
        panic!("does not wait");
    };
    assert_eq!(delay.as_secs(), 1);
    let PeerEvent::Connecting { attempt: 1, .. } = next(&mut events).await else {
        panic!("no second attempt");
    };
    drop(listener);
    let PeerEvent::Failed { cause, .. } = next(&mut events).await else {
        panic!("did not fail");
    };
    let PeerEvent::Closed(reason) = next(&mut events).await else {
        panic!("did not give up");
    };
    assert_eq!(reason.to_string(), cause.to_string());
    assert!(events.next().await.is_none());
    assert!(peer.events().next().await.is_none());
}

#[tokio::test]
async fn what_a_role_reports_is_an_event() {
    let (peer, _script, _listener) = joined(builder()).await;
    let mut events = peer.events();
    let report = Ask::Report("the queue is full");
    handle(&peer).0.send(report).await.unwrap();
    let event = next(&mut events).await;
    assert_eq!(event.downcast_ref(), Some(&"the queue is full"));
    assert_eq!(event.to_string(), "the queue is full");
}

#[tokio::test]
async fn who_reads_too_slowly_is_told_how_many_events_were_lost() {
    let (peer, _script, _listener) = joined(builder()).await;
    let mut events = peer.events();
    for _ in 0..100 {
        let sent = handle(&peer).0.send(Ask::Report("again")).await;
        sent.unwrap();
    }
    drop(peer);
    let mut lost = 0;
    let mut told = 0;
    while let Some(event) = events.next().await {
        match event {
            PeerEvent::Lagged(missed) => lost += missed,
            event => told += u64::from(event.downcast_ref::<&str>().is_some()),
        }
    }
    assert_eq!(lost + told, 100);
    // 64 wait; two of them are that the session ended, and that the peer did.
    assert_eq!(told, 62);
}
