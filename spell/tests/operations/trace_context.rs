use spell::{CallError, PublishError, prelude::*, roles::InvocationInfo};
use spell_router::Router;

use crate::support::join;

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
type Seen = (Option<String>, Option<String>);

const STATE: &str = "congo=t61rcWkgMzE";

#[tokio::test]
async fn it_goes_from_the_caller_to_the_callee() {
    let router = Router::local();
    let client = join(&router).await.unwrap();
    let seen = client
        .register("com.example.seen")
        .handler(|info: InvocationInfo| async move {
            let text = |text: Option<&str>| text.map(ToOwned::to_owned);
            Ok(Args((text(info.traceparent()), text(info.tracestate()))))
        });
    let _seen = seen.await.unwrap();
    let call = || client.call("com.example.seen");
    let traced = call().traceparent(PARENT).tracestate(STATE).await.unwrap();
    let expected = (Some(PARENT.to_owned()), Some(STATE.to_owned()));
    assert_eq!(traced.args::<Seen>().unwrap(), expected);
    assert_eq!(call().await.unwrap().args::<Seen>().unwrap(), (None, None));
    let malformed = call().option("_traceparent", "sesame").await.unwrap();
    assert_eq!(malformed.args::<Seen>().unwrap(), (None, None));
}

#[tokio::test]
async fn it_goes_from_the_publisher_to_the_subscriber() {
    let router = Router::local();
    let client = join(&router).await.unwrap();
    let mut events = client.subscribe("com.example.topic").await.unwrap();
    let publish = || client.publish("com.example.topic").exclude_me(false);
    publish().traceparent(PARENT).await.unwrap();
    let acknowledged = publish().acknowledge();
    let acknowledged = acknowledged.traceparent(PARENT).tracestate(STATE);
    acknowledged.await.unwrap();
    publish().await.unwrap();
    for expected in [
        (Some(PARENT), None),
        (Some(PARENT), Some(STATE)),
        (None, None),
    ] {
        let event = events.next().await.unwrap();
        assert_eq!((event.traceparent(), event.tracestate()), expected);
    }
}

#[tokio::test]
async fn a_malformed_one_is_refused_before_anything_is_sent() {
    let router = Router::local();
    let client = join(&router).await.unwrap();
    let called = client.call("com.example.seen").traceparent("sesame").await;
    assert!(matches!(called, Err(CallError::Option(_))));
    let published = client.publish("com.example.topic").tracestate("two\nlines");
    assert!(matches!(published.await, Err(PublishError::Option(_))));
}
