//! An event that is kept for later.

use bytes::Bytes;
use spell_message::{
    Dict, Payload, PublicationId, SessionId, Uri,
    options::{EventDetails, PublishOptions},
};

use super::{Publication, audience::Audience};
use crate::{outgoing::details_size, timestamp::Timestamp};

/// An event that is kept for later, and who may have it then.
#[derive(Debug)]
pub(crate) struct KeptEvent {
    pub(crate) publication: PublicationId,
    pub(crate) topic: Uri,
    pub(crate) published: Timestamp,
    /// Those that all receivers got.
    pub(crate) details: EventDetails,
    pub(crate) payload: Payload,
    /// The publisher, if it is to get no event.
    without: Option<SessionId>,
    /// Of the options of PUBLISH the lists of who may get the event.
    lists: PublishOptions,
}

impl KeptEvent {
    /// `None` if nobody could tell later who may have it.
    pub(crate) fn new(
        publication: Publication<'_>,
        id: PublicationId,
        details: EventDetails,
        published: Timestamp,
    ) -> Option<Self> {
        let options = publication.options;
        let given = options.as_dict().iter();
        let lists: Dict = given
            .filter(|(key, _)| PublishOptions::LISTS.contains(key))
            .map(|(key, list)| (key.to_owned(), list.clone()))
            .collect();
        Some(Self {
            publication: id,
            topic: publication.topic.clone(),
            published,
            details,
            payload: detached(publication.payload),
            without: publication
                .publisher
                .filter(|_| options.exclude_me() != Some(false)),
            lists: PublishOptions::from_dict(lists).ok()?,
        })
    }

    pub(crate) fn audience(&self) -> Audience<'_> {
        Audience::new(self.without, &self.lists)
    }

    /// Whether no list says who may have it.
    pub(crate) fn is_for_all(&self) -> bool {
        self.lists.is_empty()
    }

    /// Whether the same lists say who may have it.
    pub(crate) fn is_listed_like(&self, other: &Self) -> bool {
        self.lists == other.lists
    }

    /// About how much memory it takes, in bytes.
    pub(crate) fn size(&self) -> usize {
        self.payload
            .len()
            .saturating_add(self.topic.len())
            .saturating_add(details_size(self.details.as_dict()))
            .saturating_add(details_size(self.lists.as_dict()))
            .saturating_add(size_of::<Self>())
    }
}

/// The arguments, apart from the frame they came in: while a slice of it lives, so does all that
/// was read together with it.
fn detached(payload: &Payload) -> Payload {
    let tail = payload.tail();
    match payload.format() {
        Some(format) if tail.len() <= LARGEST_COPIED => {
            let kwargs_start = tail.len().saturating_sub(payload.kwargs().len());
            let args_end = payload.args().len();
            Payload::encoded(format, Bytes::copy_from_slice(tail), args_end, kwargs_start)
        }
        _ => payload.clone(),
    }
}

/// The largest arguments to copy, in bytes. Larger ones are most of what was read with them.
const LARGEST_COPIED: usize = 64 << 10;
