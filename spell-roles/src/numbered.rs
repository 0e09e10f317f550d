//! Maps by numbers that this peer counts up itself.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

/// A map by a number that this peer chose: the id of a request of its own, or a key.
///
/// Nobody else chooses what is in it, so that no one can make its keys collide, and a hash need not
/// be secret. Whoever answers may name any number, but that only looks it up.
pub(crate) type Numbered<K, V> = HashMap<K, V, BuildHasherDefault<NumberHasher>>;

/// Hashes one number.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct NumberHasher(u64);

impl Hasher for NumberHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_u64(&mut self, number: u64) {
        // The map looks at the lowest and at the highest bits, and neighbours must differ in both.
        let spread = number.wrapping_mul(GOLDEN_RATIO);
        self.0 = spread ^ (spread >> 32);
    }

    fn write(&mut self, bytes: &[u8]) {
        // No number comes this way.
        for byte in bytes {
            self.write_u64(self.0.rotate_left(8) ^ u64::from(*byte));
        }
    }
}

/// 2^64 divided by the golden ratio, odd: its multiples are spread evenly.
const GOLDEN_RATIO: u64 = 0x9E37_79B9_7F4A_7C15;

#[cfg(test)]
mod tests {
    use std::{
        collections::HashSet,
        hash::{BuildHasher, BuildHasherDefault},
    };

    use spell_message::RequestId;

    use super::*;

    #[test]
    fn numbers_that_follow_each_other_are_spread() {
        let build = BuildHasherDefault::<NumberHasher>::default();
        let ids = (1..=1024).filter_map(|id| RequestId::new(id).ok());
        let hashes: Vec<u64> = ids.map(|id| build.hash_one(id)).collect();
        let places: HashSet<u64> = hashes.iter().map(|hash| hash & 1023).collect();
        let tags: HashSet<u64> = hashes.iter().map(|hash| hash >> 57).collect();
        assert_eq!(hashes.len(), 1024);
        assert!(places.len() > 600, "{} of 1024 places", places.len());
        assert_eq!(tags.len(), 128);
    }
}
