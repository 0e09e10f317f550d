//! Advanced features of publishing and subscribing.

use serde_json::json;
use spell_message::SessionId;
use spell_roles::{PublicationFilter, Subscription, prelude::*};
use spell_tests::{
    accounts::TRUSTLEVEL,
    crossbar::DISCLOSED,
    foreign::Library,
    place::{Client, Place, uri},
};

pub(crate) async fn sessions_are_excluded_and_chosen(place: &Place) {
    let (publisher, one) = place.clients().await;
    let other = place.client().await;
    let topic = uri("chosen");
    let mut for_one = one.subscribe(&topic).await.unwrap();
    let mut for_other = other.subscribe(&topic).await.unwrap();
    let publish = |text| publisher.publish(&topic).arg(text);
    publish("not for one").exclude([id(&one)]).await.unwrap();
    publish("for one").eligible([id(&one)]).await.unwrap();
    publish("for other")
        .eligible([id(&one), id(&other)])
        .exclude([id(&one)])
        .await
        .unwrap();
    publish("for all").acknowledge().await.unwrap();
    assert_eq!(texts(&mut for_one, 2).await, ["for one", "for all"]);
    assert_eq!(
        texts(&mut for_other, 3).await,
        ["not for one", "for other", "for all"]
    );
}

/// Crossbar.io takes an empty list for none at all.
pub(crate) async fn an_empty_list_chooses_nobody(place: &Place) {
    let (publisher, subscriber) = place.clients().await;
    let topic = uri("nobody");
    let mut events = subscriber.subscribe(&topic).await.unwrap();
    let publish = |text| publisher.publish(&topic).arg(text);
    publish("for nobody").eligible([]).await.unwrap();
    publish("for all").acknowledge().await.unwrap();
    assert_eq!(texts(&mut events, 1).await, ["for all"]);
}

pub(crate) async fn receivers_are_chosen_by_authrole(place: &Place) {
    let (publisher, subscriber) = place.clients().await;
    let topic = uri("roles");
    let mut events = subscriber.subscribe(&topic).await.unwrap();
    let role = subscriber.session().unwrap().authrole().unwrap().to_owned();
    let authid = subscriber.session().unwrap().authid().unwrap().to_owned();
    let publish = |text| publisher.publish(&topic).arg(text);
    publish("not for this role")
        .exclude_authrole([&role])
        .await
        .unwrap();
    publish("for another role")
        .eligible_authrole(["somebody"])
        .await
        .unwrap();
    publish("for this role")
        .eligible_authrole([&role])
        .await
        .unwrap();
    publish("not for this authid")
        .exclude_authid([&authid])
        .await
        .unwrap();
    publish("for this authid")
        .eligible_authid([&authid])
        .acknowledge()
        .await
        .unwrap();
    assert_eq!(
        texts(&mut events, 2).await,
        ["for this role", "for this authid"]
    );
}

pub(crate) async fn a_publisher_gets_its_own_event_if_it_wants(place: &Place) {
    let client = place.client().await;
    let topic = uri("own");
    let mut events = client.subscribe(&topic).await.unwrap();
    let publish = |text| client.publish(&topic).arg(text);
    publish("by default").acknowledge().await.unwrap();
    publish("no").exclude_me(true).acknowledge().await.unwrap();
    publish("yes")
        .exclude_me(false)
        .acknowledge()
        .await
        .unwrap();
    assert_eq!(texts(&mut events, 1).await, ["yes"]);
}

pub(crate) async fn a_publisher_that_wants_is_disclosed(place: &Place) {
    let (publisher, subscriber) = place.clients().await;
    let topic = uri("disclosed");
    let mut events = subscriber.subscribe(&topic).await.unwrap();
    publisher.publish(&topic).await.unwrap();
    publisher.publish(&topic).disclose_me(true).await.unwrap();
    assert_eq!(events.next().await.unwrap().publisher(), None);
    let event = events.next().await.unwrap();
    let session = publisher.session().unwrap();
    assert_eq!(event.publisher(), Some(session.id()));
    assert_eq!(event.publisher_authid(), session.authid());
    assert_eq!(event.publisher_authrole(), session.authrole());
}

pub(crate) async fn a_publisher_is_disclosed_where_the_router_says_so(place: &Place) {
    let (publisher, subscriber) = place.clients().await;
    for topic in [uri("secret"), format!("{DISCLOSED}{}", uri("topic"))] {
        let mut events = subscriber.subscribe(&topic).await.unwrap();
        publisher.publish(&topic).await.unwrap();
        let event = events.next().await.unwrap();
        let session = publisher.session().unwrap();
        let told = topic.starts_with(DISCLOSED).then_some(session.id());
        assert_eq!(event.publisher(), told, "{topic}");
    }
}

