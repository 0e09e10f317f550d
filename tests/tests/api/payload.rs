//! Arguments on their way through a router.

use bytes::Bytes;
use spell_message::{Dict, List, Value};
use spell_roles::{CallError, prelude::*};

use spell_tests::place::{Place, uri};

pub(crate) async fn values_of_every_kind_arrive_as_they_were(place: &Place) {
    let (caller, callee) = place.clients().await;
    let procedure = uri("echo");
    let _echo = callee
        .register(&procedure)
        .handler(async |args: List| Ok(args))
        .await
        .unwrap();
    let list: List = vec![
        Value::Null,
        true.into(),
        0.into(),
        i64::MIN.into(),
        i64::MAX.into(),
        u64::MAX.into(),
        1.5.into(),
        (-1e300).into(),
        "".into(),
        "Grüße, 世界 🎉 \u{0} \" \\ /".into(),
        Value::bytes(Bytes::from_static(b"")),
        Value::bytes(Bytes::from_static(b"\x00\xff\x80binary")),
        List::new().into(),
        Dict::new().into(),
        Dict::from([
            (
                "z",
                Value::List(vec![1.into(), Value::bytes(Bytes::from_static(b"\x01"))]),
            ),
            ("a", Dict::from([("nested", Value::Null)]).into()),
        ])
        .into(),
    ];
    let result = caller.call(&procedure).args(&list).await.unwrap();
    assert_eq!(result.value::<List>().unwrap(), list);
}

pub(crate) async fn a_mebibyte_arrives(place: &Place) {
    let (publisher, subscriber) = place.clients().await;
    let topic = uri("large");
    let mut events = subscriber.subscribe(&topic).await.unwrap();
    let text = "large ".repeat(200_000);
    publisher
        .publish(&topic)
        .arg(&text)
        .acknowledge()
        .await
        .unwrap();
    assert_eq!(
        events.next().await.unwrap().value::<String>().unwrap(),
        text
    );
}

pub(crate) async fn what_cannot_be_encoded_fails_alone(place: &Place) {
    let (caller, callee) = place.clients().await;
    let procedure = uri("alone");
    let _registration = callee
        .register(&procedure)
        .handler(async |(): ()| Ok("answered"))
        .await
        .unwrap();
    let before = caller.call(&procedure);
    // Keyword arguments are a dictionary.
    let failed = caller.call(&procedure).kwargs(5).await;
    assert!(matches!(failed, Err(CallError::Encode(_))), "{failed:?}");
    // Neither the call before nor the one after suffers.
    assert_eq!(before.await.unwrap().value::<String>().unwrap(), "answered");
    assert_eq!(
        caller
            .call(&procedure)
            .await
            .unwrap()
            .value::<String>()
            .unwrap(),
        "answered"
    );
}
