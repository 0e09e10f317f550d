use spell_message::{SessionId, options::CancelMode};
use spell_roles::{Interrupt, Interruption, InvocationInfo, Parts, Progress, prelude::*};
use tokio::sync::mpsc;

use super::*;

#[tokio::test]
async fn arguments_and_results_go_both_ways_at_a_time() {
    let router = router();
    let (ada, bob) = (join(&router, "ada").await, join(&router, "bob").await);
    let sums = |mut parts: Parts, progress: Progress| async move {
        let mut sum = 0_u64;
        while let Some(part) = parts.next().await {
            sum += part?.value::<u64>()?;
            if let Some(result) = progress.result() {
                result.arg(sum).await?;
            }
        }
        Ok(sum)
    };
    let _sums = ada.register("com.example.sums").handler(sums).await;
    let call = bob.call("com.example.sums").arg(1).receive_progress();
    let (mut arguments, mut results) = call.progressive().await.unwrap();
    let mut expected = 0_u64;
    for number in 1..=100 {
        expected += number;
        let sum = results.next().await.unwrap().unwrap();
        assert!(sum.is_progress());
        assert_eq!(sum.value::<u64>().unwrap(), expected);
        let next = number + 1;
        let more = match number {
            100 => continue,
            99 => arguments.finish(),
            _ => arguments.send(),
        };
        more.arg(next).await.unwrap();
    }
    let last = results.next().await.unwrap().unwrap();
    assert!(!last.is_progress());
    assert_eq!(last.value::<u64>().unwrap(), 5050);
    assert!(results.next().await.is_none());
}

/// Ada serves `com.example.work`, which gives one progressive result, and ends when it is
/// interrupted; why it was, is told.
async fn working(ada: &Client) -> mpsc::UnboundedReceiver<Interruption> {
    let (tell, told) = mpsc::unbounded_channel();
    let work = move |_: Parts, progress: Progress, interrupt: Interrupt| {
        let tell = tell.clone();
        async move {
            if let Some(result) = progress.result() {
                result.await?;
            }
            tell.send(interrupt.interrupted().await).unwrap();
            Ok("half of it")
        }
    };
    let work = ada.register("com.example.work").handler(work).await;
    work.unwrap().detach();
    told
}

/// The mode in which the callee was interrupted.
async fn mode(told: &mut mpsc::UnboundedReceiver<Interruption>) -> Option<CancelMode> {
    match told.recv().await.unwrap() {
        Interruption::Canceled { mode, .. } => mode,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_call_that_is_given_up_interrupts_the_callee() {
    let router = router();
    let (ada, bob) = (join(&router, "ada").await, join(&router, "bob").await);
    let mut told = working(&ada).await;
    let call = || bob.call("com.example.work");

    let mut results = call().receive_progress().await.unwrap();
    assert!(results.next().await.unwrap().unwrap().is_progress());
    drop(results);
    assert_eq!(mode(&mut told).await, Some(CancelMode::KillNoWait));

    let call = call().cancel_mode(CancelMode::Kill);
    let (arguments, call) = call.progressive().await.unwrap();
    drop(arguments);
    assert_eq!(mode(&mut told).await, Some(CancelMode::Kill));
    let result = call.await.unwrap();
    assert_eq!(result.value::<String>().unwrap(), "half of it");
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_time_is_up_interrupts_the_callee() {
    let router = router();
    let (ada, bob) = (join(&router, "ada").await, join(&router, "bob").await);
    let mut told = working(&ada).await;
    let error = bob.call("com.example.work").await.unwrap_err();
    assert!(error.is_timeout());
    assert_eq!(mode(&mut told).await, Some(CancelMode::KillNoWait));
}

#[tokio::test]
async fn a_call_is_cancelled_in_each_mode() {
    let router = router();
    let (ada, bob) = (join(&router, "ada").await, join(&router, "bob").await);
    let mut told = working(&ada).await;
    for asked in [CancelMode::Kill, CancelMode::KillNoWait, CancelMode::Skip] {
        let call = bob.call("com.example.work").start().await.unwrap();
        call.cancel(asked).await.unwrap();
        match call.await {
            Ok(_) => assert_eq!(asked, CancelMode::Kill),
            Err(error) => assert!(error.is_canceled() && asked != CancelMode::Kill),
        }
        if asked != CancelMode::Skip {
            assert_eq!(mode(&mut told).await, Some(asked));
        }
    }
}

#[tokio::test]
async fn who_calls_is_told_if_they_wish() {
    let router = router();
    let (ada, bob) = (join(&router, "ada").await, join(&router, "bob").await);
    let who = |info: InvocationInfo| async move { Ok(info.caller().map(SessionId::get)) };
    let _who = ada.register("com.example.who").handler(who).await.unwrap();
    let id = bob.joined().await.unwrap().id().get();
    for (disclose_me, expected) in [(false, None), (true, Some(id))] {
        let call = bob.call("com.example.who").disclose_me(disclose_me);
        let told: Option<u64> = call.await.unwrap().value().unwrap();
        assert_eq!(told, expected);
    }
}
