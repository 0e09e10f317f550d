//! Calling and being called.

use serde::{Deserialize, Serialize};
use spell_message::reason;
use spell_roles::{CallError, InvocationError, Kwargs, RegisterError, prelude::*};
use tokio::task::JoinSet;

use spell_tests::place::{Place, uri};

pub(crate) async fn a_call_gives_the_result(place: &Place) {
    let (caller, callee) = place.clients().await;
    let procedure = uri("add2");
    let _registration = callee
        .register(&procedure)
        .handler(async |(a, b): (i64, i64)| Ok(a + b))
        .await
        .unwrap();
    let result = caller.call(&procedure).args((2, 3)).await.unwrap();
    assert_eq!(result.args::<(i64,)>().unwrap(), (5,));
    assert_eq!(result.value::<i64>().unwrap(), 5);
}

pub(crate) async fn a_stream_of_invocations_is_answered_by_hand(place: &Place) {
    let (caller, callee) = place.clients().await;
    let procedure = uri("stream");
    let mut invocations = callee.register(&procedure).await.unwrap();
    let call = tokio::spawn({
        let procedure = procedure.clone();
        async move {
            caller
                .call(procedure)
                .args(("a", "b"))
                .kwarg("last", true)
                .await
        }
    });
    let invocation = invocations.next().await.unwrap();
    assert_eq!(invocation.procedure(), procedure);
    let (a, b): (String, String) = invocation.args().unwrap();
    let Last { last } = invocation.kwargs().unwrap();
    invocation
        .respond()
        .args((b, a))
        .kwarg("last", !last)
        .await
        .unwrap();

    let result = call.await.unwrap().unwrap();
    assert_eq!(
        result.args::<(String, String)>().unwrap(),
        ("b".to_owned(), "a".to_owned())
    );
    assert!(!result.kwargs::<Last>().unwrap().last);
}

pub(crate) async fn keyword_arguments_are_typed(place: &Place) {
    let (caller, callee) = place.clients().await;
    let procedure = uri("scale");
    let scale = async |Kwargs(point): Kwargs<Point>| {
        Ok(Kwargs(Point {
            x: point.x * 2,
            y: point.y * 2,
        }))
    };
    let _registration = callee.register(&procedure).handler(scale).await.unwrap();
    let result = caller
        .call(&procedure)
        .kwargs(Point { x: -1, y: 3 })
        .await
        .unwrap();
    assert_eq!(result.kwargs::<Point>().unwrap(), Point { x: -2, y: 6 });
}

pub(crate) async fn an_error_keeps_its_name_and_arguments(place: &Place) {
    let (caller, callee) = place.clients().await;
    let procedure = uri("fail");
    let fail = async |(number,): (i64,)| {
        Err::<(), _>(
            InvocationError::new("com.example.error.odd")
                .arg(number)
                .kwarg("x", 1)
                .kwarg("y", 2),
        )
    };
    let _registration = callee.register(&procedure).handler(fail).await.unwrap();
    let error = refusal(caller.call(&procedure).args((3,)).await);
    assert_eq!(error.uri().as_str(), "com.example.error.odd");
    assert_eq!(error.args::<(i64,)>().unwrap(), (3,));
    assert_eq!(error.kwargs::<Point>().unwrap(), Point { x: 1, y: 2 });
}

pub(crate) async fn arguments_of_another_type_are_refused(place: &Place) {
    let (caller, callee) = place.clients().await;
    let procedure = uri("typed");
    let _registration = callee
        .register(&procedure)
        .handler(async |(a,): (i64,)| Ok(a))
        .await
        .unwrap();
    let error = refusal(caller.call(&procedure).args(("text",)).await);
    assert_eq!(error.uri().as_str(), reason::INVALID_ARGUMENT);
    // The callee goes on.
    assert_eq!(
        caller
            .call(&procedure)
            .args((1,))
            .await
            .unwrap()
            .value::<i64>()
            .unwrap(),
        1
    );
}

