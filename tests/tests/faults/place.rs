//! Where these tests take place: a router, and a network before it that fails.

use std::{collections::HashSet, fs, sync::Arc, time::Duration};

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

    /// A client that goes through the proxy first, and without it next.
    pub(crate) fn client_by_two_ways(&self) -> ClientBuilder {
        self.trusting(spell::client([self.proxy.url(), &*self.direct], REALM))
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

    /// What there is now, beside sessions.
    pub(crate) fn belongings(&self) -> Belongings {
        Belongings {
            tasks: Handle::current().metrics().num_alive_tasks(),
            sockets: self.sockets(),
        }
    }

    /// Waits until the router has so many sessions and there is no more of anything than `before`, which is little later.
    pub(crate) async fn settles(&self, sessions: u64, before: Belongings) {
        let start = Instant::now();
        loop {
            let now = self.belongings();
            let joined = self.router.statistics().sessions;
            if joined == sessions && now.tasks <= before.tasks && now.sockets <= before.sockets {
                return;
            }
            assert!(
                start.elapsed() < SECOND * 3,
                "left behind: {now:?}, there were {before:?}; {joined} sessions, there were {sessions}",
            );
            yield_now().await;
        }
    }

    /// How many descriptors of this process are sockets of the router or of the proxy, at either end; 0 where the system
    /// does not tell. Those of tests that run beside this one are not counted, as each has ports of its own.
    fn sockets(&self) -> usize {
        let port = |url: &str| {
            let authority = url.split('/').nth(2).unwrap();
            let port: u16 = authority.rsplit(':').next().unwrap().parse().unwrap();
            format!(":{port:04X}")
        };
        let ports = [port(&self.direct), port(self.proxy.url())];
        let (Ok(connections), Ok(descriptors)) = (
            fs::read_to_string("/proc/self/net/tcp"),
            fs::read_dir("/proc/self/fd"),
        ) else {
            return 0;
        };
        let inode = |line: &str| {
            let fields: Vec<_> = line.split_whitespace().collect();
            let ends = fields.get(1..3)?;
            let is_ours = |end: &&str| ports.iter().any(|port| end.ends_with(port));
            let inode = *fields.get(9)?;
            ends.iter()
                .any(is_ours)
                .then(|| format!("socket:[{inode}]"))
        };
        let ours: HashSet<_> = connections.lines().filter_map(inode).collect();
        descriptors
            .filter_map(|descriptor| fs::read_link(descriptor.ok()?.path()).ok())
            .filter(|target| target.to_str().is_some_and(|target| ours.contains(target)))
            .count()
    }
}

/// What must not be more than before when all is over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Belongings {
    tasks: usize,
    sockets: usize,
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
