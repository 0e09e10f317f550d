//! Masks: what a client does to each payload, so that nothing between it and the server can be made
//! to take it for something else.
//!
//! RFC 6455, 5.3.

use std::{cell::RefCell, io};

/// What a payload is combined with, octet by octet.
pub(super) type Key = [u8; 4];

/// A key that nobody can foresee.
///
/// It comes from the system's generator, which gives many at once.
pub(super) fn key() -> io::Result<Key> {
    KEYS.with_borrow_mut(|keys| {
        if let Some(key) = keys.pop() {
            return Ok(key);
        }
        let mut octets = [0; KEYS_AT_ONCE * size_of::<Key>()];
        getrandom::fill(&mut octets)?;
        let (fresh, _) = octets.as_chunks();
        keys.extend_from_slice(fresh);
        keys.pop().ok_or_else(|| io::ErrorKind::Other.into())
    })
}

thread_local! {
    static KEYS: RefCell<Vec<Key>> = const { RefCell::new(Vec::new()) };
}

const KEYS_AT_ONCE: usize = 256;

/// Masks, or unmasks, where the payload is.
pub(super) fn mask(payload: &mut [u8], key: Key) {
    let (words, rest) = payload.as_chunks_mut();
    let double = double(key);
    for word in words {
        *word = combine(*word, double);
    }
    for (octet, key) in rest.iter_mut().zip(double.to_ne_bytes()) {
        *octet ^= key;
    }
}

/// Masks while it copies.
pub(super) fn mask_into(out: &mut Vec<u8>, payload: &[u8], key: Key) {
    let (blocks, rest) = payload.as_chunks::<BLOCK>();
    for block in blocks {
        let mut masked = *block;
        mask(&mut masked, key);
        out.extend_from_slice(&masked);
    }
    let copied = out.len();
    out.extend_from_slice(rest);
    mask(out.get_mut(copied..).unwrap_or_default(), key);
}

fn combine(word: [u8; 8], double: u64) -> [u8; 8] {
    (u64::from_ne_bytes(word) ^ double).to_ne_bytes()
}

/// The key twice, in the order of its octets.
fn double([a, b, c, d]: Key) -> u64 {
    u64::from_ne_bytes([a, b, c, d, a, b, c, d])
}

/// What is masked in the registers of the processor.
const BLOCK: usize = 64;

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::{collection::vec, prelude::*};

    use super::*;

    proptest! {
        #[test]
        fn each_octet_is_combined_with_its_own_of_the_key(
            payload in vec(any::<u8>(), 0..300),
            key: Key,
        ) {
            let octets = payload.iter().zip(key.iter().cycle());
            let expected: Vec<u8> = octets.map(|(octet, key)| octet ^ key).collect();
            let mut copied = vec![1];
            mask_into(&mut copied, &payload, key);
            prop_assert_eq!(&copied[1..], &expected);
            let mut changed = payload;
            mask(&mut changed, key);
            prop_assert_eq!(changed, expected);
        }
    }

    #[test]
    fn each_key_is_another() {
        let keys = 10 * KEYS_AT_ONCE;
        let distinct: HashSet<Key> = (0..keys).map(|_| key().unwrap()).collect();
        // By chance two of them in a thousand runs may be equal, and never ten.
        assert!(distinct.len() > keys - 10);
    }
}
