//! End-to-end encryption: the scheme `wamp` with a cipher.

mod cipher;
mod codec;
mod key;
mod keys;

pub use cipher::Cipher;
pub use codec::Encryption;
pub use key::Key;
pub use keys::{KeyRing, Keys};
