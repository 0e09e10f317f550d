use spell_message::{MatchPolicy, options::PublishOptions, reason};
use spell_peer::CloseReason;
use spell_roles::{MetaError, TestamentScope, prelude::*};

use super::*;

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, MetaError>) -> String {
    let error = result.unwrap_err();
    match error.uri() {
        Some(uri) => uri.to_string(),
        None => panic!("{error:?}"),
    }
}

#[tokio::test]
async fn sessions_can_be_asked_for() {
    let router = router();
    let ada = join(&router, "ada").await;
    let bob = join(&router, "bob").await;
    let eve = join(&router, "eve").await;
    let mut ids = Vec::new();
    for peer in [&ada, &bob, &eve] {
        ids.push(peer.joined().await.unwrap().id());
    }
    let admin = ids[0];
    ids.sort_unstable();
    let meta = bob.meta();
    assert_eq!(meta.session_count().await.unwrap(), 3);
    let users = meta.session_count().authroles(["user", "nobody"]);
    assert_eq!(users.await.unwrap(), 2);
    let mut list = meta.session_list().await.unwrap();
    list.sort_unstable();
    assert_eq!(list, ids);
    let admins = meta.session_list().authroles(["admin"]).await.unwrap();
    assert_eq!(admins, [admin]);

    let details = meta.session_get(admin).await.unwrap();
    assert_eq!(details.session(), admin);
    assert_eq!(details.authid(), Some("ada"));
    assert_eq!(details.authrole(), Some("admin"));
    assert_eq!(details.authmethod(), Some("ticket"));
    let unknown = spell_message::SessionId::MIN;
    let unknown = meta.session_get(unknown).await;
    assert_eq!(refused(unknown), reason::NO_SUCH_SESSION);
}

#[tokio::test]
async fn sessions_can_be_killed_by_those_who_may() {
    let router = router();
    let ada = join(&router, "ada").await;
    let bob = join(&router, "bob").await;
    let own = ada.joined().await.unwrap().id();
    let victim = bob.joined().await.unwrap().id();
    assert_eq!(
        refused(bob.meta().session_kill(own).await),
        reason::NOT_AUTHORIZED
    );
    assert_eq!(
        refused(ada.meta().session_kill(own).await),
        reason::NO_SUCH_SESSION
    );
    let kill = ada.meta().session_kill(victim);
    kill.reason("com.example.bye")
        .message("enough")
        .await
        .unwrap();
    let CloseReason::Goodbye(goodbye) = bob.closed().await else {
        panic!("{:?}", bob.closed().await);
    };
    assert_eq!(goodbye.reason, "com.example.bye");
    assert_eq!(goodbye.details.message(), Some("enough"));
}

#[tokio::test]
async fn many_sessions_are_killed_at_once_except_ones_own() {
    let router = router();
    let ada = join(&router, "ada").await;
    let other = join(&router, "ada").await;
    let id = other.joined().await.unwrap().id();
    let killed = ada.meta().session_kill_by_authid("ada").await.unwrap();
    assert_eq!(killed.sessions(), Some([id].as_slice()));
    assert_eq!(killed.count(), 1);
    let (bob, eve) = (join(&router, "bob").await, join(&router, "eve").await);
    let killed = ada.meta().session_kill_by_authrole("user").await.unwrap();
    assert_eq!(killed.count(), 2);
    let another = join(&router, "bob").await;
    assert_eq!(ada.meta().session_kill_all().await.unwrap().count(), 1);
    for peer in [other, bob, eve, another] {
        let closed = peer.closed().await;
        assert!(matches!(closed, CloseReason::Goodbye(_)), "{closed:?}");
    }
    assert_eq!(ada.meta().session_count().await.unwrap(), 1);
}

