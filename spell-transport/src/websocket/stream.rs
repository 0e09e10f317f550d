//! The transport.

use std::{
    fmt, io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_core::Stream;
use futures_sink::Sink;
use spell_message::Serialization;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error, Message, Utf8Bytes,
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};

use super::{WebSocketConfig, error};
use crate::{
    LifeSign, Origin, Pings, ProtocolError, Transport, TransportError, TransportInfo, heard::Heard,
    pings::OwnPings,
};

/// A WebSocket over any stream of bytes: TCP, TLS, a Unix socket, a pipe, your own.
///
/// * One WAMP message is one WebSocket message, text or binary as the negotiated serialization
///   is; the other kind is a [`ProtocolError`].
/// * A close frame with code 1000, 1001 or none is a clean end. Another code is
///   [`TransportError::Closed`], and the end without a close frame
///   [`TransportError::Interrupted`].
/// * A ping is answered while the transport is read, also when nothing can be written at the
///   moment; of several that wait, the last one is.
/// * A ping of its own ([`Transport::ping`]) goes behind what is in the buffer, and before all
///   messages that are not.
/// * Some 64 KiB are buffered before `poll_ready` waits for the socket to take them.
/// * `poll_close` sends a close frame and shuts down the writing half; it does not wait for the
///   other side's close frame.
///
/// WAMP spec, "WebSocket Transport".
///
/// ```
/// use bytes::Bytes;
/// use futures_util::{SinkExt, StreamExt};
/// use spell_transport::{Serialization, Transport};
/// use spell_transport::websocket::{WebSocket, WebSocketConfig, WebSocketRequest};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let (near, far) = tokio::io::duplex(4096); // any AsyncRead + AsyncWrite
/// let request = WebSocketRequest::new("ws://router.example/wamp")?;
/// let offers = [Serialization::CBOR, Serialization::JSON];
/// let (client, server) = tokio::join!(
///     WebSocket::client(near, request, &offers, WebSocketConfig::new()),
///     WebSocket::server(far, &[Serialization::JSON], WebSocketConfig::new()),
/// );
/// let (mut client, mut server) = (client?, server?);
/// assert_eq!(client.info().serialization(), Serialization::JSON);
/// client.send(Bytes::from_static(b"[1]")).await?;
/// assert_eq!(server.next().await.unwrap()?, "[1]");
/// # Ok::<_, Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
pub struct WebSocket<S> {
    inner: WebSocketStream<Heard<S>>,
    info: TransportInfo,
    /// The answer to a ping may be in the buffer, which is then flushed before a message goes in.
    pinged: bool,
    pings: OwnPings,
    closing: Closing,
    /// Nothing more is read.
    ended: bool,
}

/// How far this side's closing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Closing {
    Not,
    /// Before the close frame there may be messages in the buffer.
    Messages,
    /// The close frame is in the buffer.
    Frame,
    /// It is written.
    Shutdown,
    Done,
}

impl<S> WebSocket<S> {
    /// After the handshake.
    pub(super) fn new(
        inner: WebSocketStream<Heard<S>>,
        serialization: Serialization,
        config: WebSocketConfig,
    ) -> Self {
        Self {
            inner,
            info: TransportInfo::new(serialization).with_max_send(Some(config.max_send())),
            pinged: false,
            pings: OwnPings::default(),
            closing: Closing::Not,
            ended: false,
        }
    }

    /// Sets the other side's address, for humans.
    #[must_use]
    pub fn with_peer(mut self, address: impl Into<String>) -> Self {
        self.info = self.info.with_peer(address);
        self
    }

    /// Says that nobody but the other side can read along.
    #[must_use]
    pub fn confidential(mut self) -> Self {
        self.info = self.info.confidential();
        self
    }

