//! What a realm keeps and tells, as its settings have it.

use crate::support::Client;
use spell_message::Pattern;
use spell_router::{Disclosure, Realm, Router};

#[tokio::test]
async fn a_retained_event_waits_for_its_subscriber_while_nobody_is_there() {
    let router = Router::builder().realm("realm1").build().unwrap();
    let mut publisher = Client::join(&router, "realm1").await;
    let publish = r#"[16,1,{"acknowledge":true,"retain":true},"com.weather",["sunny"]]"#;
    assert!(publisher.ask(publish).await.starts_with("[17,1,"));
    drop(publisher);
    let mut subscriber = Client::join(&router, "realm1").await;
    let subscribe = r#"[32,1,{"get_retained":true},"com.weather"]"#;
    assert_eq!(subscriber.ask(subscribe).await, "[33,1,1]");
    let event = subscriber.next().await;
    assert!(event.starts_with("[36,1,"), "{event}");
    let end = r#",{"retained":true},["sunny"]]"#;
    assert!(event.ends_with(end), "{event}");
}

#[tokio::test]
async fn what_is_not_retained_for_want_of_room_is_counted() {
    let router = Router::builder()
        .realm("realm1")
        .retention_limits(1, 10_000)
        .build()
        .unwrap();
    let mut publisher = Client::join(&router, "realm1").await;
    for (request, topic) in [(1, "com.a"), (2, "com.a"), (3, "com.b")] {
        let options = r#"{"acknowledge":true,"retain":true}"#;
        let publish = format!(r#"[16,{request},{options},"{topic}"]"#);
        publisher.ask(&publish).await;
    }
    assert_eq!(router.statistics().events_not_kept, 1);
}

#[tokio::test]
async fn the_settings_of_a_realm_say_what_its_subscribers_learn_of_publishers() {
    let realm = Realm::new("realm1")
        .disclosure(Disclosure::Always)
        .trustlevel("anonymous", 7);
    let router = Router::builder().realm(realm).build().unwrap();
    let mut subscriber = Client::join(&router, "realm1").await;
    subscriber.ask(r#"[32,1,{},"com.t"]"#).await;
    let mut publisher = Client::join(&router, "realm1").await;
    publisher.send(r#"[16,1,{},"com.t"]"#).await;
    let event = subscriber.next().await;
    assert!(
        event.contains(r#""publisher_authrole":"anonymous""#),
        "{event}"
    );
    assert!(event.ends_with(r#""trustlevel":7}]"#), "{event}");
}

#[tokio::test]
async fn a_realm_that_discloses_nobody_refuses_who_wants_to_be() {
    let realm = Realm::new("realm1").disclosure(Disclosure::Never);
    let router = Router::builder().realm(realm).build().unwrap();
    let mut publisher = Client::join(&router, "realm1").await;
    let publish = r#"[16,1,{"disclose_me":true,"acknowledge":true},"com.t"]"#;
    let answer = publisher.ask(publish).await;
    let error = r#""wamp.error.option_disallowed.disclose_me"]"#;
    assert!(answer.ends_with(error), "{answer}");
}

#[tokio::test]
async fn the_subscription_of_a_history_is_there_from_the_beginning() {
    let log = Pattern::prefix("com.log").unwrap();
    let realm = Realm::new("realm1").history(log, 100, 1 << 20);
    let router = Router::builder().realm(realm).build().unwrap();
    let mut client = Client::join(&router, "realm1").await;
    let exact = r#"[32,1,{},"com.log"]"#;
    assert_eq!(client.ask(exact).await, "[33,1,2]");
    let prefix = r#"[32,2,{"match":"prefix"},"com.log"]"#;
    assert_eq!(client.ask(prefix).await, "[33,2,1]");
}
