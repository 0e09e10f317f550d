//! What came in and was not taken yet.

use std::{
    io,
    mem::{self, MaybeUninit},
    pin::{Pin, pin},
    task::{Context, Poll, ready},
};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};

/// Gives payloads out of what it reads, with no more memory than what came in needs.
///
/// One read brings many small frames. It goes into room on the stack, and from there, as large as it
/// is, into a chunk that the payloads are slices of. So a connection that is idle holds no memory,
/// and payloads that wait take theirs and that of their headers; a single one that is kept can hold
/// the whole chunk, which is 16 KiB at most.
///
/// A payload of which only a part came in gets an allocation of its own, and a large one is read
/// right into it. It grows by what arrives, whatever was declared, and ends with the exact size.
#[derive(Debug, Default)]
pub(crate) struct ReceiveBuffer {
    /// Empty while there is a partial payload.
    chunk: BytesMut,
    /// How much of its beginning is a header that was left out.
    skipped: usize,
    partial: Option<Partial>,
    /// The last payload was a large one, as the next may be.
    large: bool,
}

impl ReceiveBuffer {
    /// With what was read before, as behind the head of a handshake.
    #[cfg(feature = "websocket")]
    pub(crate) fn with(bytes: &[u8]) -> Self {
        let mut buffer = Self::default();
        buffer.extend(bytes);
        buffer
    }

    /// What may be a header; nothing while a payload is under way.
    #[inline]
    pub(crate) fn ahead(&self) -> &[u8] {
        self.chunk.get(self.skipped..).unwrap_or_default()
    }

    /// Leaves out a header of `count` bytes.
    #[inline]
    pub(crate) fn skip(&mut self, count: usize) {
        self.skipped = self.skipped.saturating_add(count);
        if self.skipped >= self.chunk.len() {
            // With the memory, which an idle connection does not keep.
            (self.chunk, self.skipped) = (BytesMut::new(), 0);
        }
    }

    /// The next `length` bytes, once all came in, changed where they are. Until then it is to be
    /// called with the same length again.
    #[inline]
    pub(crate) fn take(&mut self, length: usize, change: impl FnOnce(&mut [u8])) -> Option<Bytes> {
        if let Some(partial) = self.partial.take_if(|partial| partial.missing() == 0) {
            self.large = partial.length >= READ;
            let mut bytes = partial.bytes;
            change(&mut bytes);
            return Some(bytes.into());
        }
        if self.partial.is_some() {
            return None;
        }
        let skipped = mem::take(&mut self.skipped);
        let end = skipped.saturating_add(length);
        if self.chunk.len() < end {
            let chunk = mem::take(&mut self.chunk);
            let begin = chunk.get(skipped..).unwrap_or_default();
            self.partial = Some(Partial::new(length, begin));
            return None;
        }
        self.large = false;
        // The header goes along, as to part from it at once costs least.
        let mut bytes = if self.chunk.len() == end {
            mem::take(&mut self.chunk)
        } else {
            self.chunk.split_to(end)
        };
        change(bytes.get_mut(skipped..).unwrap_or_default());
        let mut bytes = bytes.freeze();
        bytes.advance(skipped);
        Some(bytes)
    }

    /// Reads once; gives how much came in, nothing at the end of the stream.
    pub(crate) fn poll_fill(
        &mut self,
        io: &mut (impl AsyncRead + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        if let Some(partial) = self.partial.as_mut().filter(|it| it.missing() >= READ) {
            return partial.poll_fill(io, cx);
        }
        let mut room = [MaybeUninit::uninit(); READ];
        let size = if self.large { BEGIN } else { READ };
        let mut room = ReadBuf::uninit(room.get_mut(..size).unwrap_or_default());
        ready!(Pin::new(io).poll_read(cx, &mut room))?;
        self.extend(room.filled());
        Poll::Ready(Ok(room.filled().len()))
    }

    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        let rest = match &mut self.partial {
            Some(partial) => partial.extend(bytes),
            None => bytes,
        };
        if self.chunk.is_empty() {
            self.chunk = BytesMut::from(rest);
        } else {
            // Behind the beginning of a header, in a chunk that is none too large.
            let begin = self.ahead();
            let size = begin.len().saturating_add(rest.len());
            let mut chunk = BytesMut::with_capacity(size);
            chunk.extend_from_slice(begin);
            chunk.extend_from_slice(rest);
            (self.chunk, self.skipped) = (chunk, 0);
        }
    }
}

/// A payload of which a part came in.
#[derive(Debug)]
struct Partial {
    bytes: Vec<u8>,
    length: usize,
}

impl Partial {
    fn new(length: usize, begin: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(begin.len().saturating_add(AHEAD).min(length));
        bytes.extend_from_slice(begin);
        Self { bytes, length }
    }

    fn missing(&self) -> usize {
        self.length.saturating_sub(self.bytes.len())
    }

    /// Makes room for what may come in next: for a good part of what did, so that a large payload is
    /// moved a few times only, and never for more than is missing.
    fn grow(&mut self) {
        if self.bytes.len() == self.bytes.capacity() {
            let room = self.bytes.len().max(AHEAD).min(self.missing());
            self.bytes.reserve_exact(room);
        }
    }

    /// Takes what is missing; gives the rest.
    fn extend<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let count = self.missing().min(bytes.len());
        let (mut own, rest) = bytes.split_at_checked(count).unwrap_or((bytes, &[]));
        while !own.is_empty() {
            self.grow();
            let room = self.bytes.capacity().saturating_sub(self.bytes.len());
            let (now, later) = own.split_at_checked(room).unwrap_or((own, &[]));
            self.bytes.extend_from_slice(now);
            own = later;
        }
        rest
    }

    fn poll_fill(
        &mut self,
        io: &mut (impl AsyncRead + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        self.grow();
        let room = self.bytes.capacity().saturating_sub(self.bytes.len());
        let room = room.min(self.missing());
        let mut room = (&mut self.bytes).limit(room);
        // It keeps nothing between two polls.
        pin!(io.read_buf(&mut room)).poll(cx)
    }
}

/// Bytes of one read, which are on the stack of the task for its time.
const READ: usize = 16 * 1024;
/// Bytes of the read that gets the beginning of a large payload, which is copied.
const BEGIN: usize = 8 * 1024;
/// Bytes that a payload gets room for before they came in.
const AHEAD: usize = 60 * 1024;

#[cfg(test)]
pub(crate) mod tests;
