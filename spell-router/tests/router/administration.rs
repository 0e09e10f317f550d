//! Sessions that others end, and what the program around a router may take from them.

use crate::support::Client;
use spell_message::{Pattern, RegistrationId, SubscriptionId, Uri};
use spell_router::{Farewell, MetaApi, Realm, Revocation, Router};

const GOODBYE: &str = r#"[6,{},"wamp.close.goodbye_and_out"]"#;

#[tokio::test]
async fn a_killed_client_gets_goodbye_answers_it_and_is_gone() {
    let router = Router::local();
    let mut alice = Client::join(&router, "realm1").await;
    let mut bob = Client::join(&router, "realm1").await;
    bob.ask(r#"[32,1,{},"com.topic"]"#).await;
    let killing = r#"[48,1,{},"wamp.session.kill_all",[],{"message":"enough"}]"#;
    assert_eq!(alice.ask(killing).await, "[50,1,{},[1]]");
    let goodbye = bob.next().await;
    assert_eq!(goodbye, r#"[6,{"message":"enough"},"wamp.close.killed"]"#);
    // Whatever crosses the GOODBYE is ignored.
    bob.send(r#"[48,2,{},"wamp.session.count"]"#).await;
    bob.send(GOODBYE).await;
    bob.expect_end().await;
    let answer = alice.ask(r#"[48,2,{},"wamp.session.count"]"#).await;
    assert_eq!(answer, "[50,2,{},[1]]");
    let statistics = router.statistics();
    assert_eq!((statistics.sessions, statistics.killed), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_killed_client_that_does_not_answer_is_cut_off() {
    let router = Router::local();
    let mut alice = Client::join(&router, "realm1").await;
    let mut silent = Client::join(&router, "realm1").await;
    alice.ask(r#"[48,1,{},"wamp.session.kill_all"]"#).await;
    silent.next().await;
    silent.expect_end().await;
}

#[tokio::test]
async fn goodbyes_that_cross_are_each_the_answer_to_the_other() {
    let router = Router::local();
    let mut alice = Client::join(&router, "realm1").await;
    let mut bob = Client::join(&router, "realm1").await;
    bob.send(r#"[6,{},"wamp.close.close_realm"]"#).await;
    let realm = router.administration("realm1").unwrap();
    let sessions = realm.sessions();
    assert_eq!(sessions.len(), 2);
    for session in sessions {
        assert!(realm.kill(session.id, &Farewell::new()));
    }
    assert_eq!(bob.next().await, r#"[6,{},"wamp.close.killed"]"#);
    bob.expect_end().await;
    alice.next().await;
}

#[tokio::test]
async fn news_of_sessions_come_from_real_connections() {
    let router = Router::local();
    let mut alice = Client::join(&router, "realm1").await;
    alice
        .ask(r#"[32,1,{"match":"prefix"},"wamp.session"]"#)
        .await;
    let mut bob = Client::join(&router, "realm1").await;
    let joined = alice.next().await;
    assert!(
        joined.contains(r#""topic":"wamp.session.on_join""#),
        "{joined}"
    );
    assert!(joined.contains(r#""authmethod":"anonymous""#), "{joined}");
    let testament = r#"["com.last.words",["bye"],{}]"#;
    bob.ask(&format!(
        r#"[48,1,{{}},"wamp.session.add_testament",{testament}]"#
    ))
    .await;
    alice.ask(r#"[32,2,{},"com.last.words"]"#).await;
    drop(bob); // without a GOODBYE
    let words = alice.next().await;
    assert!(words.ends_with(r#"["bye"]]"#), "{words}");
    let left = alice.next().await;
    assert!(
        left.contains(r#""topic":"wamp.session.on_leave""#),
        "{left}"
    );
}

#[tokio::test]
async fn by_default_nobody_kills_others_but_in_a_router_for_tests() {
    let operated = Realm::new("operated").meta_api(MetaApi::new().administrators(["anonymous"]));
    let router = Router::builder()
        .realm("listed")
        .realm(operated)
        .auto_realms()
        .build()
        .unwrap();
    for (router, realm, allowed) in [
        (&router, "listed", false),
        (&router, "unlisted", false),
        (&router, "operated", true),
        (&Router::local(), "realm1", true),
    ] {
        let mut client = Client::join(router, realm).await;
        let answer = client.ask(r#"[48,1,{},"wamp.session.kill_all"]"#).await;
        assert_eq!(answer == "[50,1,{},[0]]", allowed, "{realm}: {answer}");
    }
}

#[tokio::test]
async fn the_program_ends_a_session_and_tells_why() {
    let router = Router::local();
    let mut client = Client::join(&router, "realm1").await;
    let realm = router.administration("realm1").unwrap();
    let session = realm.sessions().remove(0);
    assert_eq!(session.authrole, "anonymous");
    assert_eq!(session.authmethod, "anonymous");
    let farewell = Farewell::new()
        .reason(Uri::new("com.example.enough").unwrap())
        .message("go home");
    assert!(realm.kill(session.id, &farewell));
    assert!(!realm.kill(session.id, &farewell));
    assert!(realm.sessions().is_empty());
    let goodbye = client.ask(GOODBYE).await;
    assert_eq!(goodbye, r#"[6,{"message":"go home"},"com.example.enough"]"#);
    client.expect_end().await;
}

#[tokio::test]
async fn the_program_takes_registrations_and_subscriptions_away() {
    let router = Router::local();
    let mut client = Client::dial(router.connector()).await;
    let roles = r#"{"callee":{"features":{"registration_revocation":true}},"subscriber":{"features":{"subscription_revocation":true}}}"#;
    client
        .ask(&format!(r#"[1,"realm1",{{"roles":{roles}}}]"#))
        .await;
    client.ask(r#"[64,1,{},"com.p"]"#).await;
    client.ask(r#"[32,2,{"match":"prefix"},"com"]"#).await;
    let realm = router.administration("realm1").unwrap();
    let session = realm.sessions()[0].id;

    let registration = realm.registration(&Pattern::exact("com.p").unwrap());
    assert_eq!(registration, Some(RegistrationId::MIN));
    let revocation = Revocation::new().session(session).reason("why not");
    assert!(realm.revoke_registration(RegistrationId::MIN, &revocation));
    assert!(!realm.revoke_registration(RegistrationId::MIN, &revocation));
    assert_eq!(
        client.next().await,
        r#"[67,0,{"registration":1,"reason":"why not"}]"#
    );

    let subscription = realm.subscription(&Pattern::prefix("com").unwrap());
    assert_eq!(subscription, Some(SubscriptionId::MIN));
    let revocation = Revocation::new();
    assert!(realm.revoke_subscription(SubscriptionId::MIN, &revocation));
    assert!(!realm.revoke_subscription(SubscriptionId::MIN, &revocation));
    assert_eq!(client.next().await, r#"[35,0,{"subscription":1}]"#);
}

#[tokio::test]
async fn in_a_realm_that_nobody_is_in_there_is_nothing_to_do() {
    let router = Router::local();
    assert!(router.administration("no realm").is_err());
    let realm = router.administration("realm1").unwrap();
    assert!(realm.sessions().is_empty());
    let client = Client::join(&router, "realm1").await;
    let session = realm.sessions()[0].id;
    drop(client);
    while router.statistics().sessions > 0 {
        tokio::task::yield_now().await;
    }
    assert!(!realm.kill(session, &Farewell::new()));
    assert_eq!(realm.registration(&Pattern::exact("com.p").unwrap()), None);
    assert!(!realm.revoke_registration(RegistrationId::MIN, &Revocation::new()));
}
