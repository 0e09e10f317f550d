//! End-to-end encryption through the embedded router, which cannot read what it hands on.
#![cfg(feature = "encryption")]
#![expect(clippy::unwrap_used, reason = "a test")]

use spell_message::{Pattern, Value, reason};
use spell_peer::{Peer, PeerBuilder};
use spell_roles::{
    CallError, Callee, Caller, InvocationError, Parts, Progress, Publisher, Session, Subscriber,
    passthru::{self, Cipher, Encryption, Key, Keys, Passthru, PassthruError, Plain, Sealed},
    prelude::*,
};
use spell_router::Router;
use spell_serializer::{AnySerializer, Cbor, Json, MsgPack, PayloadExt};

type Client = Peer<(Session, Publisher, Subscriber, Caller, Callee)>;

const CIPHERS: [Cipher; 2] = [Cipher::XSalsa20Poly1305, Cipher::Aes256Gcm];

async fn join(router: &Router, serializer: impl Into<AnySerializer>) -> Client {
    PeerBuilder::new(Session::new("com.example.realm"))
        .serializers([serializer.into()])
        .role(Publisher::new())
        .role(Subscriber::new())
        .role(Caller::new())
        .role(Callee::new())
        .connect(router.connector())
        .await
        .unwrap()
}

fn key(cipher: Cipher, secret: u8) -> Key {
    Key::new("key", cipher, [secret; 32])
}

fn codec(key: Key) -> Passthru {
    Encryption::new(Keys::new().default_key(key)).into()
}

#[tokio::test]
async fn a_call_is_encrypted_between_sessions_of_different_serializations() {
    let router = Router::local();
    let caller = join(&router, Json::new()).await;
    let callee = join(&router, MsgPack::new()).await;
    for cipher in CIPHERS {
        let codec = codec(key(cipher, 7));
        let divide = callee.register("com.example.divide").passthru(&codec);
        let divide = divide.handler(|(a, b): (i64, i64)| async move {
            let by_zero = || InvocationError::new("com.example.error.by_zero").arg(a);
            a.checked_div(b).ok_or_else(by_zero)
        });
        let mut divide = divide.await.unwrap();

        let call = |a, b| caller.call("com.example.divide").args((a, b));
        let half = call(6, 2).passthru(&codec).await.unwrap();
        assert_eq!(half.value::<i64>().unwrap(), 3);
        assert_eq!(half.details().ppt_cipher(), Some(cipher.as_str()));
        let Err(CallError::Refused(error)) = call(6, 0).passthru(&codec).await else {
            panic!("divided by zero");
        };
        assert_eq!(error.uri(), "com.example.error.by_zero");
        assert_eq!(error.args::<(i64,)>().unwrap(), (6,));

        // What is not encrypted is not taken for the key holder's.
        let Err(CallError::Refused(error)) = call(6, 2).await else {
            panic!("an open call was taken");
        };
        assert_eq!(error.uri(), reason::INVALID_ARGUMENT);
        divide.unregister().await.unwrap();
    }
}

#[tokio::test]
async fn the_router_and_who_has_no_key_see_one_binary() {
    let router = Router::local();
    let caller = join(&router, MsgPack::new()).await;
    let callee = join(&router, Json::new()).await;
    let codec = codec(key(Cipher::XSalsa20Poly1305, 7));
    let mut calls = callee.register("com.example.secret").await.unwrap();
    let call = caller.call("com.example.secret").arg("secret");
    let result = tokio::spawn(call.passthru(&codec).start().await.unwrap());

    // Without a codec: what the router has sent.
    let call = calls.next().await.unwrap();
    let (info, payload) = (call.info().clone(), call.info().payload().clone());
    assert_eq!(info.details().ppt_scheme(), Some("wamp"));
    let (binary,): (Value,) = payload.parse_args().unwrap();
    let binary = binary.as_bytes().unwrap().clone();
    assert!(!binary.windows(6).any(|bytes| bytes == b"secret"));
    let opened = passthru::open(&*codec, info.details().as_dict(), &payload).unwrap();
    assert_eq!(opened.parse_args::<(String,)>().unwrap().0, "secret");

    // An answer in the open is not what the caller demands.
    call.respond().arg(1).await.unwrap();
    let result = result.await.unwrap().unwrap();
    let error = result.value::<u8>().unwrap_err();
    let cause = PassthruError::cause_of(&error);
    assert!(matches!(cause, Some(PassthruError::NotSealed)), "{cause:?}");
}

