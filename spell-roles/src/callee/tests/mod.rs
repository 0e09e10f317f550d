//! What the callee does, seen from its user and from the wire.

mod conflicts;
mod desired;
mod draining;
mod ending;
mod handlers;
mod interrupting;
mod model;
mod parts;
mod progress;
mod registering;
mod serving;
mod timing;

use std::{future::IntoFuture, time::Duration};

use spell_message::{Feature, reason};
use spell_peer::CloseReason;

use super::*;
use crate::harness::{Harness, pending, poll, ready};

const NOTHING: [&str; 0] = [];

fn joined(features: &[Feature]) -> Harness<Callee> {
    Harness::joined(Callee::new(), features)
}

/// Register `com.example.p` as registration 9.
fn registered() -> (Harness<Callee>, Registration) {
    registered_by(|register| register)
}

/// The same, with more options of the handle.
fn registered_by(
    register: impl FnOnce(Register<'_>) -> Register<'_>,
) -> (Harness<Callee>, Registration) {
    let mut peer = joined(&[]);
    let registration = register_at(&mut peer, register);
    (peer, registration)
}

/// The same, at a router that takes messages up to this size.
fn registered_at(max_send: usize) -> (Harness<Callee>, Registration) {
    let mut peer = Harness::unjoined(Callee::new(), &[]);
    peer.open(Some(max_send));
    let registration = register_at(&mut peer, |register| register);
    (peer, registration)
}

fn register_at(
    peer: &mut Harness<Callee>,
    register: impl FnOnce(Register<'_>) -> Register<'_>,
) -> Registration {
    let handle = peer.handle.clone();
    let mut register = register(handle.register("com.example.p")).into_future();
    pending(&mut register);
    assert_eq!(peer.sent(), [r#"[64,1,{},"com.example.p"]"#]);
    peer.receive("[65,1,9]");
    ready(&mut register).unwrap()
}

/// Register a handler for `com.example.p` as registration 9.
fn handled(
    register: impl FnOnce(Register<'_>) -> RegisterHandler<'_>,
) -> (Harness<Callee>, Registration<Handled>) {
    let mut peer = joined(&[]);
    let handle = peer.handle.clone();
    let mut register = register(handle.register("com.example.p")).into_future();
    pending(&mut register);
    peer.sent();
    peer.receive("[65,1,9]");
    let registration = ready(&mut register).unwrap();
    (peer, registration)
}

fn next(registration: &mut Registration) -> Invocation {
    ready(&mut Box::pin(registration.next())).unwrap()
}

/// Answer with a result that must reach the router.
fn respond(peer: &mut Harness<Callee>, invocation: Invocation) -> Vec<String> {
    let mut answer = invocation.respond().into_future();
    pending(&mut answer);
    let sent = peer.sent();
    ready(&mut answer).unwrap();
    sent
}

/// Answer with a result that must not reach the router.
fn respond_in_vain(peer: &mut Harness<Callee>, invocation: Invocation) -> AnswerError {
    let mut answer = invocation.respond().into_future();
    pending(&mut answer);
    assert_eq!(peer.sent(), NOTHING);
    ready(&mut answer).unwrap_err()
}

/// Let all tasks go on as far as they can.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_invocation_right_behind_registered_is_served() {
    let (mut peer, mut registration) = registered();
    peer.receive(r#"[68,77,9,{"caller":5},[2,3],{"sign":-1}]"#);
    let invocation = next(&mut registration);
    assert_eq!(invocation.procedure(), "com.example.p");
    assert_eq!(invocation.info().caller().map(u64::from), Some(5));
    assert_eq!(invocation.info().id().get(), 77);
    assert_eq!(invocation.args::<(u8, u8)>().unwrap(), (2, 3));
    let mut answer = invocation.respond().arg(5).into_future();
    pending(&mut answer);
    assert_eq!(peer.sent(), ["[70,77,{},[5]]"]);
    ready(&mut answer).unwrap();
    assert_eq!(registration.id().map(u64::from), Some(9));
    assert_eq!(peer.sent(), NOTHING, "an invocation is answered once");
}

#[tokio::test(start_paused = true)]
async fn an_invocation_can_be_answered_with_any_error() {
    let (mut peer, mut registration) = registered();
    peer.receive("[68,77,9,{}]");
    let answer = next(&mut registration).error("com.example.odd");
    let mut answer = answer.args((3,)).kwarg("wanted", "even").into_future();
    pending(&mut answer);
    let expected = r#"[8,68,77,{},"com.example.odd",[3],{"wanted":"even"}]"#;
    assert_eq!(peer.sent(), [expected]);
    ready(&mut answer).unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_invocation_of_an_unknown_registration_is_refused() {
    let (mut peer, _registration) = registered();
    peer.receive("[68,77,8,{}]");
    let expected = r#"[8,68,77,{},"wamp.error.no_such_registration"]"#;
    assert_eq!(peer.sent(), [expected]);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_invocation_is_answered_with_an_error() {
    let (mut peer, mut registration) = registered();
    peer.receive("[68,77,9,{}]");
    drop(next(&mut registration));
    let expected = r#"[8,68,77,{},"wamp.error.runtime_error"]"#;
    assert_eq!(peer.sent(), [expected]);

    peer.receive("[68,78,9,{}]");
    // Dropped before it was queued, an answer is none.
    drop(next(&mut registration).respond());
    let expected = r#"[8,68,78,{},"wamp.error.runtime_error"]"#;
    assert_eq!(peer.sent(), [expected]);
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_refuses_and_counts() {
    let (mut peer, mut registration) =
        registered_by(|register| register.queue_count(2).queue_bytes(1000));
    let unavailable = |id| format!(r#"[8,68,{id},{{}},"wamp.error.unavailable"]"#);
    let text = "x".repeat(1000);
    peer.receive(&format!(r#"[68,70,9,{{}},["{text}"]]"#));
    assert_eq!(peer.sent(), [unavailable(70)], "too many bytes");
    peer.receive(&format!(r#"[68,74,9,{{"x_more":"{text}"}}]"#));
    assert_eq!(peer.sent(), [unavailable(74)], "details count too");
    for id in 71..=73 {
        peer.receive(&format!("[68,{id},9,{{}}]"));
    }
    assert_eq!(peer.sent(), [unavailable(73)], "too many invocations");
    assert_eq!(registration.refused(), 3);
    assert_eq!(next(&mut registration).info().id().get(), 71);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_dropped_while_it_waits_for_room_is_none() {
    let room = spell_peer::PeerConfig::default().command_capacity;
    let (mut peer, mut registration) = registered_by(|register| register.queue_count(room + 1));
    let mut answers = Vec::new();
    for id in 1..=room + 1 {
        peer.receive(&format!("[68,{id},9,{{}}]"));
        let mut answer = next(&mut registration).respond().into_future();
        pending(&mut answer);
        answers.push(answer);
    }
    drop(answers.pop());
    let sent = peer.sent();
    assert_eq!(sent.len(), room + 1);
    let unanswered = format!(r#"[8,68,{},{{}},"wamp.error.runtime_error"]"#, room + 1);
    assert_eq!(
        sent.iter()
            .filter(|frame| frame.starts_with("[8"))
            .collect::<Vec<_>>(),
        [&unanswered]
    );
    for answer in answers {
        answer.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_cannot_be_sent_is_an_error_for_both() {
    let (mut peer, mut registration) = registered_at(100);

    let too_large = |id| format!(r#"[8,68,{id},{{}},"wamp.error.payload_size_exceeded"]"#);
    // One is seen to be too large by the handle, the other when it is committed.
    for (id, size) in [(70, 100), (71, 90)] {
        peer.receive(&format!("[68,{id},9,{{}}]"));
        let answer = next(&mut registration).respond().arg("x".repeat(size));
        let mut answer = answer.into_future();
        pending(&mut answer);
        assert_eq!(peer.sent(), [too_large(id)]);
        let error = ready(&mut answer).unwrap_err();
        assert!(matches!(error, AnswerError::TooLarge { limit: 100, .. }));
    }

    peer.receive("[68,72,9,{}]");
    let mut answer = next(&mut registration)
        .respond()
        .arg(f64::NAN)
        .into_future();
    pending(&mut answer);
    let expected = r#"[8,68,72,{},"wamp.error.runtime_error"]"#;
    assert_eq!(peer.sent(), [expected]);
    assert!(matches!(ready(&mut answer), Err(AnswerError::Encode(_))));

    peer.receive("[68,73,9,{}]");
    let mut answer = next(&mut registration).error("com..odd").into_future();
    pending(&mut answer);
    assert_eq!(peer.sent().len(), 1);
    assert!(matches!(ready(&mut answer), Err(AnswerError::Uri(_))));
}

#[tokio::test(start_paused = true)]
async fn an_answer_after_the_session_is_discarded() {
    let (mut peer, mut registration) = registered();
    peer.receive("[68,1,9,{}]");
    let old = next(&mut registration);
    peer.lose();
    ready(&mut Box::pin(old.interrupted()));
    let mut early = old.respond().into_future();
    pending(&mut early);
    peer.handle_commands();
    let error = ready(&mut early).unwrap_err();
    assert!(matches!(
        error,
        AnswerError::Closed {
            reason: CloseReason::Disconnected
        }
    ));

    // In the next session the router may use the same id for another invocation.
    let (mut peer, mut registration) = registered();
    peer.receive("[68,1,9,{}]");
    let old = next(&mut registration);
    peer.lose();
    peer.open(None);
    assert_eq!(peer.sent(), [r#"[64,1,{},"com.example.p"]"#]);
    peer.receive("[65,1,10]");
    peer.receive("[68,1,10,{}]");
    let mut late = old.respond().arg("old").into_future();
    pending(&mut late);
    assert_eq!(peer.sent(), NOTHING);
    assert!(matches!(ready(&mut late), Err(AnswerError::Closed { .. })));
    let mut answer = next(&mut registration).respond().arg("new").into_future();
    pending(&mut answer);
    assert_eq!(peer.sent(), [r#"[70,1,{},["new"]]"#]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_comes_while_the_session_ends_is_told_why() {
    let (mut peer, mut registration) = registered();
    peer.receive("[68,1,9,{}]");
    let mut answer = next(&mut registration).respond().into_future();
    pending(&mut answer);
    let reason = peer.receive_garbage();
    peer.handle_commands();
    let Err(AnswerError::Closed { reason: told }) = ready(&mut answer) else {
        panic!("it was sent");
    };
    assert_eq!(told.to_string(), reason.to_string());
}

#[tokio::test(start_paused = true)]
async fn who_reads_the_stream_may_still_answer_an_interrupted_invocation() {
    let (mut peer, mut registration) = registered();
    peer.receive("[68,77,9,{}]");
    let invocation = next(&mut registration);
    pending(&mut Box::pin(invocation.interrupted()));
    peer.receive(r#"[69,77,{"mode":"kill"}]"#);
    peer.receive(r#"[69,78,{"mode":"kill"}]"#);
    for _ in 0..2 {
        ready(&mut Box::pin(invocation.interrupted()));
    }
    let mut answer = invocation.respond().arg("partial").into_future();
    pending(&mut answer);
    assert_eq!(peer.sent(), [r#"[70,77,{},["partial"]]"#]);

    peer.receive("[68,79,9,{}]");
    let invocation = next(&mut registration);
    peer.receive(r#"[69,79,{"mode":"killnowait"}]"#);
    let mut answer = invocation.respond().into_future();
    pending(&mut answer);
    assert_eq!(peer.sent(), NOTHING);
    assert!(matches!(ready(&mut answer), Err(AnswerError::Canceled)));
}

#[tokio::test(start_paused = true)]
async fn an_invocation_with_the_id_of_one_under_way_is_dropped() {
    let (mut peer, mut registration) = registered();
    peer.receive("[68,77,9,{},[1]]");
    peer.receive("[68,77,9,{},[2]]");
    let mut answer = next(&mut registration).respond().into_future();
    pending(&mut answer);
    assert_eq!(peer.sent(), ["[70,77,{}]"]);
    pending(&mut Box::pin(registration.next()));
}

#[tokio::test(start_paused = true)]
async fn all_that_the_router_tells_of_a_call_can_be_read() {
    let (mut peer, mut registration) = registered();
    peer.receive("[68,1,9,{}]");
    let plain = next(&mut registration);
    let info = plain.info();
    assert_eq!((info.caller(), info.trustlevel()), (None, None));
    assert_eq!((info.caller_authid(), info.caller_authrole()), (None, None));
    assert_eq!(info.timeout(), None);
    assert!(!info.receive_progress() && !info.is_progressive());
    peer.receive(
        r#"[68,2,9,{"caller":5,"caller_authid":"ada","caller_authrole":"user","trustlevel":3,
            "timeout":1500,"receive_progress":true,"progress":true}]"#,
    );
    let told = next(&mut registration);
    let info = told.info();
    assert_eq!(info.caller().map(u64::from), Some(5));
    assert_eq!(info.caller_authid(), Some("ada"));
    assert_eq!(info.caller_authrole(), Some("user"));
    assert_eq!(info.trustlevel(), Some(3));
    assert_eq!(info.timeout(), Some(Duration::from_millis(1500)));
    assert!(info.receive_progress() && info.is_progressive());
}

#[tokio::test(start_paused = true)]
async fn a_call_can_be_passed_on_to_another_callee() {
    let (mut peer, _registration) = handled(|register| {
        register.handler(|(): ()| async move { Err::<(), _>(InvocationError::unavailable()) })
    });
    peer.receive("[68,1,9,{}]");
    settle().await;
    assert_eq!(peer.sent(), [r#"[8,68,1,{},"wamp.error.unavailable"]"#]);
}
