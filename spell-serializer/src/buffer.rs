//! What values are written to.

use bytes::{BufMut, BytesMut};

/// A frame, or the arguments alone, which are built faster in a vector.
pub(crate) trait Buffer: BufMut {
    /// Puts bytes behind the others. Behind many there is some room for what ends them, or a few
    /// bytes more would copy them all.
    fn append(&mut self, bytes: &[u8]);
    #[cfg(feature = "cbor")]
    fn length(&self) -> usize;
    /// Puts bytes between others.
    #[cfg(feature = "cbor")]
    fn insert(&mut self, at: usize, bytes: &[u8]);
}

impl Buffer for Vec<u8> {
    #[inline]
    fn append(&mut self, bytes: &[u8]) {
        if bytes.len() > LARGE {
            make_room(self, bytes.len());
        }
        self.extend_from_slice(bytes);
    }

    #[cfg(feature = "cbor")]
    fn length(&self) -> usize {
        self.len()
    }

    #[cfg(feature = "cbor")]
    fn insert(&mut self, at: usize, bytes: &[u8]) {
        let at = at.min(self.len());
        self.splice(at..at, bytes.iter().copied());
    }
}

impl Buffer for BytesMut {
    /// A frame has room for its arguments from the beginning.
    #[inline]
    fn append(&mut self, bytes: &[u8]) {
        self.put_slice(bytes);
    }

    #[cfg(feature = "cbor")]
    fn length(&self) -> usize {
        self.len()
    }

    #[cfg(feature = "cbor")]
    fn insert(&mut self, at: usize, bytes: &[u8]) {
        let behind = self.split_off(at.min(self.len()));
        self.extend_from_slice(bytes);
        self.extend_from_slice(&behind);
    }
}

#[cold]
fn make_room(buffer: &mut Vec<u8>, count: usize) {
    buffer.reserve(count.saturating_add(BEHIND));
}

/// From this many bytes on, it costs more to copy them again than to ask for room.
const LARGE: usize = 1024;
/// Room behind what is large, in bytes.
const BEHIND: usize = 64;

/// Takes what the libraries write, in one step for each of their many small pieces.
#[cfg(any(feature = "json", feature = "msgpack"))]
pub(crate) struct Appender<'a, B>(pub(crate) &'a mut B);

#[cfg(any(feature = "json", feature = "msgpack"))]
impl<B: Buffer> std::io::Write for Appender<'_, B> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.append(bytes);
        Ok(bytes.len())
    }

    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.0.append(bytes);
        Ok(())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
