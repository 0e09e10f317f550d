use std::error::Error as _;

use spell_message::RoleName;
use spell_peer::Delivery;

use super::{
    router::{Router, wrong},
    *,
};
use crate::CallError;

#[tokio::test(start_paused = true)]
async fn a_result_that_nobody_knows_is_told_and_costs_no_session() {
    let (mut router, handle) = Router::new();
    let meta = Meta::new(&handle);
    let count = router.answer(meta.session_count(), r#""wamp.session.count""#, "");
    assert_eq!(wrong(count), "wamp.session.count: `count` is missing");
    let list = router.answer(meta.session_list(), r#""wamp.session.list""#, "[[0]]");
    assert_eq!(
        wrong(list),
        "wamp.session.list: `session_ids` must be a list of ids from 1 to 2^53"
    );
    let sent = r#""wamp.session.get",[7]"#;
    let details = router.answer(meta.session_get(session(7)), sent, "[{}]");
    assert_eq!(wrong(details), "wamp.session.get: `session` is missing");
    let details = router.answer(
        meta.session_get(session(7)),
        sent,
        r#"[{"session":"secret"}]"#,
    );
    let error = details.unwrap_err();
    assert!(error.delivery().is_none() && error.uri().is_none());
    let shown = format!("{error} {error:?} {}", error.source().unwrap());
    assert!(!shown.contains("secret"), "{shown}");
    let MetaError::Result(error) = error else {
        panic!("{error:?}");
    };
    assert_eq!(
        (error.uri(), error.field()),
        ("wamp.session.get", Some("session"))
    );
    let count = router.answer(meta.session_count(), r#""wamp.session.count""#, "[1]");
    assert_eq!(count.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_tells_why() {
    let (mut router, handle) = Router::new();
    let mut get = Meta::new(&handle).session_get(session(7)).into_future();
    pending(&mut get);
    router.peer.sent();
    router
        .peer
        .receive(r#"[8,48,1,{},"wamp.error.no_such_session"]"#);
    let error = ready(&mut get).unwrap_err();
    assert_eq!(error.uri().unwrap().as_str(), "wamp.error.no_such_session");
    assert!(
        error
            .source()
            .unwrap()
            .downcast_ref::<CallError>()
            .is_some()
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_a_call_is_told_before_anything_is_sent() {
    let (mut router, handle) = Router::new();
    let meta = Meta::new(&handle);
    let mut odd = meta.session_kill(session(7)).reason("a b").into_future();
    assert!(matches!(ready(&mut odd), Err(MetaError::Uri(_))));
    let mut odd = meta.registration_match("a..b").into_future();
    assert!(matches!(ready(&mut odd), Err(MetaError::Uri(_))));
    // The first error is the one that is told.
    let odd = meta.session_add_testament("a..b").arg(u128::MAX);
    let odd = ready(&mut odd.into_future()).unwrap_err();
    assert!(matches!(odd, MetaError::Uri(_)));
    assert_eq!(odd.delivery(), Some(Delivery::NotSent));
    let testament = || meta.session_add_testament("com.example.bye");
    for odd in [
        testament().args("text"),
        testament().arg(u128::MAX),
        testament().kwargs([1]),
        testament().kwarg("a", u128::MAX),
    ] {
        let error = ready(&mut odd.into_future()).unwrap_err();
        assert!(matches!(error, MetaError::Encode(_)), "{error:?}");
    }
    assert!(router.peer.sent().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_the_router_did_not_announce_is_not_asked_of_it() {
    let (mut router, handle) = Router::announcing(&[]);
    let meta = Meta::new(&handle);
    let needed = router.missing(meta.session_count());
    assert_eq!(needed, (RoleName::Dealer, Feature::SessionMetaApi));
    let needed = router.missing(meta.session_flush_testaments());
    assert_eq!(needed, (RoleName::Dealer, Feature::TestamentMetaApi));
    let needed = router.missing(meta.registration_list());
    assert_eq!(needed, (RoleName::Dealer, Feature::RegistrationMetaApi));
    let needed = router.missing(meta.subscription_list());
    assert_eq!(needed, (RoleName::Broker, Feature::SubscriptionMetaApi));
    let needed = router.missing(meta.subscription_get_events(subscription(5)));
    assert_eq!(needed, (RoleName::Broker, Feature::EventHistory));
}

#[tokio::test(start_paused = true)]
async fn what_the_router_did_not_announce_is_asked_of_it_on_demand() {
    let (mut router, handle) = Router::announcing(&[]);
    let meta = Meta::new(&handle).unannounced();
    let count = router.answer(meta.session_count(), r#""wamp.session.count""#, "[1]");
    assert_eq!(count.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_with_its_limit() {
    let (_router, handle) = Router::new();
    let call = Meta::new(&handle).session_count();
    let limit = Duration::from_secs(3);
    let begin = tokio::time::Instant::now();
    let error = call.no_timeout().timeout(limit).await.unwrap_err();
    assert_eq!(begin.elapsed(), limit);
    assert!(matches!(error, MetaError::Call(CallError::Timeout(_))));
}
