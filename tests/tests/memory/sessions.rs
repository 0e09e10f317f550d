//! What a session costs that does nothing.

use std::{
    env,
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
    sync::Arc,
};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivatePkcs8KeyDer},
};
use spell::{Client, router::Router};
use spell_tests::{notice, runs::count};

use crate::{alone, block_on, heap};

const REALM: &str = "com.example.realm";

/// The router, as a process of its own: its memory is not counted here.
struct RouterProcess {
    child: Child,
    /// By scheme.
    urls: Vec<(String, String)>,
    trust: Arc<ClientConfig>,
}

impl RouterProcess {
    fn start() -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["sessions::router", "--exact", "--ignored", "--nocapture"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
        let mut urls = Vec::new();
        let certificate = loop {
            let line = lines.next().expect("the router has ended").unwrap();
            if let Some(url) = line.strip_prefix("listens ") {
                let scheme = url.split(':').next().unwrap();
                urls.push((scheme.to_owned(), url.to_owned()));
            }
            if let Some(certificate) = line.strip_prefix("certificate ") {
                break serde_json::from_str::<Vec<u8>>(certificate).unwrap();
            }
        };
        drop(lines);
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(certificate)).unwrap();
        let trust = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self {
            child,
            urls,
            trust: Arc::new(trust),
        }
    }

    async fn client(&self, scheme: &str) -> Client {
        let (_, url) = self.urls.iter().find(|(name, _)| name == scheme).unwrap();
        let client = spell::client(url, REALM).tls_config(self.trust.clone());
        client.connect().await.unwrap()
    }
}

impl Drop for RouterProcess {
    fn drop(&mut self) {
        // It ends with its input; a test does not fail for what is left then.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

#[test]
#[ignore = "it is the router of the other tests, which start it"]
fn router() {
    block_on(async {
        let router = Router::local();
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let key = PrivatePkcs8KeyDer::from(signing_key.serialize_der());
        let server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key.into())
            .unwrap();
        let server = Arc::new(server);
        for scheme in ["ws", "rs"] {
            let url = router.listen(&format!("{scheme}://127.0.0.1:0")).await;
            println!("\nlistens {}", url.unwrap());
        }
        for scheme in ["wss", "rss"] {
            let url = format!("{scheme}://127.0.0.1:0");
            let url = router.listen_tls(&url, server.clone()).await;
            println!("listens {}", url.unwrap());
        }
        let certificate = serde_json::to_string(&cert.der().to_vec()).unwrap();
        println!("certificate {certificate}");
        let input = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
        let _ = input.await.unwrap();
    });
}

/// The bytes of heap that each of many idle sessions takes, all roles and the task that drives it included.
///
/// In a long run these are 10 000, for which both processes have to be allowed as many open files; with the bounds
/// below, they take well below 1 GiB together.
fn cost(router: &RouterProcess, scheme: &str) -> usize {
    let sessions = usize::try_from(count(400, 10_000)).unwrap();
    block_on(async {
        let first = router.client(scheme).await;
        let mut clients = Vec::with_capacity(sessions);
        let before = heap();
        for _ in 0..sessions {
            clients.push(router.client(scheme).await);
        }
        let cost = (heap() - before) / sessions;
        notice(&format!("an idle session over {scheme} takes {cost} bytes"));
        drop((first, clients));
        cost
    })
}

#[test]
fn an_idle_session_takes_little_memory() {
    let _alone = alone();
    let router = RouterProcess::start();
    // A third is the task with the roles. TLS takes as much again.
    let most = [("ws", 10), ("rs", 10), ("wss", 18), ("rss", 18)];
    let costs = most.map(|(scheme, most)| (scheme, cost(&router, scheme), most << 10));
    assert!(
        costs.iter().all(|(_, cost, most)| cost <= most),
        "{costs:?}"
    );
}
