//! Results and arguments as they come.

use serde_json::json;
use spell_roles::{Invocation, Registration, prelude::*};
use spell_tests::{
    foreign::Library,
    place::{Place, uri},
};

pub(crate) async fn results_arrive_as_they_come(place: &Place) {
    let (caller, callee) = place.clients().await;
    let procedure = uri("progress");
    let mut invocations = callee.register(&procedure).await.unwrap();
    let call = caller.call(&procedure).arg(3).receive_progress();
    let mut results = call.await.unwrap();
    let invocation = invocations.next().await.unwrap();
    for done in 0..3 {
        let progress = invocation.progress().unwrap();
        progress.arg(done).await.unwrap();
        // Before the next one is sent.
        let result = results.next().await.unwrap().unwrap();
        assert!(result.is_progress());
        assert_eq!(result.value::<i32>().unwrap(), done);
    }
    invocation.respond().arg("done").await.unwrap();
    let result = results.next().await.unwrap().unwrap();
    assert!(!result.is_progress());
    assert_eq!(result.value::<String>().unwrap(), "done");
    assert!(results.next().await.is_none());
}

pub(crate) async fn an_error_ends_the_results(place: &Place) {
    let (caller, callee) = place.clients().await;
    let procedure = uri("failing");
    let mut invocations = callee.register(&procedure).await.unwrap();
    let mut results = caller.call(&procedure).receive_progress().await.unwrap();
    let invocation = invocations.next().await.unwrap();
    invocation.progress().unwrap().arg(1).await.unwrap();
    invocation.error("com.example.error").await.unwrap();
    let result = results.next().await.unwrap().unwrap();
    assert_eq!(result.value::<i32>().unwrap(), 1);
    let error = results.next().await.unwrap().unwrap_err();
    assert_eq!(error.uri().unwrap().as_str(), "com.example.error");
    assert!(results.next().await.is_none());
}

pub(crate) async fn a_caller_that_does_not_ask_gets_no_progress(place: &Place) {
    let (caller, callee) = place.clients().await;
    let procedure = uri("at.once");
    let mut invocations = callee.register(&procedure).await.unwrap();
    let answer = async {
        let invocation = invocations.next().await.unwrap();
        assert!(invocation.progress().is_none());
        invocation.respond().arg(1).await.unwrap();
    };
    let call = async { caller.call(&procedure).await.unwrap() };
    let ((), result) = tokio::join!(answer, call);
    assert_eq!(result.value::<i32>().unwrap(), 1);
}

pub(crate) async fn arguments_arrive_as_they_come(place: &Place) {
    let (caller, callee) = place.clients().await;
    let procedure = uri("sum");
    let mut invocations = callee.register(&procedure).await.unwrap();
    let call = caller.call(&procedure).arg(1).progressive();
    let (mut arguments, result) = call.await.unwrap();
    let mut invocation = invocations.next().await.unwrap();
    let mut parts = invocation.parts().unwrap();
    assert_eq!(next(&mut parts).await, (1, false));
    arguments.send().arg(2).await.unwrap();
    assert_eq!(next(&mut parts).await, (2, false));
    arguments.finish().arg(3).await.unwrap();
    assert_eq!(next(&mut parts).await, (3, true));
    assert!(parts.next().await.is_none());
    invocation.respond().arg(6).await.unwrap();
    assert_eq!(result.await.unwrap().value::<i32>().unwrap(), 6);
}

pub(crate) async fn arguments_and_results_cross(place: &Place) {
    let (caller, callee) = place.clients().await;
    let procedure = uri("duplex");
    let mut invocations = callee.register(&procedure).await.unwrap();
    let call = caller.call(&procedure).arg(1).receive_progress();
    let (mut arguments, mut results) = call.progressive().await.unwrap();
    let mut invocation = invocations.next().await.unwrap();
    let mut parts = invocation.parts().unwrap();
    for number in 1..4 {
        let (argument, is_last) = next(&mut parts).await;
        assert_eq!((argument, is_last), (number, number == 3));
        let progress = invocation.progress().unwrap();
        progress.arg(10 * argument).await.unwrap();
        let result = results.next().await.unwrap().unwrap();
        assert_eq!(result.value::<i32>().unwrap(), 10 * number);
        match number {
            1 => arguments.send().arg(2).await.unwrap(),
            2 => arguments.finish().arg(3).await.unwrap(),
            _ => {}
        }
    }
    invocation.respond().await.unwrap();
    assert!(!results.next().await.unwrap().unwrap().is_progress());
}

