use std::{
    future, io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use spell::{
    Client, CloseReason,
    prelude::*,
    supervision::{
        Child, ChildEnd, Intensity, Report, Reports, Restart, StartError, Supervision,
        SupervisionEnd,
    },
};
use spell_router::{Farewell, Router};
use tokio::time::Instant;

use crate::support::{REALM, join};

fn child(name: &str, router: &Arc<Router>) -> Child<spell::ClientRoles> {
    let router = router.clone();
    Child::new(name, move || {
        let router = router.clone();
        async move { Ok(join(&router).await?) }
    })
}

fn peer(supervision: &Supervision, name: &str) -> Client {
    supervision.peer(name).unwrap()
}

/// End a peer against its will.
fn kill(router: &Router, peer: &Client) {
    let farewell = Farewell::new();
    let realm = router.administration(REALM).unwrap();
    assert!(realm.kill(peer.session().unwrap().id(), &farewell));
}

/// The next report that a child ended: its name, and whether it is started anew.
async fn ended(reports: &mut Reports) -> (Arc<str>, ChildEnd, bool) {
    loop {
        if let Report::Ended {
            name,
            end,
            restarts,
            ..
        } = reports.next().await.unwrap()
        {
            return (name, end, restarts);
        }
    }
}

async fn started(reports: &mut Reports, wanted: u64) {
    loop {
        if let Report::Started { incarnation, .. } = reports.next().await.unwrap()
            && incarnation == wanted
        {
            return;
        }
    }
}

#[tokio::test]
async fn what_was_killed_is_started_anew_and_found_by_its_name() {
    let router = Arc::new(Router::local());
    let supervision = Supervision::new();
    let mut reports = supervision.reports();
    supervision.start(child("a", &router)).await.unwrap();
    let first = peer(&supervision, "a");
    let session = first.session().unwrap().id();
    kill(&router, &first);
    let (name, end, restarts) = ended(&mut reports).await;
    assert_eq!((&*name, restarts), ("a", true));
    assert!(
        matches!(end, ChildEnd::Closed(CloseReason::Goodbye(_))),
        "{end:?}"
    );
    started(&mut reports, 2).await;
    let second = peer(&supervision, "a");
    assert_ne!(second.session().unwrap().id(), session);
}

#[tokio::test]
async fn permanent_always_transient_unless_wished_temporary_never() {
    for (restart, after_leaving, after_killing) in [
        (Restart::Permanent, true, true),
        (Restart::Transient, false, true),
        (Restart::Temporary, false, false),
    ] {
        let router = Arc::new(Router::local());
        let supervision = Supervision::new();
        let mut reports = supervision.reports();
        for name in ["leaves", "killed"] {
            let child = child(name, &router).restart(restart);
            supervision.start(child).await.unwrap();
        }
        peer(&supervision, "leaves").leave().await.unwrap();
        let (name, _, restarts) = ended(&mut reports).await;
        assert_eq!((&*name, restarts), ("leaves", after_leaving), "{restart:?}");
        kill(&router, &peer(&supervision, "killed"));
        let (name, _, restarts) = ended(&mut reports).await;
        assert_eq!((&*name, restarts), ("killed", after_killing), "{restart:?}");
        let kept = supervision.names().len();
        assert_eq!(
            kept,
            usize::from(after_leaving) + usize::from(after_killing)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn too_many_restarts_end_all() {
    let router = Arc::new(Router::local());
    let intensity = Intensity::new(2, Duration::from_secs(5));
    let supervision = Supervision::with_intensity(intensity);
    let mut reports = supervision.reports();
    supervision.start(child("other", &router)).await.unwrap();
    let other = peer(&supervision, "other");
    supervision.start(child("a", &router)).await.unwrap();
    for incarnation in 2..=3 {
        kill(&router, &peer(&supervision, "a"));
        started(&mut reports, incarnation).await;
    }
    kill(&router, &peer(&supervision, "a"));
    let end = supervision.ended().await;
    assert!(matches!(&end, SupervisionEnd::TooManyRestarts { name, .. } if &**name == "a"));
    assert!(matches!(other.closed().await, CloseReason::Stopped));
    assert!(supervision.names().is_empty());
    let late = supervision.start(child("b", &router)).await;
    assert!(matches!(late, Err(StartError::Ended)));
}

#[tokio::test(start_paused = true)]
async fn restarts_long_ago_do_not_count() {
    let router = Arc::new(Router::local());
    let intensity = Intensity::new(1, Duration::from_secs(5));
    let supervision = Supervision::with_intensity(intensity);
    let mut reports = supervision.reports();
    supervision.start(child("a", &router)).await.unwrap();
    for incarnation in 2..6 {
        kill(&router, &peer(&supervision, "a"));
        started(&mut reports, incarnation).await;
        tokio::time::advance(Duration::from_secs(6)).await;
    }
    assert_eq!(supervision.names().len(), 1);
}

#[tokio::test]
async fn a_child_that_never_ran_is_not_kept() {
    let supervision = Supervision::new();
    let child = Child::<spell::ClientRoles>::new("a", || async {
        Err(io::Error::other("no such place").into())
    });
    let refused = supervision.start(child).await.unwrap_err();
    let StartError::Failed(ChildEnd::NotStarted(cause)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(cause.to_string(), "no such place");
    assert!(supervision.names().is_empty());
}

#[tokio::test]
async fn a_closure_that_panics_is_an_end_as_any() {
    let router = Arc::new(Router::local());
    let supervision = Supervision::new();
    let mut reports = supervision.reports();
    let runs = Arc::new(AtomicUsize::new(0));
    let place = router.clone();
    let child = Child::new("a", move || {
        let run = runs.fetch_add(1, Ordering::Relaxed);
        let place = place.clone();
        async move {
            assert!(run != 1, "once");
            Ok(join(&place).await?)
        }
    });
    supervision.start(child).await.unwrap();
    kill(&router, &peer(&supervision, "a"));
    assert!(ended(&mut reports).await.2);
    let (_, end, restarts) = ended(&mut reports).await;
    assert!(matches!(end, ChildEnd::Panicked) && restarts);
    started(&mut reports, 2).await;
}

#[tokio::test]
async fn names_are_not_shared() {
    let router = Arc::new(Router::local());
    let supervision = Supervision::new();
    supervision.start(child("a", &router)).await.unwrap();
    let second = supervision.start(child("a", &router)).await;
    assert!(matches!(second, Err(StartError::NameTaken)));
    assert!(supervision.stop_child("a").await);
    assert!(!supervision.stop_child("a").await);
    supervision.start(child("a", &router)).await.unwrap();
}

#[tokio::test]
async fn all_are_stopped_in_reverse_order_after_their_farewell() {
    let router = Arc::new(Router::local());
    let supervision = Supervision::new();
    let left = Arc::<Mutex<Vec<_>>>::default();
    for name in ["first", "second", "third"] {
        let left = left.clone();
        let child = child(name, &router).farewell(move |peer| {
            let left = left.clone();
            async move {
                peer.leave().await.unwrap();
                left.lock().unwrap().push(name);
            }
        });
        supervision.start(child).await.unwrap();
    }
    supervision.stop().await;
    assert_eq!(*left.lock().unwrap(), ["third", "second", "first"]);
}

#[tokio::test(start_paused = true)]
async fn who_does_not_end_in_time_is_dropped() {
    let router = Arc::new(Router::local());
    let supervision = Supervision::new();
    let stubborn = child("stubborn", &router)
        .deadline(Duration::from_secs(3))
        .farewell(|_| future::pending());
    supervision.start(stubborn).await.unwrap();
    let stubborn = peer(&supervision, "stubborn");
    let begun = Instant::now();
    supervision.stop().await;
    assert_eq!(begun.elapsed(), Duration::from_secs(3));
    assert!(matches!(stubborn.closed().await, CloseReason::Stopped));
}

#[tokio::test]
async fn dropped_it_stops_all() {
    let router = Arc::new(Router::local());
    let supervision = Supervision::new();
    supervision.start(child("a", &router)).await.unwrap();
    let peer = peer(&supervision, "a");
    drop(supervision);
    assert!(matches!(peer.closed().await, CloseReason::Stopped));
}
