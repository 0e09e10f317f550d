//! Listening on a URL.

use std::io;
#[cfg(feature = "tls")]
use std::sync::Arc;
#[cfg(unix)]
use std::{
    os::unix::fs::FileTypeExt,
    path::{Path, PathBuf},
};

use spell_transport::Incoming;
#[cfg(feature = "rawsocket")]
use spell_transport::rawsocket::{RawSocketConfig, RawSocketListener};
#[cfg(feature = "tls")]
use spell_transport::rustls::ServerConfig;
#[cfg(feature = "websocket")]
use spell_transport::websocket::{WebSocketConfig, WebSocketListener};
use tokio::net::TcpListener;
#[cfg(unix)]
use tokio::net::{UnixListener, UnixStream};

use crate::{
    ListenError, Router, RouterBuilder, StartError,
    address::{Address, Place, Protocols},
    outbound::lock,
};

/// How TLS is spoken; uninhabited without the feature, so that it never is.
#[cfg(feature = "tls")]
type Tls = Arc<ServerConfig>;
#[cfg(not(feature = "tls"))]
type Tls = std::convert::Infallible;

impl Router {
    /// Listens at `url`, in the background, and gives the URL with the port it has: for port 0 the
    /// system chooses one.
    ///
    /// | URL | |
    /// |---|---|
    /// | `ws://127.0.0.1:8080` | WebSocket; clients may ask for any path |
    /// | `rs://127.0.0.1:8081`, also `tcp://` | RawSocket |
    /// | `ws+rs://127.0.0.1:8080` | both at one port: clients dial `ws://` or `rs://` |
    /// | `unix:/run/router.sock`, also `rs+unix:` | RawSocket at a Unix socket |
    /// | `ws+unix:/run/router.sock` | WebSocket at a Unix socket |
    ///
    /// The file of a Unix socket that nobody listens at any more is replaced, and removed at the
    /// end.
    ///
    /// ```
    /// use spell_router::Router;
    ///
    /// # #[cfg(feature = "websocket")]
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let router = Router::local();
    /// let url = router.listen("ws://127.0.0.1:0").await?;
    /// assert!(url.starts_with("ws://127.0.0.1:"));
    /// assert_eq!(router.addresses(), [url]);
    /// # Ok::<_, spell_router::ListenError>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`ListenError`] if the URL cannot be used, the address cannot be had, or it is one for TLS,
    /// which needs `listen_tls`.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future either leaves the router as it was, or listening.
    pub async fn listen(&self, url: &str) -> Result<String, ListenError> {
        let address = self.parse(url)?;
        if address.tls {
            return Err(ListenError::NeedsCertificate {
                scheme: address.scheme,
            });
        }
        self.bind(address, None).await
    }

    /// Listens at `url` with TLS, as [`listen`](Self::listen) does without: `wss://`, `rss://`
    /// (also `tcps://`), or `wss+rss://` for both at one port.
    ///
    /// # Errors
    ///
    /// [`ListenError`] if the URL cannot be used or is not one for TLS, or the address cannot be
    /// had.
    ///
    /// # Cancel safety
    ///
    /// As that of [`listen`](Self::listen).
    #[cfg(feature = "tls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
    pub async fn listen_tls(
        &self,
        url: &str,
        config: Arc<ServerConfig>,
    ) -> Result<String, ListenError> {
        let address = self.parse(url)?;
        if !address.tls {
            return Err(ListenError::NotTls {
                scheme: address.scheme,
            });
        }
        self.bind(address, Some(config)).await
    }

    fn parse(&self, url: &str) -> Result<Address, ListenError> {
        if self.shared().closing.has_happened() {
            return Err(ListenError::Closed);
        }
        Address::parse(url)
    }

    async fn bind(&self, address: Address, tls: Option<Tls>) -> Result<String, ListenError> {
        let Address {
            scheme,
            protocols,
            place,
            ..
        } = address;
        let url = match place {
            Place::Tcp { host, port, rest } => {
                let failed = |source| ListenError::Bind {
                    address: format!("{host}:{port}"),
                    source,
                };
                let listener = TcpListener::bind(format!("{host}:{port}")).await;
                let listener = listener.map_err(failed)?;
                let port = listener.local_addr().map_err(failed)?.port();
                let tcp = self.shared().limits.tcp;
                self.serve_port((listener, tcp), protocols, tls);
                format!("{scheme}://{host}:{port}{rest}")
            }
            #[cfg(unix)]
            Place::Unix(path) => {
                let shown = path.display().to_string();
                let listener = UnixSocket::bind(path).await;
                let listener = listener.map_err(|source| ListenError::Bind {
                    address: shown.clone(),
                    source,
                })?;
                self.serve_port(listener, protocols, tls);
                format!("{scheme}:{shown}")
            }
            #[cfg(not(unix))]
            Place::Unix(_) => {
                let reason = "this platform has no Unix sockets";
                return Err(ListenError::Url { reason });
            }
        };
        tracing::debug!(url, "listening");
        lock(&self.shared().addresses).push(url.clone());
        Ok(url)
    }

