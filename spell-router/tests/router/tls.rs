//! The router's TLS listener, with certificates made here.
#![expect(
    clippy::unwrap_used,
    reason = "allowed in tests, but not found to be one in what they share"
)]

use std::sync::Arc;

use crate::support::Client;
use rcgen::{CertificateParams, KeyPair};
use spell_router::{ListenError, Router};
use spell_transport::{
    ConnectError, Connector, ConnectorBuilder, Serialization,
    rustls::{
        ClientConfig, RootCertStore, ServerConfig,
        crypto::ring::default_provider,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

/// A server with a certificate for `localhost`, and a client that trusts it.
fn certified() -> (Arc<ServerConfig>, Arc<ClientConfig>) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap().der().clone();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let server = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let client = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    (Arc::new(server), Arc::new(client))
}

#[tokio::test]
async fn sessions_over_tls() {
    let (server, trusting) = certified();
    let router = Router::local();
    for scheme in ["wss", "rss", "wss+rss"] {
        let url = format!("{scheme}://localhost:0");
        let url = router.listen_tls(&url, Arc::clone(&server)).await.unwrap();
        let connector = ConnectorBuilder::new(&url.replace("wss+rss", "rss")).unwrap();
        let connector = connector.tls_config(Arc::clone(&trusting)).build().unwrap();
        let mut client = Client::dial(connector).await;
        client.hello("realm1").await;
        let answer = client.ask(r#"[6,{},"wamp.close.close_realm"]"#).await;
        assert_eq!(answer, r#"[6,{},"wamp.close.goodbye_and_out"]"#);
        client.expect_end().await;
    }
}

#[tokio::test]
async fn a_client_that_does_not_trust_the_certificate_sends_no_hello() {
    let (server, _) = certified();
    let (_, distrusting) = certified();
    let router = Router::local();
    let url = router
        .listen_tls("rss://localhost:0", server)
        .await
        .unwrap();
    let connector = ConnectorBuilder::new(&url).unwrap().tls_config(distrusting);
    let error = connector
        .build()
        .unwrap()
        .connect(&[Serialization::JSON])
        .await;
    assert!(matches!(error.err(), Some(ConnectError::Tls(_))));
    assert_eq!(router.statistics().joined, 0);
}

#[tokio::test]
async fn a_certificate_for_a_url_without_tls_is_an_error() {
    let (server, _) = certified();
    let error = Router::local()
        .listen_tls("ws://127.0.0.1:0", server)
        .await
        .unwrap_err();
    assert!(matches!(error, ListenError::NotTls { .. }), "{error}");
}
