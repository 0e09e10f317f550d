use spell_message::Pattern;
use spell_roles::{PublicationFilter, SubscriptionEnd, prelude::*};
use spell_router::Revocation;

use super::*;

#[tokio::test]
async fn only_those_who_may_get_an_event_get_it() {
    let router = router();
    let ada = join(&router, "ada").await;
    let bob = join(&router, "bob").await;
    let eve = join(&router, "eve").await;
    let mut to_ada = ada.subscribe("com.example.a").await.unwrap();
    let mut to_bob = bob.subscribe("com.example.a").await.unwrap();
    let mut to_eve = eve.subscribe("com.example.a").await.unwrap();
    let id = bob.joined().await.unwrap().id();
    let publish = |value: u8| {
        let publish = ada.publish("com.example.a").arg(value);
        publish.exclude_me(false).acknowledge()
    };
    publish(1).exclude_authid(["bob"]).await.unwrap();
    publish(2).exclude_authrole(["user"]).await.unwrap();
    publish(3)
        .eligible_authrole(["user"])
        .exclude([id])
        .await
        .unwrap();
    publish(4).eligible_authid(["bob"]).await.unwrap();
    publish(5).eligible([id]).await.unwrap();
    publish(6).eligible([]).await.unwrap();
    publish(7).await.unwrap();
    for (events, expected) in [
        (&mut to_ada, [1, 2, 7].as_slice()),
        (&mut to_bob, &[4, 5, 7]),
        (&mut to_eve, &[1, 3, 7]),
    ] {
        for value in expected {
            let event = events.next().await.unwrap();
            assert_eq!(event.value::<u8>().unwrap(), *value);
        }
    }
}

#[tokio::test]
async fn who_published_is_told_if_they_wish() {
    let router = router();
    let ada = join(&router, "ada").await;
    let bob = join(&router, "bob").await;
    let mut events = bob.subscribe("com.example.a").await.unwrap();
    ada.publish("com.example.a").await.unwrap();
    ada.publish("com.example.a")
        .disclose_me(true)
        .await
        .unwrap();
    let unknown = events.next().await.unwrap();
    assert_eq!(
        (unknown.publisher(), unknown.publisher_authid()),
        (None, None)
    );
    let known = events.next().await.unwrap();
    assert_eq!(known.publisher(), Some(ada.joined().await.unwrap().id()));
    assert_eq!(known.publisher_authid(), Some("ada"));
    assert_eq!(known.publisher_authrole(), Some("admin"));
}

#[tokio::test]
async fn what_was_retained_comes_first_to_those_who_ask_for_it() {
    let router = router();
    let ada = join(&router, "ada").await;
    let bob = join(&router, "bob").await;
    let publish = ada.publish("com.example.a").arg(1).retain(true);
    let publication = publish.acknowledge().await.unwrap();
    let mut plain = bob.subscribe("com.example.a").await.unwrap();
    let asking = bob.subscribe("com.example.a").get_retained(true);
    let mut asking = asking.await.unwrap();
    let retained = asking.next().await.unwrap();
    assert!(retained.is_retained());
    assert_eq!(retained.publication(), publication);
    ada.publish("com.example.a").arg(2).await.unwrap();
    for events in [&mut plain, &mut asking] {
        loop {
            let event = events.next().await.unwrap();
            // Both have one id with the router, so what one asked for comes to the other as well.
            if event.publication() != publication {
                assert!(!event.is_retained());
                assert_eq!(event.value::<u8>().unwrap(), 2);
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_filter_lets_what_matches_several_subscriptions_pass_once() {
    let router = router();
    let ada = join(&router, "ada").await;
    let bob = join(&router, "bob").await;
    let filter = PublicationFilter::new(16);
    let exact = bob.subscribe("com.example.a").await.unwrap();
    let mut exact = filter.deduplicate(exact);
    let prefix = bob.subscribe("com.example.").prefix().await.unwrap();
    let mut prefix = filter.deduplicate(prefix);
    for (topic, value) in [("com.example.a", 1), ("com.example.b", 2)] {
        ada.publish(topic).arg(value).await.unwrap();
    }
    assert_eq!(exact.next().await.unwrap().value::<u8>().unwrap(), 1);
    assert_eq!(prefix.next().await.unwrap().value::<u8>().unwrap(), 2);
}

#[tokio::test]
async fn a_revoked_subscription_ends_and_the_others_go_on() {
    let router = router();
    let ada = join(&router, "ada").await;
    let bob = join(&router, "bob").await;
    let mut first = bob.subscribe("com.example.a").await.unwrap();
    let mut second = bob.subscribe("com.example.a").await.unwrap();
    let mut other = bob.subscribe("com.example.").prefix().await.unwrap();
    let id = first.id().unwrap();
    let administration = router.administration(REALM).unwrap();
    let revocation = Revocation::new().reason("no more");
    assert!(administration.revoke_subscription(id, &revocation));
    for subscription in [&mut first, &mut second] {
        assert!(subscription.next().await.is_none());
        let end = subscription.ended().await;
        let SubscriptionEnd::Revoked { reason, .. } = end else {
            panic!("{end:?}");
        };
        assert_eq!(reason.as_deref(), Some("no more"));
    }
    let again = bob.subscribe("com.example.a").await.unwrap();
    let subscriber = bob.joined().await.unwrap().id();
    let meta = ada.meta();
    let remove = meta.subscription_remove_subscriber(again.id().unwrap(), subscriber);
    remove.await.unwrap();
    assert!(matches!(
        again.ended().await,
        SubscriptionEnd::Revoked { .. }
    ));
    ada.publish("com.example.a").arg(1).await.unwrap();
    assert_eq!(other.next().await.unwrap().value::<u8>().unwrap(), 1);
    let pattern = Pattern::exact("com.example.a").unwrap();
    assert_eq!(administration.subscription(&pattern), None);
}
