//! What a router tells of sessions, registrations and subscriptions, and does to them.

use serde_json::json;
use spell_message::{MatchPolicy, SessionId, options::InvocationPolicy, reason};
use spell_roles::{MetaSubscription, RegistrationEnd, SubscriptionEnd, TestamentScope, prelude::*};
use spell_tests::{
    crossbar::HISTORY,
    foreign::Library,
    place::{Place, uri},
    router::Make,
};

pub(crate) async fn sessions_are_told_of(place: &Place) {
    let client = place.client().await;
    let mut joined = client.meta_events().session_on_join().await.unwrap();
    let mut left = client.meta_events().session_on_leave().await.unwrap();
    let other = place.client().await;
    let id = other.session().unwrap().id();
    let details = told(&mut joined, |details| details.session() == id).await;
    assert_eq!(details.authrole(), Some("anonymous"));

    let meta = client.meta();
    assert!(meta.session_list().await.unwrap().contains(&id));
    let count = meta.session_count().authroles(["anonymous"]).await.unwrap();
    assert!(count >= 2, "{count}");
    let nobody = meta.session_list().authroles(["nobody"]).await.unwrap();
    assert_eq!(nobody, []);
    let details = meta.session_get(id).await.unwrap();
    assert_eq!(details.session(), id);
    assert_eq!(details.authid(), other.session().unwrap().authid());

    other.leave().await.unwrap();
    told(&mut left, |left| left.session == id).await;
    let error = meta.session_get(id).await.unwrap_err();
    let expected = match place.router.make() {
        // With a store in memory, it fails in itself.
        Make::Crossbar => reason::RUNTIME_ERROR,
        _ => reason::NO_SUCH_SESSION,
    };
    assert_eq!(error.uri().unwrap().as_str(), expected);
}

pub(crate) async fn a_session_is_killed(place: &Place) {
    let (killer, victim) = place.clients().await;
    let id = victim.session().unwrap().id();
    let kill = killer.meta().session_kill(id);
    kill.reason("com.example.reason")
        .message("why")
        .await
        .unwrap();
    assert_eq!(victim.closed().await.uri(), Some("com.example.reason"));
}

pub(crate) async fn nobody_kills_its_own_session(place: &Place) {
    let killer = place.client().await;
    let own = killer.session().unwrap().id();
    let error = killer.meta().session_kill(own).await.unwrap_err();
    assert_eq!(error.uri().unwrap().as_str(), reason::NO_SUCH_SESSION);
}

pub(crate) async fn registrations_are_told_of(place: &Place) {
    let (client, callee) = place.clients().await;
    let mut created = client.meta_events().registration_on_create().await.unwrap();
    let mut deleted = client.meta_events().registration_on_delete().await.unwrap();
    let procedure = uri("told");
    let register = callee.register(&procedure).prefix();
    let mut registration = register.invoke(InvocationPolicy::First).await.unwrap();
    let id = registration.id().unwrap();
    let created = told(&mut created, |created| created.registration.id() == id).await;
    let details = created.registration;
    assert_eq!(details.uri(), procedure);
    assert_eq!(details.match_policy(), Some(MatchPolicy::Prefix));
    assert_eq!(details.invoke(), Some(InvocationPolicy::First));

    let meta = client.meta();
    assert!(meta.registration_list().await.unwrap().prefix.contains(&id));
    let lookup = meta.registration_lookup(&procedure);
    let found = lookup.match_policy(MatchPolicy::Prefix).await.unwrap();
    assert_eq!(found, Some(id));
    assert_eq!(meta.registration_lookup(&procedure).await.unwrap(), None);
    let longer = format!("{procedure}.more");
    assert_eq!(meta.registration_match(&longer).await.unwrap(), Some(id));
    assert_eq!(meta.registration_get(id).await.unwrap().uri(), procedure);
    let callees = meta.registration_list_callees(id).await.unwrap();
    assert_eq!(callees, [callee.session().unwrap().id()]);
    assert_eq!(meta.registration_count_callees(id).await.unwrap(), 1);

    registration.unregister().await.unwrap();
    told(&mut deleted, |deleted| deleted.registration == id).await;
    let error = meta.registration_get(id).await.unwrap_err();
    let uri = error.uri().unwrap().as_str();
    assert_eq!(uri, reason::NO_SUCH_REGISTRATION);
}

