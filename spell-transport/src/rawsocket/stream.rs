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

use super::{
    codec::{Decoder, Frame, MAX_SENT},
    handshake::Limit,
};
use crate::{
    LifeSign, Origin, Pings, ProtocolError, Transport, TransportError, TransportInfo, heard::Heard,
    pings::OwnPings, receive_buffer::ReceiveBuffer, send_buffer::SendBuffer,
};

/// A RawSocket over any stream of bytes: TCP, TLS, a Unix socket, a pipe, your own.
///
/// * The end of the stream between two frames is a clean end; within a frame, or without
///   `close_notify` on TLS, it is [`TransportError::Interrupted`].
/// * A PING is answered with its payload while the transport is read, also when nothing can be
///   written at the moment.
/// * A PING of its own ([`Transport::ping`]) goes behind what is in the buffer, and before all
///   messages that are not. It is [`Pings::Risky`]: Crossbar.io and other peers on autobahn-python
///   close the connection instead of answering.
/// * While 64 KiB wait to be written, `poll_ready` is pending. While as many bytes of answers to
///   PINGs wait, nothing more is read.
///
/// WAMP spec, "RawSocket Transport".
///
/// ```
/// use bytes::Bytes;
/// use futures_util::{SinkExt, StreamExt};
/// use spell_transport::{Serialization, rawsocket::{RawSocket, RawSocketConfig}};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let (near, far) = tokio::io::duplex(4096); // any AsyncRead + AsyncWrite
/// let (client, server) = tokio::join!(
///     RawSocket::client(near, Serialization::CBOR, RawSocketConfig::new()),
///     RawSocket::server(far, &[Serialization::CBOR], RawSocketConfig::new()),
/// );
/// let (mut client, mut server) = (client?, server?);
/// client.send(Bytes::from_static(b"\x81\x01")).await?;
/// assert_eq!(server.next().await.unwrap()?, &b"\x81\x01"[..]);
/// # Ok::<_, Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
pub struct RawSocket<S> {
    io: Heard<S>,
    receive_buffer: ReceiveBuffer,
    decoder: Decoder,
    send_buffer: SendBuffer,
    info: TransportInfo,
    /// The largest frame the other side takes.
    peer_limit: Limit,
    /// Bytes of PONGs not yet known to be flushed; none once writing them failed.
    pongs: Option<usize>,
    pings: OwnPings,
    /// Closed by this side: nothing more is written.
    closed: bool,
    /// Nothing more is read.
    ended: bool,
}

impl<S: AsyncRead + AsyncWrite> RawSocket<S> {
    /// After the handshake.
    pub(super) fn new(io: S, serialization: Serialization, own: Limit, peer: Limit) -> Self {
        let max_send = peer.bytes().min(MAX_SENT);
        Self {
            io: Heard::new(io),
            receive_buffer: ReceiveBuffer::default(),
            decoder: Decoder::new(own.bytes()),
            send_buffer: SendBuffer::default(),
            info: TransportInfo::new(serialization).with_max_send(Some(max_send)),
            peer_limit: peer,
            pongs: Some(0),
            pings: OwnPings::default(),
            closed: false,
            ended: false,
        }
    }

    /// With what was read before.
    pub(super) fn ahead(mut self, bytes: &[u8]) -> Self {
        self.receive_buffer.extend(bytes);
        self
    }
}

impl<S> RawSocket<S> {
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

impl<S: AsyncRead + AsyncWrite + Unpin> RawSocket<S> {
    fn answer(&mut self, ping: Bytes) -> Result<(), TransportError> {
        if ping.len() > self.peer_limit.bytes().min(MAX_SENT) {
            let error = ProtocolError::PingTooLarge {
                size: ping.len(),
                limit: self.peer_limit.bytes(),
            };
            return Err(error.into());
        }
        let Some(pongs) = self.pongs.filter(|_bytes| !self.closed) else {
            return Ok(());
        };
        self.pongs = Some(pongs.saturating_add(ping.len()).saturating_add(4));
        self.enqueue(Frame::Pong(ping))
    }

