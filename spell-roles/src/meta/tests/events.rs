use std::{error::Error as _, pin::Pin, task};

use futures_core::Stream;
use spell_message::{MatchPolicy, RoleName};

use super::*;
use crate::{Overflow, SubscribeError, Subscriber, SubscriptionEnd, harness::poll};

/// A subscription to a meta topic, which must be this one; the router gives it the id 5.
#[track_caller]
fn subscribed<T>(
    peer: &mut Harness<Subscriber>,
    subscribe: impl FnOnce(MetaEvents<'_>) -> MetaSubscribe<'_, T>,
    topic: &str,
) -> MetaSubscription<T> {
    let handle = peer.handle.clone();
    let mut subscribe = subscribe(MetaEvents::new(&handle)).into_future();
    pending(&mut subscribe);
    assert_eq!(peer.sent(), [format!(r#"[32,1,{{}},"{topic}"]"#)]);
    peer.receive("[33,1,5]");
    ready(&mut subscribe).unwrap()
}

fn next<T>(events: &mut MetaSubscription<T>) -> Option<Result<T, MetaDecodeError>> {
    match poll(&mut Box::pin(events.next())) {
        task::Poll::Ready(Some(event)) => Some(event),
        _ => None,
    }
}

/// The event that a topic with these arguments tells of.
#[track_caller]
fn told<T>(
    subscribe: impl FnOnce(MetaEvents<'_>) -> MetaSubscribe<'_, T>,
    topic: &str,
    arguments: &str,
) -> T {
    let mut peer = Harness::joined(Subscriber::new(), ALL);
    let mut events = subscribed(&mut peer, subscribe, topic);
    peer.receive(&format!("[36,5,1,{{}},{arguments}]"));
    next(&mut events).unwrap().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_session_that_joins_is_told_of_with_its_details() {
    let session = told(
        |meta| meta.session_on_join(),
        "wamp.session.on_join",
        r#"[{"session":7,"authid":"ada","authrole":"user","x_more":1}]"#,
    );
    assert_eq!(session.session().get(), 7);
    assert_eq!(
        (session.authid(), session.authrole()),
        (Some("ada"), Some("user"))
    );
    assert_eq!(session.as_dict().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_leaves_is_told_of_by_three_arguments_or_by_its_id_alone() {
    let left = |arguments| {
        let topic = "wamp.session.on_leave";
        let left = told(|meta| meta.session_on_leave(), topic, arguments);
        (left.session.get(), left.authid, left.authrole)
    };
    let (ada, user) = (Some("ada".to_owned()), Some("user".to_owned()));
    assert_eq!(left(r#"[7,"ada","user"]"#), (7, ada, user));
    assert_eq!(left("[7]"), (7, None, None));
}

#[tokio::test(start_paused = true)]
async fn what_becomes_of_registrations_is_told() {
    let created = told(
        |meta| meta.registration_on_create(),
        "wamp.registration.on_create",
        r#"[7,{"id":3,"uri":"com.example.","match":"prefix","invoke":"single","created":"now"}]"#,
    );
    assert_eq!(created.session, session(7));
    assert_eq!(created.registration.id(), registration(3));
    assert_eq!(
        created.registration.match_policy(),
        Some(MatchPolicy::Prefix)
    );
    let topics: [(fn(MetaEvents<'_>) -> MetaSubscribe<'_, _>, _); 3] = [
        (
            |meta| meta.registration_on_register(),
            "wamp.registration.on_register",
        ),
        (
            |meta| meta.registration_on_unregister(),
            "wamp.registration.on_unregister",
        ),
        (
            |meta| meta.registration_on_delete(),
            "wamp.registration.on_delete",
        ),
    ];
    for (subscribe, topic) in topics {
        let changed: RegistrationChanged = told(subscribe, topic, "[7,3]");
        assert_eq!(
            (changed.session, changed.registration),
            (session(7), registration(3))
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_becomes_of_subscriptions_is_told() {
    let created = told(
        |meta| meta.subscription_on_create(),
        "wamp.subscription.on_create",
        r#"[7,{"id":3,"uri":"com.example.a","match":"exact","created":"now"}]"#,
    );
    assert_eq!(created.session, session(7));
    assert_eq!(created.subscription.id(), subscription(3));
    assert_eq!(created.subscription.uri(), "com.example.a");
    let topics: [(fn(MetaEvents<'_>) -> MetaSubscribe<'_, _>, _); 3] = [
        (
            |meta| meta.subscription_on_subscribe(),
            "wamp.subscription.on_subscribe",
        ),
        (
            |meta| meta.subscription_on_unsubscribe(),
            "wamp.subscription.on_unsubscribe",
        ),
        (
            |meta| meta.subscription_on_delete(),
            "wamp.subscription.on_delete",
        ),
    ];
    for (subscribe, topic) in topics {
        let changed: SubscriptionChanged = told(subscribe, topic, "[7,3]");
        assert_eq!(
            (changed.session, changed.subscription),
            (session(7), subscription(3))
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_with_missing_fields_is_an_item_with_an_error_and_ends_nothing() {
    let mut peer = Harness::joined(Subscriber::new(), ALL);
    let topic = "wamp.session.on_join";
    let mut joined = subscribed(&mut peer, |meta| meta.session_on_join(), topic);
    for arguments in [
        "",
        ",[]",
        r#",[{"authid":"ada"}]"#,
        r#",[{"session":"secret"}]"#,
        ",[7]",
        r#",[{"session":7}]"#,
    ] {
        peer.receive(&format!("[36,5,1,{{}}{arguments}]"));
    }
    for (text, field) in [
        ("wamp.session.on_join: `details` is missing", "details"),
        ("wamp.session.on_join: `details` is missing", "details"),
        ("wamp.session.on_join: `session` is missing", "session"),
        (
            "wamp.session.on_join: `session` must be an id from 1 to 2^53",
            "session",
        ),
        (
            "wamp.session.on_join: `details` must be a dictionary",
            "details",
        ),
    ] {
        let error = next(&mut joined).unwrap().unwrap_err();
        assert_eq!(
            (error.to_string().as_str(), error.field()),
            (text, Some(field))
        );
        assert!(!format!("{error:?}").contains("secret"));
        assert!(error.source().is_none());
    }
    assert_eq!(next(&mut joined).unwrap().unwrap().session(), session(7));
    assert!(joined.subscription().end().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_meta_subscription_is_a_stream_and_unsubscribes() {
    let mut peer = Harness::joined(Subscriber::new(), ALL);
    let mut left = subscribed(
        &mut peer,
        |meta| {
            let subscribe = meta.session_on_leave().timeout(Duration::from_secs(1));
            let subscribe = subscribe.no_timeout().queue_count(1).queue_bytes(4096);
            subscribe.overflow(Overflow::DropOldest)
        },
        "wamp.session.on_leave",
    );
    let mut cx = task::Context::from_waker(task::Waker::noop());
    assert!(Pin::new(&mut left).poll_next(&mut cx).is_pending());
    peer.receive("[36,5,1,{},[7]]");
    peer.receive("[36,5,2,{},[8]]");
    let task::Poll::Ready(Some(Ok(event))) = Pin::new(&mut left).poll_next(&mut cx) else {
        panic!("no event");
    };
    assert_eq!(event.session, session(8));
    assert_eq!(left.subscription().missed(), 1);
    let mut unsubscribe = Box::pin(left.unsubscribe());
    pending(&mut unsubscribe);
    assert_eq!(peer.sent(), ["[34,2,5]"]);
    peer.receive("[35,2]");
    ready(&mut unsubscribe).unwrap();
}

/// What a topic needs of the router; it must not be asked of one that announced nothing.
#[track_caller]
fn needed<T>(
    subscribe: impl FnOnce(MetaEvents<'_>) -> MetaSubscribe<'_, T>,
) -> (RoleName, Feature) {
    let mut peer = Harness::joined(Subscriber::new(), &[]);
    let handle = peer.handle.clone();
    let mut subscribe = subscribe(MetaEvents::new(&handle)).into_future();
    pending(&mut subscribe);
    assert_eq!(peer.sent(), [""; 0]);
    match ready(&mut subscribe).err() {
        Some(SubscribeError::Unsupported { role, feature, .. }) => (role, feature.unwrap()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn topics_that_the_router_did_not_announce_are_not_subscribed_to() {
    assert_eq!(
        needed(|meta| meta.session_on_join()),
        (RoleName::Broker, Feature::SessionMetaApi)
    );
    assert_eq!(
        needed(|meta| meta.registration_on_create()),
        (RoleName::Dealer, Feature::RegistrationMetaApi)
    );
    assert_eq!(
        needed(|meta| meta.subscription_on_create()),
        (RoleName::Broker, Feature::SubscriptionMetaApi)
    );
    let mut peer = Harness::joined(Subscriber::new(), &[]);
    let handle = peer.handle.clone();
    let meta = MetaEvents::new(&handle).unannounced();
    let mut subscribe = meta.session_on_join().into_future();
    pending(&mut subscribe);
    assert_eq!(peer.sent(), [r#"[32,1,{},"wamp.session.on_join"]"#]);
}

#[tokio::test(start_paused = true)]
async fn a_router_that_serves_no_meta_api_after_a_reconnect_ends_the_subscription() {
    let mut peer = Harness::joined(Subscriber::new(), ALL);
    let topic = "wamp.session.on_join";
    let joined = subscribed(&mut peer, |meta| meta.session_on_join(), topic);
    peer.lose();
    peer.announce(&[]);
    peer.open(None);
    assert_eq!(peer.sent(), [""; 0]);
    let end = joined.subscription().end();
    assert!(matches!(
        end,
        Some(SubscriptionEnd::NotRestored(
            SubscribeError::Unsupported { .. }
        ))
    ));
}