pub(crate) async fn subscriptions_are_told_of(place: &Place) {
    let (client, subscriber) = place.clients().await;
    let mut created = client.meta_events().subscription_on_create().await.unwrap();
    let mut deleted = client.meta_events().subscription_on_delete().await.unwrap();
    let topic = uri("told");
    let subscription = subscriber.subscribe(&topic).prefix().await.unwrap();
    let id = subscription.id().unwrap();
    let created = told(&mut created, |created| created.subscription.id() == id).await;
    let details = created.subscription;
    assert_eq!(details.uri(), topic);
    assert_eq!(details.match_policy(), Some(MatchPolicy::Prefix));

    let meta = client.meta();
    assert!(meta.subscription_list().await.unwrap().prefix.contains(&id));
    let lookup = meta.subscription_lookup(&topic);
    let found = lookup.match_policy(MatchPolicy::Prefix).await.unwrap();
    assert_eq!(found, Some(id));
    let longer = format!("{topic}.more");
    let matching = meta.subscription_match(&longer).await.unwrap();
    assert!(matching.contains(&id), "{matching:?}");
    assert_eq!(meta.subscription_get(id).await.unwrap().uri(), topic);
    let subscribers = meta.subscription_list_subscribers(id).await.unwrap();
    assert_eq!(subscribers, [subscriber.session().unwrap().id()]);
    let count = meta.subscription_count_subscribers(id).await.unwrap();
    assert_eq!(count, 1);

    subscription.unsubscribe().await.unwrap();
    told(&mut deleted, |deleted| deleted.subscription == id).await;
    let error = meta.subscription_get(id).await.unwrap_err();
    let uri = error.uri().unwrap().as_str();
    assert_eq!(uri, reason::NO_SUCH_SUBSCRIPTION);
}

pub(crate) async fn a_testament_is_published_when_its_session_ends(place: &Place) {
    let (client, mortal) = place.clients().await;
    let topic = uri("testament");
    let mut events = client.subscribe(&topic).await.unwrap();
    let meta = mortal.meta();
    let testament = meta.session_add_testament(&topic);
    testament.arg("forgotten").await.unwrap();
    meta.session_flush_testaments().await.unwrap();
    let testament = meta.session_add_testament(&topic).arg("destroyed");
    let testament = testament.kwarg("left", 1);
    testament.await.unwrap();
    let testament = meta.session_add_testament(&topic).arg("detached");
    let testament = testament.scope(TestamentScope::Detached);
    testament.await.unwrap();
    mortal.leave().await.unwrap();
    let mut told = Vec::new();
    for _ in 0..2 {
        let event = events.next().await.unwrap();
        told.push(event.value::<String>().unwrap());
    }
    told.sort();
    assert_eq!(told, ["destroyed", "detached"]);
}

pub(crate) async fn a_registration_is_revoked(place: &Place) {
    let (client, callee) = place.clients().await;
    let procedure = uri("revoked");
    let registration = callee.register(&procedure).await.unwrap();
    let id = registration.id().unwrap();
    let session = callee.session().unwrap().id();
    let remove = client.meta().registration_remove_callee(id, session);
    remove.reason("com.example.reason").await.unwrap();
    match registration.ended().await {
        RegistrationEnd::Revoked { reason, .. } => {
            assert_eq!(reason.as_deref(), Some("com.example.reason"));
        }
        other => panic!("{other:?}"),
    }
    let error = client.call(&procedure).await.unwrap_err();
    assert_eq!(error.uri().unwrap().as_str(), reason::NO_SUCH_PROCEDURE);
}

