use std::sync::{Arc, Mutex};

use super::*;

const WANTED: &str = r#"{"receive_progress":true}"#;

#[tokio::test(start_paused = true)]
async fn progressive_results_go_out_before_the_answer() {
    let (mut peer, mut registration) = registered();
    peer.receive(&format!("[68,7,9,{WANTED}]"));
    let invocation = next(&mut registration);
    for number in 1..=2 {
        let progress = invocation.progress().unwrap().arg(number);
        let mut progress = progress.into_future();
        pending(&mut progress);
        let expected = format!(r#"[70,7,{{"progress":true}},[{number}]]"#);
        assert_eq!(peer.sent(), [expected]);
        ready(&mut progress).unwrap();
    }
    // Either may be empty.
    let mut progress = invocation.progress().unwrap().into_future();
    pending(&mut progress);
    assert_eq!(peer.sent(), [r#"[70,7,{"progress":true}]"#]);
    drop(progress);
    assert_eq!(respond(&mut peer, invocation), ["[70,7,{}]"]);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_did_not_ask_for_progress_gets_none() {
    for details in ["{}", r#"{"receive_progress":false}"#] {
        let (mut peer, mut registration) = registered();
        peer.receive(&format!("[68,7,9,{details}]"));
        let invocation = next(&mut registration);
        assert!(invocation.progress().is_none());
        assert_eq!(respond(&mut peer, invocation), ["[70,7,{}]"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_sends_progress_to_those_who_want_it() {
    let (mut peer, _registration) = handled(|register| {
        register.handler(|(limit,): (u8,), progress: Progress| async move {
            for done in 0..limit {
                if let Some(result) = progress.result() {
                    result.arg(done).await?;
                }
            }
            Ok(limit)
        })
    });
    peer.receive("[68,1,9,{},[2]]");
    settle().await;
    assert_eq!(peer.sent(), ["[70,1,{},[2]]"]);
    peer.receive(&format!("[68,2,9,{WANTED},[2]]"));
    let mut sent = Vec::new();
    for _ in 0..3 {
        settle().await;
        sent.extend(peer.sent());
    }
    let progress = |done| format!(r#"[70,2,{{"progress":true}},[{done}]]"#);
    assert_eq!(sent, [progress(0), progress(1), "[70,2,{},[2]]".to_owned()]);
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_ignores_the_wish_for_progress_works() {
    let (mut peer, _registration) =
        handled(|register| register.handler(|(a,): (u8,)| async move { Ok(a) }));
    peer.receive(&format!("[68,1,9,{WANTED},[2]]"));
    settle().await;
    assert_eq!(peer.sent(), ["[70,1,{},[2]]"]);
}

#[tokio::test(start_paused = true)]
async fn progress_is_refused_once_the_caller_gave_up() {
    for (options, answer) in [
        (r#"{"mode":"kill"}"#, vec!["[70,7,{}]"]),
        ("{}", vec!["[70,7,{}]"]),
        (r#"{"mode":"killnowait"}"#, vec![]),
    ] {
        let (mut peer, mut registration) = registered();
        peer.receive(&format!("[68,7,9,{WANTED}]"));
        let invocation = next(&mut registration);
        let mut progress = invocation.progress().unwrap().into_future();
        // It is queued already when the caller gives up.
        pending(&mut progress);
        peer.receive(&format!("[69,7,{options}]"));
        assert_eq!(peer.sent(), NOTHING);
        let refused = ready(&mut progress);
        assert!(matches!(refused, Err(AnswerError::Canceled)), "{refused:?}");
        drop(progress);
        let mut last = invocation.respond().into_future();
        pending(&mut last);
        assert_eq!(peer.sent(), answer, "{options}");
    }
}

#[tokio::test(start_paused = true)]
async fn there_is_no_progress_after_the_answer() {
    let kept = Arc::new(Mutex::new(None));
    let (mut peer, _registration) = handled(|register| {
        let kept = kept.clone();
        register.handler(move |progress: Progress| {
            *kept.lock().unwrap() = Some(progress);
            async { Ok(()) }
        })
    });
    peer.receive(&format!("[68,1,9,{WANTED}]"));
    settle().await;
    assert_eq!(peer.sent(), ["[70,1,{}]"]);
    let progress = kept.lock().unwrap().take().unwrap();
    let mut late = progress.result().unwrap().into_future();
    pending(&mut late);
    assert_eq!(peer.sent(), NOTHING);
    assert!(matches!(ready(&mut late), Err(AnswerError::Answered)));
    let mut late = progress.result().unwrap().into_future();
    pending(&mut late);
    peer.lose();
    peer.open(None);
    peer.sent();
    assert!(matches!(ready(&mut late), Err(AnswerError::Answered)));
}

#[tokio::test(start_paused = true)]
async fn progress_that_cannot_be_sent_leaves_the_answer_open() {
    let (mut peer, mut registration) = registered_at(100);
    peer.receive(&format!("[68,7,9,{WANTED}]"));
    let invocation = next(&mut registration);
    // The handle sees that it is too large, or that it is no JSON.
    let result = || invocation.progress().unwrap();
    let error = result().arg("x".repeat(100)).await.unwrap_err();
    assert!(matches!(error, AnswerError::TooLarge { .. }));
    let error = result().arg(f64::NAN).await.unwrap_err();
    assert!(matches!(error, AnswerError::Encode(_)));
    {
        // Or it is seen when it is committed.
        let mut too_large = result().arg("x".repeat(80)).into_future();
        pending(&mut too_large);
        assert_eq!(peer.sent(), NOTHING);
        let error = ready(&mut too_large).unwrap_err();
        assert!(matches!(error, AnswerError::TooLarge { .. }));
    }
    assert_eq!(respond(&mut peer, invocation), ["[70,7,{}]"]);
}

#[tokio::test(start_paused = true)]
async fn progress_after_the_session_is_discarded() {
    let (mut peer, mut registration) = registered();
    peer.receive(&format!("[68,7,9,{WANTED}]"));
    let invocation = next(&mut registration);
    peer.lose();
    peer.open(None);
    peer.sent();
    let mut progress = invocation.progress().unwrap().into_future();
    pending(&mut progress);
    assert_eq!(peer.sent(), NOTHING);
    assert!(matches!(
        ready(&mut progress),
        Err(AnswerError::Closed { .. })
    ));
}

#[tokio::test(start_paused = true)]
async fn progress_waits_for_room_and_is_not_sent_if_dropped_before_that() {
    let (mut peer, mut registration) = registered();
    peer.receive(&format!("[68,7,9,{WANTED}]"));
    let invocation = next(&mut registration);
    let result = |number| invocation.progress().unwrap().arg(number).into_future();
    let mut all: Vec<_> = (0..10_000).map(result).collect();
    all.iter_mut().for_each(pending);
    drop(all);
    let sent = peer.sent();
    assert!((1..10_000).contains(&sent.len()), "{}", sent.len());
    for (number, frame) in sent.iter().enumerate() {
        assert_eq!(*frame, format!(r#"[70,7,{{"progress":true}},[{number}]]"#));
    }
    assert_eq!(respond(&mut peer, invocation), ["[70,7,{}]"]);
}
