//! One port for both protocols.

use std::{
    fmt, io,
    pin::Pin,
    task::{Context, Poll},
};

use spell_message::Serialization;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

use crate::{
    BoxTransport, Handshake, Incoming, Listener,
    incoming::{Port, port_methods},
    rawsocket::{MAGIC, RawSocket, RawSocketConfig},
    websocket::{WebSocket, WebSocketConfig},
};

/// Accepts WebSocket and RawSocket clients on one port, TCP, TLS or Unix.
///
/// The first octet tells them apart: that of RawSocket can begin no HTTP request.
///
/// WAMP spec, "RawSocket Transport", "Handshake".
///
/// ```
/// use spell_transport::{AnyListener, Listener, Serialization, Transport, connector, Connector};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let tcp = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// let address = tcp.local_addr()?;
/// let mut listener = AnyListener::new(tcp, [Serialization::JSON]);
/// tokio::spawn(async move {
///     loop {
///         let handshake = listener.accept().await.expect("a connection");
///         tokio::spawn(handshake);
///     }
/// });
/// for url in [format!("ws://{address}/"), format!("rs://{address}")] {
///     let transport = connector(&url)?.connect(&[Serialization::JSON]).await?;
///     assert_eq!(transport.info().serialization(), Serialization::JSON);
/// }
/// # Ok::<_, Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Debug)]
pub struct AnyListener<I> {
    port: Port<I>,
    websocket: WebSocketConfig,
    rawsocket: RawSocketConfig,
}

impl<I: Incoming> AnyListener<I> {
    /// Accepts clients that offer one of the `supported` serializations.
    pub fn new(incoming: I, supported: impl IntoIterator<Item = Serialization>) -> Self {
        Self {
            port: Port::new(incoming, supported),
            websocket: WebSocketConfig::new(),
            rawsocket: RawSocketConfig::new(),
        }
    }

    /// Sets the settings of each WebSocket.
    #[must_use]
    pub fn websocket_config(mut self, config: WebSocketConfig) -> Self {
        self.websocket = config;
        self
    }

    /// Sets the settings of each RawSocket.
    #[must_use]
    pub fn rawsocket_config(mut self, config: RawSocketConfig) -> Self {
        self.rawsocket = config;
        self
    }

    port_methods!();
}

impl<I: Incoming> Listener for AnyListener<I> {
    type Transport = BoxTransport;
    type Handshake = Handshake<BoxTransport>;

    async fn accept(&mut self) -> io::Result<Self::Handshake> {
        let (websocket, rawsocket) = (self.websocket, self.rawsocket);
        self.port
            .accept(move |mut io, origin, supported| async move {
                let first = io.read_u8().await?;
                let io = Rewound {
                    first: Some(first),
                    io,
                };
                let transport: BoxTransport = if first == MAGIC {
                    let transport = RawSocket::server(io, &supported, rawsocket).await?;
                    Box::new(transport.with_origin(origin))
                } else {
                    let transport = WebSocket::server(io, &supported, websocket).await?;
                    Box::new(transport.with_origin(origin))
                };
                Ok(transport)
            })
            .await
    }
}

/// A stream of bytes whose first one has been read and is put back.
struct Rewound<S> {
    first: Option<u8>,
    io: S,
}

impl<S: AsyncRead + Unpin> AsyncRead for Rewound<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if buffer.remaining() > 0
            && let Some(first) = self.first.take()
        {
            buffer.put_slice(&[first]);
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Rewound<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

impl<S> fmt::Debug for Rewound<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rewound").finish_non_exhaustive()
    }
}
