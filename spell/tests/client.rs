//! The front door against the embedded router, over sockets.
#![cfg(all(feature = "websocket", feature = "rawsocket", feature = "json"))]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::time::Duration;

use spell::{
    ClientBuilder, CloseReason, JoinError, PeerBuilder,
    auth::{Anonymous, Cra, SecretString, Ticket},
    message::{
        Payload, RequestId, Uri,
        message::{Call, Kind},
        options::CallOptions,
        reason,
    },
    prelude::*,
    roles::{Session, Tap},
    transport,
};
use spell_router::{CraSecret, Realm, Router};

const REALM: &str = "com.example.realm";
const MINUTE: Duration = Duration::from_secs(60);

/// A router that knows joe by each method, and nobody else.
async fn guarded() -> (Router, String) {
    let realm = Realm::new(REALM)
        .refuse_anonymous()
        .ticket("joe", "a ticket", "user")
        .cra("joe", CraSecret::plain("a secret"), "user")
        .cra("jane", CraSecret::salted("her secret", "salt"), "admin");
    let router = Router::builder().realm(realm).build().unwrap();
    let url = router.listen("rs://127.0.0.1:0").await.unwrap();
    (router, url)
}

async fn refused(client: ClientBuilder) -> String {
    match client.connect().await.unwrap_err() {
        JoinError::Refused(abort) => abort.reason.to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn each_method_joins_with_the_right_secret() {
    let (_router, url) = guarded().await;
    let client = || spell::client(&url, REALM);
    let issued = || async { Ok::<_, std::io::Error>(SecretString::from("a ticket")) };
    for (client, method, authid, authrole) in [
        (
            client().authenticator(Ticket::new("joe", "a ticket")),
            "ticket",
            "joe",
            "user",
        ),
        (
            client().authenticator(Ticket::provider("joe", issued)),
            "ticket",
            "joe",
            "user",
        ),
        (
            client().authenticator(Cra::new("joe", "a secret")),
            "wampcra",
            "joe",
            "user",
        ),
        (
            client().authenticator(Cra::new("jane", "her secret")),
            "wampcra",
            "jane",
            "admin",
        ),
        (
            client()
                .authenticator(Cra::new("joe", "a secret"))
                .authenticator(Ticket::new("joe", "a ticket")),
            "wampcra",
            "joe",
            "user",
        ),
    ] {
        let client = client.connect().await.unwrap();
        let session = client.joined().await.unwrap();
        assert_eq!(session.authmethod(), Some(method));
        assert_eq!(session.authid(), Some(authid));
        assert_eq!(session.authrole(), Some(authrole));
        client.leave().await.unwrap();
        assert!(matches!(client.closed().await, CloseReason::Left));
    }
}

#[tokio::test]
async fn a_wrong_secret_is_refused_by_the_router() {
    let (_router, url) = guarded().await;
    let client = || spell::client(&url, REALM);
    for client in [
        client().authenticator(Ticket::new("joe", "wrong")),
        client().authenticator(Cra::new("joe", "wrong")),
        client().authenticator(Cra::new("jane", "wrong")),
    ] {
        assert_eq!(refused(client).await, reason::AUTHENTICATION_DENIED);
    }
}

#[tokio::test]
async fn a_guarded_realm_takes_nobody_who_offers_no_proof() {
    let (_router, url) = guarded().await;
    let anonymous = spell::client(&url, REALM);
    let named = spell::client(&url, REALM).authenticator(Anonymous::new());
    for client in [anonymous, named] {
        let reason = refused(client).await;
        let known = [
            reason::AUTHENTICATION_REQUIRED,
            reason::NO_MATCHING_AUTH_METHOD,
        ];
        assert!(known.contains(&reason.as_str()), "{reason}");
    }
}

#[tokio::test]
async fn a_realm_that_the_router_does_not_have_is_refused() {
    let (_router, url) = guarded().await;
    let client = spell::client(&url, "com.example.other");
    assert_eq!(refused(client).await, reason::NO_SUCH_REALM);
}

#[tokio::test]
async fn a_router_that_closes_says_so() {
    let router = Router::local();
    let url = router.listen("ws://127.0.0.1:0").await.unwrap();
    let client = spell::connect(&url, REALM).await.unwrap();
    let (reason, ()) = tokio::join!(client.closed(), router.close());
    assert_eq!(reason.uri(), Some(reason::SYSTEM_SHUTDOWN));
}

#[tokio::test]
async fn nobody_at_the_url_is_an_error_of_dialling() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = spell::connect(&url, REALM).await.unwrap_err();
    assert!(matches!(error, JoinError::Connect(_)), "{error}");
}

#[tokio::test]
async fn a_client_that_is_built_joins_when_its_supervisor_runs() {
    let router = Router::local();
    let url = router.listen("ws://127.0.0.1:0").await.unwrap();
    let (client, supervisor) = spell::client(&url, REALM).build().unwrap();
    assert!(client.session().is_none());
    let running = tokio::spawn(supervisor.run());
    client.joined().await.unwrap();
    client.stop();
    assert!(matches!(running.await.unwrap(), CloseReason::Stopped));
}

#[tokio::test]
async fn a_raw_call_gets_its_raw_answer() {
    let router = Router::local();
    let peer = PeerBuilder::new(Session::new(REALM))
        .role(Tap::new())
        .configure(|config| config.features.set("caller", "call_timeout", false))
        .connect(router.connector())
        .await
        .unwrap();
    let call = Call {
        request: RequestId::MAX,
        options: CallOptions::new(),
        procedure: Uri::new("com.example.nothing").unwrap(),
        payload: Payload::default(),
    };
    let id = peer.send_message(call).await.unwrap();
    let answer = peer.next_message(Kind::Error, MINUTE).await.unwrap();
    assert_eq!(answer.request(), id);
    let welcome = peer.next_message(Kind::Welcome, MINUTE).await.unwrap();
    assert_eq!(welcome.name(), "WELCOME");
    peer.leave().await.unwrap();
}

#[tokio::test]
async fn a_url_without_its_feature_or_of_no_known_scheme_is_refused() {
    for url in ["http://127.0.0.1", "127.0.0.1", ""] {
        let error = transport::connector(url).unwrap_err().to_string();
        let refused = spell::connect(url, REALM).await.unwrap_err();
        let cause = std::error::Error::source(&refused).unwrap();
        let cause = std::error::Error::source(cause).unwrap();
        assert_eq!(cause.to_string(), error);
    }
}
