//! Payloads that pass the router without being looked into, encrypted end to end or not.
//!
//! In payload passthru mode the arguments of a message travel as one binary, which routers forward
//! as it is, and attributes tell the other side what to do with it: `ppt_scheme`, `ppt_serializer`,
//! `ppt_cipher` and `ppt_keyid`. A [`PassthruCodec`] *seals* arguments into this form and *opens*
//! them again:
//!
//! | codec | scheme | for |
//! |---|---|---|
#![cfg_attr(
    feature = "encryption",
    doc = "| [`Encryption`] | `wamp` | arguments that only holders of a key can read |"
)]
//! | [`Plain`] | `mqtt`, `wamp`, `x_…` | arguments in a format of their own, readable by all |
//! | yours | `x_…` | whatever you like |
//!
//! Codecs run in the tasks of the user, never where messages are routed.
#![cfg_attr(
    feature = "encryption",
    doc = r#"
```
use spell_message::{Format, Value};
use spell_roles::passthru::{Cipher, Encryption, Key, Keys, Passthru, PassthruError};
use spell_serializer::{PayloadExt, payload};

let key = Key::new("key-1", Cipher::XSalsa20Poly1305, [7; 32]);
let codec = Passthru::from(Encryption::new(Keys::new().default_key(key)));

let arguments = payload::encode(Format::Json, &("secret", 7), None::<&()>)?;
let sealed = codec.seal("com.example.topic", &arguments)?;
let (attributes, payload) = sealed.into_parts(Format::Json)?;
assert_eq!(attributes.cipher.as_deref(), Some("xsalsa20poly1305"));
// The router sees one binary.
let (binary,): (Value,) = payload.parse_args()?;
assert!(binary.as_bytes().is_some());

let opened = codec.open(&attributes, &payload)?;
assert_eq!(opened.parse_args::<(String, u8)>()?, ("secret".to_owned(), 7));
# Ok::<(), Box<dyn std::error::Error>>(())
```
"#
)]
//!
//! # What encryption protects, and what not
//!
//! With `Encryption`, a feature of this crate, neither the router nor anyone who listens on the way
//! can read the arguments of an event, a call, a result or an application's error, or change them
//! unnoticed. All else stays visible and in the hand of the router: who sends, when, to which topic
//! or procedure, the URIs of errors, all options, the ids of keys, and how long the arguments are.
//!
//! - The router can drop messages, delay them, send them again (replay), and hand a sealed payload
//!   to another topic, procedure or call whose holders have the key: nothing but the arguments is
//!   bound to it. Put into the arguments what must not be mistaken, such as a number or a time.
//! - Whoever holds the key can read and write: it proves membership, not who of the members sent.
//! - There is no forward secrecy. Who learns a key reads all that was ever sealed with it. Replace
//!   keys as often as that demands; a message names its key, so old ones can be kept for reading.
//! - How peers agree on keys is left to the application.
//!
//! WAMP spec, "Payload Passthru Mode".

mod attributes;
mod autobahn;
mod codec;
#[cfg(feature = "encryption")]
mod encryption;
mod error;
mod opened;
mod plain;
mod router;
mod serializer;

pub use attributes::PassthruAttributes;
pub use codec::{Passthru, PassthruCodec, Sealed, open};
#[cfg(feature = "encryption")]
#[cfg_attr(docsrs, doc(cfg(feature = "encryption")))]
pub use encryption::{Cipher, Encryption, Key, KeyRing, Keys};
pub use error::PassthruError;
pub use plain::Plain;
pub use serializer::PassthruSerializer;

pub(crate) use {
    codec::{SealedParts, seal},
    opened::Opened,
    router::{Attributed, fit, is_sealed},
};

#[cfg(test)]
mod tests;
