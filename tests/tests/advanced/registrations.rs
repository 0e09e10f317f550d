//! Patterns, several callees for one procedure, and who calls.

use serde_json::json;
use spell_message::{SessionId, options::InvocationPolicy, reason};
use spell_roles::{InvocationInfo, Registration, prelude::*};
use spell_tests::{
    accounts::TRUSTLEVEL,
    crossbar::DISCLOSED,
    foreign::Library,
    place::{Client, Place, uri},
};

/// The cases of the specification where routers agree, see "Pattern-based Registrations".
pub(crate) async fn the_best_match_is_called(place: &Place) {
    let (caller, callee) = place.clients().await;
    let root = uri("best");
    let _exact = tell(&callee, &format!("{root}.c3.d4.e55"), "exact").await;
    let prefix = callee.register(format!("{root}.c3")).prefix();
    let _prefix = prefix
        .handler(|call: InvocationInfo| async move { Ok(("prefix", call.procedure().to_owned())) })
        .await
        .unwrap();
    let wildcard = callee.register(format!("{root}..d4.e5")).wildcard();
    let _wildcard = wildcard
        .handler(
            |call: InvocationInfo| async move { Ok(("wildcard", call.procedure().to_owned())) },
        )
        .await
        .unwrap();
    for (rest, called) in [
        ("c3.d4.e55", "exact"),
        ("c3.d98.e74", "prefix"),
        ("c3.d4.e5", "prefix"),
        ("c55.d4.e5", "wildcard"),
    ] {
        let procedure = format!("{root}.{rest}");
        let result = caller.call(&procedure).await.unwrap();
        let told: (String, String) = result.value().unwrap();
        assert_eq!(told, (called.to_owned(), procedure));
    }
    let unknown = format!("{root}.c55.d4");
    let error = caller.call(&unknown).await.unwrap_err();
    assert_eq!(error.uri().unwrap().as_str(), reason::NO_SUCH_PROCEDURE);
}

/// xconn begins with the first callee again whenever any session leaves, of another test for example.
pub(crate) async fn callees_take_turns(place: &Place) {
    let shared = Shared::new(place, InvocationPolicy::RoundRobin).await;
    let called = [
        shared.call().await,
        shared.call().await,
        shared.call().await,
        shared.call().await,
    ];
    let expected = if called[0] == "one" {
        ["one", "other", "one", "other"]
    } else {
        ["other", "one", "other", "one"]
    };
    assert_eq!(called, expected);
}

pub(crate) async fn the_first_callee_is_called(place: &Place) {
    let mut shared = Shared::new(place, InvocationPolicy::First).await;
    assert_eq!(shared.call().await, "one");
    assert_eq!(shared.call().await, "one");
    shared.one.unregister().await.unwrap();
    assert_eq!(shared.call().await, "other");
}

pub(crate) async fn the_last_callee_is_called(place: &Place) {
    let mut shared = Shared::new(place, InvocationPolicy::Last).await;
    assert_eq!(shared.call().await, "other");
    assert_eq!(shared.call().await, "other");
    shared.other.unregister().await.unwrap();
    assert_eq!(shared.call().await, "one");
}

pub(crate) async fn any_callee_is_called(place: &Place) {
    let shared = Shared::new(place, InvocationPolicy::Random).await;
    for _ in 0..10 {
        let called = shared.call().await;
        assert!(["one", "other"].contains(&called.as_str()), "{called}");
    }
}

pub(crate) async fn another_policy_is_refused(place: &Place) {
    let (one, other) = place.clients().await;
    let procedure = uri("policies");
    let register = one.register(&procedure).invoke(InvocationPolicy::First);
    let _registration = register.await.unwrap();
    let register = other.register(&procedure).invoke(InvocationPolicy::Last);
    let error = register.await.unwrap_err();
    let uri = error.uri().unwrap().as_str().to_owned();
    // Crossbar.io has one of its own.
    let crossbar = "wamp.error.procedure_exists_with_different_invocation_policy";
    assert!(
        [reason::PROCEDURE_ALREADY_EXISTS, crossbar].contains(&uri.as_str()),
        "{uri}"
    );
}