pub(crate) async fn a_foreign_callee_gives_results_as_they_come(place: &Place, library: Library) {
    let Some(mut foreign) = place.foreign(library).await else {
        return;
    };
    let client = place.client().await;
    let procedure = uri("foreign.progress");
    let register = json!({ "register": procedure, "does": "progress" });
    foreign.ask(&register).await.unwrap();
    let call = client.call(&procedure).args(("a", "b")).receive_progress();
    let mut results = call.await.unwrap();
    for text in ["a", "b"] {
        let result = results.next().await.unwrap().unwrap();
        assert!(result.is_progress());
        assert_eq!(result.value::<String>().unwrap(), text);
    }
    let result = results.next().await.unwrap().unwrap();
    assert!(!result.is_progress());
    assert_eq!(result.value::<i32>().unwrap(), 2);
}

/// WAMP spec, "Progressive Call Results": who does not announce that it can be interrupted is not asked for more.
pub(crate) async fn a_foreign_callee_that_cannot_be_interrupted_gives_one_result(
    place: &Place,
    library: Library,
) {
    let Some(mut foreign) = place.foreign(library).await else {
        return;
    };
    let client = place.client().await;
    let procedure = uri("foreign.at.once");
    let register = json!({ "register": procedure, "does": "progress" });
    foreign.ask(&register).await.unwrap();
    let call = client.call(&procedure).args(("a", "b")).receive_progress();
    let mut results = call.await.unwrap();
    let result = results.next().await.unwrap().unwrap();
    assert!(!result.is_progress());
    assert_eq!(result.value::<i32>().unwrap(), 2);
}

pub(crate) async fn a_foreign_caller_gets_results_as_they_come(place: &Place, library: Library) {
    let Some(mut foreign) = place.foreign(library).await else {
        return;
    };
    let client = place.client().await;
    let procedure = uri("spell.progress");
    let mut invocations = client.register(&procedure).await.unwrap();
    let options = json!({ "receive_progress": true });
    let call = json!({ "call": procedure, "args": [2], "options": options });
    foreign.tell(&call).await.unwrap();
    let invocation = invocations.next().await.unwrap();
    for done in 0..2 {
        invocation.progress().unwrap().arg(done).await.unwrap();
        assert_eq!(
            foreign.hear().await.unwrap(),
            json!({ "progress": { "args": [done], "kwargs": {} } })
        );
    }
    invocation.respond().arg("done").await.unwrap();
    assert_eq!(
        foreign.hear().await.unwrap(),
        json!({ "result": { "args": ["done"], "kwargs": {} } })
    );
}

pub(crate) async fn a_foreign_caller_sends_arguments_as_they_come(place: &Place, library: Library) {
    let Some(mut foreign) = place.foreign(library).await else {
        return;
    };
    let client = place.client().await;
    let procedure = uri("spell.sum");
    let mut invocations: Registration = client.register(&procedure).await.unwrap();
    let stream = json!({ "stream": procedure, "chunks": [[1], [2], [3]] });
    foreign.tell(&stream).await.unwrap();
    let mut invocation: Invocation = invocations.next().await.unwrap();
    let mut parts = invocation.parts().unwrap();
    for number in 1..4 {
        let part = next(&mut parts).await;
        assert_eq!(part, (number, number == 3));
        invocation.progress().unwrap().arg(number).await.unwrap();
    }
    invocation.respond().arg(6).await.unwrap();
    for number in 1..4 {
        assert_eq!(
            foreign.hear().await.unwrap(),
            json!({ "progress": { "args": [number], "kwargs": {} } })
        );
    }
    assert_eq!(
        foreign.hear().await.unwrap(),
        json!({ "result": { "args": [6], "kwargs": {} } })
    );
}

/// The next part, a number, and whether it is the last one.
async fn next(parts: &mut spell_roles::Parts) -> (i32, bool) {
    let part = parts.next().await.unwrap().unwrap();
    (part.args::<(i32,)>().unwrap().0, part.is_last())
}
