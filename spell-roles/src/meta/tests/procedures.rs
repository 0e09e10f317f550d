use std::error::Error as _;

use spell_message::{
    Dict, MatchPolicy, PublicationId, RoleName, Value,
    options::{InvocationPolicy, PublishOptions, RegisterOptions, SubscribeOptions},
};
use spell_peer::Delivery;

use super::*;
use crate::{CallError, Caller};

/// A router that answers one call after another.
struct Router(Harness<Caller>, u64);

impl Router {
    fn new() -> Self {
        Self(Harness::joined(Caller::new(), ALL), 0)
    }

    /// Make the call, which must be sent as `expected`, all after the request, and answer it with
    /// `result`, all after the details.
    #[track_caller]
    fn answer<T, O>(
        &mut self,
        call: impl FnOnce(Meta<'_>) -> MetaCall<'_, T, O>,
        expected: &str,
        result: &str,
    ) -> Result<T, MetaError> {
        let Self(peer, request) = self;
        let handle = peer.handle.clone();
        let mut call = call(Meta::new(&handle)).into_future();
        pending(&mut call);
        *request += 1;
        assert_eq!(peer.sent(), [format!("[48,{request},{{}},{expected}]")]);
        let result = match result {
            "" => String::new(),
            result => format!(",{result}"),
        };
        peer.receive(&format!("[50,{request},{{}}{result}]"));
        ready(&mut call)
    }
}

/// What is wrong with a result.
#[track_caller]
fn wrong<T: std::fmt::Debug>(result: Result<T, MetaError>) -> String {
    let Err(MetaError::Result(error)) = result else {
        panic!("{result:?}");
    };
    error.to_string()
}

#[tokio::test(start_paused = true)]
async fn sessions_are_counted_and_listed_all_or_those_of_some_roles() {
    let mut router = Router::new();
    let count = router.answer(
        |meta| meta.session_count(),
        r#""wamp.session.count""#,
        "[3]",
    );
    assert_eq!(count.unwrap(), 3);
    let count = router.answer(
        |meta| meta.session_count().authroles(["a"]).authroles(["a", "b"]),
        r#""wamp.session.count",[["a","b"]]"#,
        "[0]",
    );
    assert_eq!(count.unwrap(), 0);
    let list = router.answer(
        |meta| meta.session_list(),
        r#""wamp.session.list""#,
        "[[1,2]]",
    );
    assert_eq!(list.unwrap(), [session(1), session(2)]);
    let list = router.answer(
        |meta| meta.session_list().authroles::<&str>([]),
        r#""wamp.session.list",[[]]"#,
        "[[]]",
    );
    assert_eq!(list.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn what_is_told_of_a_session_is_typed_and_what_else_is_told_is_kept() {
    let mut router = Router::new();
    let details = router.answer(
        |meta| meta.session_get(session(7)),
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
        |meta| meta.session_get(session(7)),
        r#""wamp.session.get",[7]"#,
        r#"[{"session":7,"authid":null}]"#,
    );
    let few = few.unwrap();
    assert_eq!((few.authid(), few.transport()), (None, None));
}

#[tokio::test(start_paused = true)]
async fn sessions_are_killed_with_a_reason_and_a_message() {
    let mut router = Router::new();
    let killed = router.answer(
        |meta| meta.session_kill(session(7)),
        r#""wamp.session.kill",[7]"#,
        "",
    );
    killed.unwrap();
    let killed = router.answer(
        |meta| {
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
    let mut router = Router::new();
    for (result, sessions, count) in [
        ("[[3,4]]", Some([session(3), session(4)].as_slice()), 2),
        ("[2]", None, 2),
    ] {
        for killed in [
            router.answer(
                |meta| meta.session_kill_by_authid("ada"),
                r#""wamp.session.kill_by_authid",["ada"]"#,
                result,
            ),
            router.answer(
                |meta| meta.session_kill_by_authrole("user"),
                r#""wamp.session.kill_by_authrole",["user"]"#,
                result,
            ),
            router.answer(
                |meta| meta.session_kill_all().message("m"),
                r#""wamp.session.kill_all",[],{"message":"m"}"#,
                result,
            ),
        ] {
            let killed = killed.unwrap();
            assert_eq!((killed.sessions(), killed.count()), (sessions, count));
        }
    }
    let killed = router.answer(
        |meta| meta.session_kill_all(),
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
    let mut router = Router::new();
    let added = router.answer(
        |meta| meta.session_add_testament("com.example.bye"),
        r#""wamp.session.add_testament",["com.example.bye",[],{}]"#,
        "",
    );
    added.unwrap();
    let added = router.answer(
        |meta| {
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
        |meta| meta.session_flush_testaments(),
        r#""wamp.session.flush_testaments""#,
        "",
    );
    assert_eq!(flushed.unwrap(), None);
    let flushed = router.answer(
        |meta| {
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
    let mut router = Router::new();
    let list = router.answer(
        |meta| meta.registration_list(),
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
        |meta| meta.registration_lookup("com.example.a"),
        r#""wamp.registration.lookup",["com.example.a"]"#,
        "[5]",
    );
    assert_eq!(lookup.unwrap(), Some(registration(5)));
    let lookup = router.answer(
        |meta| {
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
            |meta| meta.registration_match("com.example.a"),
            r#""wamp.registration.match",["com.example.a"]"#,
            result,
        );
        assert_eq!(matching.unwrap(), id);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_told_of_a_registration_is_typed() {
    let mut router = Router::new();
    let sent = r#""wamp.registration.get",[5]"#;
    let details = router.answer(
        |meta| meta.registration_get(registration(5)),
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
        .answer(|meta| meta.registration_get(registration(5)), sent, odd)
        .unwrap();
    assert_eq!((odd.match_policy(), odd.invoke()), (None, None));
    let few = router.answer(
        |meta| meta.registration_get(registration(5)),
        sent,
        r#"[{"id":5,"uri":"a"}]"#,
    );
    let few = few.unwrap();
    assert_eq!(few.match_policy(), Some(MatchPolicy::Exact));
    assert_eq!(few.invoke(), Some(InvocationPolicy::Single));

    let callees = router.answer(
        |meta| meta.registration_list_callees(registration(5)),
        r#""wamp.registration.list_callees",[5]"#,
        "[[1,2]]",
    );
    assert_eq!(callees.unwrap(), [session(1), session(2)]);
    let count = router.answer(
        |meta| meta.registration_count_callees(registration(5)),
        r#""wamp.registration.count_callees",[5]"#,
        "[2]",
    );
    assert_eq!(count.unwrap(), 2);
}

#[tokio::test(start_paused = true)]
async fn subscriptions_are_listed_looked_up_and_matched() {
    let mut router = Router::new();
    let list = router.answer(
        |meta| meta.subscription_list(),
        r#""wamp.subscription.list""#,
        r#"[{"exact":[],"prefix":null,"wildcard":[4]}]"#,
    );
    assert_eq!(list.unwrap().wildcard, [subscription(4)]);
    let lookup = router.answer(
        |meta| {
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
            |meta| meta.subscription_match("com.example.a"),
            r#""wamp.subscription.match",["com.example.a"]"#,
            result,
        );
        assert_eq!(matching.unwrap(), ids);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_told_of_a_subscription_is_typed() {
    let mut router = Router::new();
    let details = router.answer(
        |meta| meta.subscription_get(subscription(5)),
        r#""wamp.subscription.get",[5]"#,
        r#"[{"id":5,"created":"2026-11-27T06:00:00Z","uri":"com.","match":"prefix"}]"#,
    );
    let details = details.unwrap();
    assert_eq!((details.id(), details.uri()), (subscription(5), "com."));
    assert_eq!(details.created(), Some("2026-11-27T06:00:00Z"));
    assert_eq!(details.match_policy(), Some(MatchPolicy::Prefix));
    assert_eq!(details.as_dict().len(), 4);
    let subscribers = router.answer(
        |meta| meta.subscription_list_subscribers(subscription(5)),
        r#""wamp.subscription.list_subscribers",[5]"#,
        "[[1]]",
    );
    assert_eq!(subscribers.unwrap(), [session(1)]);
    let count = router.answer(
        |meta| meta.subscription_count_subscribers(subscription(5)),
        r#""wamp.subscription.count_subscribers",[5]"#,
        "[1]",
    );
    assert_eq!(count.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn events_of_the_past_are_limited_by_all_that_is_asked() {
    let mut router = Router::new();
    let publication = |id| PublicationId::new(id).unwrap();
    let events = router.answer(
        |meta| {
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
    let mut router = Router::new();
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
            |meta| meta.subscription_get_events(subscription(5)),
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
        |meta| meta.subscription_get_events(subscription(5)),
        r#""wamp.subscription.get_events",[5]"#,
        "[[7]]",
    );
    assert_eq!(
        wrong(events),
        "wamp.subscription.get_events: `event` must be a dictionary"
    );
}

#[tokio::test(start_paused = true)]
async fn a_result_that_nobody_knows_is_told_and_costs_no_session() {
    let mut router = Router::new();
    let count = router.answer(|meta| meta.session_count(), r#""wamp.session.count""#, "");
    assert_eq!(wrong(count), "wamp.session.count: `count` is missing");
    let list = router.answer(
        |meta| meta.session_list(),
        r#""wamp.session.list""#,
        "[[0]]",
    );
    assert_eq!(
        wrong(list),
        "wamp.session.list: `session_ids` must be a list of ids from 1 to 2^53"
    );
    let sent = r#""wamp.session.get",[7]"#;
    let details = router.answer(|meta| meta.session_get(session(7)), sent, "[{}]");
    assert_eq!(wrong(details), "wamp.session.get: `session` is missing");
    let details = router.answer(
        |meta| meta.session_get(session(7)),
        sent,
        r#"[{"session":"secret"}]"#,
    );
    let error = details.unwrap_err();
    assert!(error.delivery().is_none() && error.uri().is_none());
    let shown = format!("{error} {error:?} {}", error.source().unwrap());
    assert!(!shown.contains("secret"), "{shown}");
    let MetaError::Result(error) = error else {
        panic!("{error:?}");
    };
    assert_eq!(
        (error.uri(), error.field()),
        ("wamp.session.get", Some("session"))
    );
    let count = router.answer(
        |meta| meta.session_count(),
        r#""wamp.session.count""#,
        "[1]",
    );
    assert_eq!(count.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_tells_why() {
    let Router(mut peer, _) = Router::new();
    let handle = peer.handle.clone();
    let mut get = Meta::new(&handle).session_get(session(7)).into_future();
    pending(&mut get);
    peer.sent();
    peer.receive(r#"[8,48,1,{},"wamp.error.no_such_session"]"#);
    let error = ready(&mut get).unwrap_err();
    assert_eq!(error.uri().unwrap().as_str(), "wamp.error.no_such_session");
    assert!(
        error
            .source()
            .unwrap()
            .downcast_ref::<CallError>()
            .is_some()
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_a_call_is_told_before_anything_is_sent() {
    let Router(mut peer, _) = Router::new();
    let handle = peer.handle.clone();
    let meta = Meta::new(&handle);
    let mut odd = meta.session_kill(session(7)).reason("a b").into_future();
    assert!(matches!(ready(&mut odd), Err(MetaError::Uri(_))));
    let mut odd = meta.registration_match("a..b").into_future();
    assert!(matches!(ready(&mut odd), Err(MetaError::Uri(_))));
    // The first error is the one that is told.
    let odd = meta.session_add_testament("a..b").arg(u128::MAX);
    let odd = ready(&mut odd.into_future()).unwrap_err();
    assert!(matches!(odd, MetaError::Uri(_)));
    assert_eq!(odd.delivery(), Some(Delivery::NotSent));
    let testament = || meta.session_add_testament("com.example.bye");
    for odd in [
        testament().args("text"),
        testament().arg(u128::MAX),
        testament().kwargs([1]),
        testament().kwarg("a", u128::MAX),
    ] {
        let error = ready(&mut odd.into_future()).unwrap_err();
        assert!(matches!(error, MetaError::Encode(_)), "{error:?}");
    }
    assert!(peer.sent().is_empty());
}

/// What a call needs of the router; it must not be sent to one that announced nothing.
#[track_caller]
fn needed<T, O>(call: impl FnOnce(Meta<'_>) -> MetaCall<'_, T, O>) -> (RoleName, Feature) {
    let mut peer = Harness::joined(Caller::new(), &[]);
    let handle = peer.handle.clone();
    let mut call = call(Meta::new(&handle)).into_future();
    pending(&mut call);
    assert_eq!(peer.sent(), [""; 0]);
    match ready(&mut call).err() {
        Some(MetaError::Call(CallError::Unsupported { role, feature, .. })) => {
            (role, feature.unwrap())
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_router_did_not_announce_is_not_asked_of_it() {
    assert_eq!(
        needed(|meta| meta.session_count()),
        (RoleName::Dealer, Feature::SessionMetaApi)
    );
    assert_eq!(
        needed(|meta| meta.session_flush_testaments()),
        (RoleName::Dealer, Feature::TestamentMetaApi)
    );
    assert_eq!(
        needed(|meta| meta.registration_list()),
        (RoleName::Dealer, Feature::RegistrationMetaApi)
    );
    assert_eq!(
        needed(|meta| meta.subscription_list()),
        (RoleName::Broker, Feature::SubscriptionMetaApi)
    );
    assert_eq!(
        needed(|meta| meta.subscription_get_events(subscription(5))),
        (RoleName::Broker, Feature::EventHistory)
    );
}

#[tokio::test(start_paused = true)]
async fn what_the_router_did_not_announce_is_asked_of_it_on_demand() {
    let mut peer = Harness::joined(Caller::new(), &[]);
    let handle = peer.handle.clone();
    let meta = Meta::new(&handle).unannounced();
    let mut call = meta.session_count().into_future();
    pending(&mut call);
    assert_eq!(peer.sent(), [r#"[48,1,{},"wamp.session.count"]"#]);
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_with_its_limit() {
    let Router(peer, _) = Router::new();
    let handle = peer.handle.clone();
    let call = Meta::new(&handle).session_count();
    let limit = Duration::from_secs(3);
    let begin = tokio::time::Instant::now();
    let error = call.no_timeout().timeout(limit).await.unwrap_err();
    assert_eq!(begin.elapsed(), limit);
    assert!(matches!(error, MetaError::Call(CallError::Timeout(_))));
}
