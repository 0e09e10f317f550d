//! Where a test takes place.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use spell_peer::{JoinError, Peer, PeerBuilder, PeerConfig};
use spell_roles::{Callee, Caller, Publisher, Session, Subscriber};
use spell_serializer::AnySerializer;
use spell_tests::{
    accounts::REALM,
    link::{Link, Urls},
    router::TestRouter,
};
use spell_transport::connector;

/// A client with all roles.
pub(crate) type Client = Peer<(Session, Publisher, Subscriber, Caller, Callee)>;

/// Which router.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Embedded,
    Crossbar,
}

/// A router, and how to reach it.
pub(crate) struct Place {
    pub(crate) router: TestRouter,
    pub(crate) link: Link,
    pub(crate) serializer: AnySerializer,
}

/// Runs a test at a place, unless it cannot be had here. A test that hangs fails.
pub(crate) async fn run(place: (Kind, Link, AnySerializer), test: impl AsyncFnOnce(&Place)) {
    let (kind, link, serializer) = place;
    let router = match kind {
        Kind::Embedded => TestRouter::embedded().await.unwrap(),
        Kind::Crossbar => match TestRouter::crossbar() {
            Some(router) => router,
            None => return,
        },
    };
    let place = Place {
        router,
        link,
        serializer,
    };
    tokio::time::timeout(LONGEST, test(&place))
        .await
        .expect("the test hangs");
}

impl Place {
    /// A client that has joined, as anybody may.
    pub(crate) async fn client(&self) -> Client {
        self.join(Session::new(REALM), self.router.anonymous())
            .await
            .unwrap()
    }

    /// Two clients.
    pub(crate) async fn clients(&self) -> (Client, Client) {
        (self.client().await, self.client().await)
    }

    /// Joins where only those with an account may.
    pub(crate) async fn authenticate(&self, session: Session) -> Result<Client, JoinError> {
        self.join(session, self.router.authenticated()).await
    }

    /// Joins by the link and the serializer of this place.
    pub(crate) async fn join(&self, session: Session, urls: &Urls) -> Result<Client, JoinError> {
        self.join_with(session, urls, |_| {}).await
    }

    /// As [`join`](Self::join), with other settings.
    pub(crate) async fn join_with(
        &self,
        session: Session,
        urls: &Urls,
        change: impl FnOnce(&mut PeerConfig),
    ) -> Result<Client, JoinError> {
        PeerBuilder::new(session)
            .role(Publisher::new())
            .role(Subscriber::new())
            .role(Caller::new())
            .role(Callee::new())
            .serializers([self.serializer.clone()])
            .configure(change)
            .connect(connector(urls.url(self.link)).unwrap())
            .await
    }

    /// The name of the serializer.
    pub(crate) fn serializer_name(&self) -> &'static str {
        self.serializer
            .serialization()
            .subprotocol()
            .trim_start_matches("wamp.2.")
    }
}

/// A URI that no other test uses, for they share Crossbar.io.
pub(crate) fn uri(name: &str) -> String {
    static USED: AtomicU32 = AtomicU32::new(0);
    let number = USED.fetch_add(1, Ordering::Relaxed);
    format!("com.example.test{number}.{name}")
}

/// Longer than the time-out of a request, so that this is not what fails.
const LONGEST: Duration = Duration::from_secs(90);
