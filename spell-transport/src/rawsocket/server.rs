//! The side that listens.

use std::io;

use spell_message::Serialization;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::{
    HandshakeError, RawSocket, RawSocketConfig,
    handshake::{LENGTH, Refusal, Reply, Request},
};
use crate::{
    AcceptError, Handshake, Incoming, Listener, MaybeTls,
    incoming::{Port, port_methods},
};

impl<S: AsyncRead + AsyncWrite + Unpin> RawSocket<S> {
    /// Answers the client at the other end of `io`, which may ask for any serialization in
    /// `supported`. A client that is refused is told why, as far as it speaks RawSocket.
    ///
    /// # Cancel safety
    ///
    /// Not cancel-safe, but it owns `io`: dropping the future cuts the connection.
    pub async fn server(
        mut io: S,
        supported: &[Serialization],
        config: RawSocketConfig,
    ) -> Result<Self, AcceptError> {
        let mut octets = [0; LENGTH];
        io.read_exact(&mut octets).await?;
        let request = match Request::decode(octets) {
            Ok(request) => request,
            Err(error) => {
                if let HandshakeError::Reserved { .. } = error {
                    reply(&mut io, Reply::Refused(Refusal::ReservedBits)).await?;
                }
                return Err(AcceptError::RawSocket(error));
            }
        };
        let Some(serialization) = request.select(supported) else {
            reply(&mut io, Reply::Refused(Refusal::SerializerUnsupported)).await?;
            return Err(AcceptError::UnsupportedSerialization);
        };
        let limit = config.limit();
        let accepted = Reply::Accepted {
            limit,
            serializer: request.serializer,
        };
        reply(&mut io, accepted).await?;
        Ok(Self::new(io, serialization, limit, request.limit))
    }
}

async fn reply(io: &mut (impl AsyncWrite + Unpin), reply: Reply) -> io::Result<()> {
    io.write_all(&reply.encode()).await?;
    io.flush().await
}

/// Accepts RawSocket clients from a [`TcpListener`](tokio::net::TcpListener), a
/// [`UnixListener`](tokio::net::UnixListener) or any other [`Incoming`].
///
/// ```
/// use spell_transport::{
///     Connector, Listener, Serialization, Transport,
///     rawsocket::{RawSocketConnector, RawSocketListener},
/// };
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let tcp = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// let mut dial = RawSocketConnector::new(&format!("rs://{}", tcp.local_addr()?))?;
/// let mut listener = RawSocketListener::new(tcp, [Serialization::JSON]);
///
/// // The server knows no CBOR, so the client dials a second time.
/// tokio::spawn(async move {
///     loop {
///         let handshake = listener.accept().await.expect("a connection");
///         tokio::spawn(handshake);
///     }
/// });
/// let transport = dial.connect(&[Serialization::CBOR, Serialization::JSON]).await?;
/// assert_eq!(transport.info().serialization(), Serialization::JSON);
/// # Ok::<_, Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Debug)]
pub struct RawSocketListener<I> {
    port: Port<I>,
    config: RawSocketConfig,
}

impl<I: Incoming> RawSocketListener<I> {
    /// Accepts clients that ask for one of the `supported` serializations.
    pub fn new(incoming: I, supported: impl IntoIterator<Item = Serialization>) -> Self {
        Self {
            port: Port::new(incoming, supported),
            config: RawSocketConfig::new(),
        }
    }

    /// Sets the settings of the transports.
    #[must_use]
    pub fn config(mut self, config: RawSocketConfig) -> Self {
        self.config = config;
        self
    }

    port_methods!();
}

impl<I: Incoming> Listener for RawSocketListener<I> {
    type Transport = RawSocket<MaybeTls<I::Io>>;
    type Handshake = Handshake<Self::Transport>;

    async fn accept(&mut self) -> io::Result<Self::Handshake> {
        let config = self.config;
        self.port
            .accept(move |io, origin, supported| async move {
                let transport = RawSocket::server(io, &supported, config).await?;
                Ok(transport.with_origin(origin))
            })
            .await
    }
}
