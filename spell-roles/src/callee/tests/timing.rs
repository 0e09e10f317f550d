use spell_message::RoleName;

use super::*;
use crate::RegisterError;

const TIMED: &str = r#"{"timeout":100}"#;
const MILLISECOND: Duration = Duration::from_millis(1);

#[tokio::test(start_paused = true)]
async fn what_a_router_did_not_announce_is_not_asked_of_it() {
    type Ask = fn(Register<'_>) -> Register<'_>;
    let cases: [(Feature, Ask, &str); 2] = [
        (
            Feature::CallTimeout,
            |register| register.forward_timeout(),
            r#"[64,1,{"forward_timeout":true},"com.example.p"]"#,
        ),
        (
            Feature::CallerIdentification,
            |register| register.disclose_caller(),
            r#"[64,1,{"disclose_caller":true},"com.example.p"]"#,
        ),
    ];
    for (feature, ask, expected) in cases {
        let mut peer = joined(&[feature]);
        let handle = peer.handle.clone();
        let mut register = ask(handle.register("com.example.p")).into_future();
        pending(&mut register);
        assert_eq!(peer.sent(), [expected]);

        let mut peer = joined(&[]);
        let handle = peer.handle.clone();
        let mut register = ask(handle.register("com.example.p")).into_future();
        pending(&mut register);
        assert_eq!(peer.sent(), NOTHING);
        let Err(RegisterError::Unsupported {
            role,
            feature: lacks,
            ..
        }) = ready(&mut register)
        else {
            panic!("it was asked for");
        };
        assert_eq!((role, lacks), (RoleName::Dealer, Some(feature)));
    }
}

#[tokio::test(start_paused = true)]
async fn an_invocation_that_takes_too_long_is_answered_for() {
    let (mut peer, mut registration) = registered();
    peer.receive(&format!("[68,7,9,{TIMED}]"));
    let invocation = next(&mut registration);
    peer.advance(99 * MILLISECOND);
    assert_eq!(peer.sent(), NOTHING);
    assert_eq!(invocation.interrupt().cause(), None);
    peer.advance(MILLISECOND);
    assert_eq!(peer.sent(), [r#"[8,68,7,{},"wamp.error.timeout"]"#]);
    assert_eq!(invocation.interrupt().cause(), Some(Interruption::TimedOut));
    assert_eq!(peer.time_left(), None);
    let error = respond_in_vain(&mut peer, invocation);
    assert!(matches!(error, AnswerError::Timeout));
}

#[tokio::test(start_paused = true)]
async fn a_handler_cannot_take_longer_than_the_caller_allows() {
    let (mut peer, _plain) = handled(|register| {
        register.handler(|(): ()| async move {
            std::future::pending::<()>().await;
            Ok(())
        })
    });
    let (mut other, _watching) = handled(|register| {
        register.handler(|_: Interrupt| async move {
            std::future::pending::<()>().await;
            Ok(())
        })
    });
    for peer in [&mut peer, &mut other] {
        peer.receive(&format!("[68,7,9,{TIMED}]"));
        settle().await;
        peer.advance(100 * MILLISECOND);
        settle().await;
        assert_eq!(peer.sent(), [r#"[8,68,7,{},"wamp.error.timeout"]"#]);
    }
}

#[tokio::test(start_paused = true)]
async fn time_begins_anew_with_each_progressive_result() {
    let (mut peer, mut registration) = registered();
    peer.receive(r#"[68,7,9,{"timeout":100,"receive_progress":true}]"#);
    let invocation = next(&mut registration);
    for _ in 0..3 {
        peer.advance(99 * MILLISECOND);
        let mut progress = invocation.progress().unwrap().into_future();
        pending(&mut progress);
        assert_eq!(peer.sent(), [r#"[70,7,{"progress":true}]"#]);
        assert_eq!(peer.time_left(), Some(100 * MILLISECOND));
    }
    peer.advance(100 * MILLISECOND);
    assert_eq!(peer.sent(), [r#"[8,68,7,{},"wamp.error.timeout"]"#]);
    let mut progress = invocation.progress().unwrap().into_future();
    pending(&mut progress);
    assert_eq!(peer.sent(), NOTHING);
    assert!(matches!(ready(&mut progress), Err(AnswerError::Timeout)));
}

#[tokio::test(start_paused = true)]
async fn each_invocation_has_its_own_time() {
    let (mut peer, mut registration) = registered();
    peer.receive(&format!("[68,1,9,{TIMED}]"));
    peer.advance(MILLISECOND);
    peer.receive(&format!("[68,2,9,{TIMED}]"));
    peer.receive(&format!("[68,3,9,{TIMED}]"));
    let first = next(&mut registration);
    let _second = next(&mut registration);
    assert_eq!(peer.time_left(), Some(99 * MILLISECOND));
    assert_eq!(respond(&mut peer, first), ["[70,1,{}]"]);
    assert_eq!(peer.time_left(), Some(100 * MILLISECOND));
    peer.advance(100 * MILLISECOND);
    let timeout = |id| format!(r#"[8,68,{id},{{}},"wamp.error.timeout"]"#);
    assert_eq!(peer.sent(), [timeout(2), timeout(3)], "in the queue too");
}

#[tokio::test(start_paused = true)]
async fn an_invocation_without_a_timeout_takes_as_long_as_it_takes() {
    let (mut peer, mut registration) = registered();
    for details in ["{}", r#"{"timeout":0}"#] {
        peer.receive(&format!("[68,7,9,{details}]"));
        assert_eq!(peer.time_left(), None);
        let invocation = next(&mut registration);
        assert_eq!(respond(&mut peer, invocation), ["[70,7,{}]"]);
    }
    // This one is either far away or never.
    peer.receive(&format!(r#"[68,8,9,{{"timeout":{}}}]"#, u64::MAX));
    let invocation = next(&mut registration);
    peer.advance(1000 * MILLISECOND);
    assert_eq!(respond(&mut peer, invocation), ["[70,8,{}]"]);
    assert_eq!(peer.time_left(), None);
}

#[tokio::test(start_paused = true)]
async fn time_is_up_while_an_interrupted_invocation_is_to_be_answered() {
    let (mut peer, mut registration) = registered();
    peer.receive(&format!("[68,7,9,{TIMED}]"));
    peer.receive(r#"[69,7,{"mode":"kill"}]"#);
    let invocation = next(&mut registration);
    peer.advance(100 * MILLISECOND);
    assert_eq!(peer.sent(), [r#"[8,68,7,{},"wamp.error.timeout"]"#]);
    let error = respond_in_vain(&mut peer, invocation);
    assert!(matches!(error, AnswerError::Timeout));
}

#[tokio::test(start_paused = true)]
async fn no_time_runs_for_an_invocation_that_is_over() {
    let (mut peer, mut registration) = registered_by(|register| register.queue_count(1));
    peer.receive(&format!("[68,1,9,{TIMED}]"));
    peer.receive(&format!("[68,2,9,{TIMED}]"));
    assert_eq!(peer.sent(), [r#"[8,68,2,{},"wamp.error.unavailable"]"#]);
    peer.receive(r#"[69,1,{"mode":"killnowait"}]"#);
    assert_eq!(peer.time_left(), None);
    let _over = next(&mut registration);
    peer.receive(&format!("[68,3,9,{TIMED}]"));
    assert!(peer.time_left().is_some());
    peer.lose();
    assert_eq!(peer.time_left(), None);
}