#[tokio::test]
async fn an_event_is_encrypted_and_what_cannot_be_read_ends_nothing() {
    let router = Router::local();
    let publisher = join(&router, Json::new()).await;
    let subscriber = join(&router, Cbor::new()).await;
    let other = join(&router, MsgPack::new()).await;
    let codec = |secret| codec(key(Cipher::Aes256Gcm, secret));
    let subscribe = subscriber.subscribe("com.example.news").passthru(codec(7));
    let mut news = subscribe.await.unwrap();
    let mut sealed = other.subscribe("com.example.news").await.unwrap();
    let publish = || publisher.publish("com.example.news").arg("secret");
    publish().passthru(codec(7)).await.unwrap();
    publish().passthru(codec(8)).await.unwrap();
    publish().await.unwrap();
    publish().passthru(Plain::wamp()).await.unwrap();
    publish().passthru(codec(7)).await.unwrap();

    let event = news.next().await.unwrap();
    assert_eq!(event.value::<String>().unwrap(), "secret");
    let mut cause = async || {
        let error = news.next().await.unwrap().value::<String>().unwrap_err();
        PassthruError::cause_of(&error).unwrap().clone()
    };
    assert!(matches!(cause().await, PassthruError::Undecipherable));
    assert!(matches!(cause().await, PassthruError::NotSealed));
    assert!(matches!(cause().await, PassthruError::UnknownCipher { .. }));
    let event = news.next().await.unwrap();
    assert_eq!(event.value::<String>().unwrap(), "secret");

    // The same, in another serialization and without a codec.
    let event = sealed.next().await.unwrap();
    assert!(Sealed::read_binary(event.payload()).is_ok());
}

#[tokio::test]
async fn calls_are_encrypted_in_parts_in_both_directions() {
    let router = Router::local();
    let caller = join(&router, Cbor::new()).await;
    let callee = join(&router, Json::new()).await;
    let codec = codec(key(Cipher::XSalsa20Poly1305, 7));
    let total = callee.register("com.example.total").passthru(&codec);
    let total = total.handler(|mut parts: Parts, progress: Progress| async move {
        let mut total = 0;
        while let Some(part) = parts.next().await {
            total += part?.args::<(i64,)>()?.0;
            if let Some(result) = progress.result() {
                result.arg(total).await?;
            }
        }
        Ok(total)
    });
    let _total = total.await.unwrap();

    let call = caller.call("com.example.total").arg(1).passthru(&codec);
    let (mut arguments, mut results) = call.receive_progress().progressive().await.unwrap();
    arguments.send().arg(2).await.unwrap();
    arguments.finish().arg(3).await.unwrap();
    let mut totals = Vec::new();
    while let Some(result) = results.next().await {
        let result = result.unwrap();
        assert_eq!(result.details().ppt_scheme(), Some("wamp"));
        totals.push(result.value::<i64>().unwrap());
    }
    assert_eq!(totals, [1, 3, 6, 6]);
}

#[tokio::test]
async fn the_topic_decides_the_key() {
    let router = Router::local();
    let peer = join(&router, Json::new()).await;
    let secret = |id: &str| Key::new(id, Cipher::Aes256Gcm, [7; 32]);
    let prefix = Pattern::prefix("com.example.billing").unwrap();
    let keys = Keys::new().key_for(prefix, secret("billing"));
    let codec = Passthru::from(Encryption::new(keys.old_key(secret("old"))));
    let mut events = peer
        .subscribe("com")
        .prefix()
        .passthru(&codec)
        .await
        .unwrap();

    let publish = |topic| peer.publish(topic).exclude_me(false).passthru(&codec);
    publish("com.example.billing.paid").await.unwrap();
    let event = events.next().await.unwrap();
    assert_eq!(event.details().ppt_keyid(), Some("billing"));
    event.args::<()>().unwrap();
    let error = publish("com.example.other").await.unwrap_err();
    let cause = PassthruError::cause_of(&error);
    assert!(
        matches!(cause, Some(PassthruError::NoKey { .. })),
        "{cause:?}"
    );
}
