use spell_message::{Dict, PublicationId, Value};

use super::{
    router::{Router, wrong},
    *,
};

#[tokio::test(start_paused = true)]
async fn events_of_the_past_are_limited_by_all_that_is_asked() {
    let (mut router, handle) = Router::new();
    let meta = Meta::new(&handle);
    let publication = |id| PublicationId::new(id).unwrap();
    let events = router.answer(
        {
            let events = meta.subscription_get_events(subscription(5));
            let events = events.reverse(true).limit(3).topic("com.example.a");
            let events = events.from_time("2026-01-01T00:00:00Z");
            let events = events.after_time("2026-01-02T00:00:00+02:00");
            let events = events.before_time(SystemTime::UNIX_EPOCH);
            let events = events.until_time("2026-01-04T00:00:00Z".to_owned());
            let events = events.from_publication(publication(1));
            let events = events.after_publication(publication(2));
            let events = events.before_publication(publication(3));
            events.until_publication(publication(4))
        },
        concat!(
            r#""wamp.subscription.get_events",[5],{"reverse":true,"limit":3,"#,
            r#""topic":"com.example.a","from_time":"2026-01-01T00:00:00Z","#,
            r#""after_time":"2026-01-02T00:00:00+02:00","before_time":"1970-01-01T00:00:00Z","#,
            r#""until_time":"2026-01-04T00:00:00Z","from_publication":1,"#,
            r#""after_publication":2,"before_publication":3,"until_publication":4}"#
        ),
        "[[]]",
    );
    assert_eq!(events.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn the_events_of_the_past_are_the_results_or_the_only_one() {
    let (mut router, handle) = Router::new();
    let meta = Meta::new(&handle);
    let first = concat!(
        r#"{"timestamp":"2026-11-27T06:00:00.5Z","subscription":5,"publication":8,"#,
        r#""details":{"topic":"com.example.a","publisher":3},"args":["x",1],"kwargs":{"a":2}}"#
    );
    let second = r#"{"publication":9,"topic":"com.example.b","args":null,"time_ns":1}"#;
    for (result, count) in [
        (format!("[{first},{second}]"), 2),
        (format!("[[{first},{second}]]"), 2),
        (format!("[{first}]"), 1),
        (format!("[[{first}]]"), 1),
        ("[[]]".to_owned(), 0),
        ("[null]".to_owned(), 0),
        ("[]".to_owned(), 0),
        (String::new(), 0),
    ] {
        let events = router.answer(
            meta.subscription_get_events(subscription(5)),
            r#""wamp.subscription.get_events",[5]"#,
            &result,
        );
        let events = events.unwrap();
        assert_eq!(events.len(), count, "{result}");
        if let Some(event) = events.first() {
            assert_eq!(event.publication().get(), 8);
            assert_eq!(event.subscription(), Some(subscription(5)));
            assert_eq!(event.timestamp(), Some("2026-11-27T06:00:00.5Z"));
            assert_eq!(event.topic(), Some("com.example.a"));
            assert_eq!(event.details().unwrap().len(), 2);
            let args: (String, u8) = event.args().unwrap();
            assert_eq!(args, ("x".to_owned(), 1));
            assert!(event.value::<u8>().is_err() && event.args::<(u8,)>().is_err());
            assert_eq!(event.kwargs::<Dict>().unwrap(), Dict::from([("a", 2)]));
        }
        if let Some(event) = events.get(1) {
            assert_eq!((event.timestamp(), event.details()), (None, None));
            assert_eq!(event.topic(), Some("com.example.b"));
            assert_eq!(event.args::<Vec<Value>>().unwrap(), []);
            assert_eq!(event.kwargs::<Dict>().unwrap(), Dict::new());
            assert_eq!(event.as_dict().get("time_ns"), Some(&Value::from(1)));
        }
    }
    let events = router.answer(
        meta.subscription_get_events(subscription(5)),
        r#""wamp.subscription.get_events",[5]"#,
        "[[7]]",
    );
    assert_eq!(
        wrong(events),
        "wamp.subscription.get_events: `event` must be a dictionary"
    );
}

#[test]
fn a_time_is_sent_as_rfc_3339_has_it() {
    let epoch = SystemTime::UNIX_EPOCH;
    let time = epoch + Duration::new(1_700_000_000, 5);
    assert_eq!(
        HistoryTime::from(time),
        HistoryTime::from("2023-11-14T22:13:20.000000005Z")
    );
    let before = HistoryTime::from(epoch - Duration::from_secs(1));
    assert_eq!(before, HistoryTime::from(epoch));
    let text = format!(
        "{:?}",
        HistoryTime::from(epoch + Duration::from_secs(1 << 40))
    );
    assert!(text.contains("9999-12-30T"), "{text}");
}
