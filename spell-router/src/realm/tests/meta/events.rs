//! WAMP spec, "Event History".

use super::*;
use crate::quotas::Room;

const EVENTS: &str = r#""wamp.subscription.get_events",[1]"#;

/// A realm that keeps what is published below `com.log`, where Bob published this, with the ids
/// 1001 and so on; the history is that of subscription 1.
fn published(messages: &[&str]) -> Realm {
    let mut realm = Realm::new();
    stop_clock(&mut realm);
    let log = Pattern::prefix("com.log").unwrap();
    let room = Room {
        events: 100,
        bytes: 1 << 20,
    };
    let now = (realm.state.environment.clock)();
    realm.state.broker.keep_history(&log, room, now);
    for (index, message) in messages.iter().enumerate() {
        realm.send(BOB, &format!("[16,{},{message}]", index + 1));
    }
    realm
}

/// The publications in an answer, in their order.
fn publications(answer: &[String]) -> Vec<u64> {
    let answer = answer[0].strip_prefix("1 ← ").unwrap();
    let answer: serde_json::Value = serde_json::from_str(answer).unwrap();
    assert_eq!(answer[0], 50, "{answer}");
    let events = answer[3].as_array().map_or(&[][..], Vec::as_slice);
    let publications = events.iter().map(|event| event["publication"].as_u64());
    publications.map(Option::unwrap).collect()
}

#[test]
fn each_event_is_an_argument_of_the_result_with_its_time_and_all_it_had() {
    let mut realm = published(&[
        r#"{"disclose_me":true},"com.log.a",[1,"x"],{"k":[2]}"#,
        r#"{},"com.log.b""#,
    ]);
    let when = r#""timestamp":"1970-01-01T00:00:00.000Z","subscription":1"#;
    let details = r#"{"publisher":2,"publisher_authid":"bob","publisher_authrole":"user","topic":"com.log.a"}"#;
    let first = format!(
        r#"{{{when},"publication":1001,"details":{details},"args":[1,"x"],"kwargs":{{"k":[2]}}}}"#
    );
    let second = format!(r#"{{{when},"publication":1002,"details":{{"topic":"com.log.b"}}}}"#);
    assert_eq!(
        ask(&mut realm, 1, EVENTS),
        [format!("1 ← [50,1,{{}},[{first},{second}]]")]
    );
}

#[test]
fn without_events_there_is_no_argument() {
    let mut realm = published(&[]);
    assert_eq!(ask(&mut realm, 1, EVENTS), ["1 ← [50,1,{}]"]);
}

#[test]
fn the_keyword_arguments_restrict_which_events_there_are() {
    for (kwargs, expected) in [
        ("", &[1001, 1002, 1003, 1004][..]),
        (r#""reverse":false"#, &[1001, 1002, 1003, 1004]),
        (r#""reverse":true"#, &[1004, 1003, 1002, 1001]),
        (r#""limit":2"#, &[1001, 1002]),
        (r#""limit":2,"reverse":true"#, &[1004, 1003]),
        (r#""topic":"com.log.b""#, &[1002, 1004]),
        (r#""from_publication":1003"#, &[1003, 1004]),
        (r#""after_publication":1003"#, &[1004]),
        (r#""before_publication":1003"#, &[1001, 1002]),
        (
            r#""until_publication":1003,"limit":null"#,
            &[1001, 1002, 1003],
        ),
        (
            r#""after_publication":1001,"until_publication":1003"#,
            &[1002, 1003],
        ),
        (
            r#""from_time":"1970-01-01T00:00:00Z""#,
            &[1001, 1002, 1003, 1004],
        ),
        (r#""after_time":"1970-01-01T00:00:00Z""#, &[]),
        (r#""before_time":"1970-01-01T00:00:00Z""#, &[]),
        (
            r#""until_time":"1970-01-01T01:00:00+01:00""#,
            &[1001, 1002, 1003, 1004],
        ),
    ] {
        let mut realm = published(&[
            r#"{},"com.log.a""#,
            r#"{},"com.log.b""#,
            r#"{},"com.log.a""#,
            r#"{},"com.log.b""#,
        ]);
        let answer = ask(&mut realm, 1, &format!("{EVENTS},{{{kwargs}}}"));
        assert_eq!(publications(&answer), expected, "{kwargs}");
    }
}

#[test]
fn everyone_sees_what_was_for_its_role() {
    let mut realm = published(&[
        r#"{"eligible_authrole":["user"]},"com.log""#,
        r#"{"exclude_authid":["alice"]},"com.log""#,
        r#"{"eligible_authrole":["admin"]},"com.log""#,
    ]);
    assert_eq!(publications(&ask(&mut realm, 1, EVENTS)), [1003]);
}

#[test]
fn a_subscription_that_is_not_there_or_has_no_history_is_refused() {
    let mut realm = published(&[]);
    realm.send(BOB, r#"[32,1,{},"com.t"]"#);
    let error = r#""wamp.error.no_such_subscription"]"#;
    let answer = ask(&mut realm, 1, r#""wamp.subscription.get_events",[77]"#);
    assert_eq!(answer, [format!("1 ← [8,48,1,{{}},{error}")]);
    let answer = ask(&mut realm, 2, r#""wamp.subscription.get_events",[2]"#);
    let why = "no history is kept of this subscription";
    assert_eq!(
        answer,
        [format!(r#"1 ← [8,48,2,{{"message":"{why}"}},{error}"#)]
    );
}

#[test]
fn what_the_router_tells_is_kept_although_nobody_subscribed_to_it() {
    let mut realm = published(&[]);
    let news = Pattern::exact("wamp.session.on_leave").unwrap();
    let room = Room {
        events: 10,
        bytes: 10_000,
    };
    let now = (realm.state.environment.clock)();
    realm.state.broker.keep_history(&news, room, now);
    assert!(realm.leave(BOB).is_empty());
    let answer = ask(&mut realm, 1, r#""wamp.subscription.get_events",[2]"#);
    assert!(
        answer[0].contains(r#""args":[2,"bob","user"]"#),
        "{answer:?}"
    );
}

#[test]
fn a_session_that_is_killed_while_events_are_written_for_it_gets_none() {
    let mut realm = published(&[r#"{},"com.log""#]);
    let frame = Bytes::from(format!("[48,1,{{}},{EVENTS}]"));
    let call = Json::new().decode(&frame).unwrap();
    let mut out = Outputs::default();
    let mut handled = realm.state.handle(id(ALICE), call, &mut out);
    for _ in 0..2 {
        let Handled::After(work) = handled else {
            panic!("the events are written under the lock");
        };
        if matches!(*work, Work::Events(_)) {
            let victim = Victims::Session(id(ALICE));
            realm.step(|state, out| state.kill(&victim, None, &Farewell::new(), out));
        }
        handled = realm.state.resume(id(ALICE), work.finish(), &mut out);
    }
    assert!(matches!(handled, Handled::Now(Flow::Open)));
    assert!(lines(out).is_empty());
}
