//! A stream of bytes with TLS around it, or without.

use std::{
    fmt, io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream of bytes that the URL, or the listener, gave TLS or not.
///
/// It is this type with and without the feature `tls`; only the URL decides which it is, never a
/// failure.
pub struct MaybeTls<S>(Kind<S>);

enum Kind<S> {
    Plain(S),
    #[cfg(feature = "tls")]
    Tls(Box<tokio_rustls::TlsStream<S>>),
}

impl<S> MaybeTls<S> {
    pub(crate) fn plain(io: S) -> Self {
        Self(Kind::Plain(io))
    }

    #[cfg(feature = "tls")]
    pub(crate) fn tls(io: impl Into<tokio_rustls::TlsStream<S>>) -> Self {
        Self(Kind::Tls(Box::new(io.into())))
    }

    #[cfg(test)]
    pub(crate) fn inner(&self) -> &S {
        match &self.0 {
            Kind::Plain(io) => io,
            #[cfg(feature = "tls")]
            Kind::Tls(io) => io.get_ref().0,
        }
    }

    /// Whether there is TLS.
    pub fn is_tls(&self) -> bool {
        !matches!(self.0, Kind::Plain(_))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for MaybeTls<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.0 {
            Kind::Plain(io) => Pin::new(io).poll_read(cx, buffer),
            #[cfg(feature = "tls")]
            Kind::Tls(io) => Pin::new(io).poll_read(cx, buffer),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for MaybeTls<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.0 {
            Kind::Plain(io) => Pin::new(io).poll_write(cx, bytes),
            #[cfg(feature = "tls")]
            Kind::Tls(io) => Pin::new(io).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.0 {
            Kind::Plain(io) => Pin::new(io).poll_write_vectored(cx, slices),
            #[cfg(feature = "tls")]
            Kind::Tls(io) => Pin::new(io).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.0 {
            Kind::Plain(io) => io.is_write_vectored(),
            #[cfg(feature = "tls")]
            Kind::Tls(io) => io.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.0 {
            Kind::Plain(io) => Pin::new(io).poll_flush(cx),
            #[cfg(feature = "tls")]
            Kind::Tls(io) => Pin::new(io).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.0 {
            Kind::Plain(io) => Pin::new(io).poll_shutdown(cx),
            #[cfg(feature = "tls")]
            Kind::Tls(io) => Pin::new(io).poll_shutdown(cx),
        }
    }
}

impl<S> fmt::Debug for MaybeTls<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MaybeTls")
            .field("tls", &self.is_tls())
            .finish_non_exhaustive()
    }
}
