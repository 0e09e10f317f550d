use std::{
    collections::HashMap,
    fmt::{self, Write as _},
    sync::{Arc, Mutex},
};

use tracing::field::Field;

use super::*;

/// What the handler was called with.
fn seen<T: Clone>(seen: &Arc<Mutex<Vec<T>>>) -> Vec<T> {
    seen.lock().unwrap().clone()
}

/// Let the tasks do all they can.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

/// A subscription with a handler that the router answered with the id 5.
fn handled(
    peer: &mut Harness<Subscriber>,
    subscribe: SubscribeHandler<'_>,
) -> Subscription<crate::Handled> {
    let mut subscribe = subscribe.into_future();
    pending(&mut subscribe);
    assert_eq!(peer.sent().len(), 1);
    peer.receive("[33,1,5]");
    ready(&mut subscribe).unwrap()
}

#[tokio::test]
async fn a_handler_gets_one_event_after_another() {
    let (mut peer, handle) = joined();
    let log = Arc::new(Mutex::new(Vec::new()));
    let (write, mut calls) = (log.clone(), 0);
    let subscribe = handle
        .subscribe("com.example.a")
        .handler(move |event: Event| {
            calls += 1;
            let (log, call) = (write.clone(), calls);
            async move {
                log.lock().unwrap().push(format!("{call} begins"));
                // Whoever comes later could overtake here.
                tokio::task::yield_now().await;
                let value: u8 = event.value().unwrap();
                log.lock()
                    .unwrap()
                    .push(format!("{call} ends with {value}"));
            }
        });
    let _subscription = handled(&mut peer, subscribe);
    peer.receive(&event(5, 7));
    peer.receive(&event(5, 8));
    settle().await;
    assert_eq!(
        seen(&log),
        ["1 begins", "1 ends with 7", "2 begins", "2 ends with 8"]
    );
}

#[tokio::test]
async fn a_handler_takes_typed_arguments_and_passes_over_others() {
    let (mut peer, handle) = joined();
    let log = Arc::new(Mutex::new(Vec::new()));
    let write = log.clone();
    let subscribe = handle
        .subscribe("com.example.a")
        .handler(move |(value,): (u64,)| {
            let log = write.clone();
            async move { log.lock().unwrap().push(value) }
        });
    let subscription = handled(&mut peer, subscribe);
    peer.receive(&event(5, 1));
    peer.receive(r#"[36,5,9,{},["text"]]"#);
    peer.receive(&event(5, 2));
    settle().await;
    assert_eq!((seen(&log), subscription.failed()), (vec![1, 2], 1));
}

#[tokio::test]
async fn a_handler_takes_keyword_arguments() {
    let (mut peer, handle) = joined();
    let log = Arc::new(Mutex::new(Vec::new()));
    let write = log.clone();
    let subscribe = handle.subscribe("com.example.a").handler(
        move |crate::Kwargs(kwargs): crate::Kwargs<HashMap<String, u8>>| {
            let log = write.clone();
            async move { log.lock().unwrap().push(kwargs["a"]) }
        },
    );
    let _subscription = handled(&mut peer, subscribe);
    peer.receive(r#"[36,5,9,{},[],{"a":3}]"#);
    settle().await;
    assert_eq!(seen(&log), [3]);
}

#[tokio::test]
async fn a_handler_that_panics_gets_the_next_event() {
    let (mut peer, handle) = joined();
    let log = Arc::new(Mutex::new(Vec::new()));
    let write = log.clone();
    let subscribe = handle
        .subscribe("com.example.a")
        .handler(move |(value,): (u64,)| {
            let log = write.clone();
            // Before its future, and in it.
            assert_ne!(value, 1, "this panic belongs to the test");
            async move {
                tokio::task::yield_now().await;
                assert_ne!(value, 2, "this panic belongs to the test");
                log.lock().unwrap().push(value);
            }
        });
    let subscription = handled(&mut peer, subscribe);
    for value in 0..4 {
        peer.receive(&event(5, value));
    }
    settle().await;
    assert_eq!((seen(&log), subscription.failed()), (vec![0, 3], 2));
}

#[tokio::test]
async fn a_handler_is_not_called_once_its_subscription_went() {
    let (mut peer, handle) = joined();
    let log = Arc::new(Mutex::new(Vec::new()));
    let write = log.clone();
    let subscribe = handle
        .subscribe("com.example.a")
        .handler(move |(value,): (u64,)| {
            let log = write.clone();
            async move {
                log.lock().unwrap().push(value);
                tokio::task::yield_now().await;
                log.lock().unwrap().push(value + 10);
            }
        });
    let subscription = handled(&mut peer, subscribe);
    peer.receive(&event(5, 1));
    peer.receive(&event(5, 2));
    tokio::task::yield_now().await;
    drop(subscription);
    assert_eq!(peer.sent(), ["[34,2,5]"]);
    settle().await;
    assert_eq!(seen(&log), [1, 11], "the one under way is finished");
}

#[tokio::test]
async fn a_detached_handler_goes_on_until_the_peer_ends() {
    let (mut peer, handle) = joined();
    let log = Arc::new(Mutex::new(Vec::new()));
    let write = log.clone();
    let subscribe = handle
        .subscribe("com.example.a")
        .handler(move |(value,): (u64,)| {
            let log = write.clone();
            async move { log.lock().unwrap().push(value) }
        });
    handled(&mut peer, subscribe).detach();
    assert!(peer.sent().is_empty());
    peer.receive(&event(5, 1));
    settle().await;
    assert_eq!(seen(&log), [1]);
    assert_eq!(Arc::strong_count(&log), 2);
    peer.end();
    settle().await;
    assert_eq!(Arc::strong_count(&log), 1, "the task is gone");
}

#[tokio::test]
async fn the_end_can_be_waited_for() {
    let (mut peer, handle) = joined();
    let handler = |_: Event| async {};
    let subscribe = handle.subscribe("com.example.a").handler(handler);
    let first = handled(&mut peer, subscribe);
    let mut ended = Box::pin(first.ended());
    pending(&mut ended);
    peer.receive(r#"[35,0,{"subscription":5}]"#);
    assert!(matches!(
        ready(&mut ended),
        SubscriptionEnd::Revoked { reason: None, .. }
    ));
    let second = subscribed(&mut peer, handle.subscribe("com.example.a"), 2, 5);
    let mut ended = Box::pin(second.ended());
    pending(&mut ended);
    peer.end();
    assert!(matches!(
        ready(&mut ended),
        SubscriptionEnd::Closed(CloseReason::Stopped)
    ));
}

#[tokio::test]
async fn arguments_that_a_handler_cannot_take_are_not_logged() {
    let log = Log::default();
    // While there is only one, `tracing` takes that of the thread that comes by a place first for
    // all: another test would silence it.
    let _second = tracing::Dispatch::new(Log::default());
    let _guard = tracing::subscriber::set_default(log.clone());
    let (mut peer, handle) = joined();
    let subscribe = handle
        .subscribe("com.example.a")
        .handler(|(_,): (u64,)| async {});
    let _subscription = handled(&mut peer, subscribe);
    peer.receive(r#"[36,5,9,{},["sesame"]]"#);
    settle().await;
    let logged = log.0.lock().unwrap();
    assert!(logged.contains("com.example.a"), "{logged}");
    assert!(!logged.contains("sesame"), "{logged}");
}

/// All that is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl tracing::Subscriber for Log {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut logged = self.0.lock().unwrap();
        event.record(&mut |field: &Field, value: &dyn fmt::Debug| {
            write!(logged, "{field}={value:?} ").unwrap();
        });
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}
