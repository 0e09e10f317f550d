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
        self.info.check_size(&message)?;
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

#[cfg(test)]
mod tests {
    use std::io;

    use futures_util::{SinkExt, StreamExt};
    use spell_message::Serialization;

    use super::*;
    use crate::memory::{self, MemoryTransport};

    /// Gives errors of a type of its own.
    struct Foreign(MemoryTransport);

    impl Stream for Foreign {
        type Item = io::Result<Bytes>;

        fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            let item = ready!(Pin::new(&mut self.0).poll_next(cx));
            Poll::Ready(item.map(|result| result.map_err(io::Error::other)))
        }
    }

    impl Sink<Bytes> for Foreign {
        type Error = TransportError;

        fn poll_ready(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Result<(), TransportError>> {
            Pin::new(&mut self.0).poll_ready(cx)
        }

        fn start_send(mut self: Pin<&mut Self>, message: Bytes) -> Result<(), TransportError> {
            Pin::new(&mut self.0).start_send(message)
        }

        fn poll_flush(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Result<(), TransportError>> {
            Pin::new(&mut self.0).poll_flush(cx)
        }

        fn poll_close(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Result<(), TransportError>> {
            Pin::new(&mut self.0).poll_close(cx)
        }
    }

    fn adapted() -> (Adapter<Foreign>, MemoryTransport) {
        let (near, far) = memory::pair(Serialization::JSON);
        let info = TransportInfo::new(Serialization::JSON).with_max_send(Some(4));
        (Adapter::new(Foreign(near), info), far)
    }

    #[tokio::test]
    async fn any_sink_and_stream_of_bytes_is_a_transport() {
        let (near, mut far) = adapted();
        let mut near: crate::BoxTransport = Box::new(near);
        near.send(Bytes::from_static(b"[1]")).await.unwrap();
        assert_eq!(far.next().await.unwrap().unwrap(), "[1]");
        far.send(Bytes::from_static(b"[2]")).await.unwrap();
        assert_eq!(near.next().await.unwrap().unwrap(), "[2]");
        near.close().await.unwrap();
        assert!(far.next().await.is_none());
    }

    #[tokio::test]
    async fn errors_of_its_own_are_kept_and_ours_not_wrapped() {
        let (mut near, far) = adapted();
        drop(far);
        let read = near.next().await.unwrap().unwrap_err();
        assert!(matches!(read, TransportError::Other(_)), "{read:?}");
        let write = near.send(Bytes::new()).await.unwrap_err();
        assert!(matches!(write, TransportError::Interrupted), "{write:?}");
    }

    #[tokio::test]
    async fn a_message_over_the_limit_is_refused_and_the_next_one_sent() {
        let (mut near, mut far) = adapted();
        let error = near.send(Bytes::from_static(b"[123]")).await.unwrap_err();
        assert!(matches!(
            error,
            TransportError::TooLarge { size: 5, limit: 4 }
        ));
        near.send(Bytes::from_static(b"[12]")).await.unwrap();
        assert_eq!(far.next().await.unwrap().unwrap(), "[12]");
    }
}
