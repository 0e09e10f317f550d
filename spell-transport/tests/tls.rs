//! `wss://` and `rss://` with certificates made here.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "allowed in tests, but not found to be one in what they share"
)]

use std::{io, net::SocketAddr, sync::Arc};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use spell_transport::{
    AcceptError, AnyListener, BoxTransport, ConnectError, Connector, ConnectorBuilder, Listener,
    Serialization, Transport, TransportError,
    rustls::{
        ClientConfig, RootCertStore, ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
        version,
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

const OFFERS: [Serialization; 1] = [Serialization::CBOR];
const SCHEMES: [&str; 2] = ["wss", "rss"];

/// An authority, and a certificate of it for `localhost`.
struct Authority {
    root: CertificateDer<'static>,
    server: Arc<ServerConfig>,
}

impl Authority {
    fn new() -> Self {
        Self::certifying("localhost")
    }

    fn certifying(name: &str) -> Self {
        let authority_key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = params.self_signed(&authority_key).unwrap();
        let issuer = Issuer::new(params, authority_key);

        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let leaf = leaf.signed_by(&key, &issuer).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], key)
            .unwrap();
        Self {
            root: root.der().clone(),
            server: Arc::new(server),
        }
    }

    fn trusted(&self) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.root.clone()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[&version::TLS13, &version::TLS12])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Arc::new(config)
    }
}

async fn tcp() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

async fn dial(url: &str, config: Option<Arc<ClientConfig>>) -> Result<BoxTransport, ConnectError> {
    let mut builder = ConnectorBuilder::new(url).unwrap();
    if let Some(config) = config {
        builder = builder.tls_config(config);
    }
    builder.build().unwrap().connect(&OFFERS).await
}

/// A server that does the TLS handshake, records what the client says first in it, and leaves.
async fn recorder(listener: TcpListener, config: Arc<ServerConfig>) -> (bool, Vec<u8>) {
    let (io, _) = listener.accept().await.unwrap();
    match TlsAcceptor::from(config).accept(io).await {
        Ok(mut stream) => {
            let mut said = [0; 256];
            let count = stream.read(&mut said).await.unwrap_or(0);
            (true, said[..count].to_vec())
        }
        Err(_refused) => (false, Vec::new()),
    }
}

#[tokio::test]
async fn a_trusted_certificate_for_the_name_carries_both_protocols() {
    let authority = Authority::new();
    for scheme in SCHEMES {
        let (incoming, address) = tcp().await;
        let mut listener = AnyListener::new(incoming, OFFERS).tls(Arc::clone(&authority.server));
        let server = tokio::spawn(async move {
            let mut transport = listener.accept().await.unwrap().await.unwrap();
            assert!(transport.info().is_confidential());
            let message = transport.next().await.unwrap().unwrap();
            transport.send(message).await.unwrap();
            let end = transport.next().await;
            assert!(end.is_none(), "{end:?}");
            transport.close().await.unwrap();
        });
        let url = format!("{scheme}://localhost:{}", address.port());
        let mut client = dial(&url, Some(authority.trusted())).await.unwrap();
        assert!(client.info().is_confidential());
        assert_eq!(client.info().peer(), Some(url.as_str()));
        client.send(Bytes::from_static(b"\x80")).await.unwrap();
        assert_eq!(client.next().await.unwrap().unwrap(), &b"\x80"[..]);
        client.close().await.unwrap();
        assert!(client.next().await.is_none());
        server.await.unwrap();
    }
}

#[tokio::test]
async fn an_address_is_verified_as_a_name_is() {
    let authority = Authority::certifying("127.0.0.1");
    let (incoming, address) = tcp().await;
    let mut listener = AnyListener::new(incoming, OFFERS).tls(Arc::clone(&authority.server));
    let server = tokio::spawn(async move { listener.accept().await.unwrap().await });
    let url = format!("rss://{address}");
    dial(&url, Some(authority.trusted())).await.unwrap();
    server.await.unwrap().unwrap();
}

