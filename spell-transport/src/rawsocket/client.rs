//! The side that dials.

use std::io;

use bytes::{Buf, BytesMut};
use spell_message::Serialization;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::{
    RawSocket, RawSocketConfig,
    handshake::{LENGTH, Refusal, Reply, Request},
};
use crate::{
    ConnectError, Connector, MaybeTls, Socket, TcpOptions, UrlError,
    address::{Address, Protocol},
    endpoint::Endpoint,
};

impl<S: AsyncRead + AsyncWrite + Unpin> RawSocket<S> {
    /// Asks the router at the other end of `io` for `serialization`.
    ///
    /// RawSocket carries one offer per connection. A router that does not support it answers
    /// [`ConnectError::UnsupportedSerialization`] and closes; [`RawSocketConnector`] then dials
    /// again with the next offer.
    ///
    /// # Cancel safety
    ///
    /// Not cancel-safe, but it owns `io`: dropping the future cuts the connection.
    pub async fn client(
        mut io: S,
        serialization: Serialization,
        config: RawSocketConfig,
    ) -> Result<Self, ConnectError> {
        let asked = serialization.rawsocket();
        if asked == 0 {
            return Err(ConnectError::NothingToOffer);
        }
        let limit = config.limit();
        let request = Request {
            limit,
            serializer: asked,
        };
        io.write_all(&request.encode()).await?;
        io.flush().await?;
        let (octets, rest) = reply(&mut io).await?;
        match Reply::decode(octets, asked) {
            Ok(peer_limit) => Ok(Self::new(io, serialization, limit, peer_limit).ahead(&rest)),
            Err(error) if error.refusal() == Some(Refusal::SerializerUnsupported) => {
                Err(ConnectError::UnsupportedSerialization)
            }
            Err(error) => Err(ConnectError::RawSocket(error)),
        }
    }
}

/// The reply, and what came right behind it.
///
/// There is room for more than the reply, for a read that fills its room tells nothing of what there
/// is still: the next one would be a system call in vain.
async fn reply(io: &mut (impl AsyncRead + Unpin)) -> io::Result<([u8; LENGTH], BytesMut)> {
    let mut read = BytesMut::with_capacity(64);
    loop {
        if let Some(octets) = read.first_chunk() {
            let octets = *octets;
            read.advance(LENGTH);
            return Ok((octets, read));
        }
        if io.read_buf(&mut read).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// Dials RawSocket: `rs://`, `tcp://`, `rss://`, `tcps://`, `unix:` and `rs+unix:`.
///
/// Each connection carries one offer, so when the router does not support it, the connector dials
/// again with the next one. Some routers then close instead of saying so, so it does the same when
/// the router closes during the handshake.
#[derive(Clone, Debug)]
pub struct RawSocketConnector {
    endpoint: Endpoint,
    config: RawSocketConfig,
}

impl RawSocketConnector {
    /// Reads where to dial from a URL; see [`connector`](crate::connector()) for its forms.
    pub fn new(url: &str) -> Result<Self, UrlError> {
        let address = Address::parse(url)?;
        match address.protocol {
            Protocol::RawSocket => Ok(Self::at(address.endpoint)),
            Protocol::WebSocket { .. } => Err(UrlError::WrongProtocol {
                scheme: address.scheme,
            }),
        }
    }

    pub(crate) fn at(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            config: RawSocketConfig::new(),
        }
    }

    /// Sets the settings of the transport.
    #[must_use]
    pub fn config(mut self, config: RawSocketConfig) -> Self {
        self.config = config;
        self
    }

    /// Sets what the system does for a TCP connection. Without effect on a Unix socket.
    #[must_use]
    pub fn tcp(mut self, options: TcpOptions) -> Self {
        self.endpoint.set_tcp(options);
        self
    }

    /// Replaces the TLS configuration; see [`tls`](crate::tls). Without effect on plain `rs://`.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls_config(mut self, config: std::sync::Arc<rustls::ClientConfig>) -> Self {
        self.endpoint.set_tls_config(config);
        self
    }
}

impl Connector for RawSocketConnector {
    type Transport = RawSocket<MaybeTls<Socket>>;

    async fn connect(&mut self, offers: &[Serialization]) -> Result<Self::Transport, ConnectError> {
        let offers = offers.iter().filter(|offer| offer.rawsocket() != 0);
        let mut result = Err(ConnectError::NothingToOffer);
        for offer in offers {
            result = self.connect_with(*offer).await;
            match &result {
                Err(error) if may_mean_unsupported(error) => {}
                _ => break,
            }
        }
        result
    }

    fn address(&self) -> Option<String> {
        Some(self.endpoint.name().to_owned())
    }
}

fn may_mean_unsupported(error: &ConnectError) -> bool {
    match error {
        ConnectError::UnsupportedSerialization | ConnectError::Closed => true,
        ConnectError::Io(error) => error.kind() == io::ErrorKind::ConnectionReset,
        _ => false,
    }
}

impl RawSocketConnector {
    async fn connect_with(
        &mut self,
        offer: Serialization,
    ) -> Result<RawSocket<MaybeTls<Socket>>, ConnectError> {
        let (io, origin) = self.endpoint.dial().await?;
        let transport = RawSocket::client(io, offer, self.config).await?;
        Ok(transport.with_origin(origin))
    }
}
