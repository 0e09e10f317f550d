//! Peers that leave while their handlers work.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use spell_message::reason;
use spell_roles::{CallError, LeaveError, prelude::*};
use tokio::time::{Instant, sleep};

use super::*;

const LIMIT: Duration = Duration::from_secs(10);

/// Numbers that look as by chance.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_leaves_finishes_its_work_or_tells_of_it_and_keeps_the_time() {
    for run in 0..100 {
        let mut dice = Dice(run);
        let router = router();
        let (ada, bob) = (join(&router, "ada").await, join(&router, "bob").await);
        let finished = Arc::new(AtomicU64::new(0));
        let counter = finished.clone();
        let register = ada.register("com.example.work").queue_count(100);
        let concurrency = usize::try_from(1 + dice.roll(8)).unwrap();
        let work = register
            .concurrency(concurrency)
            .handler(move |(seconds,): (u64,)| {
                let counter = counter.clone();
                async move {
                    sleep(Duration::from_secs(seconds)).await;
                    counter.fetch_add(1, Ordering::Relaxed);
                    Ok(())
                }
            });
        let work = work.await.unwrap();
        let mut calls = Vec::new();
        for _ in 0..dice.roll(20) {
            // Every other run has work that cannot be finished in time.
            let seconds = dice.roll(if run % 2 == 0 { 3 } else { 20 });
            let call = bob.call("com.example.work").arg(seconds).no_timeout();
            calls.push(call.start().await.unwrap());
        }
        sleep(Duration::from_millis(dice.roll(2000))).await;

        let begin = Instant::now();
        let left = ada.leave().drain(LIMIT).await;
        assert!(begin.elapsed() <= LIMIT, "run {run}: {:?}", begin.elapsed());
        let (mut done, mut cut) = (0, 0);
        for call in calls {
            match call.await {
                Ok(_) => done += 1,
                Err(CallError::Refused(error)) => {
                    let is_cut = [
                        reason::CANCELED,
                        reason::UNAVAILABLE,
                        reason::NO_AVAILABLE_CALLEE,
                    ];
                    assert!(is_cut.contains(&error.uri().as_str()), "run {run}: {error}");
                    cut += 1;
                }
                Err(error) => panic!("run {run}: {error}"),
            }
        }
        assert_eq!(done, finished.load(Ordering::Relaxed), "run {run}");
        assert_eq!(cut, work.interrupted(), "run {run}");
        match left {
            Ok(()) => assert_eq!(cut, 0, "run {run}"),
            Err(LeaveError::Overdue(LIMIT)) => assert!(cut > 0, "run {run}"),
            Err(error) => panic!("run {run}: {error}"),
        }
        assert_eq!(router.statistics().violations, 0);
        assert!(matches!(ada.closed().await, spell_peer::CloseReason::Left));
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_can_call_and_publish_while_its_peer_leaves() {
    let router = router();
    let (ada, bob) = (join(&router, "ada").await, join(&router, "bob").await);
    let half = bob.register("com.example.half");
    let half = half.handler(|(value,): (u64,)| async move { Ok(value / 2) });
    let _half = half.await.unwrap();
    let mut done = bob.subscribe("com.example.done").await.unwrap();
    let own = ada.clone();
    let work = ada
        .register("com.example.work")
        .handler(move |(value,): (u64,)| {
            let ada = own.clone();
            async move {
                sleep(Duration::from_secs(1)).await;
                let half: u64 = ada
                    .call("com.example.half")
                    .arg(value)
                    .await
                    .unwrap()
                    .value()?;
                ada.publish("com.example.done").acknowledge().await.unwrap();
                Ok(half)
            }
        });
    work.await.unwrap().detach();
    let call = bob.call("com.example.work").arg(8).start().await.unwrap();
    sleep(Duration::from_millis(1)).await;
    ada.leave().drain(LIMIT).await.unwrap();
    assert_eq!(call.await.unwrap().value::<u64>().unwrap(), 4);
    assert!(done.next().await.is_some());
}
