//! Peers that go on at another router, or at the same one again.
#![cfg(all(feature = "websocket", feature = "rawsocket", feature = "json"))]
#![expect(clippy::unwrap_used, reason = "a test")]

use std::time::Duration;

use spell::{
    Backoff, Client, CloseReason, JoinError, PeerBuilder, PeerEvent, Remedy,
    message::reason,
    peer::{Endpoints, Peer, PeerEvents},
    prelude::*,
    roles::{Caller, Publisher, Session, Subscriber},
};
use spell_router::Router;

const REALM: &str = "com.example.realm";

/// Hardly waits, however short sessions are.
fn policy() -> Backoff {
    let first = Duration::from_millis(1);
    Backoff::new().first(first).stable(Duration::ZERO)
}

/// Wait until a session is joined; gives where.
async fn joined(events: &mut PeerEvents) -> Option<String> {
    loop {
        if let PeerEvent::Joined(session) = events.next().await? {
            return session.endpoint().map(str::to_owned);
        }
    }
}

/// A client at `urls`, and what happens to it.
async fn client(urls: &[String]) -> (Client, PeerEvents) {
    let client = spell::client(urls, REALM).retry(policy()).connect().await;
    let client = client.unwrap();
    let events = client.events();
    (client, events)
}

#[tokio::test]
async fn a_client_goes_on_at_the_next_router_with_all_it_had() {
    let (first, second) = (Router::local(), Router::local());
    let urls = [
        first.listen("ws://127.0.0.1:0").await.unwrap(),
        second.listen("rs://127.0.0.1:0").await.unwrap(),
    ];
    let (client, mut events) = client(&urls).await;
    assert!(urls[0].starts_with(client.session().unwrap().endpoint().unwrap()));
    let mut news = client.subscribe("com.example.news").await.unwrap();
    let double = client.register("com.example.double");
    let double = double.handler(|(n,): (i64,)| async move { Ok(2 * n) });
    let _double = double.await.unwrap();

    first.close().await;
    assert_eq!(joined(&mut events).await.as_ref(), Some(&urls[1]));
    let other = spell::connect(&urls, REALM).await.unwrap();
    let call = other.call("com.example.double").arg(21).await.unwrap();
    assert_eq!(call.value::<i64>().unwrap(), 42);
    let publish = other.publish("com.example.news").arg(1);
    publish.acknowledge().await.unwrap();
    assert_eq!(news.next().await.unwrap().args::<(i64,)>().unwrap(), (1,));
}

#[tokio::test]
async fn a_client_comes_back_to_a_router_that_is_started_again() {
    let mut router = Router::local();
    let url = router.listen("ws://127.0.0.1:0").await.unwrap();
    let (client, mut events) = client(std::slice::from_ref(&url)).await;
    let double = client.register("com.example.double");
    let double = double.handler(|(n,): (i64,)| async move { Ok(2 * n) });
    let _double = double.await.unwrap();
    for n in 0..20 {
        router.close().await;
        router = Router::local();
        router.listen(&url).await.unwrap();
        assert_eq!(joined(&mut events).await.as_ref(), Some(&url));
        let call = client.call("com.example.double").arg(n).await.unwrap();
        assert_eq!(call.value::<i64>().unwrap(), 2 * n);
    }
}

type Member = Peer<(Session, Subscriber, Publisher, Caller)>;

#[tokio::test]
async fn peers_of_any_roles_fail_over_between_any_connectors() {
    let (first, second) = (Router::local(), Router::local());
    let endpoints = Endpoints::new([first.connector(), second.connector()]);
    let builder = PeerBuilder::new(Session::new(REALM))
        .role(Subscriber::new())
        .role(Publisher::new())
        .role(Caller::new());
    let member: Member = builder.retry(policy()).connect(endpoints).await.unwrap();
    let mut events = member.events();
    let mut news = member.subscribe("com.example.news").await.unwrap();
    first.close().await;
    assert_eq!(joined(&mut events).await.as_deref(), Some("router 2"));
    let publish = member.publish("com.example.news").exclude_me(false);
    publish.arg(1).await.unwrap();
    assert!(news.next().await.is_some());
}

#[tokio::test]
async fn a_url_where_nobody_is_does_not_matter_beside_one_where_somebody_is() {
    let nobody = "ws://127.0.0.1:1";
    let router = Router::local();
    let url = router.listen("ws://127.0.0.1:0").await.unwrap();
    let client = spell::connect([nobody, &url], REALM).await.unwrap();
    assert_eq!(client.session().unwrap().endpoint(), Some(&*url));
    let error = spell::client([nobody, nobody], REALM)
        .retry(Backoff::new())
        .connect()
        .await;
    assert!(matches!(error.unwrap_err(), JoinError::Connect(_)));
}

#[tokio::test]
async fn a_session_that_was_killed_comes_back_only_if_its_policy_says_so() {
    let router = Router::local();
    let url = router.listen("ws://127.0.0.1:0").await.unwrap();
    let admin = spell::connect(&url, REALM).await.unwrap();
    let kill = async |client: &Client| {
        let session = client.session().unwrap().id();
        admin.meta().session_kill(session).await.unwrap();
    };
    let (gone, _) = client(std::slice::from_ref(&url)).await;
    kill(&gone).await;
    let reason = gone.closed().await;
    assert!(matches!(reason, CloseReason::Goodbye(_)), "{reason}");
    assert_eq!(reason.uri(), Some(reason::KILLED));

    let policy = policy().on(reason::KILLED, Remedy::Retry);
    let client = spell::client(&url, REALM).retry(policy).connect().await;
    let client = client.unwrap();
    let mut events = client.events();
    kill(&client).await;
    assert_eq!(joined(&mut events).await.as_ref(), Some(&url));
}

/// How long joining may take where nobody answers.
const LIMIT: Duration = Duration::from_millis(200);

#[tokio::test]
async fn one_timeout_covers_joining_whatever_the_router_does_not_answer() {
    // It takes connections, into its queue, and says nothing.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    let mut schemes = vec!["ws", "rs"];
    if cfg!(feature = "tls") {
        schemes.extend(["wss", "rss"]);
    }
    for scheme in schemes {
        let begun = std::time::Instant::now();
        let client = spell::client(format!("{scheme}://{address}"), REALM).join_timeout(LIMIT);
        let error = client.connect().await.unwrap_err();
        assert!(
            matches!(error, JoinError::Timeout(LIMIT)),
            "{scheme}: {error}"
        );
        let late = begun.elapsed().checked_sub(LIMIT).unwrap();
        assert!(late < Duration::from_secs(1), "{scheme}: {late:?}");
    }
}
