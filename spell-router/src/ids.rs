//! The ids that the router gives.

use std::hash::{BuildHasher, RandomState};

use spell_message::{RegistrationId, SubscriptionId};

/// Ids of the router scope, which are the router's own choice: 1, 2, 3 and so on.
///
/// WAMP spec, "IDs".
#[derive(Debug, Default)]
pub(crate) struct RouterIds {
    last: u64,
}

impl RouterIds {
    pub(crate) fn next_subscription(&mut self) -> SubscriptionId {
        // At a million a second the largest id is used after 285 years.
        SubscriptionId::new(self.advance()).unwrap_or(SubscriptionId::MAX)
    }

    pub(crate) fn next_registration(&mut self) -> RegistrationId {
        RegistrationId::new(self.advance()).unwrap_or(RegistrationId::MAX)
    }

    fn advance(&mut self) -> u64 {
        self.last = self.last.saturating_add(1);
        self.last
    }
}

/// A source of the 64 random bits that become an id of the global scope.
pub(crate) type RandomBits = Box<dyn FnMut() -> u64 + Send>;

/// Bits from the operating system, fetched for many ids at a time.
pub(crate) fn random_bits() -> RandomBits {
    let mut buffer: [u8; 512] = [0; 512];
    let mut used = buffer.len();
    Box::new(move || {
        if used >= buffer.len() {
            if getrandom::fill(&mut buffer).is_err() {
                // Should the system have no random numbers left, the keyed hash that the standard
                // library makes against guessing serves for ids, which are no secrets.
                return RandomState::new().hash_one(());
            }
            used = 0;
        }
        let bits = buffer.get(used..).and_then(<[u8]>::first_chunk);
        used = used.saturating_add(size_of::<u64>());
        bits.copied().map_or(0, u64::from_le_bytes)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn router_ids_count_from_1() {
        let mut ids = RouterIds::default();
        assert_eq!(ids.next_subscription().get(), 1);
        assert_eq!(ids.next_subscription().get(), 2);
    }

    #[test]
    fn random_bits_do_not_repeat_within_or_between_buffers() {
        let mut bits = random_bits();
        let drawn: HashSet<_> = (0..1_000).map(|_| bits()).collect();
        assert_eq!(drawn.len(), 1_000);
    }
}
