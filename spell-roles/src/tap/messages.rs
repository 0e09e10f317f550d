use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use futures_core::Stream;
use spell_message::Message;
use tokio::sync::mpsc;

use crate::weight::message_weight;

/// All messages from the router, from now on. A stream; made by
/// [`TapHandle::messages`](super::TapHandle::messages).
///
/// It goes on over reconnects and ends with the peer. Bounded to 1024 messages and 16 MiB:
/// what comes while it is full is dropped and counted.
#[derive(Debug)]
#[must_use = "a stream that nobody reads fills up"]
pub struct Messages {
    queue: mpsc::Receiver<Message>,
    level: Arc<Level>,
}

impl Messages {
    /// The next message; `None` when the peer ended.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no message.
    pub async fn next(&mut self) -> Option<Message> {
        std::future::poll_fn(|cx| self.poll(cx)).await
    }

    /// How many messages were dropped because the stream was full.
    pub fn lost(&self) -> u64 {
        self.level.lost.load(Ordering::Relaxed)
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        let message = self.queue.poll_recv(cx);
        if let Poll::Ready(Some(message)) = &message {
            self.level
                .bytes
                .fetch_sub(message_weight(message), Ordering::Relaxed);
        }
        message
    }
}

impl Stream for Messages {
    type Item = Message;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        self.poll(cx)
    }
}

/// The role's end of [`Messages`].
#[derive(Debug)]
pub(super) struct Feed {
    queue: mpsc::Sender<Message>,
    level: Arc<Level>,
}

#[derive(Debug, Default)]
struct Level {
    bytes: AtomicUsize,
    lost: AtomicU64,
}

/// Both ends of a stream.
pub(super) fn stream() -> (Feed, Messages) {
    let (sender, receiver) = mpsc::channel(CAPACITY);
    let level = Arc::new(Level::default());
    let feed = Feed {
        queue: sender,
        level: level.clone(),
    };
    let queue = receiver;
    (feed, Messages { queue, level })
}

impl Feed {
    /// Copy a message into the stream; `false` when nobody holds the stream any more.
    pub(super) fn offer(&self, message: &Message) -> bool {
        let size = message_weight(message);
        // Only this end adds, so what is read here is at most too high.
        let level = self.level.bytes.load(Ordering::Relaxed);
        let room = level.saturating_add(size) <= CAPACITY_BYTES;
        match self.queue.try_reserve() {
            Ok(place) if room => {
                self.level.bytes.fetch_add(size, Ordering::Relaxed);
                place.send(message.clone());
            }
            Err(mpsc::error::TrySendError::Closed(())) => return false,
            _ => _ = self.level.lost.fetch_add(1, Ordering::Relaxed),
        }
        true
    }

    /// Whether nobody holds the stream any more.
    pub(super) fn is_closed(&self) -> bool {
        self.queue.is_closed()
    }
}

/// In messages.
pub(super) const CAPACITY: usize = 1024;
pub(super) const CAPACITY_BYTES: usize = 16 << 20;
