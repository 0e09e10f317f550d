//! Maps by ids, hashed quickly: an id is a number, and a router that is trusted with the session has
//! little to gain by choosing ids that collide. Where they would collide is drawn by lot all the same.

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasher, Hasher, RandomState},
};

pub(crate) type IdMap<K, V> = HashMap<K, V, Seed>;

pub(crate) type IdSet<K> = HashSet<K, Seed>;

/// Where the hashes of one map begin.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seed(u64);

impl Default for Seed {
    fn default() -> Self {
        Self(RandomState::new().hash_one(0_u8))
    }
}

impl BuildHasher for Seed {
    type Hasher = IdHasher;

    fn build_hasher(&self) -> IdHasher {
        IdHasher(self.0)
    }
}

/// Hashes the number that an id is.
#[derive(Debug)]
pub(crate) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn write_u64(&mut self, id: u64) {
        // Each half of the hash must depend on all bits: a table uses the one to find the place,
        // the other to compare.
        let mixed = (self.0 ^ id).wrapping_mul(FACTORS[0]);
        let mixed = (mixed ^ (mixed >> 32)).wrapping_mul(FACTORS[1]);
        self.0 = mixed ^ (mixed >> 32);
    }

    /// Not used by ids, but right for whatever comes.
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64((*byte).into());
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Odd, with bits all over.
const FACTORS: [u64; 2] = [0x9e37_79b9_7f4a_7c15, 0xd6e8_feb8_6659_fd93];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_follow_one_another_are_spread() {
        let seed = Seed::default();
        for step in [1_u64, 1 << 10, 1 << 32, 1 << 45] {
            let hashes = (0..128).map(|n| seed.hash_one(n * step));
            let places: HashSet<_> = hashes.clone().map(|hash| hash & 127).collect();
            // Drawn by lot, 128 hashes take about 81 of 128 places.
            assert!(places.len() > 50, "{step}: {} places", places.len());
            let tags: HashSet<_> = hashes.map(|hash| hash >> 57).collect();
            assert!(tags.len() > 50, "{step}: {} tags", tags.len());
        }
    }

    #[test]
    fn each_map_has_places_of_its_own() {
        let hashes: HashSet<_> = (0..8).map(|_| Seed::default().hash_one(7_u64)).collect();
        assert_eq!(hashes.len(), 8);
    }
}
