//! Payloads that the router does not look into.

use serde_json::{Value, json};
use spell_message::reason;
use spell_roles::{
    CallError, Invocation,
    passthru::{Cipher, Encryption, Key, Keys, Passthru, PassthruSerializer, Plain},
    prelude::*,
};
use spell_tests::{
    foreign::{ForeignPeer, Library},
    place::{Place, uri},
};

pub(crate) async fn an_encrypted_event_is_read_by_who_has_the_key(place: &Place) {
    for cipher in [Cipher::XSalsa20Poly1305, Cipher::Aes256Gcm] {
        let (publisher, subscriber) = place.clients().await;
        let topic = uri("encrypted");
        let subscribe = subscriber.subscribe(&topic).passthru(key(cipher, 1));
        let mut events = subscribe.await.unwrap();
        let stranger = place.client().await;
        let subscribe = stranger.subscribe(&topic).passthru(key(cipher, 2));
        let mut strange = subscribe.await.unwrap();
        let publish = publisher.publish(&topic).args(("secret", 7));
        let publish = publish.kwarg("mood", "good").passthru(key(cipher, 1));
        publish.acknowledge().await.unwrap();
        let event = events.next().await.unwrap();
        let args: (String, i32) = event.args().unwrap();
        assert_eq!(args, ("secret".to_owned(), 7));
        let kwargs: Value = event.kwargs().unwrap();
        assert_eq!(kwargs, json!({ "mood": "good" }));
        let event = strange.next().await.unwrap();
        assert!(event.args::<(String, i32)>().is_err());
    }
}

pub(crate) async fn an_encrypted_call_is_answered_encrypted(place: &Place) {
    let (caller, callee) = place.clients().await;
    let procedure = uri("encrypted");
    let codec = || key(Cipher::Aes256Gcm, 1);
    let register = callee.register(&procedure).passthru(codec());
    let mut invocations = register.await.unwrap();
    let call = async |text| {
        let call = caller.call(&procedure).arg(text).passthru(codec());
        call.await
    };
    let answer = async |invocation: Option<Invocation>| {
        let invocation = invocation.unwrap();
        let (text,): (String,) = invocation.args().unwrap();
        if text == "fail" {
            invocation.error("com.example.error").arg(text).await
        } else {
            invocation.respond().arg(text).await
        }
    };
    let (result, answered) = tokio::join!(call("secret"), async {
        answer(invocations.next().await).await
    });
    answered.unwrap();
    assert_eq!(result.unwrap().value::<String>().unwrap(), "secret");
    let (result, answered) = tokio::join!(call("fail"), async {
        answer(invocations.next().await).await
    });
    answered.unwrap();
    match result {
        Err(CallError::Refused(error)) => {
            assert_eq!(error.uri().as_str(), "com.example.error");
            assert_eq!(error.args::<(String,)>().unwrap().0, "fail");
        }
        other => panic!("{other:?}"),
    }
    // Who has no key can neither ask nor read.
    let call = caller.call(&procedure).arg("open");
    let answer = async {
        let invocation = invocations.next().await.unwrap();
        assert!(invocation.args::<(String,)>().is_err());
        invocation.error(reason::INVALID_ARGUMENT).await.unwrap();
    };
    let (result, ()) = tokio::join!(call, answer);
    assert!(matches!(result, Err(CallError::Refused(_))), "{result:?}");
}

pub(crate) async fn a_payload_of_ones_own_passes(place: &Place) {
    for serializer in [
        PassthruSerializer::Json,
        PassthruSerializer::MsgPack,
        PassthruSerializer::Cbor,
    ] {
        let (publisher, subscriber) = place.clients().await;
        let codec = || Plain::custom("x_own").unwrap().serializer(serializer);
        let topic = uri("own");
        let subscribe = subscriber.subscribe(&topic).passthru(codec());
        let mut events = subscribe.await.unwrap();
        let publish = publisher.publish(&topic).arg("as it is");
        publish.passthru(codec()).await.unwrap();
        let event = events.next().await.unwrap();
        assert_eq!(event.value::<String>().unwrap(), "as it is");
    }
}