pub(crate) async fn a_subscriber_learns_how_far_the_publisher_is_trusted(place: &Place) {
    let (publisher, subscriber) = place.clients().await;
    let topic = uri("trusted");
    let mut events = subscriber.subscribe(&topic).await.unwrap();
    publisher.publish(&topic).await.unwrap();
    let event = events.next().await.unwrap();
    assert_eq!(event.trustlevel(), Some(TRUSTLEVEL));
}

pub(crate) async fn prefixes_and_wildcards_tell_the_topic(place: &Place) {
    let (publisher, subscriber) = place.clients().await;
    let family = uri("family");
    let mut by_prefix = subscriber.subscribe(&family).prefix().await.unwrap();
    let wildcard = format!("{family}..born");
    let mut by_wildcard = subscriber.subscribe(&wildcard).wildcard().await.unwrap();
    let topics = [
        family.clone(),
        format!("{family}.anna.born"),
        format!("{family}.anna.wed"),
    ];
    for topic in &topics {
        publisher.publish(topic).acknowledge().await.unwrap();
    }
    for topic in &topics {
        assert_eq!(by_prefix.next().await.unwrap().topic(), topic);
    }
    assert_eq!(by_wildcard.next().await.unwrap().topic(), topics[1]);
}

pub(crate) async fn an_event_for_two_patterns_is_told_apart_once(place: &Place) {
    let (publisher, subscriber) = place.clients().await;
    let topic = uri("twice");
    let filter = PublicationFilter::new(10);
    let exactly = subscriber.subscribe(&topic).await.unwrap();
    let by_prefix = subscriber.subscribe(&topic).prefix().await.unwrap();
    let mut exactly = filter.deduplicate(exactly);
    let mut by_prefix = filter.deduplicate(by_prefix);
    let longer = format!("{topic}.more");
    publisher.publish(&topic).await.unwrap();
    publisher.publish(&longer).acknowledge().await.unwrap();
    assert_eq!(exactly.next().await.unwrap().topic(), topic);
    assert_eq!(by_prefix.next().await.unwrap().topic(), longer);
}

pub(crate) async fn an_event_that_is_retained_comes_to_who_asks(place: &Place) {
    let (publisher, subscriber) = place.clients().await;
    let topic = uri("retained");
    let publish = |text| publisher.publish(&topic).arg(text);
    publish("old").retain(true).acknowledge().await.unwrap();
    publish("kept").retain(true).acknowledge().await.unwrap();
    publish("passing").acknowledge().await.unwrap();
    let mut uninterested = subscriber.subscribe(&topic).await.unwrap();
    let late = place.client().await;
    let mut events = late.subscribe(&topic).get_retained(true).await.unwrap();
    let event = events.next().await.unwrap();
    assert_eq!(event.value::<String>().unwrap(), "kept");
    assert!(event.is_retained());
    publish("new").acknowledge().await.unwrap();
    let event = events.next().await.unwrap();
    assert_eq!(event.value::<String>().unwrap(), "new");
    assert!(!event.is_retained());
    assert_eq!(texts(&mut uninterested, 1).await, ["new"]);
}

pub(crate) async fn a_foreign_publisher_chooses_its_receivers(place: &Place, library: Library) {
    let Some(mut foreign) = place.foreign(library).await else {
        return;
    };
    let (one, other) = place.clients().await;
    let topic = uri("foreign.chosen");
    let mut for_one = one.subscribe(&topic).await.unwrap();
    let mut for_other = other.subscribe(&topic).await.unwrap();
    let session = one.session().unwrap();
    let role = session.authrole().unwrap();
    for (text, options) in [
        ("not for one", json!({ "exclude": [id(&one).get()] })),
        ("for one", json!({ "eligible": [id(&one).get()] })),
        ("for another role", json!({ "exclude_authrole": [role] })),
        ("for all", json!({ "eligible_authrole": [role] })),
    ] {
        let publish = json!({ "publish": topic, "args": [text], "options": options });
        foreign.ask(&publish).await.unwrap();
    }
    assert_eq!(texts(&mut for_one, 2).await, ["for one", "for all"]);
    assert_eq!(texts(&mut for_other, 2).await, ["not for one", "for all"]);
}