    pub(crate) fn with_origin(mut self, origin: Origin) -> Self {
        self.info = self.info.with_origin(origin);
        self
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    fn poll_message(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, TransportError>>> {
        loop {
            let Some(item) = ready!(Pin::new(&mut self.inner).poll_next(cx)) else {
                return Poll::Ready(None);
            };
            let message = match item {
                Ok(Message::Text(text)) => self.check_text(text),
                Ok(Message::Binary(bytes)) => self.check_binary(bytes),
                Ok(Message::Ping(_)) => {
                    self.pinged = true;
                    continue;
                }
                Ok(Message::Pong(payload)) => {
                    self.pings.answer(&payload);
                    continue;
                }
                Ok(Message::Frame(_)) => continue,
                Ok(Message::Close(frame)) => return Poll::Ready(self.handle_close(frame, cx)),
                Err(_) if self.closing != Closing::Not => return Poll::Ready(None),
                Err(error) => Err(error::during_session(error)),
            };
            if let Err(error) = &message {
                self.say_why(error, cx);
            }
            return Poll::Ready(Some(message));
        }
    }

    fn check_text(&self, text: Utf8Bytes) -> Result<Bytes, TransportError> {
        let serialization = self.info.serialization();
        if serialization.is_text() {
            return Ok(text.into());
        }
        let subprotocol = serialization.subprotocol();
        Err(ProtocolError::TextForBinary { subprotocol }.into())
    }

    fn check_binary(&self, bytes: Bytes) -> Result<Bytes, TransportError> {
        let serialization = self.info.serialization();
        if !serialization.is_text() {
            return Ok(bytes);
        }
        let subprotocol = serialization.subprotocol();
        Err(ProtocolError::BinaryForText { subprotocol }.into())
    }

    /// The other side closed. Our close frame is in the buffer already, and is sent as far as
    /// that goes now; a peer that reads nothing more must not delay the end.
    fn handle_close(
        &mut self,
        frame: Option<CloseFrame>,
        cx: &mut Context<'_>,
    ) -> Option<Result<Bytes, TransportError>> {
        let _: Poll<Result<(), Error>> = Pin::new(&mut self.inner).poll_flush(cx);
        let frame = frame?;
        match frame.code {
            CloseCode::Normal | CloseCode::Away => None,
            _ if self.closing != Closing::Not => None,
            code => Some(Err(TransportError::Closed {
                code: code.into(),
                reason: frame.reason.as_str().to_owned(),
            })),
        }
    }

    /// Tells the other side what it did wrong, as far as that goes without waiting.
    fn say_why(&mut self, error: &TransportError, cx: &mut Context<'_>) {
        let code = match error {
            TransportError::Oversized { .. } => CloseCode::Size,
            TransportError::Protocol(ProtocolError::NotUtf8) => CloseCode::Invalid,
            TransportError::Protocol(ProtocolError::WebSocket { .. }) => CloseCode::Protocol,
            TransportError::Protocol(_) => CloseCode::Unsupported,
            _ => return,
        };
        if self.closing == Closing::Not && self.start_close(code).is_ok() {
            self.closing = Closing::Frame;
            let _: Poll<Result<(), Error>> = Pin::new(&mut self.inner).poll_flush(cx);
        }
    }

    /// Puts a close frame into the buffer, unless there was one.
    fn start_close(&mut self, code: CloseCode) -> Result<(), TransportError> {
        let frame = CloseFrame {
            code,
            reason: Utf8Bytes::from_static(""),
        };
        match Pin::new(&mut self.inner).start_send(Message::Close(Some(frame))) {
            Ok(()) => Ok(()),
            Err(error) => match error::during_session(error) {
                TransportError::AlreadyClosed => Ok(()),
                error => Err(error),
            },
        }
    }

    fn poll_write_out(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        ready!(Pin::new(&mut self.inner).poll_flush(cx)).map_err(error::during_session)?;
        self.pinged = false;
        self.pings.waiting = false;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        match ready!(Pin::new(self.inner.get_mut()).poll_shutdown(cx)) {
            // The other side was faster: there is nothing left to shut down.
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Poll::Ready(Ok(())),
            result => Poll::Ready(result.map_err(TransportError::from)),
        }
    }

    fn check_open(&self) -> Result<(), TransportError> {
        match self.closing {
            Closing::Not => Ok(()),
            _ => Err(TransportError::AlreadyClosed),
        }
    }
}

impl<S> Transport for WebSocket<S>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    fn info(&self) -> &TransportInfo {
        &self.info
    }

    fn pings(&self) -> Pings {
        // RFC 6455, 5.5.2: an endpoint must answer.
        Pings::Answered
    }

    fn ping(&mut self, number: u64) {
        if self.pings.waiting || self.closing != Closing::Not {
            return;
        }
        let ping = Message::Ping(OwnPings::payload(number));
        // What is wrong with the connection, the writer finds.
        self.pings.waiting = Pin::new(&mut self.inner).start_send(ping).is_ok();
    }

    fn life_sign(&mut self) -> LifeSign {
        let heard = self.inner.get_mut().take();
        self.pings.take_sign(heard)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Stream for WebSocket<S> {
    type Item = Result<Bytes, TransportError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let item = self.poll_message(cx);
        self.ended = matches!(item, Poll::Ready(None | Some(Err(_))));
        item
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Sink<Bytes> for WebSocket<S> {
    type Error = TransportError;

    fn poll_ready(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), TransportError>> {
        self.check_open()?;
        // Without an end to messages, the buffer would never be known to be flushed.
        if self.pinged || self.pings.waiting {
            ready!(self.poll_write_out(cx))?;
        }
        let ready = Pin::new(&mut self.inner).poll_ready(cx);
        ready.map_err(error::during_session)
    }

    fn start_send(mut self: Pin<&mut Self>, message: Bytes) -> Result<(), TransportError> {
        self.check_open()?;
        self.info.check_size(&message)?;
        let message = if self.info.serialization().is_text() {
            let text = Utf8Bytes::try_from(message);
            Message::Text(text.map_err(|_invalid| TransportError::NotText)?)
        } else {
            Message::Binary(message)
        };
        let sent = Pin::new(&mut self.inner).start_send(message);
        sent.map_err(error::during_session)
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), TransportError>> {
        self.poll_write_out(cx)
    }

    fn poll_close(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), TransportError>> {
        loop {
            self.closing = match self.closing {
                Closing::Not => Closing::Messages,
                Closing::Messages => {
                    ready!(self.poll_write_out(cx))?;
                    self.start_close(CloseCode::Normal)?;
                    Closing::Frame
                }
                Closing::Frame => {
                    ready!(self.poll_write_out(cx))?;
                    Closing::Shutdown
                }
                Closing::Shutdown => {
                    ready!(self.poll_shutdown(cx))?;
                    Closing::Done
                }
                Closing::Done => return Poll::Ready(Ok(())),
            };
        }
    }
}

impl<S> fmt::Debug for WebSocket<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocket")
            .field("info", &self.info)
            .finish_non_exhaustive()
    }
}
