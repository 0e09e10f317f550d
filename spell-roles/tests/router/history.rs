use std::time::{Duration, SystemTime};

use spell_message::Pattern;
use spell_roles::{HistoricEvent, prelude::*};

use super::*;

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn events_of_the_past_can_be_asked_for() {
    let pattern = Pattern::prefix("com.example.").unwrap();
    let realm = Realm::new(REALM).history(pattern, 10, 1 << 20);
    let realm = realm.ticket("ada", "ada", "admin");
    let router = Router::builder().realm(realm).build().unwrap();
    let ada = join(&router, "ada").await;
    let mut publications = Vec::new();
    for (topic, value) in [
        ("com.example.a", 1),
        ("com.example.b", 2),
        ("com.example.a", 3),
    ] {
        let publish = ada.publish(topic).arg(value).kwarg("a", "b");
        publications.push(publish.acknowledge().await.unwrap());
    }
    let prefix = ada.subscribe("com.example.").prefix().await.unwrap();
    let id = prefix.id().unwrap();
    let meta = ada.meta();
    let events = meta.subscription_get_events(id).await.unwrap();
    let ids: Vec<_> = events.iter().map(HistoricEvent::publication).collect();
    assert_eq!(ids, publications);
    let event = &events[1];
    assert_eq!(event.topic(), Some("com.example.b"));
    assert_eq!(event.value::<u8>().unwrap(), 2);
    let kwargs: spell_message::Dict = event.kwargs().unwrap();
    assert_eq!(kwargs, spell_message::Dict::from([("a", "b")]));
    assert_eq!(event.subscription(), Some(id));
    let time = event.timestamp().unwrap().to_owned();

    let history = || meta.subscription_get_events(id);
    for (query, expected) in [
        (history().reverse(true).limit(2), &[3, 2][..]),
        (history().topic("com.example.a"), &[1, 3]),
        (
            history().from_time(time.as_str()).topic("com.example.b"),
            &[2],
        ),
        (history().after_time(SystemTime::now() + HOUR), &[]),
        (history().before_time("1970-01-01T01:00:00+01:00"), &[]),
        (history().until_time(SystemTime::now() + HOUR), &[1, 2, 3]),
        (history().from_publication(publications[1]), &[2, 3]),
        (history().after_publication(publications[1]), &[3]),
        (history().before_publication(publications[1]), &[1]),
        (history().until_publication(publications[1]), &[1, 2]),
    ] {
        let events = query.await.unwrap();
        let values: Vec<u8> = events.iter().map(|event| event.value().unwrap()).collect();
        assert_eq!(values, expected);
    }
}
