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
use tokio_tungstenite::tungstenite::protocol::Role;

use super::{
    WebSocketConfig,
    close::{Close, CloseCode},
    codec::{Decoder, Encoder, Incoming},
};
use crate::{
    LifeSign, Origin, Pings, ProtocolError, Transport, TransportError, TransportInfo, heard::Heard,
    pings::OwnPings, receive_buffer::ReceiveBuffer, send_buffer::SendBuffer,
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
    io: Heard<S>,
    receive_buffer: ReceiveBuffer,
    decoder: Decoder,
    send_buffer: SendBuffer,
    encoder: Encoder,
    info: TransportInfo,
    /// The answer to the last ping, which goes into the buffer when the one before is written.
    pong: Option<Bytes>,
    /// An answer may be in the buffer, which is then flushed before a message goes in.
    pong_waiting: bool,
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

impl Closing {
    /// Whether the close frame is in the buffer, or was.
    fn is_said(self) -> bool {
        !matches!(self, Self::Not | Self::Messages)
    }
}

impl<S: AsyncWrite> WebSocket<S> {
    /// After the handshake, behind which `rest` was read already.
    pub(super) fn new(
        io: Heard<S>,
        rest: &[u8],
        role: Role,
        serialization: Serialization,
        config: WebSocketConfig,
    ) -> Self
    where
        S: Unpin,
    {
        let encoder = Encoder::new(role, io.is_write_vectored());
        Self {
            io,
            receive_buffer: ReceiveBuffer::with(rest),
            decoder: Decoder::new(role, config.max_receive()),
            send_buffer: SendBuffer::default(),
            encoder,
            info: TransportInfo::new(serialization).with_max_send(Some(config.max_send())),
            pong: None,
            pong_waiting: false,
            pings: OwnPings::default(),
            closing: Closing::Not,
            ended: false,
        }
    }
}

impl<S> WebSocket<S> {
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
            let message = match self.decoder.decode(&mut self.receive_buffer) {
                Ok(Some(Incoming::Text(text))) => self.check_text(text),
                Ok(Some(Incoming::Binary(bytes))) => self.check_binary(bytes),
                Ok(Some(Incoming::Ping(payload))) => {
                    if !self.closing.is_said() {
                        self.pong = Some(payload);
                    }
                    continue;
                }
                Ok(Some(Incoming::Pong(payload))) => {
                    self.pings.answer(&payload);
                    continue;
                }
                Ok(Some(Incoming::Close(close))) => {
                    return Poll::Ready(self.handle_close(close, cx));
                }
                Ok(None) => match ready!(self.receive_buffer.poll_fill(&mut self.io, cx)) {
                    Ok(0) => Err(TransportError::Interrupted),
                    Ok(_) => continue,
                    Err(error) => Err(error.into()),
                },
                Err(error) => Err(error),
            };
            return Poll::Ready(match message {
                Ok(message) => Some(Ok(message)),
                Err(_) if self.closing != Closing::Not => None,
                Err(error) => {
                    self.say_why(&error, cx);
                    Some(Err(error))
                }
            });
        }
    }

    fn check_text(&self, text: Bytes) -> Result<Bytes, TransportError> {
        let serialization = self.info.serialization();
        if serialization.is_text() {
            return Ok(text);
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

    /// The other side closed. It gets a close frame as far as that goes now; a peer that reads
    /// nothing more must not delay the end.
    fn handle_close(
        &mut self,
        close: Option<Close>,
        cx: &mut Context<'_>,
    ) -> Option<Result<Bytes, TransportError>> {
        let was_closing = self.closing != Closing::Not;
        self.say(close.as_ref().map(|close| close.code), cx);
        let Close { code, reason } = close?;
        match code {
            CloseCode::NORMAL | CloseCode::AWAY => None,
            _ if was_closing => None,
            CloseCode(code) => Some(Err(TransportError::Closed { code, reason })),
        }
    }

    /// Tells the other side what it did wrong, as far as that goes without waiting.
    fn say_why(&mut self, error: &TransportError, cx: &mut Context<'_>) {
        let code = match error {
            TransportError::Oversized { .. } => CloseCode::SIZE,
            TransportError::Protocol(ProtocolError::NotUtf8) => CloseCode::INVALID,
            TransportError::Protocol(ProtocolError::WebSocket { .. }) => CloseCode::PROTOCOL,
            TransportError::Protocol(_) => CloseCode::UNSUPPORTED,
            _ => return,
        };
        self.say(Some(code), cx);
    }

    /// Closes without waiting, unless this side did.
    fn say(&mut self, code: Option<CloseCode>, cx: &mut Context<'_>) {
        if self.closing.is_said() || self.start_close(code).is_ok() {
            // What is wrong with the connection, the writer finds.
            let _: Poll<Result<(), TransportError>> = self.poll_write_out(cx);
        }
    }

    /// Puts a close frame into the buffer, behind which nothing goes.
    fn start_close(&mut self, code: Option<CloseCode>) -> Result<(), TransportError> {
        self.encoder.close(code, &mut self.send_buffer)?;
        self.pong = None;
        self.closing = Closing::Frame;
        Ok(())
    }

    fn poll_write_out(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        loop {
            if !self.pong_waiting
                && let Some(payload) = self.pong.take()
            {
                self.encoder.pong(payload, &mut self.send_buffer)?;
                self.pong_waiting = true;
            }
            ready!(self.send_buffer.poll_flush(&mut self.io, cx))?;
            self.pong_waiting = false;
            self.pings.waiting = false;
            if self.pong.is_none() {
                return Poll::Ready(Ok(()));
            }
        }
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        match ready!(Pin::new(&mut self.io).poll_shutdown(cx)) {
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
        let ping = OwnPings::payload(number);
        let this = &mut *self;
        this.pings.waiting = this.encoder.ping(ping, &mut this.send_buffer).is_ok();
    }

    fn life_sign(&mut self) -> LifeSign {
        let heard = self.io.take();
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
        if self.pong.is_some() || self.pong_waiting {
            // As far as it goes now; the rest goes with the next poll of either side. A failure is
            // left to the writer to find, since there may be messages left to read.
            let _: Poll<Result<(), TransportError>> = self.poll_write_out(cx);
        }
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
        let waiting = self.pong.is_some() || self.pong_waiting || self.pings.waiting;
        if self.send_buffer.len() < WRITE_BUFFER && !waiting {
            return Poll::Ready(Ok(()));
        }
        self.poll_write_out(cx)
    }

    fn start_send(mut self: Pin<&mut Self>, message: Bytes) -> Result<(), TransportError> {
        self.check_open()?;
        self.info.check_size(&message)?;
        let this = &mut *self;
        if !this.info.serialization().is_text() {
            return this.encoder.binary(message, &mut this.send_buffer);
        }
        if str::from_utf8(&message).is_err() {
            return Err(TransportError::NotText);
        }
        this.encoder.text(message, &mut this.send_buffer)
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
                    self.start_close(Some(CloseCode::NORMAL))?;
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

/// Bytes waiting to be written from which on no further message is taken.
const WRITE_BUFFER: usize = 64 * 1024;
