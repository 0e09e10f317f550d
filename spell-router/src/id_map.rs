//! Tables by id.

use std::{
    collections::HashMap,
    hash::{BuildHasher, Hasher, RandomState},
    sync::OnceLock,
};

/// A table whose keys are ids, each one number.
///
/// Hashing one takes a multiplication. What it is multiplied with is secret and random: of the ids
/// of requests a client could let just those stay open whose hashes collide, if it knew which.
pub(crate) type IdMap<K, V> = HashMap<K, V, IdHashing>;

/// Makes the hashes of an [`IdMap`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct IdHashing {
    added: u64,
    factor: u64,
}

/// The hash of one id.
#[derive(Debug)]
pub(crate) struct IdHasher {
    hash: u64,
    factor: u64,
}

impl Default for IdHashing {
    fn default() -> Self {
        static SECRET: OnceLock<IdHashing> = OnceLock::new();
        *SECRET.get_or_init(|| {
            let random = RandomState::new();
            Self {
                added: random.hash_one(0),
                factor: random.hash_one(1) | 1,
            }
        })
    }
}

impl BuildHasher for IdHashing {
    type Hasher = IdHasher;

    fn build_hasher(&self) -> IdHasher {
        IdHasher {
            hash: self.added,
            factor: self.factor,
        }
    }
}

impl Hasher for IdHasher {
    fn write_u64(&mut self, number: u64) {
        let product = u128::from(self.hash ^ number).wrapping_mul(u128::from(self.factor));
        let low = u64::try_from(product & u128::from(u64::MAX)).unwrap_or_default();
        let high = u64::try_from(product >> 64).unwrap_or_default();
        self.hash = low ^ high;
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn finish(&self) -> u64 {
        self.hash
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use spell_message::RequestId;

    use super::*;

    #[test]
    fn ids_in_sequence_and_far_apart_spread_over_a_table() {
        let hashing = IdHashing::default();
        for step in [1, 1 << 10, 1 << 20, 1 << 32] {
            let ids = (1..=1024).map(|number| RequestId::new(number * step).unwrap());
            let slots: HashSet<_> = ids.map(|id| hashing.hash_one(id) & 0xFFFF).collect();
            // At random it would be 1,016 of them; less than half would be no accident.
            assert!(slots.len() > 512, "{} at a step of {step}", slots.len());
        }
    }

    #[test]
    fn all_tables_share_one_secret() {
        let id = RequestId::MIN;
        let other = IdHashing::default().hash_one(id);
        assert_eq!(IdHashing::default().hash_one(id), other);
    }
}