    /// Without asking for room: what may go in is bounded by `poll_ready` and by `pongs`.
    fn enqueue(&mut self, frame: Frame) -> Result<(), TransportError> {
        let vectored = self.io.is_write_vectored();
        frame.encode(&mut self.send_buffer, vectored)
    }

    fn poll_write_out(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        ready!(self.send_buffer.poll_flush(&mut self.io, cx))?;
        self.pongs = self.pongs.and(Some(0));
        self.pings.waiting = false;
        Poll::Ready(Ok(()))
    }

    /// A failure to write is left to the writer to find, since there may be messages left to read.
    fn poll_pongs(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if ready!(self.poll_write_out(cx)).is_err() {
            self.pongs = None;
        }
        Poll::Ready(())
    }

    fn poll_message(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, TransportError>>> {
        loop {
            if self.pongs > Some(MAX_PONGS) {
                ready!(self.poll_pongs(cx));
            }
            match self.decoder.decode(&mut self.receive_buffer)? {
                Some(Frame::Message(message)) => return Poll::Ready(Some(Ok(message))),
                Some(Frame::Ping(payload)) => self.answer(payload)?,
                Some(Frame::Pong(payload)) => self.pings.answer(&payload),
                None => {
                    let filled = self.receive_buffer.poll_fill(&mut self.io, cx);
                    if ready!(filled)? == 0 {
                        self.decoder.end(&self.receive_buffer)?;
                        return Poll::Ready(None);
                    }
                }
            }
        }
    }

    fn check_open(&self) -> Result<(), TransportError> {
        if self.closed {
            return Err(TransportError::AlreadyClosed);
        }
        Ok(())
    }
}

impl<S> Transport for RawSocket<S>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    fn info(&self) -> &TransportInfo {
        &self.info
    }

    fn pings(&self) -> Pings {
        Pings::Risky
    }

    fn ping(&mut self, number: u64) {
        if self.pings.waiting || self.closed {
            return;
        }
        // What is wrong with the connection, the writer finds.
        self.pings.waiting = self.enqueue(Frame::Ping(OwnPings::payload(number))).is_ok();
    }

    fn life_sign(&mut self) -> LifeSign {
        let heard = self.io.take();
        self.pings.take_sign(heard)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Stream for RawSocket<S> {
    type Item = Result<Bytes, TransportError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let item = self.poll_message(cx);
        if self.pongs > Some(0) {
            // As far as it goes now; the rest goes with the next poll of either side.
            let _: Poll<()> = self.poll_pongs(cx);
        }
        self.ended = matches!(item, Poll::Ready(None | Some(Err(_))));
        item
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Sink<Bytes> for RawSocket<S> {
    type Error = TransportError;

    fn poll_ready(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), TransportError>> {
        self.check_open()?;
        // Without an end to messages, a PING in the buffer would never be known to be flushed.
        if self.send_buffer.len() < WRITE_BUFFER && !self.pings.waiting {
            return Poll::Ready(Ok(()));
        }
        self.poll_write_out(cx)
    }

    fn start_send(mut self: Pin<&mut Self>, message: Bytes) -> Result<(), TransportError> {
        self.check_open()?;
        self.info.check_size(&message)?;
        self.enqueue(Frame::Message(message))
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
        self.closed = true;
        ready!(self.poll_write_out(cx))?;
        match ready!(Pin::new(&mut self.io).poll_shutdown(cx)) {
            // The other side was faster: there is nothing left to shut down.
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Poll::Ready(Ok(())),
            result => Poll::Ready(result.map_err(TransportError::from)),
        }
    }
}

impl<S> fmt::Debug for RawSocket<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawSocket")
            .field("info", &self.info)
            .finish_non_exhaustive()
    }
}

/// Bytes waiting to be written from which on no further message is taken.
const WRITE_BUFFER: usize = 64 * 1024;
/// Bytes of PONGs waiting to be written beyond which nothing is read.
const MAX_PONGS: usize = 64 * 1024;
