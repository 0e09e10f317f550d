//! A URL to a connector.

use std::fmt;

use crate::{
    BoxConnector, TcpOptions, UrlError,
    address::{Address, Protocol},
};

/// A connector for what `url` names, with default settings.
///
/// | URL | transport |
/// |---|---|
/// | `ws://host[:80]/path?query` | WebSocket over TCP |
/// | `wss://host[:443]/path?query` | WebSocket over TLS |
/// | `ws+unix:/run/router.sock[:/path?query]` | WebSocket over a Unix socket; the path of the HTTP request is `/` unless given after a colon |
/// | `rs://host:port`, `tcp://host:port` | RawSocket over TCP |
/// | `rss://host:port`, `tcps://host:port` | RawSocket over TLS |
/// | `unix:/run/router.sock`, `rs+unix:/run/router.sock` | RawSocket over a Unix socket |
///
/// The path of a Unix socket is absolute and may be written after `//`. Write `%3A`, `%3F`, `%23`
/// and `%25` for `:`, `?`, `#` and `%` in it.
///
/// # Errors
///
/// A URL with a user name or password is refused. So is a scheme whose feature was not compiled
/// in: `wss://` and `rss://` never become plain text. No error shows more of the URL than its
/// scheme.
///
/// ```
/// use spell_transport::{UrlError, connector};
///
/// # #[cfg(all(feature = "websocket", feature = "rawsocket"))] {
/// assert!(connector("ws://router.example/wamp").is_ok());
/// assert!(connector("rs://127.0.0.1:8081").is_ok());
/// assert_eq!(connector("ws://me:secret@router.example/").unwrap_err(), UrlError::UserInfo);
/// # }
/// ```
pub fn connector(url: &str) -> Result<BoxConnector, UrlError> {
    ConnectorBuilder::new(url)?.build()
}

/// A connector for a URL, with settings.
///
/// ```
/// use spell_transport::ConnectorBuilder;
///
/// # #[cfg(feature = "websocket")] {
/// let connector = ConnectorBuilder::new("ws://router.example/wamp")?
///     .max_message_size(1024 * 1024)
///     .build()?;
/// # let _ = connector; }
/// # Ok::<_, spell_transport::UrlError>(())
/// ```
#[must_use = "a connector is only made by `build`"]
pub struct ConnectorBuilder {
    address: Address,
    max_message_size: Option<usize>,
    #[cfg(feature = "tls")]
    tls: Option<std::sync::Arc<rustls::ClientConfig>>,
}

impl ConnectorBuilder {
    /// Reads the URL; see [`connector`] for its forms.
    pub fn new(url: &str) -> Result<Self, UrlError> {
        Ok(Self {
            address: Address::parse(url)?,
            max_message_size: None,
            #[cfg(feature = "tls")]
            tls: None,
        })
    }

    /// Sets the size in bytes of the largest message to take; 16 MiB by default. RawSocket uses
    /// the next lower power of two.
    pub fn max_message_size(mut self, bytes: usize) -> Self {
        self.max_message_size = Some(bytes);
        self
    }

    /// Sets what the system does for a TCP connection. Without effect on a Unix socket.
    pub fn tcp(mut self, options: TcpOptions) -> Self {
        self.address.endpoint.set_tcp(options);
        self
    }

    /// Replaces the TLS configuration; see [`tls`](crate::tls). Without effect on a URL without
    /// TLS.
    #[cfg(feature = "tls")]
    pub fn tls_config(mut self, config: std::sync::Arc<rustls::ClientConfig>) -> Self {
        self.tls = Some(config);
        self
    }

    /// Makes the connector.
    pub fn build(self) -> Result<BoxConnector, UrlError> {
        #[cfg_attr(
            not(feature = "tls"),
            expect(unused_mut, reason = "only a TLS configuration changes it")
        )]
        let mut address = self.address;
        #[cfg(feature = "tls")]
        if let Some(config) = self.tls {
            address.endpoint.set_tls_config(config);
        }
        match address.protocol {
            #[cfg(feature = "websocket")]
            Protocol::WebSocket { host, resource } => {
                websocket(address.endpoint, host, &resource, self.max_message_size)
            }
            #[cfg(feature = "rawsocket")]
            Protocol::RawSocket => Ok(rawsocket(address.endpoint, self.max_message_size)),
            // Parsing has refused it before, for the same reason.
            #[cfg(not(all(feature = "websocket", feature = "rawsocket")))]
            _ => Err(UrlError::UnknownScheme {
                scheme: address.scheme,
            }),
        }
    }
}

/// Without the query, which may hold a token.
impl fmt::Debug for ConnectorBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectorBuilder")
            .field("endpoint", &self.address.endpoint)
            .field("max_message_size", &self.max_message_size)
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "websocket")]
fn websocket(
    endpoint: crate::endpoint::Endpoint,
    host: String,
    resource: &str,
    max_message_size: Option<usize>,
) -> Result<BoxConnector, UrlError> {
    use crate::websocket::{WebSocketConfig, WebSocketConnector};

    let mut connector = WebSocketConnector::at(endpoint, host, resource)?;
    if let Some(bytes) = max_message_size {
        connector = connector.config(WebSocketConfig::new().max_message_size(bytes));
    }
    Ok(BoxConnector::new(connector))
}

#[cfg(feature = "rawsocket")]
fn rawsocket(endpoint: crate::endpoint::Endpoint, max_message_size: Option<usize>) -> BoxConnector {
    use crate::rawsocket::{RawSocketConfig, RawSocketConnector};

    let mut connector = RawSocketConnector::at(endpoint);
    if let Some(bytes) = max_message_size {
        connector = connector.config(RawSocketConfig::new().max_message_size(bytes));
    }
    BoxConnector::new(connector)
}
