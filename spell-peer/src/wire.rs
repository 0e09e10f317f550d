use std::sync::{
    Arc,
    atomic::{AtomicU8, AtomicU64, Ordering},
};

use spell_message::{Format, RoleName, Serialization};
use spell_serializer::AnySerializer;

use crate::{Ahead, SessionInfo, ahead::Budget};

/// The serializer and the size limit that are in force now, and the session that is joined, as
/// handles see them.
///
/// Handles encode arguments in the user's task, so they must know the format. It can be stale by a
/// reconnect: the engine decides again when it commits a message.
///
/// One atomic word: which of the offered serializers, and which limit; another one for the session.
#[derive(Clone, Debug)]
pub struct Wire(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    offers: Vec<AnySerializer>,
    /// The index of the serializer in the top byte, the limit below.
    word: AtomicU64,
    /// What the router of the session is: [`BROKER`], [`DEALER`]; 0 without a session.
    session: AtomicU8,
    budget: Arc<Budget>,
}

impl Wire {
    /// Before the first session: the first serializer offered, and no limit known.
    pub(crate) fn new(offers: Vec<AnySerializer>, most_ahead: usize) -> Self {
        Self(Arc::new(Shared {
            offers,
            word: AtomicU64::new(LIMIT),
            session: AtomicU8::new(0),
            budget: Arc::new(Budget::new(most_ahead)),
        }))
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

    /// Whether a session is joined now, and is not ending, whose router is a broker or a dealer.
    ///
    /// WAMP spec, "Role and Feature Announcement".
    pub fn is_joined_to(&self, role: RoleName) -> bool {
        self.0.session.load(Ordering::Acquire) & bit(role) != 0
    }

    /// Room for a command of so many bytes that nobody waits for; `None` if too many bytes of such
    /// commands wait for the driver.
    pub(crate) fn reserve(&self, bytes: usize) -> Option<Ahead> {
        Ahead::new(&self.0.budget, bytes)
    }

    /// A session takes requests from now on, until it has [ended](Self::ended).
    pub fn joined(&self, session: &SessionInfo) {
        let roles = session.roles();
        let is = |role: &RoleName| roles.is_empty() || roles.has(*role);
        let bits = [RoleName::Broker, RoleName::Dealer];
        let bits = bits.into_iter().filter(is).map(bit).sum();
        self.0.session.store(bits, Ordering::Release);
    }

    /// No session takes requests from now on, until one is [joined](Self::joined).
    pub fn ended(&self) {
        self.0.session.store(0, Ordering::Release);
        self.set_queued(0);
    }

    /// So many bytes wait for the wire now, which leave less room for what is
    /// [handed over](crate::Commands::hand_over).
    pub fn set_queued(&self, bytes: usize) {
        self.0.budget.set_queued(bytes);
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

fn bit(role: RoleName) -> u8 {
    match role {
        RoleName::Broker => BROKER,
        RoleName::Dealer => DEALER,
        _ => 0,
    }
}

const BROKER: u8 = 1;
const DEALER: u8 = 2;
