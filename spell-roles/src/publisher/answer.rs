use std::mem;

use spell_message::RequestId;
use spell_peer::Ahead;

use super::{outbox::Lost, role::PublishedReply};
use crate::{
    error::Failure,
    request::{Key, Reply},
    started::IdSlot,
};

/// Whether a publication was sent already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum Posted {
    /// It was handed to the session that is joined, as [`Publish`](super::Publish) says.
    Sent,
    /// There is no session: it waits in the [`Outbox`](super::Outbox). Nobody is told what becomes
    /// of it, but it is [counted](super::OutboxStatistics).
    Waiting,
}

/// Who is to be told what of a publication.
#[derive(Debug)]
pub(super) enum Answer {
    /// That it was sent.
    WhenSent(Reply<Told<()>>),
    /// That it was sent, or waits.
    WhenPosted(Reply<Told<Posted>>),
    /// What the broker answers, and before that the id.
    WhenPublished {
        reply: PublishedReply,
        id: Option<IdSlot>,
    },
    /// Nobody waits: it was handed to a session, and takes this room until it is handled.
    Ahead(#[expect(dead_code, reason = "kept, for its Drop")] Ahead),
    /// Nobody waits.
    Nobody,
}

/// An answer, unless the outbox failed.
pub(super) type Told<T> = Result<T, Lost>;

impl Answer {
    pub(super) fn key(&self) -> Option<Key> {
        match self {
            Self::WhenSent(reply) => Some(reply.key()),
            Self::WhenPosted(reply) => Some(reply.key()),
            Self::WhenPublished { reply, .. } => Some(reply.key()),
            Self::Ahead(_) | Self::Nobody => None,
        }
    }

    pub(super) fn is_given_up(&self) -> bool {
        match self {
            Self::WhenSent(reply) => reply.is_given_up(),
            Self::WhenPosted(reply) => reply.is_given_up(),
            Self::WhenPublished { reply, .. } => reply.is_given_up(),
            Self::Ahead(_) | Self::Nobody => false,
        }
    }

    /// It is about to be sent; `false` if it was given up.
    pub(super) fn commit(&self) -> bool {
        match self {
            Self::WhenSent(reply) => reply.commit(),
            Self::WhenPosted(reply) => reply.commit(),
            Self::WhenPublished { reply, .. } => reply.commit(),
            Self::Ahead(_) | Self::Nobody => true,
        }
    }

    /// It waits in the outbox: who wants to know no more is told. `false` if it was given up.
    pub(super) fn posted(&mut self) -> bool {
        match mem::replace(self, Self::Nobody) {
            Self::WhenPosted(reply) => {
                let is_wanted = reply.commit();
                reply.send(Ok(Ok(Posted::Waiting)));
                is_wanted
            }
            Self::Ahead(_) => true,
            other => {
                *self = other;
                true
            }
        }
    }

    /// It was sent. Gives who waits for the answer of the broker.
    pub(super) fn sent(self, request: RequestId) -> Option<PublishedReply> {
        match self {
            Self::WhenSent(reply) => reply.send(Ok(Ok(()))),
            Self::WhenPosted(reply) => reply.send(Ok(Ok(Posted::Sent))),
            Self::WhenPublished { reply, id } => {
                if let Some(slot) = id {
                    // Nobody may be waiting any more.
                    let _ = slot.send(request);
                }
                return Some(reply);
            }
            Self::Ahead(_) | Self::Nobody => {}
        }
        None
    }

    pub(super) fn fail(self, failure: Failure) {
        match self {
            Self::WhenSent(reply) => reply.send(Err(failure)),
            Self::WhenPosted(reply) => reply.send(Err(failure)),
            Self::WhenPublished { reply, .. } => reply.send(Err(failure)),
            Self::Ahead(_) | Self::Nobody => {}
        }
    }

    pub(super) fn lose(self, lost: Lost) {
        match self {
            Self::WhenSent(reply) => reply.send(Ok(Err(lost))),
            Self::WhenPosted(reply) => reply.send(Ok(Err(lost))),
            Self::WhenPublished { reply, .. } => reply.send(Ok(Err(lost))),
            Self::Ahead(_) | Self::Nobody => {}
        }
    }
}
