//! What waits to be written.

use std::{
    collections::VecDeque,
    io::{self, IoSlice},
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use tokio::io::AsyncWrite;

/// Collects frames, so that many small ones are one write, and large ones are not copied.
///
/// Once all is written, nothing but a small buffer is kept.
#[derive(Debug, Default)]
pub(crate) struct SendBuffer {
    /// Large payloads, and what is between them.
    large: VecDeque<Bytes>,
    /// The bytes of all of these.
    large_bytes: usize,
    /// Behind them.
    tail: Vec<u8>,
    /// How much of the first of all is written.
    written: usize,
}

impl SendBuffer {
    /// How many bytes wait.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.large_bytes
            .saturating_add(self.tail.len())
            .saturating_sub(self.written)
    }

    /// Where headers go, and payloads that are copied, with room for so many bytes of them.
    #[inline]
    pub(crate) fn tail(&mut self, room: usize) -> &mut Vec<u8> {
        if self.large.is_empty() && self.written > self.tail.len() / 2 {
            // Or while there is always something left to write, it would never end.
            self.tail.drain(..self.written.min(self.tail.len()));
            self.written = 0;
        }
        if self.tail.capacity().saturating_sub(self.tail.len()) < room {
            self.grow(room);
        }
        &mut self.tail
    }

    #[cold]
    fn grow(&mut self, room: usize) {
        // A frame alone gets what it needs; behind it there may be a burst.
        let least = if self.tail.is_empty() { KEPT } else { BURST };
        self.tail.reserve(room.max(least));
    }

    /// How much of a payload is copied.
    pub(crate) fn copied(payload: &[u8], vectored: bool) -> usize {
        let is_copied = payload.len() < LARGE || !vectored;
        if is_copied { payload.len() } else { 0 }
    }

    /// Puts a payload behind its header; a large one without a copy where the stream takes several
    /// slices in one write.
    #[inline]
    pub(crate) fn put(&mut self, payload: Bytes, vectored: bool) {
        if Self::copied(&payload, vectored) == payload.len() {
            self.tail.extend_from_slice(&payload);
            return;
        }
        self.large_bytes = self
            .large_bytes
            .saturating_add(self.tail.len())
            .saturating_add(payload.len());
        if !self.tail.is_empty() {
            self.large.push_back(mem::take(&mut self.tail).into());
        }
        self.large.push_back(payload);
    }

    /// Writes all of it and flushes the stream.
    pub(crate) fn poll_flush(
        &mut self,
        io: &mut (impl AsyncWrite + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while self.len() > 0 {
            let count = ready!(self.poll_write(io, cx))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.advance(count);
        }
        Pin::new(io).poll_flush(cx)
    }

    fn poll_write(
        &self,
        io: &mut (impl AsyncWrite + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let io = Pin::new(io);
        if self.large.is_empty() {
            let rest = self.tail.get(self.written..).unwrap_or_default();
            return io.poll_write(cx, rest);
        }
        let mut slices = [IoSlice::new(&[]); SLICES];
        let all = self.large.iter().map(|bytes| &bytes[..]);
        let all = all.chain([&self.tail[..]]).enumerate();
        for (slice, (index, bytes)) in slices.iter_mut().zip(all) {
            let written = if index == 0 { self.written } else { 0 };
            *slice = IoSlice::new(bytes.get(written..).unwrap_or_default());
        }
        io.poll_write_vectored(cx, &slices)
    }

    fn advance(&mut self, count: usize) {
        self.written = self.written.saturating_add(count);
        while let Some(first) = self.large.front()
            && self.written >= first.len()
        {
            self.written = self.written.saturating_sub(first.len());
            self.large_bytes = self.large_bytes.saturating_sub(first.len());
            self.large.pop_front();
        }
        if self.len() > 0 {
            return;
        }
        self.written = 0;
        self.large = VecDeque::new();
        if self.tail.capacity() > KEPT {
            self.tail = Vec::new();
        } else {
            self.tail.clear();
        }
    }
}

/// Bytes of the buffer that an idle connection keeps.
const KEPT: usize = 512;
/// Bytes that a buffer with a frame in it grows by, at least.
const BURST: usize = 16 * 1024;
/// From this many bytes on, one slice more in a write costs less than a copy.
const LARGE: usize = 16 * 1024;
/// Slices of one write.
const SLICES: usize = 16;

#[cfg(test)]
mod tests;
