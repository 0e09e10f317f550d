//! The router's own procedures and topics, below `wamp.`: what they are asked, and what they say.
//!
//! ```text
//! CALL wamp.… ──► Procedure ── may the caller? ──► Request ──► the realm ──► Answer ──► RESULT
//!                                read without the lock
//! the realm changes ──► Notice ── does anyone subscribe? ──► EVENT
//! ```
//!
//! WAMP spec, "Session Meta API", "Registration Meta API", "Subscriptions Meta API" and "Session
//! Testament".

mod answer;
mod arguments;
mod farewell;
mod notice;
mod permission;
mod procedure;
mod refused;
mod request;
mod testament;

pub(crate) use answer::{Answer, encoded};
pub use farewell::Farewell;
pub(crate) use notice::Notice;
pub use permission::MetaApi;
pub(crate) use procedure::Procedure;
pub(crate) use refused::Refused;
pub(crate) use request::{Request, Victims};
pub(crate) use testament::{Scope, Testament, Testaments};
