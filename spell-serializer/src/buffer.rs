//! What values are written to.

use bytes::{BufMut, BytesMut};

/// A frame, or the arguments alone, which are built faster in a vector.
pub(crate) trait Buffer: BufMut {
    #[cfg(feature = "cbor")]
    fn length(&self) -> usize;
    /// Puts bytes between others.
    #[cfg(feature = "cbor")]
    fn insert(&mut self, at: usize, bytes: &[u8]);
}

impl Buffer for Vec<u8> {
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

/// Takes what the libraries write, in one step for each of their many small pieces.
#[cfg(any(feature = "json", feature = "msgpack"))]
pub(crate) struct Appender<'a, B>(pub(crate) &'a mut B);

#[cfg(any(feature = "json", feature = "msgpack"))]
impl<B: Buffer> std::io::Write for Appender<'_, B> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.put_slice(bytes);
        Ok(bytes.len())
    }

    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.0.put_slice(bytes);
        Ok(())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