    fn serve_port(&self, incoming: impl Incoming, protocols: Protocols, tls: Option<Tls>) {
        let serializations = self.shared().serializations();
        let limits = self.shared().limits;
        /// Sets what all listeners have in common.
        macro_rules! serve {
            ($listener:expr) => {{
                let listener = $listener.handshake_timeout(limits.handshake);
                #[cfg(feature = "tls")]
                let listener = match tls {
                    Some(config) => listener.tls(config),
                    None => listener,
                };
                #[cfg(not(feature = "tls"))]
                let None = tls;
                self.serve(listener);
            }};
        }
        match protocols {
            #[cfg(feature = "websocket")]
            Protocols::WebSocket => {
                let listener = WebSocketListener::new(incoming, serializations);
                serve!(listener.config(websocket(limits.message)));
            }
            #[cfg(feature = "rawsocket")]
            Protocols::RawSocket => {
                let listener = RawSocketListener::new(incoming, serializations);
                serve!(listener.config(rawsocket(limits.message)));
            }
            #[cfg(all(feature = "websocket", feature = "rawsocket"))]
            Protocols::Both => {
                let listener = spell_transport::AnyListener::new(incoming, serializations)
                    .websocket_config(websocket(limits.message))
                    .rawsocket_config(rawsocket(limits.message));
                serve!(listener);
            }
            // The address was refused for want of the feature.
            #[cfg(not(all(feature = "websocket", feature = "rawsocket")))]
            _ => {}
        }
    }
}

impl RouterBuilder {
    /// Adds a URL to listen at, as [`Router::listen`] takes it, for [`start`](Self::start).
    pub fn listen(mut self, url: impl Into<String>) -> Self {
        self.addresses.push(url.into());
        self
    }

    /// Builds the router and listens at the URLs given by [`listen`](Self::listen).
    ///
    /// ```
    /// use spell_router::Router;
    ///
    /// # #[cfg(feature = "websocket")]
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let router = Router::builder().realm("realm1").listen("ws://127.0.0.1:0").start().await?;
    /// println!("clients connect to {}", router.addresses()[0]);
    /// # Ok::<_, spell_router::StartError>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`StartError`] if the router cannot be built, or cannot listen at one of the URLs; then it
    /// listens at none.
    pub async fn start(mut self) -> Result<Router, StartError> {
        let addresses = std::mem::take(&mut self.addresses);
        let router = self.build()?;
        for url in addresses {
            router.listen(&url).await?;
        }
        Ok(router)
    }
}

#[cfg(feature = "websocket")]
fn websocket(max_message_size: usize) -> WebSocketConfig {
    WebSocketConfig::new()
        .max_message_size(max_message_size)
        .max_send_size(max_message_size)
}

#[cfg(feature = "rawsocket")]
fn rawsocket(max_message_size: usize) -> RawSocketConfig {
    RawSocketConfig::new().max_message_size(max_message_size)
}

/// A Unix socket whose file goes with it.
#[cfg(unix)]
struct UnixSocket {
    listener: UnixListener,
    path: PathBuf,
}

#[cfg(unix)]
impl UnixSocket {
    async fn bind(path: PathBuf) -> io::Result<Self> {
        let listener = match UnixListener::bind(&path) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                if !is_left_behind(&path).await {
                    return Err(error);
                }
                std::fs::remove_file(&path)?;
                UnixListener::bind(&path)?
            }
            bound => bound?,
        };
        Ok(Self { listener, path })
    }
}

/// Whether it is the socket of a process that was killed, so that its file stayed. Only dialling
/// tells.
#[cfg(unix)]
async fn is_left_behind(path: &Path) -> bool {
    let file = std::fs::symlink_metadata(path);
    if !file.is_ok_and(|file| file.file_type().is_socket()) {
        return false;
    }
    let dialled = UnixStream::connect(path).await;
    dialled.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}

#[cfg(unix)]
impl Incoming for UnixSocket {
    type Io = UnixStream;

    async fn accept(&mut self) -> io::Result<(UnixStream, spell_transport::Origin)> {
        Incoming::accept(&mut self.listener).await
    }
}

#[cfg(unix)]
impl Drop for UnixSocket {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::debug!(%error, path = %self.path.display(), "cannot remove the socket's file");
        }
    }
}
