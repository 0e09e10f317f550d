//! The trait that every transport implements.

use std::fmt;

use bytes::Bytes;
use futures_core::Stream;
use futures_sink::Sink;
use spell_message::Serialization;

#[cfg(any(feature = "websocket", feature = "rawsocket"))]
use crate::Origin;
use crate::{LifeSign, Pings, TransportError};

/// Carries whole messages both ways, in order.
///
/// A transport is a [`Stream`] of the messages that come in and a [`Sink`] for those that go out;
/// one [`Bytes`] is one message, whatever frames it took on the wire. Reading and writing are
/// polled by one task through one `&mut`, so no transport needs a lock.
///
/// WAMP spec, "Transports": message-based, reliable, ordered, bidirectional.
///
/// # Contract
///
/// * `poll_next` gives `None` after the other side closed cleanly, and `Some(Err(_))` followed by
///   `None` when it did not. What the transport itself has to answer, as a ping, is answered while
///   `poll_next` is polled, also when nothing can be written otherwise.
/// * `poll_ready` is pending while too much waits to be written; the transport keeps a small
///   buffer and never refuses for lack of room what `poll_ready` allowed.
/// * `start_send` buffers and does not flush, so that a burst of messages becomes one write;
///   call `poll_flush` at its end. [`TransportError::TooLarge`] and [`TransportError::NotText`]
///   refuse that one message: nothing of it was sent, and the transport stays usable.
/// * `poll_close` flushes, says goodbye where the transport has a word for it, and does not wait
///   for the other side's goodbye. It takes as long as the other side leaves it unread, so bound it.
/// * Dropping a transport without closing it cuts the connection.
pub trait Transport:
    Stream<Item = Result<Bytes, TransportError>>
    + Sink<Bytes, Error = TransportError>
    + Send
    + Unpin
    + 'static
{
    /// What the two sides agreed on when they connected.
    fn info(&self) -> &TransportInfo;

    /// Whether the transport has pings. One that has says so with [`ping`](Self::ping) and
    /// [`life_sign`](Self::life_sign) besides. Default: it has none.
    fn pings(&self) -> Pings {
        Pings::None
    }

    /// Puts a ping with this number before all messages that `start_send` has not taken yet, also
    /// while `poll_ready` is pending; `poll_flush` sends it. While an earlier ping still waits to be
    /// written it does nothing, as it does on a transport without pings or one that is closed.
    fn ping(&mut self, _number: u64) {}

    /// What was heard of the other side since this was asked last, beside whole messages; of several
    /// signs the one that says most. It is noted while `poll_next` is polled. Default: nothing.
    fn life_sign(&mut self) -> LifeSign {
        LifeSign::None
    }
}

/// A transport chosen at run time. It is a [`Transport`] itself; a message costs no allocation.
pub type BoxTransport = Box<dyn Transport>;

impl<T: Transport + ?Sized> Transport for Box<T> {
    fn info(&self) -> &TransportInfo {
        (**self).info()
    }

    fn pings(&self) -> Pings {
        (**self).pings()
    }

    fn ping(&mut self, number: u64) {
        (**self).ping(number);
    }

    fn life_sign(&mut self) -> LifeSign {
        (**self).life_sign()
    }
}

impl fmt::Debug for dyn Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport")
            .field("info", self.info())
            .finish_non_exhaustive()
    }
}

/// What the two sides of a transport agreed on.
///
/// ```
/// use spell_transport::{Serialization, TransportInfo};
///
/// let info = TransportInfo::new(Serialization::CBOR).with_max_send(Some(512));
/// assert_eq!(info.serialization(), Serialization::CBOR);
/// assert_eq!(info.max_send(), Some(512));
/// assert!(!info.is_confidential());
/// ```
#[derive(Clone, Debug)]
pub struct TransportInfo {
    serialization: Serialization,
    max_send: Option<usize>,
    peer: Option<String>,
    confidential: bool,
}

impl TransportInfo {
    /// A transport that carries messages of `serialization`, with no known limit and no address,
    /// and that others may read.
    pub fn new(serialization: Serialization) -> Self {
        Self {
            serialization,
            max_send: None,
            peer: None,
            confidential: false,
        }
    }

    /// Sets the size in bytes of the largest message the other side takes; `None` when unknown.
    #[must_use]
    pub fn with_max_send(mut self, limit: Option<usize>) -> Self {
        self.max_send = limit;
        self
    }

    /// Sets the other side's address, for humans. Put no secret into it: it is logged.
    #[must_use]
    pub fn with_peer(mut self, address: impl Into<String>) -> Self {
        self.peer = Some(address.into());
        self
    }

    /// Says that nobody but the other side can read along; see
    /// [`is_confidential`](Self::is_confidential).
    #[must_use]
    pub fn confidential(mut self) -> Self {
        self.confidential = true;
        self
    }

    #[cfg(any(feature = "websocket", feature = "rawsocket"))]
    pub(crate) fn with_origin(mut self, origin: Origin) -> Self {
        self.confidential |= origin.is_confidential();
        self.peer = Some(origin.into_address());
        self
    }

    /// How messages are encoded, as negotiated.
    pub fn serialization(&self) -> Serialization {
        self.serialization
    }

    /// The size in bytes of the largest message that may be sent, without any framing; `None`
    /// when no limit is known.
    pub fn max_send(&self) -> Option<usize> {
        self.max_send
    }

    /// Refuses a message that is larger than what may be sent.
    pub(crate) fn check_size(&self, message: &Bytes) -> Result<(), TransportError> {
        let size = message.len();
        match self.max_send {
            Some(limit) if size > limit => Err(TransportError::TooLarge { size, limit }),
            _ => Ok(()),
        }
    }

    /// The other side's address, for humans: `ws://example.com:8080`, `unix:/run/router.sock`.
    pub fn peer(&self) -> Option<&str> {
        self.peer.as_deref()
    }

    /// Whether nobody on the way can read along: TLS, a Unix socket, a loopback address, memory.
    ///
    /// Secrets such as tickets should go only over such a transport.
    pub fn is_confidential(&self) -> bool {
        self.confidential
    }
}
