//! Frames from elsewhere: any `Sink` and `Stream` of `Bytes` as a transport.

use std::{
    error::Error,
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_core::Stream;
use futures_sink::Sink;

use crate::{Transport, TransportError, TransportInfo};

/// Makes a [`Transport`] of anything that takes and gives whole messages.
///
/// What the two sides agreed on is for you to say, in the [`TransportInfo`]. Errors become
/// [`TransportError::Other`], unless they are a [`TransportError`] already. A message larger than
/// [`TransportInfo::max_send`] is refused before it reaches the inner sink.
///
/// ```
/// use bytes::Bytes;
/// use futures_util::{SinkExt, StreamExt, sink, stream};
/// use spell_transport::{Adapter, Serialization, TransportInfo};
/// # use std::{io, pin::Pin, task::{Context, Poll}};
/// # struct Echo(Option<Bytes>);
/// # impl futures_core::Stream for Echo {
/// #     type Item = io::Result<Bytes>;
/// #     fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
/// #         Poll::Ready(self.0.take().map(Ok))
/// #     }
/// # }
/// # impl futures_sink::Sink<Bytes> for Echo {
/// #     type Error = io::Error;
/// #     fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> { Poll::Ready(Ok(())) }
/// #     fn start_send(mut self: Pin<&mut Self>, item: Bytes) -> io::Result<()> { self.0 = Some(item); Ok(()) }
/// #     fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> { Poll::Ready(Ok(())) }
/// #     fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> { Poll::Ready(Ok(())) }
/// # }
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// // `Echo` is a Sink<Bytes> and a Stream of io::Result<Bytes>.
/// let mut transport = Adapter::new(Echo(None), TransportInfo::new(Serialization::JSON));
/// transport.send(Bytes::from_static(b"[]")).await?;
/// assert_eq!(transport.next().await.unwrap()?, "[]");
/// # Ok::<_, spell_transport::TransportError>(()) }).unwrap();
/// ```
pub struct Adapter<S> {
    inner: S,
    info: TransportInfo,
}

impl<S> Adapter<S> {
    /// Wraps `inner`, which has negotiated what `info` says.
    pub fn new(inner: S, info: TransportInfo) -> Self {
        Self { inner, info }
    }

    /// Gives back what was wrapped.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S, E, F> Transport for Adapter<S>
where
    S: Stream<Item = Result<Bytes, E>> + Sink<Bytes, Error = F> + Send + Unpin + 'static,
    E: Into<Box<dyn Error + Send + Sync>>,
    F: Into<Box<dyn Error + Send + Sync>>,
{
    fn info(&self) -> &TransportInfo {
        &self.info
    }
}

impl<S, E> Stream for Adapter<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    type Item = Result<Bytes, TransportError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let item = ready!(Pin::new(&mut self.inner).poll_next(cx));
        Poll::Ready(item.map(|result| result.map_err(adapt)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.size_hint()
    }
}

impl<S, E> Sink<Bytes> for Adapter<S>
where
    S: Sink<Bytes, Error = E> + Unpin,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    type Error = TransportError;

    fn poll_ready(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), TransportError>> {
        Pin::new(&mut self.inner).poll_ready(cx).map_err(adapt)
    }

    fn start_send(mut self: Pin<&mut Self>, message: Bytes) -> Result<(), TransportError> {
        if let Some(limit) = self.info.max_send()
            && message.len() > limit
        {
            return Err(TransportError::TooLarge {
                size: message.len(),
                limit,
            });
        }
        Pin::new(&mut self.inner).start_send(message).map_err(adapt)
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), TransportError>> {
        Pin::new(&mut self.inner).poll_flush(cx).map_err(adapt)
    }

    fn poll_close(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), TransportError>> {
        Pin::new(&mut self.inner).poll_close(cx).map_err(adapt)
    }
}

impl<S> fmt::Debug for Adapter<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Adapter")
            .field("info", &self.info)
            .finish_non_exhaustive()
    }
}

fn adapt(error: impl Into<Box<dyn Error + Send + Sync>>) -> TransportError {
    match error.into().downcast::<TransportError>() {
        Ok(error) => *error,
        Err(error) => TransportError::Other(error),
    }
}
