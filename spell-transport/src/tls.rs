//! TLS, for `wss://` and `rss://`.
//!
//! It is rustls with the ring provider, which is given explicitly, so that the process needs no
//! default provider and none is set. The certificate and the name in it are always verified, by
//! default as the operating system does; there is no switch to turn that off. Nothing of the
//! application is sent before.
//!
//! For other roots, client certificates or versions, give a connector your own
//! [`rustls::ClientConfig`], and a listener its [`rustls::ServerConfig`]:
//!
//! ```
//! use std::sync::Arc;
//! use spell_transport::{ConnectorBuilder, rustls};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let provider = Arc::new(rustls::crypto::ring::default_provider());
//! let mut roots = rustls::RootCertStore::empty();
//! // roots.add(your_authority)?;
//! let config = rustls::ClientConfig::builder_with_provider(provider)
//!     .with_safe_default_protocol_versions()?
//!     .with_root_certificates(roots)
//!     .with_no_client_auth();
//! # #[cfg(feature = "websocket")] {
//! let connector = ConnectorBuilder::new("wss://router.example/wamp")?
//!     .tls_config(config.into())
//!     .build()?;
//! # let _ = connector; }
//! # Ok(()) }
//! ```

use std::{fmt, io, sync::Arc};

use rustls::{ClientConfig, ServerConfig, pki_types::ServerName};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::{AcceptError, ConnectError, MaybeTls};

/// What the dialling side knows of TLS.
#[derive(Clone, Default)]
pub(crate) struct ClientTls {
    /// The user's, or the default once it was needed.
    config: Option<Arc<ClientConfig>>,
}

impl ClientTls {
    pub(crate) fn set_config(&mut self, config: Arc<ClientConfig>) {
        self.config = Some(config);
    }

    pub(crate) async fn connect<S>(
        &mut self,
        host: &str,
        io: S,
    ) -> Result<MaybeTls<S>, ConnectError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let name = ServerName::try_from(host.to_owned()).map_err(|error| {
            ConnectError::Tls(io::Error::new(io::ErrorKind::InvalidInput, error))
        })?;
        let connector = TlsConnector::from(self.config().await?);
        match connector.connect(name, io).await {
            Ok(stream) => Ok(MaybeTls::tls(stream)),
            Err(error) if is_tls(&error) => Err(ConnectError::Tls(error)),
            Err(error) => Err(error.into()),
        }
    }

    /// The default is made when it is first needed and kept for the next dial.
    async fn config(&mut self) -> Result<Arc<ClientConfig>, ConnectError> {
        if let Some(config) = &self.config {
            return Ok(Arc::clone(config));
        }
        // The system's roots are read from files.
        let config = match tokio::task::spawn_blocking(platform_config).await {
            Ok(Ok(config)) => Arc::new(config),
            Ok(Err(error)) => return Err(ConnectError::Tls(io::Error::other(error))),
            Err(stopped) => return Err(ConnectError::Io(io::Error::other(stopped))),
        };
        self.config = Some(Arc::clone(&config));
        Ok(config)
    }
}

impl fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientTls").finish_non_exhaustive()
    }
}

/// What the listening side knows of TLS.
#[derive(Clone)]
pub(crate) struct ServerTls {
    acceptor: TlsAcceptor,
}

impl ServerTls {
    pub(crate) fn new(config: Arc<ServerConfig>) -> Self {
        let acceptor = TlsAcceptor::from(config);
        Self { acceptor }
    }

    pub(crate) async fn accept<S>(&self, io: S) -> Result<MaybeTls<S>, AcceptError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        match self.acceptor.accept(io).await {
            Ok(stream) => Ok(MaybeTls::tls(stream)),
            Err(error) if is_tls(&error) => Err(AcceptError::Tls(error)),
            Err(error) => Err(error.into()),
        }
    }
}

impl fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerTls").finish_non_exhaustive()
    }
}

fn platform_config() -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_platform_verifier()?
        .with_no_client_auth();
    Ok(config)
}

/// Whether TLS itself failed, and not the connection below it.
fn is_tls(error: &io::Error) -> bool {
    match error.get_ref() {
        Some(inner) => inner.is::<rustls::Error>(),
        None => false,
    }
}