pub(crate) async fn a_subscription_is_revoked(place: &Place) {
    let (client, subscriber) = place.clients().await;
    let subscription = subscriber.subscribe(uri("revoked")).await.unwrap();
    let id = subscription.id().unwrap();
    let session = subscriber.session().unwrap().id();
    let remove = client.meta().subscription_remove_subscriber(id, session);
    remove.reason("com.example.reason").await.unwrap();
    match subscription.ended().await {
        SubscriptionEnd::Revoked { reason, .. } => {
            assert_eq!(reason.as_deref(), Some("com.example.reason"));
        }
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn events_of_the_past_are_told(place: &Place) {
    let (publisher, client) = place.clients().await;
    let topic = format!("{HISTORY}{}", uri("topic"));
    // The history is that of a subscription, here to all topics that are kept.
    let mut subscription = client.subscribe(HISTORY).prefix().await.unwrap();
    for number in 0..3 {
        let publish = publisher.publish(&topic).arg(number);
        publish.acknowledge().await.unwrap();
    }
    // Crossbar.io keeps what somebody received.
    let mut received = 0;
    while received < 3 {
        received += i32::from(subscription.next().await.unwrap().topic() == topic);
    }
    let meta = client.meta();
    let meta = match place.router.make() {
        // It has it and does not say so.
        Make::Crossbar => meta.unannounced(),
        _ => meta,
    };
    let events = meta.subscription_get_events(subscription.id().unwrap());
    let events = events.limit(1000).await.unwrap();
    let mut numbers: Vec<i32> = events
        .iter()
        .filter(|event| event.topic() == Some(&*topic))
        .map(|event| event.value().unwrap())
        .collect();
    // Crossbar.io tells the newest first, and each as often as it was received.
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers, [0, 1, 2]);
}

pub(crate) async fn a_foreign_peer_uses_the_meta_api(place: &Place, library: Library) {
    let Some(mut foreign) = place.foreign(library).await else {
        return;
    };
    let client = place.client().await;
    let id = client.session().unwrap().id().get();
    let topic = "wamp.session.on_leave";
    foreign.ask(&json!({ "subscribe": topic })).await.unwrap();
    let call = json!({ "call": "wamp.session.get", "args": [id] });
    let result = foreign.ask(&call).await.unwrap();
    assert_eq!(result["result"]["args"][0]["session"], id, "{result}");
    client.leave().await.unwrap();
    let event = foreign.hear().await.unwrap();
    assert_eq!(event["args"][0], id, "{event}");
}

pub(crate) async fn a_foreign_peer_leaves_a_testament(place: &Place, library: Library) {
    let Some(mut foreign) = place.foreign(library).await else {
        return;
    };
    let client = place.client().await;
    let topic = uri("foreign.testament");
    let mut events = client.subscribe(&topic).await.unwrap();
    let call = json!({
        "call": "wamp.session.add_testament",
        "args": [topic, ["farewell"], { "last": true }],
    });
    let added = foreign.ask(&call).await.unwrap();
    assert!(added["result"].is_object(), "{added}");
    drop(foreign);
    let event = events.next().await.unwrap();
    assert_eq!(event.value::<String>().unwrap(), "farewell");
}

pub(crate) async fn a_foreign_peer_learns_that_it_is_revoked(place: &Place, library: Library) {
    let Some(mut foreign) = place.foreign(library).await else {
        return;
    };
    let client = place.client().await;
    let (topic, procedure) = (uri("foreign.topic"), uri("foreign.procedure"));
    foreign.ask(&json!({ "subscribe": topic })).await.unwrap();
    foreign
        .ask(&json!({ "register": procedure }))
        .await
        .unwrap();
    let meta = client.meta();
    let subscription = meta.subscription_lookup(&topic).await.unwrap().unwrap();
    let registration = meta.registration_lookup(&procedure).await.unwrap().unwrap();
    let session = SessionId::try_from(foreign.session()).unwrap();
    let remove = meta.subscription_remove_subscriber(subscription, session);
    remove.reason("com.example.reason").await.unwrap();
    assert_eq!(
        foreign.hear().await.unwrap(),
        json!({ "revoked": topic, "reason": "com.example.reason" })
    );
    let remove = meta.registration_remove_callee(registration, session);
    remove.reason("com.example.reason").await.unwrap();
    assert_eq!(
        foreign.hear().await.unwrap(),
        json!({ "revoked": procedure, "reason": "com.example.reason" })
    );
}

/// The event that this is said of. The router is shared: others come and go, and of some of them Crossbar.io does not
/// tell who they were.
async fn told<T>(events: &mut MetaSubscription<T>, is_it: impl Fn(&T) -> bool) -> T {
    loop {
        match events.next().await.unwrap() {
            Ok(event) if is_it(&event) => return event,
            _ => {}
        }
    }
}
