use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use spell_message::{Format, Serialization};
use spell_serializer::AnySerializer;

/// The serializer and the size limit that are in force now, as handles see them.
///
/// Handles encode arguments in the user's task, so they must know the format. It can be stale by a
/// reconnect: the engine decides again when it commits a message.
///
/// One atomic word: which of the offered serializers, and which limit.
#[derive(Clone, Debug)]
pub struct Wire(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    offers: Vec<AnySerializer>,
    /// The index of the serializer in the top byte, the limit below.
    word: AtomicU64,
}

impl Wire {
    /// Before the first session: the first serializer offered, and no limit known.
    pub(crate) fn new(offers: Vec<AnySerializer>) -> Self {
        let word = AtomicU64::new(LIMIT);
        Self(Arc::new(Shared { offers, word }))
    }

    /// How arguments are to be encoded; JSON when no serializer was offered.
    pub fn format(&self) -> Format {
        let index = self.0.word.load(Ordering::Relaxed) >> LIMIT_BITS;
        let serializer = usize::try_from(index).map(|index| self.0.offers.get(index));
        serializer
            .ok()
            .flatten()
            .map_or(Format::Json, |serializer| serializer.format())
    }

    /// The largest message that the router takes, in bytes; `usize::MAX` when it is not known.
    pub fn max_send(&self) -> usize {
        match self.0.word.load(Ordering::Relaxed) & LIMIT {
            LIMIT => usize::MAX,
            limit => usize::try_from(limit).unwrap_or(usize::MAX),
        }
    }

    /// The names to negotiate, the serializer now in force first, so that arguments that are
    /// encoded already fit.
    pub fn offers(&self) -> Vec<Serialization> {
        let names = self.0.offers.iter().map(|offer| offer.serialization());
        let mut names: Vec<_> = names.collect();
        let current = self.0.word.load(Ordering::Relaxed) >> LIMIT_BITS;
        if let Ok(current) = usize::try_from(current)
            && let Some(first) = names.get_mut(..=current)
        {
            first.rotate_right(1);
        }
        names
    }

    /// A transport was negotiated. Gives its serializer, `None` when it was not offered.
    pub fn negotiated(
        &self,
        name: Serialization,
        max_send: Option<usize>,
    ) -> Option<AnySerializer> {
        let mut offers = self.0.offers.iter().zip(0_u64..);
        let (serializer, index) = offers.find(|(offer, _)| offer.serialization() == name)?;
        let limit = max_send.and_then(|limit| u64::try_from(limit).ok());
        let word = (index << LIMIT_BITS) | limit.map_or(LIMIT, |limit| limit.min(LIMIT));
        self.0.word.store(word, Ordering::Relaxed);
        Some(serializer.clone())
    }
}

const LIMIT_BITS: u32 = 56;
const LIMIT: u64 = (1 << LIMIT_BITS) - 1;
