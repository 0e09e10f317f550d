use std::{
    future::poll_fn,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll, ready},
};

use futures_core::Stream;
use serde::Deserialize;
use spell_message::{Payload, options::InvocationDetails};
use spell_serializer::DecodeError;

use super::{Interrupt, Interruption, registration::Counters};
use crate::{
    passthru::{Opened, Passthru},
    queue::{Consumer, Producer, Pushed},
};

/// The arguments of an invocation, part by part as the caller sends them; an ordinary invocation
/// has one part.
///
/// A [`Stream`] that ends after the last part. If the invocation is over before that, what came is
/// still given, and then, as the last item, the [`Interruption`].
///
/// Parts wait in a queue of each invocation, with the bounds of
/// [`Register::parts_count`](super::Register::parts_count) and
/// [`Register::parts_bytes`](super::Register::parts_bytes). When it is full, the invocation is
/// over: the caller gets an ERROR `wamp.error.canceled`, as it cannot be told to wait, and
/// [`Registration::overflowed`](super::Registration::overflowed) counts it. Once this is dropped,
/// parts that come are ignored.
///
/// ```
/// # use spell_peer::PeerBuilder;
/// # use spell_roles::{Callee, Caller, Session};
/// use spell_roles::prelude::*;
/// use spell_roles::Parts;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let router = spell_router::Router::local();
/// # let peer = PeerBuilder::new(Session::new("com.example.realm"));
/// # let peer = peer.role(Caller::new()).role(Callee::new());
/// # let peer = peer.connect(router.connector()).await?;
/// let total = |mut parts: Parts| async move {
///     let mut total = 0;
///     while let Some(part) = parts.next().await {
///         total += part?.value::<i64>()?;
///     }
///     Ok(total)
/// };
/// let _total = peer.register("com.example.total").handler(total).await?;
///
/// let (mut values, total) = peer.call("com.example.total").arg(1).progressive().await?;
/// values.send().arg(2).await?;
/// values.finish().arg(3).await?;
/// assert_eq!(total.await?.value::<i64>()?, 6);
///
/// let total: i64 = peer.call("com.example.total").arg(5).await?.value()?;
/// assert_eq!(total, 5);
/// # Ok(())
/// # }
/// ```
///
/// WAMP spec, "Progressive Call Invocations".
#[derive(Debug)]
pub struct Parts {
    first: Option<Part>,
    /// `None` once the last part was given.
    more: Option<Consumer<Part>>,
    interrupt: Interrupt,
    /// What opens sealed parts, and the details that say how all of them are sealed.
    opening: Option<(Passthru, InvocationDetails)>,
}

impl Parts {
    pub(super) fn new(
        first: Part,
        more: Option<Consumer<Part>>,
        interrupt: Interrupt,
        opening: Option<(Passthru, InvocationDetails)>,
    ) -> Self {
        Self {
            first: Some(first),
            more,
            interrupt,
            opening,
        }
    }

    /// The next part; `None` after the last one.
    ///
    /// # Errors
    ///
    /// Why no more parts come though the caller has not sent the last one. After that, `None`.
    ///
    /// # Cancel safety
    ///
    /// No part is lost when it is dropped.
    pub async fn next(&mut self) -> Option<Result<Part, Interruption>> {
        poll_fn(|cx| self.poll_part(cx)).await
    }

    fn poll_part(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Part, Interruption>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(first)));
        }
        let Some(more) = &mut self.more else {
            return Poll::Ready(None);
        };
        let mut next = ready!(more.poll_next(cx)).map(|taken| taken.item);
        if let (Some(part), Some((codec, details))) = (&mut next, &self.opening) {
            part.payload.open(details.as_dict(), Some(codec));
        }
        if next.as_ref().is_none_or(Part::is_last) {
            self.more = None;
        }
        let end = || self.interrupt.cause().unwrap_or(Interruption::Closed);
        Poll::Ready(Some(next.ok_or_else(end)))
    }
}

impl Stream for Parts {
    type Item = Result<Part, Interruption>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_part(cx)
    }
}

/// A part of the arguments of an invocation.
#[derive(Clone, Debug)]
pub struct Part {
    payload: Opened,
    is_last: bool,
}

impl Part {
    pub(super) fn new(details: &InvocationDetails, payload: impl Into<Opened>) -> Self {
        Self {
            payload: payload.into(),
            is_last: details.progress() != Some(true),
        }
    }

    /// Whether no other part follows.
    pub fn is_last(&self) -> bool {
        self.is_last
    }

    /// The positional arguments, as a tuple, a list, or a struct read in order.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Args`] if they are not of this type.
    pub fn args<'a, T: Deserialize<'a>>(&'a self) -> Result<T, DecodeError> {
        self.payload.parse_args()
    }

    /// The only positional argument.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Args`] if it is not of this type, or not the only one.
    pub fn value<'a, T: Deserialize<'a>>(&'a self) -> Result<T, DecodeError> {
        self.args().map(|(value,)| value)
    }

    /// The keyword arguments, as a struct or a map.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Kwargs`] if they are not of this type.
    pub fn kwargs<'a, T: Deserialize<'a>>(&'a self) -> Result<T, DecodeError> {
        self.payload.parse_kwargs()
    }

    /// The arguments, undecoded.
    pub fn payload(&self) -> &Payload {
        self.payload.payload()
    }
}

/// What becomes of the parts that are still to come.
#[derive(Debug)]
pub(super) enum More {
    /// There are none; mostly there never were.
    Complete,
    /// They wait to be read.
    Awaited(Producer<Part>, Arc<Counters>),
    /// They are ignored.
    Unwanted,
}

/// Why a part was not taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unheard {
    /// It is none: the last one came.
    Complete,
    /// There is no room for it.
    Overflow,
}

impl More {
    /// Whether the last part did not come yet.
    pub(super) fn is_open(&self) -> bool {
        !matches!(self, Self::Complete)
    }

    /// No more parts are wanted.
    pub(super) fn close(&mut self) {
        if self.is_open() {
            *self = Self::Unwanted;
        }
    }

    pub(super) fn push(&mut self, part: Part, size: usize) -> Result<(), Unheard> {
        let is_last = part.is_last;
        match self {
            Self::Complete => return Err(Unheard::Complete),
            Self::Unwanted => {}
            Self::Awaited(queue, counters) => match queue.push(part, size) {
                // Nobody reads them.
                Pushed::Refused(_) if queue.is_closed() => self.close(),
                Pushed::Refused(_) => {
                    counters.overflowed.fetch_add(1, Ordering::Relaxed);
                    return Err(Unheard::Overflow);
                }
                Pushed::Queued | Pushed::Filled | Pushed::Displaced => {}
            },
        }
        if is_last {
            *self = Self::Complete;
        }
        Ok(())
    }
}