pub(crate) async fn an_unavailable_callee_is_passed_over(place: &Place) {
    let (one, other) = place.clients().await;
    let caller = place.client().await;
    let procedure = uri("rerouted");
    let register = async |client: &Client| {
        let register = client.register(&procedure);
        register.invoke(InvocationPolicy::First).await.unwrap()
    };
    let mut unavailable = register(&one).await;
    let mut available = register(&other).await;
    let call = caller.call(&procedure).start().await.unwrap();
    let invocation = unavailable.next().await.unwrap();
    invocation.error(reason::UNAVAILABLE).await.unwrap();
    let invocation = available.next().await.unwrap();
    invocation.respond().arg("here").await.unwrap();
    assert_eq!(call.await.unwrap().value::<String>().unwrap(), "here");

    let call = caller.call(&procedure).start().await.unwrap();
    for callee in [&mut unavailable, &mut available] {
        let invocation = callee.next().await.unwrap();
        invocation.error(reason::UNAVAILABLE).await.unwrap();
    }
    let error = call.await.unwrap_err();
    assert_eq!(error.uri().unwrap().as_str(), reason::NO_AVAILABLE_CALLEE);
}

pub(crate) async fn a_caller_that_wants_is_disclosed(place: &Place) {
    let (caller, callee) = place.clients().await;
    let procedure = uri("whoami");
    let _registration = whoami(&callee, &procedure).await;
    let session = caller.session().unwrap();
    let result = caller.call(&procedure).await.unwrap();
    assert_eq!(result.value::<Option<u64>>().unwrap(), None);
    let result = caller.call(&procedure).disclose_me(true).await.unwrap();
    let told: u64 = result.value().unwrap();
    assert_eq!(told, session.id().get());
}

pub(crate) async fn a_callee_may_ask_who_calls(place: &Place) {
    let (caller, callee) = place.clients().await;
    let procedure = uri("asked");
    let register = callee.register(&procedure).disclose_caller();
    let _registration = register
        .handler(|call: InvocationInfo| async move {
            Ok((
                call.caller().map(SessionId::get),
                call.caller_authid().map(str::to_owned),
                call.caller_authrole().map(str::to_owned),
            ))
        })
        .await
        .unwrap();
    let result = caller.call(&procedure).await.unwrap();
    let (id, authid, authrole): (u64, Option<String>, Option<String>) = result.value().unwrap();
    let session = caller.session().unwrap();
    assert_eq!(id, session.id().get());
    // battler has nothing to tell here, and tells it by an empty text.
    let told = |text: Option<String>| text.filter(|text| !text.is_empty());
    assert_eq!(told(authid).as_deref(), session.authid());
    assert_eq!(told(authrole).as_deref(), session.authrole());
}

pub(crate) async fn a_caller_is_disclosed_where_the_router_says_so(place: &Place) {
    let (caller, callee) = place.clients().await;
    for procedure in [uri("secret"), format!("{DISCLOSED}{}", uri("procedure"))] {
        let _registration = whoami(&callee, &procedure).await;
        let result = caller.call(&procedure).await.unwrap();
        let id = caller.session().unwrap().id().get();
        let expected = procedure.starts_with(DISCLOSED).then_some(id);
        assert_eq!(result.value::<Option<u64>>().unwrap(), expected);
    }
}

pub(crate) async fn a_callee_learns_how_far_the_caller_is_trusted(place: &Place) {
    let (caller, callee) = place.clients().await;
    let procedure = uri("trusted");
    let handler = |call: InvocationInfo| async move { Ok(call.trustlevel()) };
    let register = callee.register(&procedure).handler(handler);
    let _registration = register.await.unwrap();
    let result = caller.call(&procedure).await.unwrap();
    assert_eq!(result.value::<Option<u64>>().unwrap(), Some(TRUSTLEVEL));
}