pub(crate) async fn a_foreign_subscriber_is_excluded(place: &Place, library: Library) {
    let Some(mut foreign) = place.foreign(library).await else {
        return;
    };
    let client = place.client().await;
    let topic = uri("foreign.excluded");
    foreign.ask(&json!({ "subscribe": topic })).await.unwrap();
    let session = SessionId::try_from(foreign.session()).unwrap();
    client
        .publish(&topic)
        .arg("not for it")
        .exclude([session])
        .await
        .unwrap();
    client
        .publish(&topic)
        .arg("for it")
        .eligible([session])
        .await
        .unwrap();
    assert_eq!(
        foreign.hear().await.unwrap(),
        json!({ "event": topic, "args": ["for it"], "kwargs": {} })
    );
}

pub(crate) async fn a_foreign_publisher_is_disclosed(place: &Place, library: Library) {
    let Some(mut foreign) = place.foreign(library).await else {
        return;
    };
    let client = place.client().await;
    let topic = uri("foreign.disclosed");
    let mut events = client.subscribe(&topic).await.unwrap();
    let publish = json!({ "publish": topic, "options": { "disclose_me": true } });
    foreign.ask(&publish).await.unwrap();
    let event = events.next().await.unwrap();
    assert_eq!(
        event.publisher().map(SessionId::get),
        Some(foreign.session())
    );
    assert_eq!(event.publisher_authrole(), Some("anonymous"));
}

pub(crate) async fn a_foreign_subscriber_learns_who_published(place: &Place, library: Library) {
    let Some(mut foreign) = place.foreign(library).await else {
        return;
    };
    let client = place.client().await;
    let topic = uri("foreign.told");
    let subscribe = json!({ "subscribe": topic, "details": true });
    foreign.ask(&subscribe).await.unwrap();
    client.publish(&topic).disclose_me(true).await.unwrap();
    let event = foreign.hear().await.unwrap();
    let session = client.session().unwrap();
    assert_eq!(event["details"]["publisher"], session.id().get());
    assert_eq!(
        event["details"]["publisher_authid"].as_str(),
        session.authid()
    );
    assert_eq!(event["details"]["publisher_authrole"], "anonymous");
}

pub(crate) async fn a_foreign_subscriber_matches_patterns(place: &Place, library: Library) {
    let Some(mut foreign) = place.foreign(library).await else {
        return;
    };
    let client = place.client().await;
    let family = uri("foreign");
    let wildcard = format!("{family}..born");
    for (pattern, policy) in [(&family, "prefix"), (&wildcard, "wildcard")] {
        let options = json!({ "match": policy });
        let subscribe = json!({ "subscribe": pattern, "details": true, "options": options });
        let subscribed = foreign.ask(&subscribe).await.unwrap();
        assert_eq!(subscribed, json!({ "subscribed": pattern }));
    }
    let topic = format!("{family}.anna.born");
    client.publish(&topic).acknowledge().await.unwrap();
    for _ in 0..2 {
        let event = foreign.hear().await.unwrap();
        assert_eq!(event["details"]["topic"], topic, "{event}");
    }
}

pub(crate) async fn a_foreign_subscriber_gets_what_is_retained(place: &Place, library: Library) {
    let Some(mut foreign) = place.foreign(library).await else {
        return;
    };
    let client = place.client().await;
    let topic = uri("foreign.retained");
    client
        .publish(&topic)
        .arg("kept")
        .retain(true)
        .acknowledge()
        .await
        .unwrap();
    let options = json!({ "get_retained": true });
    let subscribe = json!({ "subscribe": topic, "details": true, "options": options });
    foreign.tell(&subscribe).await.unwrap();
    // The event may be told before the subscription is.
    let heard = [foreign.hear().await.unwrap(), foreign.hear().await.unwrap()];
    let event = heard.iter().find(|said| said["event"] == topic).unwrap();
    assert_eq!(event["args"], json!(["kept"]));
    assert_eq!(event["details"]["retained"], true);
}

pub(crate) async fn a_foreign_publisher_has_its_event_retained(place: &Place, library: Library) {
    let Some(mut foreign) = place.foreign(library).await else {
        return;
    };
    let client = place.client().await;
    let topic = uri("foreign.keeps");
    let publish = json!({ "publish": topic, "args": ["kept"], "options": { "retain": true } });
    foreign.ask(&publish).await.unwrap();
    let mut events = client.subscribe(&topic).get_retained(true).await.unwrap();
    assert_eq!(texts(&mut events, 1).await, ["kept"]);
}

fn id(client: &Client) -> SessionId {
    client.session().unwrap().id()
}

/// The arguments of the next events, each one text.
async fn texts(events: &mut Subscription, count: usize) -> Vec<String> {
    let mut texts = Vec::new();
    for _ in 0..count {
        let event = events.next().await.unwrap();
        texts.push(event.value().unwrap());
    }
    texts
}