pub(crate) async fn a_foreign_subscriber_opens_an_event(place: &Place, library: Library) {
    let Some((mut foreign, codec, _)) = join(place, library).await else {
        return;
    };
    let client = place.client().await;
    let topic = uri("foreign.opens");
    foreign.ask(&json!({ "subscribe": topic })).await.unwrap();
    let publish = client.publish(&topic).args((1, "text")).kwarg("key", 2.5);
    publish.passthru(codec).acknowledge().await.unwrap();
    assert_eq!(
        foreign.hear().await.unwrap(),
        json!({ "event": topic, "args": [1, "text"], "kwargs": { "key": 2.5 } })
    );
}

pub(crate) async fn a_foreign_publisher_seals_an_event(place: &Place, library: Library) {
    let Some((mut foreign, codec, options)) = join(place, library).await else {
        return;
    };
    let client = place.client().await;
    let topic = uri("foreign.seals");
    let subscribe = client.subscribe(&topic).passthru(codec);
    let mut events = subscribe.await.unwrap();
    let publish = json!({
        "publish": topic,
        "args": [1, "text"],
        "kwargs": { "key": 2.5 },
        "options": options,
    });
    foreign.ask(&publish).await.unwrap();
    let event = events.next().await.unwrap();
    let args: (i32, String) = event.args().unwrap();
    assert_eq!(args, (1, "text".to_owned()));
    let kwargs: Value = event.kwargs().unwrap();
    assert_eq!(kwargs, json!({ "key": 2.5 }));
}

pub(crate) async fn a_foreign_callee_opens_a_call(place: &Place, library: Library) {
    let Some((mut foreign, codec, options)) = join(place, library).await else {
        return;
    };
    let client = place.client().await;
    let procedure = uri("foreign.echo");
    let options = match library {
        Library::Wampy => json!({ "answer": options }),
        _ => options,
    };
    let register = json!({ "register": procedure, "options": options });
    foreign.ask(&register).await.unwrap();
    let call = client.call(&procedure).args((1, "text")).passthru(codec);
    let result = call.await.unwrap();
    let args: (i32, String) = result.args().unwrap();
    assert_eq!(args, (1, "text".to_owned()));
    // It came sealed.
    let details = result.details().as_dict();
    assert!(
        details.contains_key("ppt_scheme") || details.contains_key("enc_algo"),
        "{details:?}"
    );
}

pub(crate) async fn a_foreign_caller_seals_a_call(place: &Place, library: Library) {
    let Some((mut foreign, codec, options)) = join(place, library).await else {
        return;
    };
    let client = place.client().await;
    let procedure = uri("spell.echo");
    let register = client.register(&procedure).passthru(codec);
    let _registration = register
        .handler(|(number, text): (i32, String)| async move { Ok((number, text)) })
        .await
        .unwrap();
    let call = json!({ "call": procedure, "args": [1, "text"], "options": options });
    assert_eq!(
        foreign.ask(&call).await.unwrap(),
        json!({ "result": { "args": [[1, "text"]], "kwargs": {} } })
    );
}

/// A peer that passes payloads through, the codec that does it as it does, and the options that it has to set.
async fn join(place: &Place, library: Library) -> Option<(ForeignPeer, Passthru, Value)> {
    let mut foreign = place.foreign(library).await?;
    let (name, serializer, options) = match library {
        Library::AutobahnPython => {
            foreign.ask(&json!({ "codec": "x_json" })).await.unwrap();
            ("x_json", PassthruSerializer::Json, json!({}))
        }
        _ => (
            "x_cbor",
            PassthruSerializer::Cbor,
            json!({ "ppt_scheme": "x_cbor", "ppt_serializer": "cbor" }),
        ),
    };
    let codec = Plain::custom(name).unwrap().serializer(serializer);
    Some((foreign, codec.into(), options))
}

/// Encryption by the key with this number.
fn key(cipher: Cipher, number: u8) -> Passthru {
    let key = Key::new(format!("key-{number}"), cipher, [number; 32]);
    Encryption::new(Keys::new().default_key(key)).into()
}
