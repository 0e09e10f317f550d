//! The side that dials.

use http::header::SEC_WEBSOCKET_PROTOCOL;
use spell_message::Serialization;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::{
    client_async_with_config,
    tungstenite::protocol::{Role, WebSocketConfig as HandshakeConfig},
};

use super::{
    InvalidHeader, UpgradeError, WebSocket, WebSocketConfig, WebSocketRequest,
    error::during_connect, head::Head,
};
use crate::{
    ConnectError, Connector, MaybeTls, Socket, TcpOptions, UrlError,
    address::{Address, Protocol},
    endpoint::Endpoint,
    heard::Heard,
};

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// Asks the server at the other end of `io` for a WebSocket, offering `offers` in order of
    /// preference.
    ///
    /// # Cancel safety
    ///
    /// Not cancel-safe, but it owns `io`: dropping the future cuts the connection.
    pub async fn client(
        io: S,
        request: WebSocketRequest,
        offers: &[Serialization],
        config: WebSocketConfig,
    ) -> Result<Self, ConnectError> {
        if offers.is_empty() {
            return Err(ConnectError::NothingToOffer);
        }
        let request = request.build(offers)?;
        let io = Head::new(Heard::new(io));
        // The buffer is for frames, which the library reads none of.
        let library = HandshakeConfig::default().read_buffer_size(0);
        let (stream, response) = client_async_with_config(request, io, Some(library))
            .await
            .map_err(during_connect)?;
        let Some(agreed) = response.headers().get(SEC_WEBSOCKET_PROTOCOL) else {
            return Err(ConnectError::WebSocket(UpgradeError::NoSubprotocol));
        };
        let serialization = offers
            .iter()
            .find(|offer| agreed == offer.subprotocol())
            .ok_or(ConnectError::WebSocket(UpgradeError::ForeignSubprotocol))?;
        let (io, rest) = stream.into_inner().into_parts();
        Ok(Self::new(io, &rest, Role::Client, *serialization, config))
    }
}

/// Dials WebSocket: `ws://`, `wss://` and `ws+unix:`.
#[derive(Clone, Debug)]
pub struct WebSocketConnector {
    endpoint: Endpoint,
    request: WebSocketRequest,
    config: WebSocketConfig,
}

impl WebSocketConnector {
    /// Reads where to dial and what to ask for from a URL; see
    /// [`connector`](crate::connector()) for its forms.
    pub fn new(url: &str) -> Result<Self, UrlError> {
        let address = Address::parse(url)?;
        match address.protocol {
            Protocol::WebSocket { host, resource } => Self::at(address.endpoint, host, &resource),
            Protocol::RawSocket => Err(UrlError::WrongProtocol {
                scheme: address.scheme,
            }),
        }
    }

    pub(crate) fn at(endpoint: Endpoint, host: String, resource: &str) -> Result<Self, UrlError> {
        Ok(Self {
            endpoint,
            request: WebSocketRequest::from_parts(host, resource)?,
            config: WebSocketConfig::new(),
        })
    }

    /// Adds a header to the request, as for a cookie or a token. Its value is not shown by
    /// `Debug`.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, InvalidHeader> {
        self.request.add_header(name, value)?;
        Ok(self)
    }

    /// Sets the settings of the transport.
    #[must_use]
    pub fn config(mut self, config: WebSocketConfig) -> Self {
        self.config = config;
        self
    }

    /// Sets what the system does for a TCP connection. Without effect on a Unix socket.
    #[must_use]
    pub fn tcp(mut self, options: TcpOptions) -> Self {
        self.endpoint.set_tcp(options);
        self
    }

    /// Replaces the TLS configuration; see [`tls`](crate::tls). Without effect on plain `ws://`.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls_config(mut self, config: std::sync::Arc<rustls::ClientConfig>) -> Self {
        self.endpoint.set_tls_config(config);
        self
    }
}

impl Connector for WebSocketConnector {
    type Transport = WebSocket<MaybeTls<Socket>>;

    async fn connect(&mut self, offers: &[Serialization]) -> Result<Self::Transport, ConnectError> {
        let (io, origin) = self.endpoint.dial().await?;
        let request = self.request.clone();
        let transport = WebSocket::client(io, request, offers, self.config).await?;
        Ok(transport.with_origin(origin))
    }

    fn address(&self) -> Option<String> {
        Some(self.endpoint.name().to_owned())
    }
}
