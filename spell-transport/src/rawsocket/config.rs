//! What a RawSocket can be told.

/// Settings of a RawSocket.
///
/// ```
/// use spell_transport::rawsocket::RawSocketConfig;
///
/// let config = RawSocketConfig::new().max_message_size(1_000_000);
/// assert_eq!(config.announced_size(), 524_288); // the next power of two below
/// ```
#[derive(Clone, Copy, Debug)]
pub struct RawSocketConfig {
    max_message_size: usize,
}

impl RawSocketConfig {
    /// The defaults.
    pub fn new() -> Self {
        Self {
            max_message_size: 1 << 24,
        }
    }

    /// Sets the size in bytes of the largest message to take; by default the largest there is,
    /// 2^24 (16 MiB).
    ///
    /// Only powers of two from 2^9 to 2^24 can be announced, so the next lower one is used, and
    /// 2^9 below that.
    #[must_use]
    pub fn max_message_size(mut self, bytes: usize) -> Self {
        self.max_message_size = bytes;
        self
    }

    /// The limit that is announced and kept, in bytes.
    pub fn announced_size(&self) -> usize {
        (*self).limit().bytes()
    }

    pub(super) fn limit(self) -> super::handshake::Limit {
        super::handshake::Limit::at_most(self.max_message_size)
    }
}

impl Default for RawSocketConfig {
    fn default() -> Self {
        Self::new()
    }
}
