use spell_message::{
    Dict, MatchPolicy, Value,
    options::{InvocationPolicy, PublishOptions, RegisterOptions, SubscribeOptions},
};

use super::{
    router::{Router, wrong},
    *,
};

#[tokio::test(start_paused = true)]
async fn sessions_are_counted_and_listed_all_or_those_of_some_roles() {
    let (mut router, handle) = Router::new();
    let meta = Meta::new(&handle);
    let count = router.answer(meta.session_count(), r#""wamp.session.count""#, "[3]");
    assert_eq!(count.unwrap(), 3);
    let count = router.answer(
        meta.session_count().authroles(["a"]).authroles(["a", "b"]),
        r#""wamp.session.count",[["a","b"]]"#,
        "[0]",
    );
    assert_eq!(count.unwrap(), 0);
    let list = router.answer(meta.session_list(), r#""wamp.session.list""#, "[[1,2]]");
    assert_eq!(list.unwrap(), [session(1), session(2)]);
    let list = router.answer(
        meta.session_list().authroles::<&str>([]),
        r#""wamp.session.list",[[]]"#,
        "[[]]",
    );
    assert_eq!(list.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn what_is_told_of_a_session_is_typed_and_what_else_is_told_is_kept() {
    let (mut router, handle) = Router::new();
    let meta = Meta::new(&handle);
    let details = router.answer(
        meta.session_get(session(7)),
        r#""wamp.session.get",[7]"#,
        concat!(
            r#"[{"session":7,"authid":"ada","authrole":"user","authmethod":"ticket","#,
            r#""authprovider":"static","transport":{"type":"tcp"},"x_more":1}]"#
        ),
    );
    let details = details.unwrap();
    assert_eq!(details.session(), session(7));
    assert_eq!(details.authid(), Some("ada"));
    assert_eq!(details.authrole(), Some("user"));
    assert_eq!(details.authmethod(), Some("ticket"));
    assert_eq!(details.authprovider(), Some("static"));
    assert_eq!(details.transport(), Some(&Dict::from([("type", "tcp")])));
    assert_eq!(details.as_dict().get("x_more"), Some(&Value::from(1)));
    let few = router.answer(
        meta.session_get(session(7)),
        r#""wamp.session.get",[7]"#,
        r#"[{"session":7,"authid":null}]"#,
    );
    let few = few.unwrap();
    assert_eq!((few.authid(), few.transport()), (None, None));
}

#[tokio::test(start_paused = true)]
async fn sessions_are_killed_with_a_reason_and_a_message() {
    let (mut router, handle) = Router::new();
    let meta = Meta::new(&handle);
    let killed = router.answer(
        meta.session_kill(session(7)),
        r#""wamp.session.kill",[7]"#,
        "",
    );
    killed.unwrap();
    let killed = router.answer(
        {
            let kill = meta.session_kill(session(7)).reason("com.example.bye");
            kill.message("enough").option("x_own", 1)
        },
        concat!(
            r#""wamp.session.kill",[7],"#,
            r#"{"reason":"com.example.bye","message":"enough","x_own":1}"#
        ),
        "[null]",
    );
    killed.unwrap();
}

#[tokio::test(start_paused = true)]
async fn who_was_killed_may_be_told_as_ids_or_as_a_count() {
    let (mut router, handle) = Router::new();
    let meta = Meta::new(&handle);
    for (result, sessions, count) in [
        ("[[3,4]]", Some([session(3), session(4)].as_slice()), 2),
        ("[2]", None, 2),
    ] {
        for killed in [
            router.answer(
                meta.session_kill_by_authid("ada"),
                r#""wamp.session.kill_by_authid",["ada"]"#,
                result,
            ),
            router.answer(
                meta.session_kill_by_authrole("user"),
                r#""wamp.session.kill_by_authrole",["user"]"#,
                result,
            ),
            router.answer(
                meta.session_kill_all().message("m"),
                r#""wamp.session.kill_all",[],{"message":"m"}"#,
                result,
            ),
        ] {
            let killed = killed.unwrap();
            assert_eq!((killed.sessions(), killed.count()), (sessions, count));
        }
    }
    let killed = router.answer(
        meta.session_kill_all(),
        r#""wamp.session.kill_all""#,
        r#"["all"]"#,
    );
    assert_eq!(
        wrong(killed),
        "wamp.session.kill_all: `count` must be an integer that is not negative"
    );
}

#[tokio::test(start_paused = true)]
async fn a_testament_has_its_arguments_in_the_second_and_third_place() {
    let (mut router, handle) = Router::new();
    let meta = Meta::new(&handle);
    let added = router.answer(
        meta.session_add_testament("com.example.bye"),
        r#""wamp.session.add_testament",["com.example.bye",[],{}]"#,
        "",
    );
    added.unwrap();
    let added = router.answer(
        {
            let mut options = PublishOptions::new();
            options.set_retain(true);
            let add = meta.session_add_testament("com.example.bye");
            let add = add.args(("x", 1)).arg(2).kwargs(Dict::from([("a", 1)]));
            let add = add.kwarg("b", 2).scope(TestamentScope::Detached);
            add.publish_options(options)
        },
        concat!(
            r#""wamp.session.add_testament",["com.example.bye",["x",1,2],{"a":1,"b":2}],"#,
            r#"{"scope":"detached","publish_options":{"retain":true}}"#
        ),
        "[77]",
    );
    added.unwrap();
    let flushed = router.answer(
        meta.session_flush_testaments(),
        r#""wamp.session.flush_testaments""#,
        "",
    );
    assert_eq!(flushed.unwrap(), None);
    let flushed = router.answer(
        {
            let flush = meta.session_flush_testaments();
            flush.scope(TestamentScope::Destroyed)
        },
        r#""wamp.session.flush_testaments",[],{"scope":"destroyed"}"#,
        "[2]",
    );
    assert_eq!(flushed.unwrap(), Some(2));
}

#[tokio::test(start_paused = true)]
async fn registrations_are_listed_looked_up_and_matched() {
    let (mut router, handle) = Router::new();
    let meta = Meta::new(&handle);
    let list = router.answer(
        meta.registration_list(),
        r#""wamp.registration.list""#,
        r#"[{"exact":[1,2],"prefix":[3],"x_own":[9]}]"#,
    );
    let list = list.unwrap();
    let numbers = |ids: &[RegistrationId]| ids.iter().map(|id| id.get()).collect::<Vec<_>>();
    assert_eq!(numbers(&list.exact), [1, 2]);
    assert_eq!(numbers(&list.prefix), [3]);
    assert_eq!(list.wildcard, []);
    assert_eq!(list.iter().count(), 3);

    let lookup = router.answer(
        meta.registration_lookup("com.example.a"),
        r#""wamp.registration.lookup",["com.example.a"]"#,
        "[5]",
    );
    assert_eq!(lookup.unwrap(), Some(registration(5)));
    let lookup = router.answer(
        {
            let mut options = RegisterOptions::new();
            options.set_invoke(InvocationPolicy::RoundRobin);
            let lookup = meta.registration_lookup("com..a").options(options);
            lookup.match_policy(MatchPolicy::Wildcard)
        },
        r#""wamp.registration.lookup",["com..a",{"invoke":"roundrobin","match":"wildcard"}]"#,
        "[null]",
    );
    assert_eq!(lookup.unwrap(), None);
    for (result, id) in [("[5]", Some(registration(5))), ("[null]", None), ("", None)] {
        let matching = router.answer(
            meta.registration_match("com.example.a"),
            r#""wamp.registration.match",["com.example.a"]"#,
            result,
        );
        assert_eq!(matching.unwrap(), id);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_told_of_a_registration_is_typed() {
    let (mut router, handle) = Router::new();
    let meta = Meta::new(&handle);
    let sent = r#""wamp.registration.get",[5]"#;
    let details = router.answer(
        meta.registration_get(registration(5)),
        sent,
        concat!(
            r#"[{"id":5,"created":"2026-11-27T06:00:00Z","uri":"com..a","match":"wildcard","#,
            r#""invoke":"roundrobin","x_more":1}]"#
        ),
    );
    let details = details.unwrap();
    assert_eq!((details.id(), details.uri()), (registration(5), "com..a"));
    assert_eq!(details.created(), Some("2026-11-27T06:00:00Z"));
    assert_eq!(details.match_policy(), Some(MatchPolicy::Wildcard));
    assert_eq!(details.invoke(), Some(InvocationPolicy::RoundRobin));
    assert_eq!(details.as_dict().len(), 6);
    // A policy that only this router knows costs nothing.
    let odd = r#"[{"id":5,"uri":"com.a","match":"odd","invoke":"all"}]"#;
    let odd = router
        .answer(meta.registration_get(registration(5)), sent, odd)
        .unwrap();
    assert_eq!((odd.match_policy(), odd.invoke()), (None, None));
    let few = router.answer(
        meta.registration_get(registration(5)),
        sent,
        r#"[{"id":5,"uri":"a"}]"#,
    );
    let few = few.unwrap();
    assert_eq!(few.match_policy(), Some(MatchPolicy::Exact));
    assert_eq!(few.invoke(), Some(InvocationPolicy::Single));

    let callees = router.answer(
        meta.registration_list_callees(registration(5)),
        r#""wamp.registration.list_callees",[5]"#,
        "[[1,2]]",
    );
    assert_eq!(callees.unwrap(), [session(1), session(2)]);
    let count = router.answer(
        meta.registration_count_callees(registration(5)),
        r#""wamp.registration.count_callees",[5]"#,
        "[2]",
    );
    assert_eq!(count.unwrap(), 2);
}

#[tokio::test(start_paused = true)]
async fn subscriptions_are_listed_looked_up_and_matched() {
    let (mut router, handle) = Router::new();
    let meta = Meta::new(&handle);
    let list = router.answer(
        meta.subscription_list(),
        r#""wamp.subscription.list""#,
        r#"[{"exact":[],"prefix":null,"wildcard":[4]}]"#,
    );
    assert_eq!(list.unwrap().wildcard, [subscription(4)]);
    let lookup = router.answer(
        {
            let mut options = SubscribeOptions::new();
            options.set_nkey("n");
            let lookup = meta.subscription_lookup("com.");
            let lookup = lookup.match_policy(MatchPolicy::Exact);
            lookup.options(options).match_policy(MatchPolicy::Prefix)
        },
        r#""wamp.subscription.lookup",["com.",{"nkey":"n","match":"prefix"}]"#,
        "[5]",
    );
    assert_eq!(lookup.unwrap(), Some(subscription(5)));
    let both = [subscription(5), subscription(6)];
    for (result, ids) in [("[[5,6]]", both.as_slice()), ("[null]", &[]), ("[[]]", &[])] {
        let matching = router.answer(
            meta.subscription_match("com.example.a"),
            r#""wamp.subscription.match",["com.example.a"]"#,
            result,
        );
        assert_eq!(matching.unwrap(), ids);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_told_of_a_subscription_is_typed() {
    let (mut router, handle) = Router::new();
    let meta = Meta::new(&handle);
    let details = router.answer(
        meta.subscription_get(subscription(5)),
        r#""wamp.subscription.get",[5]"#,
        r#"[{"id":5,"created":"2026-11-27T06:00:00Z","uri":"com.","match":"prefix"}]"#,
    );
    let details = details.unwrap();
    assert_eq!((details.id(), details.uri()), (subscription(5), "com."));
    assert_eq!(details.created(), Some("2026-11-27T06:00:00Z"));
    assert_eq!(details.match_policy(), Some(MatchPolicy::Prefix));
    assert_eq!(details.as_dict().len(), 4);
    let subscribers = router.answer(
        meta.subscription_list_subscribers(subscription(5)),
        r#""wamp.subscription.list_subscribers",[5]"#,
        "[[1]]",
    );
    assert_eq!(subscribers.unwrap(), [session(1)]);
    let count = router.answer(
        meta.subscription_count_subscribers(subscription(5)),
        r#""wamp.subscription.count_subscribers",[5]"#,
        "[1]",
    );
    assert_eq!(count.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn registrations_and_subscriptions_are_taken_from_sessions() {
    let (mut router, handle) = Router::new();
    let meta = Meta::new(&handle);
    let removed = router.answer(
        meta.registration_remove_callee(registration(5), session(7)),
        r#""wamp.registration.remove_callee",[5,7]"#,
        "",
    );
    removed.unwrap();
    let remove = meta.subscription_remove_subscriber(subscription(5), session(7));
    let removed = router.answer(
        remove.reason("no more"),
        r#""wamp.subscription.remove_subscriber",[5,7],{"reason":"no more"}"#,
        "[null]",
    );
    removed.unwrap();
}
