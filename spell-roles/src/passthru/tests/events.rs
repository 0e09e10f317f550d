//! What is opened for those who subscribe.

use std::future::IntoFuture;

use super::*;
use crate::{
    Event, Subscribe, Subscriber, Subscription,
    harness::{pending, ready},
};

/// Subscribed to `com.example.t` as subscription 5.
fn subscribed(
    set: impl FnOnce(Subscribe<'_>) -> Subscribe<'_>,
) -> (Harness<Subscriber>, Subscription) {
    let mut peer = joined(Subscriber::new(), &[]);
    let handle = peer.handle.clone();
    let mut subscribe = set(handle.subscribe("com.example.t")).into_future();
    pending(&mut subscribe);
    peer.sent();
    peer.receive("[33,1,5]");
    let subscription = ready(&mut subscribe).unwrap();
    (peer, subscription)
}

fn next(subscription: &mut Subscription) -> Event {
    ready(&mut Box::pin(subscription.next())).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_sealed_event_is_opened_where_it_is_read() {
    let (mut peer, mut events) = subscribed(|subscribe| subscribe.passthru(json()));
    peer.receive(&format!("[36,5,1,{{{ATTRIBUTES}}},[{ONE}]]"));
    let event = next(&mut events);
    assert_eq!(event.value::<u8>().unwrap(), 1);
    assert_eq!(event.kwargs::<Dict>().unwrap(), Dict::new());
    assert_eq!(event.payload().tail(), "[1]");
    assert_eq!(event.details().ppt_scheme(), Some("x_own"));
}

#[tokio::test(start_paused = true)]
async fn an_event_in_the_older_form_is_opened_too() {
    let (mut peer, mut events) = subscribed(|subscribe| subscribe.passthru(json()));
    peer.receive(&format!("[36,5,1,{{{OLDER}}},{ONE}]"));
    assert_eq!(next(&mut events).value::<u8>().unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn events_that_cannot_be_opened_are_errors_where_they_are_read_and_others_follow() {
    let (mut peer, mut events) = subscribed(|subscribe| subscribe.passthru(json()));
    for event in [
        format!("[36,5,1,{{{ATTRIBUTES}}},[{GARBAGE}]]"),
        format!("[36,5,2,{{{ATTRIBUTES}}},[{ONE},{ONE}]]"),
        format!(r#"[36,5,3,{{{ATTRIBUTES}}},[{ONE}],{{"a":1}}]"#),
        format!("[36,5,4,{{{ATTRIBUTES}}},[1]]"),
        format!(r#"[36,5,5,{{"ppt_scheme":"x_other"}},[{ONE}]]"#),
        format!("[36,5,6,{{{ATTRIBUTES}}},[{TWO}]]"),
    ] {
        peer.receive(&event);
    }
    let mut read = || cause(next(&mut events).args::<List>());
    assert!(matches!(read(), PassthruError::Unpack(_)));
    for _ in 0..3 {
        assert!(matches!(read(), PassthruError::NotOneBinary));
    }
    assert!(matches!(read(), PassthruError::UnknownScheme { .. }));
    assert_eq!(next(&mut events).value::<u8>().unwrap(), 2);
}

#[tokio::test(start_paused = true)]
async fn without_a_codec_a_sealed_event_is_as_it_came() {
    let (mut peer, mut events) = subscribed(|subscribe| subscribe);
    peer.receive(&format!("[36,5,1,{{{ATTRIBUTES}}},[{ONE}]]"));
    let event = next(&mut events);
    let binary = Sealed::read_binary(event.payload()).unwrap();
    assert_eq!(binary, r#"{"args":[1],"kwargs":{}}"#);
    let opened = open(&json(), event.details().as_dict(), event.payload());
    assert_eq!(opened.unwrap().parse_args::<(u8,)>().unwrap(), (1,));
}

#[tokio::test(start_paused = true)]
async fn a_handler_gets_opened_events_and_none_that_cannot_be_opened() {
    #[derive(Debug)]
    struct Panicking;

    impl PassthruCodec for Panicking {
        fn seal(&self, _: &str, _: &Payload) -> Result<Sealed, PassthruError> {
            Err(PassthruError::NotSealed)
        }

        fn open(
            &self,
            attributes: &PassthruAttributes,
            payload: &Payload,
        ) -> Result<Payload, PassthruError> {
            assert_ne!(attributes.scheme, "x_panic");
            json().open(attributes, payload)
        }
    }

    let mut peer = joined(Subscriber::new(), &[]);
    let handle = peer.handle.clone();
    let (seen, mut see) = tokio::sync::mpsc::channel(8);
    let subscribe = handle.subscribe("com.example.t").passthru(Panicking);
    let subscribe = subscribe.handler(move |(number,): (u8,)| {
        let seen = seen.clone();
        async move { seen.send(number).await.unwrap() }
    });
    let mut subscribe = subscribe.into_future();
    pending(&mut subscribe);
    peer.sent();
    peer.receive("[33,1,5]");
    let subscription = ready(&mut subscribe).unwrap();
    peer.receive(&format!("[36,5,1,{{{ATTRIBUTES}}},[{GARBAGE}]]"));
    peer.receive(&format!(r#"[36,5,2,{{"ppt_scheme":"x_panic"}},[{ONE}]]"#));
    peer.receive(&format!("[36,5,3,{{{ATTRIBUTES}}},[{TWO}]]"));
    assert_eq!(see.recv().await, Some(2));
    assert_eq!(subscription.failed(), 2);
}
