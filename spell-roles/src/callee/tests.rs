use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde::{Deserialize, Serialize};
use spell_message::{Feature, options::InvocationPolicy, reason};
use spell_peer::{CloseReason, Delivery};
use tokio::sync::Notify;

use super::*;
use crate::{
    RegisterError, UnregisterError,
    harness::{Harness, pending, ready},
};

const NOTHING: [&str; 0] = [];

fn joined(features: &[Feature]) -> Harness<Callee> {
    Harness::joined(Callee::new(), features)
}

/// Register `com.example.p` as registration 9.
fn registered() -> (Harness<Callee>, Registration) {
    let mut peer = joined(&[]);
    let handle = peer.handle.clone();
    let mut register = handle.register("com.example.p").into_future();
    pending(&mut register);
    assert_eq!(peer.sent(), [r#"[64,1,{},"com.example.p"]"#]);
    peer.receive("[65,1,9]");
    let registration = ready(&mut register).unwrap();
    (peer, registration)
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
    let mut peer = joined(&[]);
    let handle = peer.handle.clone();
    let register = handle.register("com.example.p").queue_count(2);
    let mut register = register.queue_bytes(1000).into_future();
    pending(&mut register);
    peer.sent();
    peer.receive("[65,1,9]");
    let mut registration = ready(&mut register).unwrap();
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
async fn an_answer_that_cannot_be_sent_is_an_error_for_both() {
    let mut peer = Harness::unjoined(Callee::new(), &[]);
    peer.open(Some(100));
    let handle = peer.handle.clone();
    let mut register = handle.register("com.example.p").into_future();
    pending(&mut register);
    peer.sent();
    peer.receive("[65,1,9]");
    let mut registration = ready(&mut register).unwrap();

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
    let mut old = next(&mut registration);
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
async fn a_registration_waits_for_the_first_session() {
    let mut peer = Harness::unjoined(Callee::new(), &[]);
    let handle = peer.handle.clone();
    let mut register = handle.register("com.example.p").into_future();
    pending(&mut register);
    assert_eq!(peer.sent(), NOTHING);
    pending(&mut register);
    peer.open(None);
    assert_eq!(peer.sent(), [r#"[64,1,{},"com.example.p"]"#]);
    peer.receive("[65,1,9]");
    assert!(ready(&mut register).is_ok());
}

#[tokio::test(start_paused = true)]
async fn what_is_registered_is_registered_again_in_order_and_with_its_options() {
    let mut peer = joined(&[
        Feature::PatternBasedRegistration,
        Feature::SharedRegistration,
    ]);
    let handle = peer.handle.clone();
    let mut first = handle
        .register("com.example.first.")
        .prefix()
        .option("x_own", 1)
        .into_future();
    let mut second = handle
        .register("com.example.second")
        .invoke(InvocationPolicy::RoundRobin)
        .into_future();
    pending(&mut first);
    pending(&mut second);
    let asked = peer.sent();
    peer.receive("[65,1,8]");
    peer.receive("[65,2,9]");
    let mut first = ready(&mut first).unwrap();
    let second = ready(&mut second).unwrap();

    peer.lose();
    assert_eq!(first.id(), None);
    peer.open(None);
    assert_eq!(peer.sent(), asked);
    peer.receive("[65,1,18]");
    peer.receive("[65,2,19]");
    assert_eq!(first.id().map(u64::from), Some(18));
    assert_eq!(second.id().map(u64::from), Some(19));
    peer.receive(r#"[68,77,18,{"procedure":"com.example.first.a"}]"#);
    assert_eq!(next(&mut first).procedure(), "com.example.first.a");
    peer.receive("[68,78,8,{}]");
    assert!(
        peer.sent()
            .iter()
            .any(|frame| frame.contains("no_such_registration"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_lost_session_fails_what_was_asked_for_and_restores_what_was_there() {
    let (mut peer, registration) = registered();
    peer.lose();
    peer.open(None);
    let handle = peer.handle.clone();
    let mut new = handle.register("com.example.new").into_future();
    pending(&mut new);
    let both = [
        r#"[64,1,{},"com.example.p"]"#,
        r#"[64,2,{},"com.example.new"]"#,
    ];
    assert_eq!(peer.sent(), both);
    peer.lose();
    let error = ready(&mut new).unwrap_err();
    assert_eq!(error.delivery(), Some(Delivery::OutcomeUnknown));
    assert!(matches!(error, RegisterError::Closed { .. }));
    peer.open(None);
    assert_eq!(peer.sent(), both[..1]);
    peer.receive("[65,1,10]");
    assert_eq!(registration.id().map(u64::from), Some(10));
}

#[tokio::test(start_paused = true)]
async fn one_that_cannot_be_restored_ends_alone() {
    let mut peer = joined(&[]);
    let handle = peer.handle.clone();
    let mut first = handle.register("com.example.first").into_future();
    let mut second = handle.register("com.example.second").into_future();
    pending(&mut first);
    pending(&mut second);
    peer.sent();
    peer.receive("[65,1,8]");
    peer.receive("[65,2,9]");
    let mut first = ready(&mut first).unwrap();
    let mut second = ready(&mut second).unwrap();
    peer.lose();
    peer.open(None);
    peer.sent();
    peer.receive(r#"[8,64,1,{},"wamp.error.procedure_already_exists"]"#);
    peer.receive("[65,2,9]");
    assert!(ready(&mut Box::pin(first.next())).is_none());
    let Some(RegistrationEnd::NotRestored(error)) = first.end() else {
        panic!("{:?}", first.end());
    };
    assert_eq!(
        error.uri().unwrap().as_str(),
        reason::PROCEDURE_ALREADY_EXISTS
    );
    assert!(second.end().is_none());
    peer.receive("[68,77,9,{}]");
    drop(next(&mut second));
    drop(first);
    assert_eq!(peer.sent().len(), 1, "what ended is not unregistered");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_the_router_reaches_the_user() {
    let mut peer = joined(&[]);
    let handle = peer.handle.clone();
    let mut register = handle.register("com.example.p").into_future();
    pending(&mut register);
    peer.sent();
    peer.receive(r#"[8,64,1,{},"wamp.error.procedure_already_exists"]"#);
    let error = ready(&mut register).unwrap_err();
    assert_eq!(
        error.uri().unwrap().as_str(),
        reason::PROCEDURE_ALREADY_EXISTS
    );
    peer.lose();
    peer.open(None);
    assert_eq!(peer.sent(), NOTHING, "it is not wanted any more");
}

#[tokio::test(start_paused = true)]
async fn a_registration_that_shares_its_id_with_another_one_is_refused() {
    let (mut peer, mut registration) = registered();
    let handle = peer.handle.clone();
    let mut again = handle.register("com.example.p").into_future();
    pending(&mut again);
    peer.sent();
    peer.receive("[65,2,9]");
    let error = ready(&mut again).unwrap_err();
    assert!(matches!(error, RegisterError::AlreadyRegistered));
    assert_eq!(
        peer.sent(),
        NOTHING,
        "unregistering would end the first one too"
    );
    peer.receive("[68,77,9,{}]");
    next(&mut registration).forget();
}

#[tokio::test(start_paused = true)]
async fn patterns_need_a_router_that_announced_them() {
    let mut peer = joined(&[]);
    let handle = peer.handle.clone();
    for register in [
        handle.register("com.example.").prefix(),
        handle.register("com..example").wildcard(),
        handle
            .register("com.example.p")
            .invoke(InvocationPolicy::Last),
    ] {
        let mut register = register.into_future();
        pending(&mut register);
        assert_eq!(peer.sent(), NOTHING);
        let error = ready(&mut register).unwrap_err();
        assert!(matches!(
            error,
            RegisterError::Unsupported {
                feature: Some(_),
                ..
            }
        ));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_a_registration_is_told_at_once() {
    let handle = joined(&[]).handle;
    let mut register = handle.register("com..p").into_future();
    assert!(matches!(ready(&mut register), Err(RegisterError::Uri(_))));
    let mut register = handle.register("com.p").option("match", 1).into_future();
    assert!(matches!(
        ready(&mut register),
        Err(RegisterError::Option(_))
    ));
}

#[tokio::test(start_paused = true)]
async fn a_registration_given_up_on_the_wire_is_unregistered() {
    let mut peer = joined(&[]);
    let handle = peer.handle.clone();
    let mut register = handle.register("com.example.p").into_future();
    pending(&mut register);
    peer.sent();
    drop(register);
    assert_eq!(peer.sent(), NOTHING, "its id is not known yet");
    peer.receive("[65,1,9]");
    assert_eq!(peer.sent(), ["[66,2,9]"]);
    peer.receive("[67,2]");
    // The same, with the answer in the slot but not taken.
    let mut register = handle.register("com.example.p").into_future();
    pending(&mut register);
    peer.sent();
    peer.receive("[65,3,9]");
    drop(register);
    assert_eq!(peer.sent(), ["[66,4,9]"]);
}

#[tokio::test(start_paused = true)]
async fn a_pending_registration_has_an_id() {
    let mut peer = joined(&[]);
    let handle = peer.handle.clone();
    let mut started = Box::pin(handle.register("com.example.p").start());
    pending(&mut started);
    assert_eq!(peer.sent(), [r#"[64,1,{},"com.example.p"]"#]);
    let mut register = ready(&mut started).unwrap();
    assert_eq!(register.id().get(), 1);
    pending(&mut register);
    peer.receive("[65,1,9]");
    peer.receive("[68,77,9,{}]");
    let mut registration = ready(&mut register).unwrap();
    // There is no second answer.
    pending(&mut register);
    drop(register);
    assert_eq!(peer.sent(), NOTHING);
    assert_eq!(next(&mut registration).info().id().get(), 77);
}

#[tokio::test(start_paused = true)]
async fn a_pending_registration_may_have_a_handler() {
    let mut peer = joined(&[]);
    let handle = peer.handle.clone();
    let register = handle.register("com.example.p");
    let register = register.handler(|(a, b): (i64, i64)| async move { Ok(a + b) });
    let mut started = Box::pin(register.start());
    pending(&mut started);
    peer.sent();
    let mut register = ready(&mut started).unwrap();
    peer.receive("[65,1,9]");
    let _registration = ready(&mut register).unwrap();
    peer.receive("[68,77,9,{},[2,3]]");
    settle().await;
    assert_eq!(peer.sent(), ["[70,77,{},[5]]"]);
}

#[tokio::test(start_paused = true)]
async fn a_pending_registration_that_is_dropped_is_unregistered() {
    let mut peer = joined(&[]);
    let handle = peer.handle.clone();
    for is_answered in [false, true] {
        let mut started = Box::pin(handle.register("com.example.p").start());
        pending(&mut started);
        assert_eq!(peer.sent().len(), 1);
        let register = ready(&mut started).unwrap();
        let id = register.id().get();
        let answer = format!("[65,{id},9]");
        if is_answered {
            peer.receive(&answer);
            drop(register);
        } else {
            drop(register);
            assert_eq!(peer.sent(), NOTHING, "its id is not known yet");
            peer.receive(&answer);
        }
        assert_eq!(peer.sent(), [format!("[66,{},9]", id + 1)]);
        peer.receive(&format!("[67,{}]", id + 1));
    }
}

#[tokio::test(start_paused = true)]
async fn what_keeps_a_registration_from_being_started_is_told() {
    let mut peer = joined(&[]);
    let handle = peer.handle.clone();
    let register = handle.register("com.example.").prefix();
    let mut started = Box::pin(register.start());
    pending(&mut started);
    assert_eq!(peer.sent(), NOTHING);
    assert!(matches!(
        ready(&mut started),
        Err(RegisterError::Unsupported { .. })
    ));
}

#[tokio::test(start_paused = true)]
async fn a_registration_that_takes_too_long_is_forgotten() {
    let mut peer = Harness::unjoined(Callee::new(), &[]);
    let handle = peer.handle.clone();
    let limit = Duration::from_secs(1);
    let mut register = handle
        .register("com.example.p")
        .timeout(limit)
        .into_future();
    pending(&mut register);
    peer.sent();
    let error = register.await.unwrap_err();
    assert!(matches!(error, RegisterError::Timeout(Delivery::NotSent)));
    peer.handle_commands();
    peer.open(None);
    assert_eq!(peer.sent(), NOTHING);
}

#[tokio::test(start_paused = true)]
async fn a_registration_dropped_without_a_session_does_not_keep_the_peer_alive() {
    let peer = Harness::unjoined(Callee::new(), &[]);
    let handle = peer.handle.clone();
    let mut register = handle.register("com.example.p").into_future();
    pending(&mut register);
    // Letting go of it goes before the command that waits.
    drop(register);
    drop(handle);
    assert!(peer.abandon());
}

#[tokio::test(start_paused = true)]
async fn a_procedure_is_registered_again_only_when_the_one_given_up_is_gone() {
    let mut peer = joined(&[]);
    let handle = peer.handle.clone();
    let mut first = handle.register("com.example.p").into_future();
    pending(&mut first);
    peer.sent();
    drop(first);
    let mut again = handle.register("com.example.p").into_future();
    let mut given_up = handle.register("com.example.p").into_future();
    let mut other = handle.register("com.example.other").into_future();
    pending(&mut again);
    pending(&mut given_up);
    pending(&mut other);
    assert_eq!(peer.sent(), [r#"[64,2,{},"com.example.other"]"#]);
    drop(given_up);
    peer.receive("[65,1,9]");
    assert_eq!(peer.sent(), ["[66,3,9]"]);
    peer.receive("[67,3]");
    assert_eq!(peer.sent(), [r#"[64,4,{},"com.example.p"]"#]);
    peer.receive("[65,4,10]");
    assert_eq!(ready(&mut again).unwrap().id().map(u64::from), Some(10));
    peer.receive("[65,2,11]");
    assert!(ready(&mut other).is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_procedure_is_registered_again_once_the_one_given_up_was_refused_or_lost() {
    let mut peer = joined(&[]);
    let handle = peer.handle.clone();
    let mut first = handle.register("com.example.p").into_future();
    pending(&mut first);
    peer.sent();
    drop(first);
    let mut second = handle.register("com.example.p").into_future();
    pending(&mut second);
    assert_eq!(peer.sent(), NOTHING);
    peer.receive(r#"[8,64,1,{},"com.example.no"]"#);
    assert_eq!(peer.sent(), [r#"[64,2,{},"com.example.p"]"#]);
    drop(second);
    let mut third = handle.register("com.example.p").into_future();
    pending(&mut third);
    assert_eq!(peer.sent(), NOTHING);
    peer.lose();
    pending(&mut third);
    peer.open(None);
    assert_eq!(peer.sent(), [r#"[64,1,{},"com.example.p"]"#]);
    peer.receive("[65,1,9]");
    assert!(ready(&mut third).is_ok());
}

#[tokio::test(start_paused = true)]
async fn invocations_under_way_are_served_while_it_is_unregistered() {
    let (mut peer, mut registration) = registered();
    peer.receive("[68,77,9,{}]");
    let under_way = next(&mut registration);
    {
        let mut unregister = Box::pin(registration.unregister());
        pending(&mut unregister);
        assert_eq!(peer.sent(), ["[66,2,9]"]);
        // This one was on the wire already.
        peer.receive("[68,78,9,{}]");
        pending(&mut unregister);
        peer.receive("[67,2]");
        ready(&mut unregister).unwrap();
    }
    let waited = next(&mut registration);
    assert!(ready(&mut Box::pin(registration.next())).is_none());
    assert!(matches!(
        registration.end(),
        Some(RegistrationEnd::Unregistered)
    ));
    for (id, invocation) in [(77, under_way), (78, waited)] {
        let mut answer = invocation.respond().into_future();
        pending(&mut answer);
        assert_eq!(peer.sent(), [format!("[70,{id},{{}}]")]);
        ready(&mut answer).unwrap();
    }
    peer.receive("[68,79,9,{}]");
    assert!(peer.sent()[0].contains("no_such_registration"));
    drop(registration);
    assert_eq!(peer.sent(), NOTHING, "it is unregistered once");
}

#[tokio::test(start_paused = true)]
async fn dropping_a_registration_unregisters_it() {
    let (mut peer, registration) = registered();
    peer.receive("[68,77,9,{}]");
    drop(registration);
    let mut sent = peer.sent();
    sent.sort();
    assert_eq!(
        sent,
        ["[66,2,9]", r#"[8,68,77,{},"wamp.error.runtime_error"]"#]
    );
    peer.receive("[68,78,9,{}]");
    assert_eq!(
        peer.sent(),
        [r#"[8,68,78,{},"wamp.error.no_such_registration"]"#]
    );
    peer.receive("[67,2]");
    peer.lose();
    peer.open(None);
    assert_eq!(peer.sent(), NOTHING);
}

#[tokio::test(start_paused = true)]
async fn giving_up_to_unregister_sends_nothing_twice() {
    let (mut peer, mut registration) = registered();
    {
        let mut unregister = Box::pin(registration.unregister());
        pending(&mut unregister);
        assert_eq!(peer.sent(), ["[66,2,9]"]);
    }
    drop(registration);
    assert_eq!(peer.sent(), NOTHING);
    peer.receive("[67,2]");
    peer.lose();
    peer.open(None);
    assert_eq!(peer.sent(), NOTHING);
}

#[tokio::test(start_paused = true)]
async fn an_error_of_unregister_reaches_the_user() {
    let (mut peer, mut registration) = registered();
    {
        let mut unregister = Box::pin(registration.unregister());
        pending(&mut unregister);
        peer.sent();
        peer.receive(r#"[8,66,2,{},"com.example.not_now"]"#);
        let error = ready(&mut unregister).unwrap_err();
        assert!(matches!(error, UnregisterError::Refused(_)));
    }
    assert!(registration.end().is_none(), "it lives on");
    let mut unregister = Box::pin(registration.unregister());
    pending(&mut unregister);
    assert_eq!(peer.sent(), ["[66,3,9]"]);
    peer.receive(r#"[8,66,3,{},"wamp.error.no_such_registration"]"#);
    ready(&mut unregister).expect("it is gone, as was wished");
    drop(unregister);
    assert!(registration.end().is_some());
}

#[tokio::test(start_paused = true)]
async fn unregistering_again_after_giving_up_is_no_error() {
    let (mut peer, mut registration) = registered();
    {
        let mut unregister = Box::pin(registration.unregister());
        pending(&mut unregister);
        assert_eq!(peer.sent(), ["[66,2,9]"]);
    }
    let mut again = Box::pin(registration.unregister());
    pending(&mut again);
    peer.sent();
    peer.receive("[67,2]");
    peer.receive(r#"[8,66,3,{},"wamp.error.no_such_registration"]"#);
    ready(&mut again).unwrap();
}

#[tokio::test(start_paused = true)]
async fn unregistering_without_a_session_is_done_at_once() {
    let (mut peer, mut registration) = registered();
    peer.lose();
    {
        let mut unregister = Box::pin(registration.unregister());
        pending(&mut unregister);
        peer.handle_commands();
        ready(&mut unregister).unwrap();
    }
    peer.open(None);
    assert_eq!(peer.sent(), NOTHING);

    // A session that ends takes its registrations along.
    let (mut peer, mut registration) = registered();
    let mut unregister = Box::pin(registration.unregister());
    pending(&mut unregister);
    peer.sent();
    peer.lose();
    ready(&mut unregister).unwrap();
    peer.open(None);
    assert_eq!(peer.sent(), NOTHING);
}

#[tokio::test(start_paused = true)]
async fn a_revoked_registration_ends() {
    let (mut peer, mut registration) = registered();
    peer.receive(r#"[67,0,{"registration":8,"reason":"com.example.why"}]"#);
    assert!(registration.end().is_none());
    peer.receive(r#"[67,0,{"registration":9,"reason":"com.example.why"}]"#);
    assert!(ready(&mut Box::pin(registration.next())).is_none());
    let end = registration.end().unwrap();
    assert!(matches!(end, RegistrationEnd::Revoked { reason: Some(_) }));
    drop(registration);
    assert_eq!(peer.sent(), NOTHING);
}

#[tokio::test(start_paused = true)]
async fn a_registration_ends_with_its_peer() {
    let (peer, mut registration) = registered();
    pending(&mut Box::pin(registration.next()));
    peer.end();
    assert!(ready(&mut Box::pin(registration.next())).is_none());
    let end = registration.ended().await;
    assert!(matches!(end, RegistrationEnd::Closed(CloseReason::Stopped)));
}

#[tokio::test(start_paused = true)]
async fn a_handler_takes_arguments_and_gives_a_result() {
    #[derive(Deserialize, Serialize)]
    struct Person {
        name: String,
    }
    let (mut peer, _add) =
        handled(|register| register.handler(|(a, b): (i64, i64)| async move { Ok(a + b) }));
    let handle = peer.handle.clone();
    let register = |name| handle.register(name);
    let mut all = [
        register("com.example.greet")
            .handler(|Kwargs(person): Kwargs<Person>| async move { Ok(Kwargs(person)) })
            .into_future(),
        register("com.example.unit")
            .handler(|(): ()| async move { Ok(()) })
            .into_future(),
        register("com.example.info")
            .handler(|call: InvocationInfo| async move {
                let (a, b): (u8, u8) = call.args()?;
                Ok(Args((b, a, call.procedure().to_owned())))
            })
            .into_future(),
    ];
    all.iter_mut().for_each(pending);
    peer.sent();
    for (request, id) in [(2, 10), (3, 11), (4, 12)] {
        peer.receive(&format!("[65,{request},{id}]"));
    }
    let _registrations: Vec<_> = all
        .iter_mut()
        .map(|register| ready(register).unwrap())
        .collect();

    for (invocation, expected) in [
        ("[68,1,9,{},[2,3]]", "[70,1,{},[5]]"),
        (
            r#"[68,2,10,{},[],{"name":"Ada"}]"#,
            r#"[70,2,{},[],{"name":"Ada"}]"#,
        ),
        ("[68,3,11,{}]", "[70,3,{}]"),
        ("[68,5,11,{},[]]", "[70,5,{}]"),
        (
            "[68,4,12,{},[1,2]]",
            r#"[70,4,{},[2,1,"com.example.info"]]"#,
        ),
    ] {
        peer.receive(invocation);
        settle().await;
        assert_eq!(peer.sent(), [expected]);
    }
}

#[tokio::test(start_paused = true)]
async fn arguments_of_another_type_are_an_invalid_argument() {
    let number = handled(|register| register.handler(|(a,): (u8,)| async move { Ok(a) }));
    let nothing = handled(|register| register.handler(|(): ()| async move { Ok(()) }));
    for (mut peer, _registration) in [number, nothing] {
        peer.receive(r#"[68,1,9,{},["text"]]"#);
        settle().await;
        let sent = peer.sent();
        assert_eq!(sent.len(), 1);
        assert!(
            sent[0].starts_with(r#"[8,68,1,{},"wamp.error.invalid_argument",["#),
            "{sent:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_fails_with_any_error() {
    let (mut peer, _registration) = handled(|register| {
        register.handler(|(a,): (u8,)| async move {
            if a.is_multiple_of(2) {
                return Ok(a);
            }
            let error = InvocationError::new("com.example.odd").arg(a);
            Err(error.kwarg("wanted", "even"))
        })
    });
    peer.receive("[68,1,9,{},[3]]");
    settle().await;
    let expected = r#"[8,68,1,{},"com.example.odd",[3],{"wanted":"even"}]"#;
    assert_eq!(peer.sent(), [expected]);
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_a_handler_is_answered_and_ends_nothing_else() {
    let (mut peer, _registration) = handled(|register| {
        let register = register.error_uri("com.example.broken");
        register.handler(|(a,): (u8,)| async move {
            assert!(a < 5, "on purpose");
            Ok(a)
        })
    });
    peer.receive("[68,1,9,{},[7]]");
    peer.receive("[68,2,9,{},[3]]");
    settle().await;
    let mut sent = peer.sent();
    sent.sort();
    assert_eq!(
        sent,
        ["[70,2,{},[3]]", r#"[8,68,1,{},"com.example.broken"]"#]
    );
}

#[tokio::test(start_paused = true)]
async fn handlers_run_at_the_same_time_up_to_the_limit() {
    let running = Arc::new(AtomicUsize::new(0));
    let go = Arc::new(Notify::new());
    let (mut peer, registration) = handled(|register| {
        let (running, go) = (running.clone(), go.clone());
        let register = register.concurrency(2).queue_count(1);
        register.handler(move |(): ()| {
            let (running, go) = (running.clone(), go.clone());
            async move {
                running.fetch_add(1, Ordering::Relaxed);
                go.notified().await;
                running.fetch_sub(1, Ordering::Relaxed);
                Ok(())
            }
        })
    });
    for id in 1..=3 {
        peer.receive(&format!("[68,{id},9,{{}}]"));
        settle().await;
    }
    assert_eq!(running.load(Ordering::Relaxed), 2);
    assert_eq!(peer.sent(), NOTHING, "the third one waits");
    peer.receive("[68,4,9,{}]");
    assert_eq!(peer.sent(), [r#"[8,68,4,{},"wamp.error.unavailable"]"#]);
    assert_eq!(registration.refused(), 1);
    go.notify_one();
    settle().await;
    assert_eq!(peer.sent(), ["[70,1,{}]"]);
    settle().await;
    assert_eq!(running.load(Ordering::Relaxed), 2, "the third one follows");
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_handler_is_dropped() {
    struct Guard(Arc<AtomicUsize>);
    impl Drop for Guard {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let dropped = Arc::new(AtomicUsize::new(0));
    let (mut peer, _registration) = handled(|register| {
        let dropped = dropped.clone();
        register.handler(move |(): ()| {
            let guard = Guard(dropped.clone());
            async move {
                std::future::pending::<()>().await;
                drop(guard);
                Ok(())
            }
        })
    });
    let canceled = |id| format!(r#"[8,68,{id},{{}},"wamp.error.canceled"]"#);
    for (id, options, expected) in [
        (1, r#"{"mode":"kill"}"#, vec![canceled(1)]),
        (2, r#"{"mode":"killnowait"}"#, vec![]),
        (3, "{}", vec![canceled(3)]),
    ] {
        peer.receive(&format!("[68,{id},9,{{}}]"));
        settle().await;
        peer.receive(&format!("[69,{id},{options}]"));
        settle().await;
        assert_eq!(peer.sent(), expected, "{options}");
        assert_eq!(dropped.load(Ordering::Relaxed), id);
    }
    peer.receive("[68,4,9,{}]");
    settle().await;
    peer.lose();
    settle().await;
    assert_eq!(
        dropped.load(Ordering::Relaxed),
        4,
        "its answer would reach nobody"
    );
}

#[tokio::test(start_paused = true)]
async fn who_reads_the_stream_may_still_answer_an_interrupted_invocation() {
    let (mut peer, mut registration) = registered();
    peer.receive("[68,77,9,{}]");
    let mut invocation = next(&mut registration);
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
async fn a_handler_serves_what_came_before_it_was_unregistered() {
    let go = Arc::new(Notify::new());
    let (mut peer, registration) = handled(|register| {
        let go = go.clone();
        register.concurrency(1).handler(move |(): ()| {
            let go = go.clone();
            async move {
                go.notified().await;
                Ok(())
            }
        })
    });
    peer.receive("[68,1,9,{}]");
    peer.receive("[68,2,9,{}]");
    settle().await;
    drop(registration);
    assert_eq!(peer.sent(), ["[66,2,9]"]);
    for expected in ["[70,1,{}]", "[70,2,{}]"] {
        go.notify_one();
        settle().await;
        assert_eq!(peer.sent(), [expected]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_detached_registration_stays() {
    let (mut peer, registration) =
        handled(|register| register.handler(|(a,): (u8,)| async move { Ok(a) }));
    registration.detach();
    assert_eq!(peer.sent(), NOTHING);
    peer.receive("[68,1,9,{},[7]]");
    settle().await;
    assert_eq!(peer.sent(), ["[70,1,{},[7]]"]);
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
async fn a_call_error_ends_no_registration() {
    let mut peer = joined(&[]);
    let handle = peer.handle.clone();
    let mut register = handle.register("com.example.p").into_future();
    pending(&mut register);
    peer.sent();
    peer.receive(r#"[8,48,1,{},"com.example.odd"]"#);
    pending(&mut register);
    peer.receive("[65,1,9]");
    assert!(ready(&mut register).is_ok());
}
