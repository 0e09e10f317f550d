use std::{collections::VecDeque, fmt};

use bytes::{Bytes, BytesMut};
use spell_message::{Message, Payload, RequestId, RequestIds, message::Kind};
use spell_serializer::{AnySerializer, payload};

use crate::SendError;

/// What waits for the wire: encoded, numbered, committed.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    open: Option<Open>,
    frames: VecDeque<Frame>,
    /// How many bytes `frames` holds.
    queued: usize,
    ids: RequestIds,
    /// The last request that was handed to the transport.
    last_sent: Option<RequestId>,
}

#[derive(Debug)]
struct Open {
    serializer: AnySerializer,
    max_send: usize,
    /// Frames are split off here, so that many share one allocation.
    scratch: BytesMut,
}

struct Frame {
    bytes: Bytes,
    kind: Option<Kind>,
    /// The id that was spent on it.
    request: Option<RequestId>,
    /// Whether it goes on with a request that was committed before, and means another without it.
    continues: bool,
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // It may be the HELLO or the AUTHENTICATE with a secret in it.
        f.debug_struct("Frame")
            .field("size", &self.bytes.len())
            .field("kind", &self.kind)
            .field("request", &self.request)
            .field("continues", &self.continues)
            .finish()
    }
}

impl Outbox {
    /// A new session: nothing queued, ids from `first` on.
    pub(crate) fn open(&mut self, serializer: AnySerializer, max_send: usize, ids: RequestIds) {
        *self = Self {
            open: Some(Open {
                serializer,
                max_send,
                scratch: BytesMut::new(),
            }),
            ids,
            ..Self::default()
        };
    }

    /// The session is joined: the HELLO was large, and a peer that does little keeps no memory for it.
    pub(crate) fn joined(&mut self) {
        if let Some(open) = &mut self.open {
            open.scratch = BytesMut::new();
        }
        if self.frames.is_empty() {
            self.frames = VecDeque::new();
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    pub(crate) fn serializer(&self) -> Option<&AnySerializer> {
        self.open.as_ref().map(|open| &open.serializer)
    }

    /// Commit a request. The id counts only once the frame is queued.
    pub(crate) fn request(
        &mut self,
        message: impl FnOnce(RequestId) -> Message,
    ) -> Result<RequestId, SendError> {
        let id = self.ids.next();
        self.commit(&mut message(id), Some(id))?;
        self.ids.advance();
        Ok(id)
    }

    /// Commit a message without a request id of its own.
    pub(crate) fn send(&mut self, message: &mut Message) -> Result<(), SendError> {
        self.commit(message, None)
    }

    fn commit(
        &mut self,
        message: &mut Message,
        request: Option<RequestId>,
    ) -> Result<(), SendError> {
        let open = self.open.as_mut().ok_or(SendError::NotJoined)?;
        // Arguments that were encoded before a reconnect may be in the format of another serializer.
        let format = open.serializer.format();
        if let Some(arguments) = message.payload_mut()
            && arguments.format().is_some_and(|from| from != format)
        {
            *arguments = payload::transcode(arguments, format)?;
        }
        open.scratch.clear();
        let room = message.payload().map_or(0, Payload::len);
        let room = room.saturating_add(ENVELOPE);
        if open.scratch.capacity() < room {
            // A frame that waits for nobody gets what it needs, those of a burst share their room.
            let is_burst = !self.frames.is_empty();
            open.scratch
                .reserve(if is_burst { room.max(SHARED) } else { room });
        }
        open.serializer.encode(message, &mut open.scratch)?;
        let size = open.scratch.len();
        if size > open.max_send {
            open.scratch.clear();
            let limit = open.max_send;
            return Err(SendError::TooLarge { size, limit });
        }
        let bytes = open.scratch.split().freeze();
        self.queued = self.queued.saturating_add(size);
        self.frames.push_back(Frame {
            bytes,
            kind: message.kind(),
            request,
            // WAMP spec, "Progressive Call Invocations": no other request is sent in parts.
            continues: request.is_none() && matches!(message, Message::Call(_)),
        });
        Ok(())
    }

    /// The next frame for the transport.
    pub(crate) fn pop(&mut self) -> Option<(Option<Kind>, Bytes)> {
        let frame = self.frames.pop_front()?;
        self.queued = self.queued.saturating_sub(frame.bytes.len());
        if frame.request.is_some() {
            self.last_sent = frame.request;
        }
        if self.frames.is_empty()
            && let Some(open) = &mut self.open
        {
            // The rest of the room is kept no longer than the frames that share it.
            open.scratch = BytesMut::new();
        }
        Some((frame.kind, frame.bytes))
    }

    /// How many bytes wait, without the frame that was committed last: one alone, however large it
    /// is, says nothing about how well the other side reads.
    pub(crate) fn backlog(&self) -> usize {
        let newest = self.frames.back().map_or(0, |frame| frame.bytes.len());
        self.queued.saturating_sub(newest)
    }

    /// How many bytes wait.
    pub(crate) fn queued(&self) -> usize {
        self.queued
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// The last request that was committed, sent or not.
    pub(crate) fn last_committed(&self) -> Option<RequestId> {
        let waiting = self.frames.iter().rev().find_map(|frame| frame.request);
        waiting.or(self.last_sent)
    }

    pub(crate) fn last_sent(&self) -> Option<RequestId> {
        self.last_sent
    }

    /// Drop the requests that wait, and what goes on with one. No later id was sent either, so the
    /// wire shows no gap.
    pub(crate) fn drop_requests(&mut self) {
        self.frames
            .retain(|frame| frame.request.is_none() && !frame.continues);
        self.queued = self.frames.iter().map(|frame| frame.bytes.len()).sum();
    }

    /// Drop all that waits.
    pub(crate) fn clear(&mut self) {
        self.frames.clear();
        self.queued = 0;
    }

    /// The transport is gone.
    pub(crate) fn close(&mut self) {
        self.clear();
        self.open = None;
    }
}

/// Room for the envelope of most messages, in bytes.
const ENVELOPE: usize = 128;

/// Room that the frames of a burst share, in bytes.
const SHARED: usize = 4096;
