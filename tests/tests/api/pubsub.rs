//! Publishing and subscribing.

use spell_roles::prelude::*;

use spell_tests::place::{Place, uri};

pub(crate) async fn an_event_reaches_its_subscriber(place: &Place) {
    let (publisher, subscriber) = place.clients().await;
    let topic = uri("hello");
    let mut events = subscriber.subscribe(&topic).await.unwrap();
    publisher
        .publish(&topic)
        .args(("Hello", 42))
        .kwarg("mood", "good")
        .acknowledge()
        .await
        .unwrap();

    let event = events.next().await.unwrap();
    assert_eq!(event.topic(), topic);
    assert_eq!(
        event.args::<(String, i64)>().unwrap(),
        ("Hello".to_owned(), 42)
    );
    assert_eq!(event.kwargs::<Mood>().unwrap().mood, "good");
}

pub(crate) async fn an_acknowledged_publication_has_the_id_of_its_event(place: &Place) {
    let (publisher, subscriber) = place.clients().await;
    let topic = uri("acknowledged");
    let mut events = subscriber.subscribe(&topic).await.unwrap();
    let publication = publisher.publish(&topic).acknowledge().await.unwrap();
    let event = events.next().await.unwrap();
    assert_eq!(event.publication(), publication);
    assert!(event.payload().is_empty());
}

pub(crate) async fn a_publisher_gets_its_own_event_only_if_it_wants(place: &Place) {
    let client = place.client().await;
    let topic = uri("own");
    let mut events = client.subscribe(&topic).await.unwrap();
    client
        .publish(&topic)
        .arg("without")
        .acknowledge()
        .await
        .unwrap();
    client
        .publish(&topic)
        .arg("with")
        .exclude_me(false)
        .acknowledge()
        .await
        .unwrap();
    // The first that comes is the second that was published.
    assert_eq!(
        events.next().await.unwrap().value::<String>().unwrap(),
        "with"
    );
}

pub(crate) async fn events_come_in_the_order_of_publication(place: &Place) {
    let (publisher, subscriber) = place.clients().await;
    let topic = uri("order");
    let mut events = subscriber.subscribe(&topic).await.unwrap();
    for number in 0..100 {
        publisher.publish(&topic).arg(number).await.unwrap();
    }
    for number in 0..100 {
        assert_eq!(events.next().await.unwrap().value::<i32>().unwrap(), number);
    }
}

pub(crate) async fn prefixes_and_wildcards_match_topics(place: &Place) {
    let (publisher, subscriber) = place.clients().await;
    let family = uri("family");
    let mut by_prefix = subscriber.subscribe(&family).prefix().await.unwrap();
    let mut by_wildcard = subscriber
        .subscribe(format!("{family}..born"))
        .wildcard()
        .await
        .unwrap();
    for name in ["anna.born", "anna.grown", "bert.born"] {
        publisher
            .publish(format!("{family}.{name}"))
            .acknowledge()
            .await
            .unwrap();
    }
    for name in ["anna.born", "anna.grown", "bert.born"] {
        assert_eq!(
            by_prefix.next().await.unwrap().topic(),
            format!("{family}.{name}")
        );
    }
    for name in ["anna.born", "bert.born"] {
        assert_eq!(
            by_wildcard.next().await.unwrap().topic(),
            format!("{family}.{name}")
        );
    }
}

pub(crate) async fn subscribing_twice_gives_every_event_twice(place: &Place) {
    let (publisher, subscriber) = place.clients().await;
    let topic = uri("twice");
    let mut one = subscriber.subscribe(&topic).await.unwrap();
    let mut other = subscriber.subscribe(&topic).await.unwrap();
    assert_eq!(one.id(), other.id());

    publisher
        .publish(&topic)
        .arg("to both")
        .acknowledge()
        .await
        .unwrap();
    assert_eq!(
        one.next().await.unwrap().value::<String>().unwrap(),
        "to both"
    );
    assert_eq!(
        other.next().await.unwrap().value::<String>().unwrap(),
        "to both"
    );

    one.unsubscribe().await.unwrap();
    publisher
        .publish(&topic)
        .arg("to one")
        .acknowledge()
        .await
        .unwrap();
    assert_eq!(
        other.next().await.unwrap().value::<String>().unwrap(),
        "to one"
    );
}

pub(crate) async fn nothing_comes_after_unsubscribing(place: &Place) {
    let (publisher, subscriber) = place.clients().await;
    let topic = uri("again");
    let before = subscriber.subscribe(&topic).await.unwrap();
    before.unsubscribe().await.unwrap();
    publisher
        .publish(&topic)
        .arg("lost")
        .acknowledge()
        .await
        .unwrap();
    let mut after = subscriber.subscribe(&topic).await.unwrap();
    publisher
        .publish(&topic)
        .arg("found")
        .acknowledge()
        .await
        .unwrap();
    assert_eq!(
        after.next().await.unwrap().value::<String>().unwrap(),
        "found"
    );
}

#[derive(serde::Deserialize)]
struct Mood {
    mood: String,
}
