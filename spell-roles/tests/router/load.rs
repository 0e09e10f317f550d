//! More work than a peer can take, and a router that takes none.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use spell_message::reason;
use spell_peer::Delivery;
use spell_roles::{CallError, PublishError, prelude::*};
use spell_transport::{Listener, Serialization, Transport, memory};
use tokio::sync::Semaphore;

use super::*;

#[tokio::test]
async fn of_ten_thousand_calls_at_once_each_is_answered_and_no_more_are_kept_than_may_be() {
    const CALLS: u64 = 10_000;
    const RUNNING: usize = 16;
    const WAITING: usize = 100;
    let kept = u64::try_from(RUNNING + WAITING).unwrap();
    let router = router();
    let (ada, bob) = (join(&router, "ada").await, join(&router, "bob").await);
    let (gate, running, most) = (
        Arc::new(Semaphore::new(0)),
        Arc::new(AtomicU64::new(0)),
        Arc::new(AtomicU64::new(0)),
    );
    let (opened, now, peak) = (gate.clone(), running.clone(), most.clone());
    let register = ada.register("com.example.work").queue_count(WAITING);
    let work = register.concurrency(RUNNING).handler(move |(): ()| {
        let (gate, now, peak) = (opened.clone(), now.clone(), peak.clone());
        async move {
            let running = now.fetch_add(1, Ordering::Relaxed) + 1;
            peak.fetch_max(running, Ordering::Relaxed);
            let _ = gate.acquire().await;
            now.fetch_sub(1, Ordering::Relaxed);
            Ok(())
        }
    });
    let work = work.await.unwrap();
    let mut calls: FuturesUnordered<_> = (0..CALLS)
        .map(|_| bob.call("com.example.work").no_timeout().into_future())
        .collect();
    let (mut done, mut unavailable) = (0, 0);
    while let Some(answer) = calls.next().await {
        assert!(work.running() <= kept);
        match answer {
            Ok(_) => done += 1,
            Err(CallError::Refused(error)) => {
                let uri = error.uri().as_str();
                let is_full = [reason::UNAVAILABLE, reason::NO_AVAILABLE_CALLEE].contains(&uri);
                assert!(is_full, "{error}");
                unavailable += 1;
            }
            Err(error) => panic!("{error}"),
        }
        // The first ones work until no more can come.
        if unavailable + kept == CALLS {
            gate.close();
        }
    }
    assert_eq!(done + unavailable, CALLS);
    assert_eq!(work.refused(), unavailable);
    assert_eq!(
        most.load(Ordering::Relaxed),
        u64::try_from(RUNNING).unwrap()
    );
    assert_eq!(work.running(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_router_that_stops_reading_is_written_no_more_than_may_wait_and_requests_time_out() {
    const SIZE: usize = 100_000;
    const SOFT_LIMIT: usize = 2_000_000;
    // What the transport in memory holds.
    const TRANSPORT: usize = 1 << 20;
    let (connector, mut listener) = memory::listener([Serialization::JSON]);
    let limit = Duration::from_secs(5);
    let peer = PeerBuilder::new(Session::new(REALM))
        .role(Publisher::new())
        .role(Caller::new())
        .request_timeout(limit)
        .configure(|config| config.outbox_soft_limit = SOFT_LIMIT)
        .connect(connector);
    let welcome = async {
        let mut link = listener.accept().await.unwrap().await.unwrap();
        link.next().await.unwrap().unwrap();
        send(&mut link, r#"[2,7,{"roles":{"broker":{},"dealer":{}}}]"#).await;
        // It lives, and reads no more.
        link
    };
    let (peer, link) = tokio::join!(peer, welcome);
    let peer = peer.unwrap();
    let text = "x".repeat(SIZE);
    let publications: FuturesUnordered<_> = (0..200)
        .map(|_| peer.publish("com.example.topic").arg(&text).into_future())
        .collect();
    let calls: FuturesUnordered<_> = (0..10)
        .map(|_| peer.call("com.example.work").into_future())
        .collect();
    let begin = tokio::time::Instant::now();
    let (published, called) =
        tokio::join!(publications.collect::<Vec<_>>(), calls.collect::<Vec<_>>());
    assert!(begin.elapsed() <= limit + Duration::from_millis(1));
    let committed = published.iter().filter(|published| published.is_ok());
    let bytes = committed.count() * SIZE;
    // Each of the two may be full, but for one byte, when another message comes.
    let most = TRANSPORT + SOFT_LIMIT + 3 * SIZE;
    assert!(
        (SOFT_LIMIT..most).contains(&bytes),
        "{bytes} bytes were taken"
    );
    for error in published.into_iter().filter_map(Result::err) {
        assert!(
            matches!(error, PublishError::Timeout(Delivery::NotSent)),
            "{error}"
        );
    }
    for called in called {
        let error = called.unwrap_err();
        assert!(
            matches!(error, CallError::Timeout(Delivery::NotSent)),
            "{error}"
        );
    }
    assert!(peer.session().is_some(), "the session goes on");
    drop(link);
}

async fn send(link: &mut impl Transport, text: &str) {
    use futures_util::SinkExt;
    link.send(text.to_owned().into()).await.unwrap();
}
