//! Calls that are given up, and calls that take too long.

use std::time::Duration;

use serde_json::json;
use spell_message::{options::CancelMode, reason};
use spell_roles::{CallError, prelude::*};
use spell_tests::{
    foreign::Library,
    place::{Place, uri},
};

pub(crate) async fn killing_waits_for_the_callee(place: &Place) {
    let (caller, callee) = place.clients().await;
    let procedure = uri("kill");
    let mut invocations = callee.register(&procedure).await.unwrap();
    let call = caller.call(&procedure).start().await.unwrap();
    let invocation = invocations.next().await.unwrap();
    call.cancel(CancelMode::Kill).await.unwrap();
    invocation.interrupted().await;
    invocation.error(reason::CANCELED).await.unwrap();
    assert_canceled(call.await);
}

/// Crossbar.io and xconn put an error in place of the answer.
pub(crate) async fn a_callee_that_is_killed_may_still_answer(place: &Place) {
    let (caller, callee) = place.clients().await;
    let procedure = uri("stubborn");
    let mut invocations = callee.register(&procedure).await.unwrap();
    let call = caller.call(&procedure).start().await.unwrap();
    let invocation = invocations.next().await.unwrap();
    call.cancel(CancelMode::Kill).await.unwrap();
    invocation.interrupted().await;
    invocation.respond().arg("all the same").await.unwrap();
    let result = call.await.unwrap();
    assert_eq!(result.value::<String>().unwrap(), "all the same");
}

pub(crate) async fn killing_without_waiting_interrupts_the_callee(place: &Place) {
    let (caller, callee) = place.clients().await;
    let procedure = uri("killnowait");
    let mut invocations = callee.register(&procedure).await.unwrap();
    let call = caller.call(&procedure).start().await.unwrap();
    let invocation = invocations.next().await.unwrap();
    call.cancel(CancelMode::KillNoWait).await.unwrap();
    assert_canceled(call.await);
    invocation.interrupted().await;
}

/// Crossbar.io does not tell the caller.
pub(crate) async fn skipping_leaves_the_callee_alone(place: &Place) {
    let (caller, callee) = place.clients().await;
    let procedure = uri("skip");
    let mut invocations = callee.register(&procedure).await.unwrap();
    let call = caller.call(&procedure).start().await.unwrap();
    let skipped = invocations.next().await.unwrap();
    call.cancel(CancelMode::Skip).await.unwrap();
    assert_canceled(call.await);
    // What comes before the second invocation would be an INTERRUPT for the first one.
    let call = caller.call(&procedure).start().await.unwrap();
    let invocation = invocations.next().await.unwrap();
    assert_eq!(skipped.interrupt().cause(), None);
    // An answer that nobody waits for harms nobody.
    skipped.respond().arg(1).await.unwrap();
    invocation.respond().arg(2).await.unwrap();
    assert_eq!(call.await.unwrap().value::<i32>().unwrap(), 2);
}

pub(crate) async fn dropping_a_call_interrupts_the_callee(place: &Place) {
    let (caller, callee) = place.clients().await;
    let procedure = uri("dropped");
    let mut invocations = callee.register(&procedure).await.unwrap();
    let call = caller.call(&procedure).start().await.unwrap();
    let invocation = invocations.next().await.unwrap();
    drop(call);
    invocation.interrupted().await;
}

pub(crate) async fn a_caller_that_leaves_interrupts_the_callee(place: &Place) {
    let (caller, callee) = place.clients().await;
    let procedure = uri("left");
    let mut invocations = callee.register(&procedure).await.unwrap();
    let _call = caller.call(&procedure).start().await.unwrap();
    let invocation = invocations.next().await.unwrap();
    caller.leave().await.unwrap();
    invocation.interrupted().await;
}

pub(crate) async fn a_callee_that_leaves_ends_its_calls(place: &Place) {
    let (caller, callee) = place.clients().await;
    let procedure = uri("deserted");
    let mut invocations = callee.register(&procedure).await.unwrap();
    let call = caller.call(&procedure).start().await.unwrap();
    let _invocation = invocations.next().await.unwrap();
    callee.leave().await.unwrap();
    assert_canceled(call.await);
}

pub(crate) async fn a_call_that_takes_too_long_ends(place: &Place) {
    let (caller, callee) = place.clients().await;
    let procedure = uri("slow");
    let mut invocations = callee.register(&procedure).await.unwrap();
    let call = caller
        .call(&procedure)
        .timeout(SHORT)
        .start()
        .await
        .unwrap();
    let invocation = invocations.next().await.unwrap();
    let error = call.await.unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    invocation.interrupted().await;
}