pub(crate) async fn an_unknown_procedure_is_refused(place: &Place) {
    let caller = place.client().await;
    let error = refusal(caller.call(uri("unknown")).await);
    assert_eq!(error.uri().as_str(), reason::NO_SUCH_PROCEDURE);
}

pub(crate) async fn a_procedure_has_one_callee(place: &Place) {
    let (one, other) = place.clients().await;
    let procedure = uri("once");
    let _registration = one.register(&procedure).await.unwrap();
    match other.register(&procedure).await {
        Err(RegisterError::Refused(error)) => {
            assert_eq!(error.uri().as_str(), reason::PROCEDURE_ALREADY_EXISTS);
        }
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn an_unregistered_procedure_is_unknown(place: &Place) {
    let (caller, callee) = place.clients().await;
    let procedure = uri("gone");
    let mut registration = callee
        .register(&procedure)
        .handler(async |(): ()| Ok(1))
        .await
        .unwrap();
    assert_eq!(
        caller
            .call(&procedure)
            .await
            .unwrap()
            .value::<i64>()
            .unwrap(),
        1
    );
    registration.unregister().await.unwrap();
    let error = refusal(caller.call(&procedure).await);
    assert_eq!(error.uri().as_str(), reason::NO_SUCH_PROCEDURE);
}

pub(crate) async fn many_calls_at_once_get_each_its_own_result(place: &Place) {
    let (caller, callee) = place.clients().await;
    let procedure = uri("square");
    let square = async |(a,): (u64,)| {
        // Some answers overtake others.
        for _ in 0..a % 7 {
            tokio::task::yield_now().await;
        }
        Ok(a * a)
    };
    let _registration = callee.register(&procedure).handler(square).await.unwrap();
    let mut calls = JoinSet::new();
    for number in 0..100_u64 {
        let (caller, procedure) = (caller.clone(), procedure.clone());
        calls.spawn(async move {
            let result = caller.call(procedure).args((number,)).await.unwrap();
            assert_eq!(result.value::<u64>().unwrap(), number * number);
        });
    }
    assert_eq!(calls.join_all().await.len(), 100);
}

pub(crate) async fn a_panic_of_the_handler_is_an_error_of_the_call(place: &Place) {
    let (caller, callee) = place.clients().await;
    let procedure = uri("panic");
    let handler = async |(panics,): (bool,)| {
        assert!(!panics, "as the test wants");
        Ok("alive")
    };
    let _registration = callee.register(&procedure).handler(handler).await.unwrap();
    let error = refusal(caller.call(&procedure).args((true,)).await);
    assert_eq!(error.uri().as_str(), reason::RUNTIME_ERROR);
    // The text of a panic is nobody else's business.
    assert!(!format!("{error:?}").contains("as the test wants"));
    assert_eq!(
        caller
            .call(&procedure)
            .args((false,))
            .await
            .unwrap()
            .value::<String>()
            .unwrap(),
        "alive"
    );
}

pub(crate) async fn an_invocation_that_is_dropped_is_an_error_of_the_call(place: &Place) {
    let (caller, callee) = place.clients().await;
    let procedure = uri("dropped");
    let mut invocations = callee.register(&procedure).await.unwrap();
    let call = tokio::spawn(async move { caller.call(procedure).await });
    drop(invocations.next().await.unwrap());
    let error = refusal(call.await.unwrap());
    assert_eq!(error.uri().as_str(), reason::RUNTIME_ERROR);
}

fn refusal<T: std::fmt::Debug>(called: Result<T, CallError>) -> spell_roles::WampError {
    match called {
        Err(CallError::Refused(error)) => *error,
        other => panic!("{other:?}"),
    }
}

#[derive(Deserialize)]
struct Last {
    last: bool,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Point {
    x: i64,
    y: i64,
}
