use std::{error::Error as _, pin::Pin, task};

use futures_core::Stream;
use spell_message::{MatchPolicy, RoleName};

use super::*;
use crate::{
    Overflow, SubscribeError, Subscriber, SubscriberHandle, SubscriptionEnd, harness::poll,
};

/// A router that takes one subscription after another; their ids are those of the requests.
struct Router {
    peer: Harness<Subscriber>,
    requests: u64,
}

impl Router {
    /// It announces all there is.
    fn new() -> (Self, SubscriberHandle) {
        Self::announcing(ALL)
    }

    fn announcing(features: &[Feature]) -> (Self, SubscriberHandle) {
        let peer = Harness::joined(Subscriber::new(), features);
        let handle = peer.handle.clone();
        let router = Self { peer, requests: 0 };
        (router, handle)
    }

    /// Make the subscription, which must be to this topic.
    #[track_caller]
    fn subscribe<T>(
        &mut self,
        subscribe: MetaSubscribe<'_, T>,
        topic: &str,
    ) -> MetaSubscription<T> {
        let mut subscribe = subscribe.into_future();
        pending(&mut subscribe);
        self.requests += 1;
        let id = self.requests;
        assert_eq!(self.peer.sent(), [format!(r#"[32,{id},{{}},"{topic}"]"#)]);
        self.peer.receive(&format!("[33,{id},{id}]"));
        ready(&mut subscribe).unwrap()
    }

    /// An event of the newest subscription.
    fn publish(&mut self, arguments: &str) {
        let id = self.requests;
        self.peer.receive(&format!("[36,{id},1,{{}}{arguments}]"));
    }

    /// The event that the topic tells of by these arguments.
    #[track_caller]
    fn told<T>(&mut self, subscribe: MetaSubscribe<'_, T>, topic: &str, arguments: &str) -> T {
        let mut events = self.subscribe(subscribe, topic);
        self.publish(&format!(",{arguments}"));
        let event = next(&mut events).unwrap().unwrap();
        drop(events);
        assert_eq!(self.peer.sent().len(), 1, "UNSUBSCRIBE is a request too");
        self.requests += 1;
        event
    }

    /// What a topic needs of the router, which did not announce it: nothing must be sent.
    #[track_caller]
    fn missing<T>(&mut self, subscribe: MetaSubscribe<'_, T>) -> (RoleName, Feature) {
        let mut subscribe = subscribe.into_future();
        pending(&mut subscribe);
        assert_eq!(self.peer.sent(), [""; 0]);
        match ready(&mut subscribe).err() {
            Some(SubscribeError::Unsupported { role, feature, .. }) => (role, feature.unwrap()),
            other => panic!("{other:?}"),
        }
    }
}

fn next<T>(events: &mut MetaSubscription<T>) -> Option<Result<T, MetaDecodeError>> {
    match poll(&mut Box::pin(events.next())) {
        task::Poll::Ready(Some(event)) => Some(event),
        _ => None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_that_joins_is_told_of_with_its_details() {
    let (mut router, handle) = Router::new();
    let session = router.told(
        MetaEvents::new(&handle).session_on_join(),
        "wamp.session.on_join",
        r#"[{"session":7,"authid":"ada","authrole":"user","x_more":1}]"#,
    );
    assert_eq!(session.session().get(), 7);
    assert_eq!(session.authid(), Some("ada"));
    assert_eq!(session.authrole(), Some("user"));
    assert_eq!(session.as_dict().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_leaves_is_told_of_by_three_arguments_or_by_its_id_alone() {
    let (mut router, handle) = Router::new();
    let mut left = |arguments| {
        let subscribe = MetaEvents::new(&handle).session_on_leave();
        let left = router.told(subscribe, "wamp.session.on_leave", arguments);
        (left.session.get(), left.authid, left.authrole)
    };
    let (ada, user) = (Some("ada".to_owned()), Some("user".to_owned()));
    assert_eq!(left(r#"[7,"ada","user"]"#), (7, ada, user));
    assert_eq!(left("[7]"), (7, None, None));
}

#[tokio::test(start_paused = true)]
async fn what_becomes_of_registrations_is_told() {
    let (mut router, handle) = Router::new();
    let meta = MetaEvents::new(&handle);
    let created = router.told(
        meta.registration_on_create(),
        "wamp.registration.on_create",
        r#"[7,{"id":3,"uri":"com.example.","match":"prefix","invoke":"single","created":"now"}]"#,
    );
    assert_eq!(created.session, session(7));
    let details = created.registration;
    assert_eq!(details.id(), registration(3));
    assert_eq!(details.match_policy(), Some(MatchPolicy::Prefix));
    let registered = meta.registration_on_register();
    let unregistered = meta.registration_on_unregister();
    for (subscribe, topic) in [
        (registered, "wamp.registration.on_register"),
        (unregistered, "wamp.registration.on_unregister"),
        (meta.registration_on_delete(), "wamp.registration.on_delete"),
    ] {
        let changed = router.told(subscribe, topic, "[7,3]");
        assert_eq!(changed.session, session(7));
        assert_eq!(changed.registration, registration(3));
    }
}

#[tokio::test(start_paused = true)]
async fn what_becomes_of_subscriptions_is_told() {
    let (mut router, handle) = Router::new();
    let meta = MetaEvents::new(&handle);
    let created = router.told(
        meta.subscription_on_create(),
        "wamp.subscription.on_create",
        r#"[7,{"id":3,"uri":"com.example.a","match":"exact","created":"now"}]"#,
    );
    assert_eq!(created.session, session(7));
    assert_eq!(created.subscription.id(), subscription(3));
    assert_eq!(created.subscription.uri(), "com.example.a");
    let subscribed = meta.subscription_on_subscribe();
    let unsubscribed = meta.subscription_on_unsubscribe();
    for (subscribe, topic) in [
        (subscribed, "wamp.subscription.on_subscribe"),
        (unsubscribed, "wamp.subscription.on_unsubscribe"),
        (meta.subscription_on_delete(), "wamp.subscription.on_delete"),
    ] {
        let changed = router.told(subscribe, topic, "[7,3]");
        assert_eq!(changed.session, session(7));
        assert_eq!(changed.subscription, subscription(3));
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_with_missing_fields_is_an_item_with_an_error_and_ends_nothing() {
    let (mut router, handle) = Router::new();
    let subscribe = MetaEvents::new(&handle).session_on_join();
    let mut joined = router.subscribe(subscribe, "wamp.session.on_join");
    for (arguments, field, text) in [
        ("", "details", "`details` is missing"),
        (",[]", "details", "`details` is missing"),
        (",[7]", "details", "`details` must be a dictionary"),
        (r#",[{"authid":"a"}]"#, "session", "`session` is missing"),
        (
            r#",[{"session":"secret"}]"#,
            "session",
            "`session` must be an id from 1 to 2^53",
        ),
    ] {
        router.publish(arguments);
        let error = next(&mut joined).unwrap().unwrap_err();
        assert_eq!(error.to_string(), format!("wamp.session.on_join: {text}"));
        assert_eq!(error.uri(), "wamp.session.on_join");
        assert_eq!(error.field(), Some(field));
        assert!(!format!("{error:?}").contains("secret"));
        assert!(error.source().is_none());
    }
    router.publish(r#",[{"session":7}]"#);
    assert_eq!(next(&mut joined).unwrap().unwrap().session(), session(7));
    assert!(joined.subscription().end().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_meta_subscription_is_a_stream_and_unsubscribes() {
    let (mut router, handle) = Router::new();
    let subscribe = MetaEvents::new(&handle).session_on_leave();
    let subscribe = subscribe.timeout(Duration::from_secs(1)).no_timeout();
    let subscribe = subscribe.queue_count(1).queue_bytes(4096);
    let subscribe = subscribe.overflow(Overflow::DropOldest);
    let mut left = router.subscribe(subscribe, "wamp.session.on_leave");
    let mut cx = task::Context::from_waker(task::Waker::noop());
    assert!(Pin::new(&mut left).poll_next(&mut cx).is_pending());
    router.publish(",[7]");
    router.publish(",[8]");
    let task::Poll::Ready(Some(Ok(event))) = Pin::new(&mut left).poll_next(&mut cx) else {
        panic!("no event");
    };
    assert_eq!(event.session, session(8));
    assert_eq!(left.subscription().missed(), 1);
    let mut unsubscribe = Box::pin(left.unsubscribe());
    pending(&mut unsubscribe);
    assert_eq!(router.peer.sent(), ["[34,2,1]"]);
    router.peer.receive("[35,2]");
    ready(&mut unsubscribe).unwrap();
}

#[tokio::test(start_paused = true)]
async fn topics_that_the_router_did_not_announce_are_not_subscribed_to() {
    let (mut router, handle) = Router::announcing(&[]);
    let meta = MetaEvents::new(&handle);
    let needed = router.missing(meta.session_on_join());
    assert_eq!(needed, (RoleName::Broker, Feature::SessionMetaApi));
    let needed = router.missing(meta.registration_on_create());
    assert_eq!(needed, (RoleName::Dealer, Feature::RegistrationMetaApi));
    let needed = router.missing(meta.subscription_on_create());
    assert_eq!(needed, (RoleName::Broker, Feature::SubscriptionMetaApi));
    let subscribe = meta.unannounced().session_on_join();
    let joined = router.subscribe(subscribe, "wamp.session.on_join");
    assert!(joined.subscription().id().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_router_that_serves_no_meta_api_after_a_reconnect_ends_the_subscription() {
    let (mut router, handle) = Router::new();
    let subscribe = MetaEvents::new(&handle).session_on_join();
    let joined = router.subscribe(subscribe, "wamp.session.on_join");
    router.peer.lose();
    router.peer.announce(&[]);
    router.peer.open(None);
    assert_eq!(router.peer.sent(), [""; 0]);
    let end = joined.subscription().end();
    let Some(SubscriptionEnd::NotRestored(error)) = end else {
        panic!("{end:?}");
    };
    assert!(matches!(error, SubscribeError::Unsupported { .. }));
}
