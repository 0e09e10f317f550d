//! The side that listens.

use std::io;

use http::{HeaderValue, StatusCode, header::SEC_WEBSOCKET_PROTOCOL};
use spell_message::Serialization;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::{
    accept_hdr_async_with_config,
    tungstenite::{
        handshake::server::{Callback, ErrorResponse, Request, Response},
        protocol::{Role, WebSocketConfig as HandshakeConfig},
    },
};

use super::{WebSocket, WebSocketConfig, error::during_accept};
use crate::{
    AcceptError, Handshake, Incoming, Listener, MaybeTls,
    heard::Heard,
    incoming::{Port, port_methods},
};

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// Answers the client at the other end of `io`, agreeing to the first subprotocol it offers
    /// that is in `supported`. A client that offers none of them gets HTTP status 400.
    ///
    /// Any path is accepted, and any `Origin`.
    ///
    /// # Cancel safety
    ///
    /// Not cancel-safe, but it owns `io`: dropping the future cuts the connection.
    pub async fn server(
        io: S,
        supported: &[Serialization],
        config: WebSocketConfig,
    ) -> Result<Self, AcceptError> {
        let mut agreed = None;
        let negotiation = Negotiation {
            supported,
            agreed: &mut agreed,
        };
        // The buffer is for frames, which the library reads none of.
        let library = HandshakeConfig::default().read_buffer_size(0);
        let accepted =
            accept_hdr_async_with_config(Heard::new(io), negotiation, Some(library)).await;
        match (accepted, agreed) {
            (Ok(stream), Some(serialization)) => {
                // It refuses a client that sends more than its request before the answer.
                let (io, rest) = (stream.into_inner(), &[]);
                Ok(Self::new(io, rest, Role::Server, serialization, config))
            }
            (Ok(_), None) => Err(AcceptError::UnsupportedSerialization),
            (Err(error), _) => Err(during_accept(error)),
        }
    }
}

/// Picks the subprotocol.
struct Negotiation<'a> {
    supported: &'a [Serialization],
    agreed: &'a mut Option<Serialization>,
}

impl Callback for Negotiation<'_> {
    fn on_request(
        self,
        request: &Request,
        mut response: Response,
    ) -> Result<Response, ErrorResponse> {
        let offers = request.headers().get_all(SEC_WEBSOCKET_PROTOCOL);
        let agreed = offers
            .iter()
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(','))
            .find_map(|offer| {
                let named = |known: &&Serialization| known.subprotocol() == offer.trim();
                self.supported.iter().find(named)
            });
        let Some(agreed) = agreed else {
            return Err(self.refusal());
        };
        *self.agreed = Some(*agreed);
        response.headers_mut().insert(
            SEC_WEBSOCKET_PROTOCOL,
            HeaderValue::from_static(agreed.subprotocol()),
        );
        Ok(response)
    }
}

impl Negotiation<'_> {
    fn refusal(&self) -> ErrorResponse {
        let names: Vec<_> = self
            .supported
            .iter()
            .map(Serialization::subprotocol)
            .collect();
        let text = format!(
            "none of the offered subprotocols is supported; these are: {}\n",
            names.join(", ")
        );
        let mut response = ErrorResponse::new(Some(text));
        *response.status_mut() = StatusCode::BAD_REQUEST;
        response
    }
}

/// Accepts WebSocket clients from a [`TcpListener`](tokio::net::TcpListener), a
/// [`UnixListener`](tokio::net::UnixListener) or any other [`Incoming`].
///
/// ```
/// use spell_transport::{
///     Connector, Listener, Serialization, Transport,
///     websocket::{WebSocketConnector, WebSocketListener},
/// };
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let tcp = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// let mut dial = WebSocketConnector::new(&format!("ws://{}/", tcp.local_addr()?))?;
/// let mut listener = WebSocketListener::new(tcp, [Serialization::JSON]);
///
/// tokio::spawn(async move {
///     let handshake = listener.accept().await.expect("a connection");
///     handshake.await.expect("a WebSocket")
/// });
/// let transport = dial.connect(&[Serialization::CBOR, Serialization::JSON]).await?;
/// assert_eq!(transport.info().serialization(), Serialization::JSON);
/// # Ok::<_, Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Debug)]
pub struct WebSocketListener<I> {
    port: Port<I>,
    config: WebSocketConfig,
}

impl<I: Incoming> WebSocketListener<I> {
    /// Accepts clients that offer one of the `supported` serializations.
    pub fn new(incoming: I, supported: impl IntoIterator<Item = Serialization>) -> Self {
        Self {
            port: Port::new(incoming, supported),
            config: WebSocketConfig::new(),
        }
    }

    /// Sets the settings of the transports.
    #[must_use]
    pub fn config(mut self, config: WebSocketConfig) -> Self {
        self.config = config;
        self
    }

    port_methods!();
}

impl<I: Incoming> Listener for WebSocketListener<I> {
    type Transport = WebSocket<MaybeTls<I::Io>>;
    type Handshake = Handshake<Self::Transport>;

    async fn accept(&mut self) -> io::Result<Self::Handshake> {
        let config = self.config;
        self.port
            .accept(move |io, origin, supported| async move {
                let transport = WebSocket::server(io, &supported, config).await?;
                Ok(transport.with_origin(origin))
            })
            .await
    }
}