/// The caller keeps no time itself, as if it had died.
pub(crate) async fn the_router_ends_a_call_that_takes_too_long(place: &Place) {
    let (caller, callee) = place.clients().await;
    let procedure = uri("slow.for.the.router");
    let mut invocations = callee.register(&procedure).await.unwrap();
    let call = caller.call(&procedure).option("timeout", 1000).no_timeout();
    let call = call.start().await.unwrap();
    let invocation = invocations.next().await.unwrap();
    match call.await {
        Err(CallError::Refused(error)) => assert_eq!(error.uri().as_str(), reason::TIMEOUT),
        other => panic!("{other:?}"),
    }
    invocation.interrupted().await;
}

pub(crate) async fn a_foreign_callee_is_interrupted(place: &Place, library: Library) {
    let Some(mut foreign) = place.foreign(library).await else {
        return;
    };
    let client = place.client().await;
    let procedure = uri("foreign.wait");
    let register = json!({ "register": procedure, "does": "wait" });
    foreign.ask(&register).await.unwrap();
    for mode in [CancelMode::Kill, CancelMode::KillNoWait] {
        let call = client.call(&procedure).start().await.unwrap();
        assert_eq!(
            foreign.hear().await.unwrap(),
            json!({ "waiting": procedure })
        );
        call.cancel(mode).await.unwrap();
        assert_eq!(
            foreign.hear().await.unwrap(),
            json!({ "interrupted": procedure })
        );
        // The library chooses the error that it fails with.
        assert!(matches!(call.await, Err(CallError::Refused(_))));
    }
}

/// To a callee that did not announce that it can be interrupted, INTERRUPT is a violation.
pub(crate) async fn a_foreign_callee_that_cannot_be_interrupted_is_left_alone(
    place: &Place,
    library: Library,
) {
    let Some(mut foreign) = place.foreign(library).await else {
        return;
    };
    let client = place.client().await;
    let (wait, echo) = (uri("foreign.wait"), uri("foreign.echo"));
    let register = json!({ "register": wait, "does": "wait" });
    foreign.ask(&register).await.unwrap();
    foreign.ask(&json!({ "register": echo })).await.unwrap();
    for mode in [CancelMode::Kill, CancelMode::KillNoWait] {
        let call = client.call(&wait).start().await.unwrap();
        assert_eq!(foreign.hear().await.unwrap(), json!({ "waiting": wait }));
        call.cancel(mode).await.unwrap();
        assert_canceled(call.await);
        // It is still there.
        let result = client.call(&echo).arg(1).await.unwrap();
        assert_eq!(result.value::<i32>().unwrap(), 1);
    }
}

pub(crate) async fn a_foreign_caller_cancels(place: &Place, library: Library) {
    let Some(mut foreign) = place.foreign(library).await else {
        return;
    };
    let client = place.client().await;
    let procedure = uri("spell.wait");
    let mut invocations = client.register(&procedure).await.unwrap();
    let begin = json!({ "begin": procedure });
    assert_eq!(
        foreign.ask(&begin).await.unwrap(),
        json!({ "begun": procedure })
    );
    let invocation = invocations.next().await.unwrap();
    foreign
        .ask(&json!({ "cancel": "killnowait" }))
        .await
        .unwrap();
    invocation.interrupted().await;
    let error = foreign.hear().await.unwrap();
    assert_eq!(error["error"], "wamp.error.canceled", "{error}");
}

pub(crate) async fn a_foreign_caller_sets_a_time_limit(place: &Place, library: Library) {
    let Some(mut foreign) = place.foreign(library).await else {
        return;
    };
    let client = place.client().await;
    let procedure = uri("spell.slow");
    let mut invocations = client.register(&procedure).await.unwrap();
    let call = json!({ "call": procedure, "options": { "timeout": 1000 } });
    foreign.tell(&call).await.unwrap();
    let invocation = invocations.next().await.unwrap();
    let error = foreign.hear().await.unwrap();
    assert_eq!(error["error"], "wamp.error.timeout", "{error}");
    invocation.interrupted().await;
}

fn assert_canceled<T: std::fmt::Debug>(result: Result<T, CallError>) {
    match result {
        Err(CallError::Refused(error)) => assert_eq!(error.uri().as_str(), reason::CANCELED),
        other => panic!("{other:?}"),
    }
}

/// Long enough for the invocation to arrive.
const SHORT: Duration = Duration::from_secs(1);