#[tokio::test]
async fn nothing_is_sent_to_a_server_with_another_name_or_an_unknown_issuer() {
    let good = Authority::new();
    let stranger = Authority::new();
    let other_name = Authority::certifying("other.example");
    for scheme in SCHEMES {
        for (case, server, trusted) in [
            ("wrong name", &other_name, Some(other_name.trusted())),
            ("unknown issuer", &stranger, Some(good.trusted())),
            // The operating system does not know our authority either.
            ("not known to the system", &good, None),
        ] {
            let (listener, address) = tcp().await;
            let record = tokio::spawn(recorder(listener, Arc::clone(&server.server)));
            let url = format!("{scheme}://localhost:{}", address.port());
            let error = dial(&url, trusted).await.unwrap_err();
            assert!(matches!(error, ConnectError::Tls(_)), "{case}: {error:?}");
            let (_, said) = record.await.unwrap();
            assert!(said.is_empty(), "{case}: {said:?}");
        }
        // The recorder does record.
        let (listener, address) = tcp().await;
        let record = tokio::spawn(recorder(listener, Arc::clone(&good.server)));
        let url = format!("{scheme}://localhost:{}", address.port());
        let error = dial(&url, Some(good.trusted())).await.unwrap_err();
        assert!(!matches!(error, ConnectError::Tls(_)), "{error:?}");
        let (shaken, said) = record.await.unwrap();
        assert!(shaken && !said.is_empty());
    }
}

#[tokio::test]
async fn a_server_without_tls_is_refused_and_told_nothing_in_plain_text() {
    for scheme in SCHEMES {
        let (listener, address) = tcp().await;
        let server = tokio::spawn(async move {
            let (mut io, _) = listener.accept().await.unwrap();
            let mut first = [0; 1];
            io.read_exact(&mut first).await.unwrap();
            io.write_all(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
                .await
                .unwrap();
            let mut rest = Vec::new();
            let _: io::Result<usize> = io.read_to_end(&mut rest).await;
            (first, rest)
        });
        let url = format!("{scheme}://localhost:{}", address.port());
        let error = dial(&url, Some(Authority::new().trusted())).await;
        assert!(matches!(error, Err(ConnectError::Tls(_))), "{error:?}");
        let (first, rest) = server.await.unwrap();
        assert_eq!(first, [0x16], "a TLS record");
        assert!(!rest.windows(3).any(|part| part == b"GET"));
    }
}

#[tokio::test]
async fn a_client_without_tls_is_refused() {
    let (incoming, address) = tcp().await;
    let mut listener = AnyListener::new(incoming, OFFERS).tls(Authority::new().server);
    let mut io = TcpStream::connect(address).await.unwrap();
    io.write_all(&[0x7f, 0xf3, 0, 0, 0, 0, 0, 0]).await.unwrap();
    let error = listener.accept().await.unwrap().await;
    assert!(matches!(error, Err(AcceptError::Tls(_))), "{error:?}");
}

/// Does the RawSocket handshake in TLS by hand.
async fn rawsocket_by_hand(
    listener: TcpListener,
    config: Arc<ServerConfig>,
) -> TlsStream<TcpStream> {
    let (io, _) = listener.accept().await.unwrap();
    let mut stream = TlsAcceptor::from(config).accept(io).await.unwrap();
    let mut request = [0; 4];
    stream.read_exact(&mut request).await.unwrap();
    stream.write_all(&request).await.unwrap();
    stream.flush().await.unwrap();
    stream
}

#[tokio::test]
async fn an_end_without_close_notify_is_an_interruption_and_with_it_is_clean() {
    let authority = Authority::new();
    for polite in [true, false] {
        let (listener, address) = tcp().await;
        let server = tokio::spawn(rawsocket_by_hand(listener, Arc::clone(&authority.server)));
        let url = format!("rss://localhost:{}", address.port());
        let mut client = dial(&url, Some(authority.trusted())).await.unwrap();
        let mut server = server.await.unwrap();
        if polite {
            server.shutdown().await.unwrap();
        } else {
            // The end of TCP alone, as somebody on the way can fake it.
            server.get_mut().0.shutdown().await.unwrap();
        }
        match client.next().await {
            None => assert!(polite),
            Some(Err(TransportError::Interrupted)) => assert!(!polite),
            other => panic!("{other:?}"),
        }
    }
}
