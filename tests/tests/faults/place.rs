//! Where these tests take place: a router, and a network before it that fails.

use std::{sync::Arc, time::Duration};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig, client::Resumption, crypto::ring,
    pki_types::PrivatePkcs8KeyDer,
};
use spell::{
    Client, ClientBuilder,
    router::{Realm, Router},
    serializer::MsgPack,
};
use spell_tests::{
    accounts::{CRA, REALM, ROLE},
    faults::FaultProxy,
};
use tokio::{
    runtime::Handle,
    task::yield_now,
    time::{Instant, timeout},
};

/// The longest that anything may take to end when its connection did.
pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// The kinds of addresses.
pub(crate) const SCHEMES: [&str; 4] = ["ws", "rs", "wss", "rss"];

/// A router of its own, and a proxy before it.
pub(crate) struct Place {
    pub(crate) router: Router,
    /// Where the router listens itself.
    direct: String,
    pub(crate) proxy: FaultProxy,
    trust: Option<Arc<ClientConfig>>,
}

impl Place {
    pub(crate) async fn new(scheme: &str, seed: u64) -> Self {
        let realm = Realm::new(REALM).cra(CRA.authid, CRA.secret, ROLE);
        let router = Router::builder().realm(realm).build().unwrap();
        let url = format!("{scheme}://127.0.0.1:0");
        let (direct, trust) = if scheme.ends_with("ss") {
            let (server, client) = certificates();
            (router.listen_tls(&url, server).await.unwrap(), Some(client))
        } else {
            (router.listen(&url).await.unwrap(), None)
        };
        let proxy = FaultProxy::start(&direct, seed).await.unwrap();
        Self {
            router,
            direct,
            proxy,
            trust,
        }
    }

    /// A client that goes through the proxy.
    pub(crate) fn client(&self) -> ClientBuilder {
        self.trusting(spell::client(self.proxy.url(), REALM))
    }

    /// A client that no fault reaches.
    pub(crate) async fn bystander(&self) -> Client {
        let client = self.trusting(spell::client(&self.direct, REALM));
        client.connect().await.unwrap()
    }

    fn trusting(&self, client: ClientBuilder) -> ClientBuilder {
        // Its ids are always as long, so the lengths of messages do not depend on them.
        let client = client.serializers([MsgPack::new()]);
        match &self.trust {
            Some(trust) => client.tls_config(trust.clone()),
            None => client,
        }
    }

    /// Waits until the router has so many sessions and no more tasks run than `tasks`, which is little later.
    pub(crate) async fn settles(&self, sessions: u64, tasks: usize) {
        let alive = || Handle::current().metrics().num_alive_tasks();
        let is_settled = || self.router.statistics().sessions == sessions && alive() <= tasks;
        let start = Instant::now();
        while !is_settled() {
            assert!(
                start.elapsed() < SECOND * 3,
                "left behind: {} tasks, there were {tasks}; {} sessions, there were {sessions}",
                alive(),
                self.router.statistics().sessions
            );
            yield_now().await;
        }
    }
}

/// How many tasks run now.
pub(crate) fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

/// What comes within a second.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    let Ok(output) = timeout(SECOND, future).await else {
        panic!("still pending after {SECOND:?}: {what}");
    };
    output
}

fn certificates() -> (Arc<ServerConfig>, Arc<ClientConfig>) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(signing_key.serialize_der());
    let provider = Arc::new(ring::default_provider());
    let server = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key.into())
        .unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(cert.der().clone()).unwrap();
    let mut client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    // Each handshake is as long as the one before.
    client.resumption = Resumption::disabled();
    (Arc::new(server), Arc::new(client))
}
