use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use spell_message::options::CancelMode;

use super::*;

#[tokio::test(start_paused = true)]
async fn an_interrupt_for_nothing_that_runs_is_ignored() {
    let (mut peer, mut registration) = registered();
    for options in ["{}", r#"{"mode":"kill"}"#, r#"{"mode":"killnowait"}"#] {
        peer.receive(&format!("[69,7,{options}]"));
    }
    peer.receive("[68,7,9,{}]");
    let invocation = next(&mut registration);
    assert_eq!(invocation.interrupt().cause(), None);
    assert_eq!(respond(&mut peer, invocation), ["[70,7,{}]"]);
    peer.receive(r#"[69,7,{"mode":"kill"}]"#);
    assert_eq!(peer.sent(), NOTHING);
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_tells_how_the_caller_gave_up() {
    for (options, mode) in [
        ("{}", None),
        (r#"{"mode":"kill"}"#, Some(CancelMode::Kill)),
        (r#"{"mode":"killnowait"}"#, Some(CancelMode::KillNoWait)),
    ] {
        let (mut peer, mut registration) = registered();
        peer.receive("[68,7,9,{}]");
        let invocation = next(&mut registration);
        let interrupt = invocation.interrupt().clone();
        let mut waiting = Box::pin(interrupt.interrupted());
        pending(&mut waiting);
        peer.receive(&format!("[69,7,{options}]"));
        assert_eq!(ready(&mut waiting), Interruption::Canceled { mode });
        assert_eq!(interrupt.cause(), Some(Interruption::Canceled { mode }));
        // Only the first one counts.
        peer.receive("[69,7,{}]");
        assert_eq!(interrupt.cause(), Some(Interruption::Canceled { mode }));
        drop(invocation);
        let expected = r#"[8,68,7,{},"wamp.error.canceled"]"#;
        let answered = mode != Some(CancelMode::KillNoWait);
        assert_eq!(peer.sent(), [expected; 1][..usize::from(answered)]);
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_an_interrupt_is_told_of_any_end() {
    let (mut peer, mut registration) = registered();
    let mut begin = |peer: &mut Harness<Callee>, id| {
        peer.receive(&format!("[68,{id},9,{{}}]"));
        let invocation = next(&mut registration);
        let interrupt = invocation.interrupt();
        (invocation, interrupt)
    };
    let (invocation, interrupt) = begin(&mut peer, 7);
    let mut waiting = Box::pin(interrupt.interrupted());
    pending(&mut waiting);
    respond(&mut peer, invocation);
    assert_eq!(ready(&mut waiting), Interruption::Answered);

    // One that waited for an answer, and then for nothing.
    let (invocation, interrupt) = begin(&mut peer, 8);
    peer.receive(r#"[69,8,{"mode":"kill"}]"#);
    peer.receive(r#"[69,8,{"mode":"killnowait"}]"#);
    let mode = Some(CancelMode::KillNoWait);
    assert_eq!(interrupt.cause(), Some(Interruption::Canceled { mode }));
    let error = respond_in_vain(&mut peer, invocation);
    assert!(matches!(error, AnswerError::Canceled));

    let (invocation, interrupt) = begin(&mut peer, 9);
    peer.receive(r#"[69,9,{"mode":"kill"}]"#);
    peer.lose();
    assert_eq!(interrupt.cause(), Some(Interruption::Closed));
    let error = respond_in_vain(&mut peer, invocation);
    assert!(matches!(error, AnswerError::Closed { .. }));

    let (mut peer, mut registration) = registered();
    peer.receive("[68,7,9,{}]");
    let invocation = next(&mut registration);
    peer.end();
    let end = ready(&mut Box::pin(invocation.interrupted()));
    assert_eq!(end, Interruption::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_looks_after_interrupts_is_not_dropped() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let (mut peer, _registration) = handled(|register| {
        let told = told.clone();
        register.handler(move |(a,): (u8,), interrupt: Interrupt| {
            let told = told.clone();
            async move {
                let interruption = interrupt.interrupted().await;
                told.lock().unwrap().push(interruption);
                Ok(a)
            }
        })
    });
    for (id, options, expected) in [
        (1, r#"{"mode":"kill"}"#, vec!["[70,1,{},[1]]"]),
        (2, r#"{"mode":"killnowait"}"#, vec![]),
        (3, "{}", vec!["[70,3,{},[3]]"]),
    ] {
        peer.receive(&format!("[68,{id},9,{{}},[{id}]]"));
        settle().await;
        assert_eq!(peer.sent(), NOTHING);
        peer.receive(&format!("[69,{id},{options}]"));
        settle().await;
        assert_eq!(peer.sent(), expected, "{options}");
    }
    peer.receive("[68,4,9,{},[4]]");
    settle().await;
    peer.lose();
    settle().await;
    let canceled = |mode| Interruption::Canceled { mode };
    let expected = [
        canceled(Some(CancelMode::Kill)),
        canceled(Some(CancelMode::KillNoWait)),
        canceled(None),
        Interruption::Closed,
    ];
    assert_eq!(*told.lock().unwrap(), expected);
}

#[tokio::test(start_paused = true)]
async fn what_was_interrupted_in_the_queue_is_not_handled() {
    let ran = Arc::new(AtomicBool::new(false));
    let (mut peer, _registration) = handled(|register| {
        let ran = ran.clone();
        register.handler(move |_: Interrupt| {
            ran.store(true, Ordering::Relaxed);
            async { Ok(()) }
        })
    });
    peer.receive("[68,1,9,{}]");
    peer.receive(r#"[69,1,{"mode":"kill"}]"#);
    settle().await;
    assert_eq!(peer.sent(), [r#"[8,68,1,{},"wamp.error.canceled"]"#]);
    assert!(!ran.load(Ordering::Relaxed));
}