pub(crate) async fn a_foreign_callee_matches_patterns(place: &Place, library: Library) {
    let Some(mut foreign) = place.foreign(library).await else {
        return;
    };
    let client = place.client().await;
    let root = uri("foreign");
    let wildcard = format!("{root}..end");
    for (pattern, policy) in [(&root, "prefix"), (&wildcard, "wildcard")] {
        let options = json!({ "match": policy });
        let register = json!({ "register": pattern, "does": "tell", "options": options });
        let registered = foreign.ask(&register).await.unwrap();
        assert_eq!(registered, json!({ "registered": pattern }));
    }
    let procedure = format!("{root}.any.end");
    let result = client.call(&procedure).await.unwrap();
    let told: std::collections::HashMap<String, String> = result.value().unwrap();
    assert_eq!(told["procedure"], procedure);
}

pub(crate) async fn a_foreign_callee_shares_a_procedure(place: &Place, library: Library) {
    let Some(mut foreign) = place.foreign(library).await else {
        return;
    };
    let client = place.client().await;
    let procedure = uri("foreign.shared");
    let options = json!({ "invoke": "roundrobin" });
    let register = json!({ "register": procedure, "options": options });
    foreign.ask(&register).await.unwrap();
    let register = client.register(&procedure);
    let register = register.invoke(InvocationPolicy::RoundRobin);
    let _registration = register
        .handler(|(_,): (String,)| async { Ok("spell") })
        .await
        .unwrap();
    let mut called = Vec::new();
    for _ in 0..2 {
        let result = client.call(&procedure).arg("foreign").await.unwrap();
        called.push(result.value::<String>().unwrap());
    }
    called.sort();
    assert_eq!(called, ["foreign", "spell"]);
}

pub(crate) async fn a_foreign_callee_learns_who_calls(place: &Place, library: Library) {
    let Some(mut foreign) = place.foreign(library).await else {
        return;
    };
    let client = place.client().await;
    let procedure = uri("foreign.whoami");
    let register = json!({ "register": procedure, "does": "tell" });
    foreign.ask(&register).await.unwrap();
    let result = client.call(&procedure).disclose_me(true).await.unwrap();
    let told: serde_json::Value = result.value().unwrap();
    let session = client.session().unwrap();
    assert_eq!(told["caller"], session.id().get());
    assert_eq!(told["caller_authid"].as_str(), session.authid());
    assert_eq!(told["caller_authrole"].as_str(), session.authrole());
}

pub(crate) async fn a_foreign_caller_is_disclosed(place: &Place, library: Library) {
    let Some(mut foreign) = place.foreign(library).await else {
        return;
    };
    let client = place.client().await;
    let procedure = uri("spell.whoami");
    let _registration = whoami(&client, &procedure).await;
    let call = json!({ "call": procedure, "options": { "disclose_me": true } });
    let result = foreign.ask(&call).await.unwrap();
    assert_eq!(result["result"]["args"], json!([foreign.session()]));
}

/// Two callees of one procedure, and a caller.
struct Shared {
    procedure: String,
    caller: Client,
    one: Registration<spell_roles::Handled>,
    other: Registration<spell_roles::Handled>,
    _callees: [Client; 2],
}

impl Shared {
    async fn new(place: &Place, policy: InvocationPolicy) -> Self {
        let procedure = uri("shared");
        let (one, other) = place.clients().await;
        let register = async |client: &Client, name: &'static str| {
            let register = client.register(&procedure).invoke(policy);
            register
                .handler(move |(): ()| async move { Ok(name) })
                .await
                .unwrap()
        };
        Self {
            one: register(&one, "one").await,
            other: register(&other, "other").await,
            caller: place.client().await,
            procedure,
            _callees: [one, other],
        }
    }

    async fn call(&self) -> String {
        let result = self.caller.call(&self.procedure).await.unwrap();
        result.value().unwrap()
    }
}

/// A procedure that tells this name and how it was called.
async fn tell(
    client: &Client,
    procedure: &str,
    name: &'static str,
) -> Registration<spell_roles::Handled> {
    let handler =
        move |call: InvocationInfo| async move { Ok((name, call.procedure().to_owned())) };
    client.register(procedure).handler(handler).await.unwrap()
}

/// A procedure that tells the session of its caller, if it knows.
async fn whoami(client: &Client, procedure: &str) -> Registration<spell_roles::Handled> {
    let handler = |call: InvocationInfo| async move { Ok(call.caller().map(SessionId::get)) };
    client.register(procedure).handler(handler).await.unwrap()
}
