//! Arguments that the procedures of the router do not take.

use super::*;

/// Each call of a procedure below `wamp.` is refused with its sentence.
fn refuses(cases: &[(&str, &str, &str)]) {
    for (procedure, arguments, why) in cases {
        let mut realm = administered();
        let error = format!(r#"1 ← [8,48,1,{{"message":"{why}"}},"wamp.error.invalid_argument"]"#);
        let answer = ask(&mut realm, 1, &format!(r#""wamp.{procedure}",{arguments}"#));
        assert_eq!(answer, [error], "{procedure} {arguments}");
    }
}

#[test]
fn roles_are_strings() {
    let why = "`filter_authroles` must be a list of strings";
    refuses(&[
        ("session.count", r#"["user"]"#, why),
        ("session.list", "[[1]]", why),
        ("session.list", "[{}]", why),
    ]);
}

#[test]
fn ids_are_integers_in_their_range() {
    let session = "`session` must be an id from 1 to 2^53";
    let registration = "`registration` must be an id from 1 to 2^53";
    let subscription = "`subscription` must be an id from 1 to 2^53";
    refuses(&[
        ("session.get", "[]", session),
        ("session.get", "[null]", session),
        ("session.get", "[0]", session),
        ("session.get", r#"["1"]"#, session),
        ("session.get", "[9007199254740993]", session),
        ("session.kill", "[-1]", session),
        ("registration.get", "[1.5]", registration),
        ("registration.list_callees", "[]", registration),
        ("registration.count_callees", "[{}]", registration),
        ("registration.remove_callee", "[[],1]", registration),
        (
            "registration.remove_callee",
            "[1]",
            "`callee` must be an id from 1 to 2^53",
        ),
        ("subscription.get", "[0]", subscription),
        ("subscription.list_subscribers", "[false]", subscription),
        ("subscription.count_subscribers", "[]", subscription),
        ("subscription.get_events", r#"["com.t"]"#, subscription),
        (
            "subscription.remove_subscriber",
            r#"[1,"2"]"#,
            "`subscriber` must be an id from 1 to 2^53",
        ),
    ]);
}

#[test]
fn texts_are_strings() {
    refuses(&[
        ("session.kill_by_authid", "[2]", "`authid` must be a string"),
        (
            "session.kill_by_authrole",
            "[]",
            "`authrole` must be a string",
        ),
        (
            "session.kill",
            r#"[2],{"message":1}"#,
            "`message` must be a string",
        ),
        (
            "registration.remove_callee",
            r#"[1,2],{"reason":1}"#,
            "`reason` must be a string",
        ),
        ("registration.lookup", "[1]", "`procedure` must be a string"),
        ("registration.match", "[]", "`procedure` must be a string"),
        ("subscription.match", "[null]", "`topic` must be a string"),
    ]);
}

#[test]
fn options_are_those_of_the_message() {
    let named = r#"must be \"exact\", \"prefix\" or \"wildcard\", not"#;
    refuses(&[
        (
            "registration.lookup",
            r#"["com.p",[]]"#,
            "`options` must be a dictionary",
        ),
        (
            "registration.lookup",
            r#"["com.p",{"match":"fuzzy"}]"#,
            &format!("REGISTER.Options: `match` {named} another string"),
        ),
        (
            "subscription.lookup",
            r#"["com.t",{"match":1}]"#,
            &format!("SUBSCRIBE.Options: `match` {named} an integer"),
        ),
    ]);
}

#[test]
fn a_testament_has_a_topic_a_list_and_a_dictionary() {
    let scope = r#"`scope` must be \"detached\" or \"destroyed\""#;
    for (arguments, why) in [
        ("[1,[],{}]", "`topic` must be a string"),
        (r#"["com.t",{},{}]"#, "`args` must be a list"),
        (r#"["com.t"]"#, "`args` must be a list"),
        (
            r#"["com.t",[]],{"kwargs":{}}"#,
            "`kwargs` must be a dictionary",
        ),
        (r#"["com.t",[],{}],{"scope":"always"}"#, scope),
        (
            r#"["com.t",[],{}],{"publish_options":[]}"#,
            "`publish_options` must be a dictionary",
        ),
        (
            r#"["com.t",[],{}],{"publish_options":{"retain":1}}"#,
            "PUBLISH.Options: `retain` must be a boolean, not an integer",
        ),
    ] {
        refuses(&[("session.add_testament", arguments, why)]);
    }
    refuses(&[
        (
            "session.flush_testaments",
            r#"[],{"scope":1}"#,
            "`scope` must be a string",
        ),
        (
            "session.flush_testaments",
            r#"[],{"scope":"always"}"#,
            scope,
        ),
    ]);
}

#[test]
fn what_events_are_asked_for_is_understood_or_refused() {
    for (kwargs, why) in [
        (r#"{"reverse":1}"#, "`reverse` must be a boolean"),
        (r#"{"limit":0}"#, "`limit` must be a positive integer"),
        (r#"{"limit":-1}"#, "`limit` must be a positive integer"),
        (
            r#"{"until_time":"yesterday"}"#,
            "`until_time` must be a time as RFC 3339 has it",
        ),
        (r#"{"from_time":0}"#, "`from_time` must be a string"),
        (
            r#"{"from_publication":0}"#,
            "`from_publication` must be an id from 1 to 2^53",
        ),
        (r#"{"topic":1}"#, "`topic` must be a string"),
    ] {
        refuses(&[("subscription.get_events", &format!("[1],{kwargs}"), why)]);
    }
}

#[test]
fn there_are_not_more_than_the_procedure_takes() {
    let why = "there are too many arguments";
    refuses(&[
        ("session.list", "[[],1]", why),
        ("session.kill_all", "[1]", why),
        ("registration.list", "[null,1]", why),
        ("subscription.match", r#"["com.t",{}]"#, why),
    ]);
}

#[test]
fn names_that_are_no_uris_are_refused_as_such() {
    for (call, name) in [
        (r#""wamp.registration.match",["com..p"]"#, "procedure"),
        (r#""wamp.registration.lookup",["com..p"]"#, "procedure"),
        (
            r#""wamp.registration.lookup",["com..p",{"match":"prefix"}]"#,
            "procedure",
        ),
        (r#""wamp.subscription.match",[""]"#, "topic"),
        (
            r#""wamp.subscription.lookup",["a b",{"match":"wildcard"}]"#,
            "topic",
        ),
        (
            r#""wamp.subscription.get_events",[1],{"topic":"com."}"#,
            "topic",
        ),
    ] {
        let mut realm = Realm::new();
        let error = format!(
            r#"1 ← [8,48,1,{{"message":"`{name}` is not a valid URI"}},"wamp.error.invalid_uri"]"#
        );
        assert_eq!(ask(&mut realm, 1, call), [error], "{call}");
    }
}

#[test]
fn keyword_arguments_that_are_not_known_are_ignored() {
    let mut realm = Realm::new();
    let answer = ask(&mut realm, 1, r#""wamp.session.count",[],{"x_own":1}"#);
    assert_eq!(answer, ["1 ← [50,1,{},[3]]"]);
}
