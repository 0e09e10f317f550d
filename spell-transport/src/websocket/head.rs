//! Keeps what follows the head of an HTTP response.

use std::{
    io, mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream of bytes of which a reader gets no more than the head at first.
///
/// The library that does the handshake would keep what it read beyond it.
#[derive(Debug)]
pub(super) struct Head<S> {
    io: S,
    /// Behind the end of the head.
    rest: Vec<u8>,
    line: Line,
}

/// What the line is so far that is being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    Text,
    Empty,
    /// But for a carriage return, which not all send.
    EmptyButReturn,
}

impl<S> Head<S> {
    pub(super) fn new(io: S) -> Self {
        Self {
            io,
            rest: Vec::new(),
            line: Line::Text,
        }
    }

    /// The stream, and what it gave beyond the head.
    pub(super) fn into_parts(self) -> (S, Vec<u8>) {
        (self.io, self.rest)
    }

    /// How many of the bytes are up to the end of the head.
    fn up_to_end(&mut self, bytes: &[u8]) -> usize {
        for (index, byte) in bytes.iter().enumerate() {
            self.line = match (self.line, byte) {
                (Line::Text, b'\n') => Line::Empty,
                (Line::Empty, b'\r') => Line::EmptyButReturn,
                (Line::Empty | Line::EmptyButReturn, b'\n') => {
                    // Who reads on takes it for no end.
                    self.line = Line::Empty;
                    return index.saturating_add(1);
                }
                _ => Line::Text,
            };
        }
        bytes.len()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Head<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buffer.filled().len();
        if this.rest.is_empty() {
            ready!(Pin::new(&mut this.io).poll_read(cx, buffer))?;
        } else {
            let count = this.rest.len().min(buffer.remaining());
            let rest = this.rest.split_off(count);
            buffer.put_slice(&mem::replace(&mut this.rest, rest));
        }
        let read = buffer.filled().get(before..).unwrap_or_default();
        let head = this.up_to_end(read);
        let (_, beyond) = read.split_at_checked(head).unwrap_or((read, &[]));
        if !beyond.is_empty() {
            let mut rest = beyond.to_vec();
            rest.append(&mut this.rest);
            this.rest = rest;
            buffer.set_filled(before.saturating_add(head));
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Head<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    #[tokio::test]
    async fn one_read_ends_with_the_head_and_the_rest_is_kept() {
        for head in ["HTTP/1.1 101 A\r\nb: c\r\n\r\n", "HTTP/1.1 101 A\nb: c\n\n"] {
            let all = format!("{head}\r\nrest\r\n\r\n");
            let mut io = Head::new(all.as_bytes());
            let mut read = [0; 100];
            let count = io.read(&mut read).await.unwrap();
            assert_eq!(&read[..count], head.as_bytes());
            let (io, rest) = io.into_parts();
            assert_eq!([&rest, io].concat(), b"\r\nrest\r\n\r\n");
        }
    }

    #[tokio::test]
    async fn the_end_is_found_whatever_one_read_takes_and_nothing_is_lost() {
        let head = b"HTTP/1.1 101 A\r\nb: c\r\n\r\n";
        let all = [&head[..], b"rest"].concat();
        for size in 1..all.len() {
            let mut io = Head::new(&all[..]);
            let mut read = Vec::new();
            while read.len() < head.len() {
                let mut piece = vec![0; size];
                let count = io.read(&mut piece).await.unwrap();
                assert!(count > 0);
                read.extend_from_slice(&piece[..count]);
            }
            assert_eq!(read, head, "{size}");
            // Who reads on gets the rest too.
            let mut rest = Vec::new();
            io.read_to_end(&mut rest).await.unwrap();
            assert_eq!(rest, b"rest");
        }
    }
}