#[tokio::test]
async fn testaments_are_published_in_their_order_once_the_session_is_gone() {
    let router = router();
    let ada = join(&router, "ada").await;
    let bob = join(&router, "bob").await;
    let mut bye = ada.subscribe("com.example.bye").await.unwrap();
    let add = |value: u8| {
        bob.meta()
            .session_add_testament("com.example.bye")
            .arg(value)
    };
    add(1).await.unwrap();
    bob.meta().session_flush_testaments().await.unwrap();
    let mut options = PublishOptions::new();
    options.set_disclose_me(true);
    add(3)
        .kwarg("a", "b")
        .publish_options(options)
        .await
        .unwrap();
    add(4).await.unwrap();
    add(2).scope(TestamentScope::Detached).await.unwrap();
    bob.stop();
    for value in [2, 3, 4] {
        let event = bye.next().await.unwrap();
        assert_eq!(event.value::<u8>().unwrap(), value);
        if value == 3 {
            let kwargs: spell_message::Dict = event.kwargs().unwrap();
            assert_eq!(kwargs, spell_message::Dict::from([("a", "b")]));
        }
    }
}

#[tokio::test]
async fn registrations_can_be_asked_for() {
    let router = router();
    let ada = join(&router, "ada").await;
    let bob = join(&router, "bob").await;
    let register = ada.register("com.example.").prefix();
    let mut registered = register.handler(|()| async { Ok(()) }).await.unwrap();
    let id = registered.id().unwrap();
    let meta = bob.meta();
    let list = meta.registration_list().await.unwrap();
    assert_eq!((list.exact, list.prefix), (Vec::new(), vec![id]));
    let exact = meta.registration_lookup("com.example.a");
    assert_eq!(exact.await.unwrap(), None);
    let prefix = meta.registration_lookup("com.example.");
    let prefix = prefix.match_policy(MatchPolicy::Prefix);
    assert_eq!(prefix.await.unwrap(), Some(id));
    let matching = meta.registration_match("com.example.a").await.unwrap();
    assert_eq!(matching, Some(id));
    assert_eq!(meta.registration_match("com.other").await.unwrap(), None);
    let details = meta.registration_get(id).await.unwrap();
    assert_eq!((details.id(), details.uri()), (id, "com.example."));
    assert_eq!(details.match_policy(), Some(MatchPolicy::Prefix));
    assert!(details.created().is_some());
    let callees = meta.registration_list_callees(id).await.unwrap();
    assert_eq!(callees, [ada.joined().await.unwrap().id()]);
    assert_eq!(meta.registration_count_callees(id).await.unwrap(), 1);
    registered.unregister().await.unwrap();
    let gone = meta.registration_get(id).await;
    assert_eq!(refused(gone), reason::NO_SUCH_REGISTRATION);
}

#[tokio::test]
async fn subscriptions_can_be_asked_for() {
    let router = router();
    let ada = join(&router, "ada").await;
    let bob = join(&router, "bob").await;
    let wildcard = ada.subscribe("com..a").wildcard().await.unwrap();
    let exact = bob.subscribe("com.example.a").await.unwrap();
    let ids = [wildcard.id().unwrap(), exact.id().unwrap()];
    let meta = bob.meta();
    let list = meta.subscription_list().await.unwrap();
    assert_eq!((list.exact, list.wildcard), (vec![ids[1]], vec![ids[0]]));
    let other = meta.subscription_lookup("com.example.b");
    assert_eq!(other.await.unwrap(), None);
    let lookup = meta.subscription_lookup("com..a");
    let lookup = lookup.match_policy(MatchPolicy::Wildcard);
    assert_eq!(lookup.await.unwrap(), Some(ids[0]));
    let mut matching = meta.subscription_match("com.example.a").await.unwrap();
    matching.sort_unstable();
    assert_eq!(matching, ids);
    assert_eq!(meta.subscription_match("com.b").await.unwrap(), []);
    let details = meta.subscription_get(ids[0]).await.unwrap();
    assert_eq!((details.id(), details.uri()), (ids[0], "com..a"));
    assert_eq!(details.match_policy(), Some(MatchPolicy::Wildcard));
    assert!(details.created().is_some());
    let subscribers = meta.subscription_list_subscribers(ids[0]).await.unwrap();
    assert_eq!(subscribers, [ada.joined().await.unwrap().id()]);
    assert_eq!(
        meta.subscription_count_subscribers(ids[1]).await.unwrap(),
        1
    );
    exact.unsubscribe().await.unwrap();
    let gone = meta.subscription_get(ids[1]).await;
    assert_eq!(refused(gone), reason::NO_SUCH_SUBSCRIPTION);
}
