use spell_message::options::InvocationPolicy;
use spell_peer::Delivery;

use super::*;
use crate::RegisterError;

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
    peer.receive(r#"[8,64,1,{},"wamp.error.not_authorized"]"#);
    peer.receive("[65,2,9]");
    assert!(ready(&mut Box::pin(first.next())).is_none());
    let Some(RegistrationEnd::NotRestored(error)) = first.end() else {
        panic!("{:?}", first.end());
    };
    assert_eq!(error.uri().unwrap().as_str(), reason::NOT_AUTHORIZED);
    let [reported] = &peer.reported()[..] else {
        panic!("not one report");
    };
    let reported: &RegistrationNotRestored = reported.downcast_ref().unwrap();
    assert_eq!(reported.procedure.as_str(), "com.example.first");
    assert!(reported.error.uri().is_some());
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
