//! Where a test takes place.
#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    reason = "a test stops where it is surprised"
)]

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use spell_peer::{JoinError, Peer, PeerBuilder, PeerConfig};
use spell_roles::{Callee, Caller, Publisher, Session, Subscriber};
use spell_serializer::AnySerializer;
use spell_transport::connector;

use crate::{
    accounts::REALM,
    foreign::{ForeignPeer, Library},
    link::{Link, Urls},
    router::{Make, TestRouter},
};

/// A client with all roles.
pub type Client = Peer<(Session, Publisher, Subscriber, Caller, Callee)>;

/// A router, and how to reach it.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "the tests look into it")]
pub struct Place {
    /// The router.
    pub router: TestRouter,
    /// The link to it.
    pub link: Link,
    /// The only serializer that clients offer.
    pub serializer: AnySerializer,
}

/// Runs a test at a place, unless it cannot be had here. A test that hangs fails.
pub async fn run(place: (Make, Link, AnySerializer), test: impl AsyncFnOnce(&Place)) {
    let (make, link, serializer) = place;
    let Some(router) = TestRouter::start(make).await.unwrap() else {
        return;
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
    pub async fn client(&self) -> Client {
        self.join(Session::new(REALM), self.router.anonymous())
            .await
            .unwrap()
    }

    /// Two clients.
    pub async fn clients(&self) -> (Client, Client) {
        (self.client().await, self.client().await)
    }

    /// Joins where only those with an account may.
    ///
    /// # Errors
    ///
    /// If the router refuses.
    pub async fn authenticate(&self, session: Session) -> Result<Client, JoinError> {
        self.join(session, self.router.authenticated()).await
    }

    /// Joins by the link and the serializer of this place.
    ///
    /// # Errors
    ///
    /// If the router refuses.
    pub async fn join(&self, session: Session, urls: &Urls) -> Result<Client, JoinError> {
        self.join_with(session, urls, |_| {}).await
    }

    /// As [`join`](Self::join), with other settings.
    ///
    /// # Errors
    ///
    /// If the router refuses.
    pub async fn join_with(
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
            .connect(connector(urls.url(self.link).unwrap()).unwrap())
            .await
    }

    /// A peer of another make that has joined by the link and the serializer of this place. `None` where the library is
    /// not installed.
    pub async fn foreign(&self, library: Library) -> Option<ForeignPeer> {
        let url = self.router.anonymous().url(self.link).unwrap();
        ForeignPeer::join(library, url, self.serializer_name(), REALM)
            .await
            .unwrap()
    }

    /// The name of the serializer.
    pub fn serializer_name(&self) -> &'static str {
        self.serializer
            .serialization()
            .subprotocol()
            .trim_start_matches("wamp.2.")
    }
}

/// A URI that no other test uses, for they share routers.
pub fn uri(name: &str) -> String {
    static USED: AtomicU32 = AtomicU32::new(0);
    let number = USED.fetch_add(1, Ordering::Relaxed);
    format!("com.example.test{number}.{name}")
}

/// Longer than the time-out of a request, so that this is not what fails.
const LONGEST: Duration = Duration::from_secs(45);
