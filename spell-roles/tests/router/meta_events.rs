use spell_message::MatchPolicy;
use spell_roles::{MetaSubscription, prelude::*};

use super::*;

async fn next<T>(events: &mut MetaSubscription<T>) -> T {
    events.next().await.unwrap().unwrap()
}

#[tokio::test]
async fn sessions_that_come_and_go_are_told_of() {
    let router = router();
    let ada = join(&router, "ada").await;
    let mut joined = ada.meta_events().session_on_join().await.unwrap();
    let mut left = ada.meta_events().session_on_leave().await.unwrap();
    let bob = join(&router, "bob").await;
    let session = bob.joined().await.unwrap().id();
    let event = next(&mut joined).await;
    assert_eq!(event.session(), session);
    assert_eq!(
        (event.authid(), event.authrole()),
        (Some("bob"), Some("user"))
    );
    assert_eq!(event.authmethod(), Some("ticket"));
    bob.leave().await.unwrap();
    let event = next(&mut left).await;
    assert_eq!(event.session, session);
    assert_eq!(event.authid.as_deref(), Some("bob"));
    assert_eq!(event.authrole.as_deref(), Some("user"));
}

#[tokio::test]
async fn registrations_that_come_and_go_are_told_of() {
    let router = router();
    let ada = join(&router, "ada").await;
    let bob = join(&router, "bob").await;
    let session = bob.joined().await.unwrap().id();
    let meta = ada.meta_events();
    let mut created = meta.registration_on_create().await.unwrap();
    let mut registered = meta.registration_on_register().await.unwrap();
    let mut unregistered = meta.registration_on_unregister().await.unwrap();
    let mut deleted = meta.registration_on_delete().await.unwrap();
    let register = bob.register("com.example.").prefix();
    let mut registration = register.handler(|()| async { Ok(()) }).await.unwrap();
    let id = registration.id().unwrap();
    let event = next(&mut created).await;
    assert_eq!((event.session, event.registration.id()), (session, id));
    assert_eq!(event.registration.uri(), "com.example.");
    assert_eq!(event.registration.match_policy(), Some(MatchPolicy::Prefix));
    let event = next(&mut registered).await;
    assert_eq!((event.session, event.registration), (session, id));
    registration.unregister().await.unwrap();
    for events in [&mut unregistered, &mut deleted] {
        let event = next(events).await;
        assert_eq!((event.session, event.registration), (session, id));
    }
}

#[tokio::test]
async fn subscriptions_that_come_and_go_are_told_of() {
    let router = router();
    let ada = join(&router, "ada").await;
    let bob = join(&router, "bob").await;
    let session = bob.joined().await.unwrap().id();
    let meta = ada.meta_events();
    // What this session subscribes to meanwhile is told of as well.
    let mut deleted = meta.subscription_on_delete().await.unwrap();
    let mut unsubscribed = meta.subscription_on_unsubscribe().await.unwrap();
    let mut subscribed = meta.subscription_on_subscribe().await.unwrap();
    let mut created = meta.subscription_on_create().await.unwrap();
    let subscription = bob.subscribe("com..a").wildcard().await.unwrap();
    let id = subscription.id().unwrap();
    loop {
        let event = next(&mut created).await;
        if event.session == session {
            assert_eq!(event.subscription.id(), id);
            assert_eq!(event.subscription.uri(), "com..a");
            let policy = event.subscription.match_policy();
            assert_eq!(policy, Some(MatchPolicy::Wildcard));
            break;
        }
    }
    loop {
        let event = next(&mut subscribed).await;
        if event.session == session {
            assert_eq!(event.subscription, id);
            break;
        }
    }
    subscription.unsubscribe().await.unwrap();
    for events in [&mut unsubscribed, &mut deleted] {
        let event = next(events).await;
        assert_eq!((event.session, event.subscription), (session, id));
    }
}
