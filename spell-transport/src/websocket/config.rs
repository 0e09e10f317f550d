//! What a WebSocket can be told.

/// Settings of a WebSocket.
///
/// ```
/// use spell_transport::websocket::WebSocketConfig;
///
/// let config = WebSocketConfig::new().max_message_size(64 * 1024);
/// # let _ = config;
/// ```
#[derive(Clone, Copy, Debug)]
pub struct WebSocketConfig {
    max_message_size: usize,
    max_send_size: usize,
}

impl WebSocketConfig {
    /// The defaults.
    pub fn new() -> Self {
        Self {
            max_message_size: DEFAULT_SIZE,
            max_send_size: DEFAULT_SIZE,
        }
    }

    /// Sets the size in bytes of the largest message to take, in one frame or in fragments; 16 MiB
    /// by default. A larger one ends the connection with
    /// [`TransportError::Oversized`](crate::TransportError::Oversized), by its header.
    #[must_use]
    pub fn max_message_size(mut self, bytes: usize) -> Self {
        self.max_message_size = bytes;
        self
    }

    /// Sets the size in bytes of the largest message to send; 16 MiB by default. Set it to what
    /// the other side is known to take: a WebSocket does not negotiate it.
    ///
    /// It is what [`TransportInfo::max_send`](crate::TransportInfo::max_send) says.
    #[must_use]
    pub fn max_send_size(mut self, bytes: usize) -> Self {
        self.max_send_size = bytes;
        self
    }

    pub(super) fn max_send(self) -> usize {
        self.max_send_size
    }

    pub(super) fn max_receive(self) -> usize {
        self.max_message_size
    }
}

impl Default for WebSocketConfig {
    fn default() -> Self {
        Self::new()
    }
}

const DEFAULT_SIZE: usize = 16 * 1024 * 1024;
