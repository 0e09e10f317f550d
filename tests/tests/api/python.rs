//! A peer of another make at the other end.

use serde_json::json;
use spell_message::{Dict, List, Value};
use spell_roles::{CallError, InvocationError, InvocationInfo, prelude::*};
use spell_tests::{
    foreign::Library,
    place::{Place, uri},
};

pub(crate) async fn it_calls_and_is_called(place: &Place) {
    let Some(mut python) = place.foreign(Library::AutobahnPython).await else {
        return;
    };
    let client = place.client().await;

    let procedure = uri("python.echo");
    python.ask(&json!({ "register": procedure })).await.unwrap();
    let list: List = vec![
        1.into(),
        "text".into(),
        Value::bytes(&b"\x00\xff"[..]),
        Value::Null,
    ];
    let result = client
        .call(&procedure)
        .args(&list)
        .kwarg("key", 2.5)
        .await
        .unwrap();
    assert_eq!(result.args::<List>().unwrap(), list);
    assert_eq!(result.kwargs::<Dict>().unwrap(), Dict::from([("key", 2.5)]));

    match client
        .call(&procedure)
        .args((1,))
        .kwarg("fail", "com.example.error")
        .kwarg("key", 0.5)
        .await
    {
        Err(CallError::Refused(error)) => {
            assert_eq!(error.uri().as_str(), "com.example.error");
            assert_eq!(error.args::<(i64,)>().unwrap(), (1,));
            assert_eq!(error.kwargs::<Dict>().unwrap(), Dict::from([("key", 0.5)]));
        }
        other => panic!("{other:?}"),
    }

    let procedure = uri("spell.reverse");
    let reverse = async |info: InvocationInfo| {
        let mut args: List = info.args()?;
        if args.is_empty() {
            return Err(
                InvocationError::new("com.example.error.empty").kwarg("wanted", "something")
            );
        }
        args.reverse();
        Ok(args)
    };
    let _registration = client.register(&procedure).handler(reverse).await.unwrap();
    let answer = python
        .ask(&json!({ "call": procedure, "args": [1, { "$bytes": "00ff" }, null] }))
        .await
        .unwrap();
    assert_eq!(
        answer,
        json!({ "result": { "args": [[null, { "$bytes": "00ff" }, 1]], "kwargs": {} } })
    );
    let answer = python.ask(&json!({ "call": procedure })).await.unwrap();
    assert_eq!(
        answer,
        json!({ "error": "com.example.error.empty", "args": [], "kwargs": { "wanted": "something" } })
    );
}

pub(crate) async fn it_publishes_and_subscribes(place: &Place) {
    let Some(mut python) = place.foreign(Library::AutobahnPython).await else {
        return;
    };
    let client = place.client().await;

    let topic = uri("from.spell");
    python.ask(&json!({ "subscribe": topic })).await.unwrap();
    client
        .publish(&topic)
        .args((1, "text"))
        .kwarg("key", 2.5)
        .acknowledge()
        .await
        .unwrap();
    let event = python.hear().await.unwrap();
    assert_eq!(
        event,
        json!({ "event": topic, "args": [1, "text"], "kwargs": { "key": 2.5 } })
    );

    let topic = uri("from.python");
    let mut events = client.subscribe(&topic).await.unwrap();
    let publish =
        json!({ "publish": topic, "args": [1, { "$bytes": "00ff" }], "kwargs": { "key": 2.5 } });
    python.ask(&publish).await.unwrap();
    let event = events.next().await.unwrap();
    assert_eq!(
        event.args::<List>().unwrap(),
        [1.into(), Value::bytes(&b"\x00\xff"[..])]
    );
    assert_eq!(event.kwargs::<Dict>().unwrap(), Dict::from([("key", 2.5)]));
}
