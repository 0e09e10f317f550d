//! Arguments that the procedures of the router do not take.

use super::*;

#[test]
fn wrong_arguments_are_refused_with_a_sentence() {
    for (call, why) in [
        (
            r#""wamp.session.count",["user"]"#,
            "`filter_authroles` must be a list of strings",
        ),
        (
            r#""wamp.session.list",[[1]]"#,
            "`filter_authroles` must be a list of strings",
        ),
        (
            r#""wamp.session.list",[[],1]"#,
            "there are too many arguments",
        ),
        (
            r#""wamp.session.get""#,
            "`session` must be an id from 1 to 2^53",
        ),
        (
            r#""wamp.session.get",[null]"#,
            "`session` must be an id from 1 to 2^53",
        ),
        (
            r#""wamp.session.get",[0]"#,
            "`session` must be an id from 1 to 2^53",
        ),
        (
            r#""wamp.session.get",["1"]"#,
            "`session` must be an id from 1 to 2^53",
        ),
        (
            r#""wamp.session.get",[9007199254740993]"#,
            "`session` must be an id from 1 to 2^53",
        ),
        (
            r#""wamp.session.kill",[-1]"#,
            "`session` must be an id from 1 to 2^53",
        ),
        (
            r#""wamp.session.kill",[2],{"message":1}"#,
            "`message` must be a string",
        ),
        (
            r#""wamp.session.kill_by_authid",[2]"#,
            "`authid` must be a string",
        ),
        (
            r#""wamp.session.kill_by_authrole""#,
            "`authrole` must be a string",
        ),
        (
            r#""wamp.session.add_testament",[1,[],{}]"#,
            "`topic` must be a string",
        ),
        (
            r#""wamp.session.add_testament",["com.t",{},{}]"#,
            "`args` must be a list",
        ),
        (
            r#""wamp.session.add_testament",["com.t",[]],{"kwargs":{}}"#,
            "`kwargs` must be a dictionary",
        ),
        (
            r#""wamp.session.add_testament",["com.t",[],{}],{"scope":"always"}"#,
            r#"`scope` must be \"detached\" or \"destroyed\""#,
        ),
        (
            r#""wamp.session.add_testament",["com.t",[],{}],{"publish_options":[]}"#,
            "`publish_options` must be a dictionary",
        ),
        (
            r#""wamp.session.add_testament",["com.t",[],{}],{"publish_options":{"retain":1}}"#,
            "PUBLISH.Options: `retain` must be a boolean, not an integer",
        ),
        (
            r#""wamp.session.flush_testaments",[],{"scope":1}"#,
            "`scope` must be a string",
        ),
        (
            r#""wamp.registration.get",["com.p"]"#,
            "`registration` must be an id from 1 to 2^53",
        ),
        (
            r#""wamp.registration.list_callees""#,
            "`registration` must be an id from 1 to 2^53",
        ),
        (
            r#""wamp.registration.count_callees",[{}]"#,
            "`registration` must be an id from 1 to 2^53",
        ),
        (
            r#""wamp.registration.lookup",[1]"#,
            "`procedure` must be a string",
        ),
        (
            r#""wamp.registration.lookup",["com.p",[]]"#,
            "`options` must be a dictionary",
        ),
        (
            r#""wamp.registration.lookup",["com.p",{"match":"fuzzy"}]"#,
            r#"REGISTER.Options: `match` must be \"exact\", \"prefix\" or \"wildcard\", not another string"#,
        ),
        (
            r#""wamp.registration.match""#,
            "`procedure` must be a string",
        ),
        (
            r#""wamp.registration.remove_callee",[1]"#,
            "`callee` must be an id from 1 to 2^53",
        ),
        (
            r#""wamp.registration.list",[1]"#,
            "there are too many arguments",
        ),
        (
            r#""wamp.subscription.get",[0]"#,
            "`subscription` must be an id from 1 to 2^53",
        ),
        (
            r#""wamp.subscription.list_subscribers",[false]"#,
            "`subscription` must be an id from 1 to 2^53",
        ),
        (
            r#""wamp.subscription.count_subscribers""#,
            "`subscription` must be an id from 1 to 2^53",
        ),
        (
            r#""wamp.subscription.lookup",["com.t",{"match":1}]"#,
            r#"SUBSCRIBE.Options: `match` must be \"exact\", \"prefix\" or \"wildcard\", not an integer"#,
        ),
        (
            r#""wamp.subscription.match",[null]"#,
            "`topic` must be a string",
        ),
        (
            r#""wamp.subscription.remove_subscriber",[1,2],{"reason":1}"#,
            "`reason` must be a string",
        ),
    ] {
        let mut realm = administered();
        let error = format!(r#"1 ← [8,48,1,{{"message":"{why}"}},"wamp.error.invalid_argument"]"#);
        assert_eq!(ask(&mut realm, 1, call), [error], "{call}");
    }
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
