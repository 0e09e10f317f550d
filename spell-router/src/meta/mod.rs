//! The router's own procedures and topics, below `wamp.`: what they are asked, and what they say.
//!
//! ```text
//! CALL wamp.… ──► Procedure ── may the caller? ──► Request ──► the realm ──► Answer ──► RESULT
//!                                read without the lock
//! what becomes of the realm ── does anyone subscribe? ──► EVENT
//! ```
//!
//! WAMP spec, "Session Meta API", "Registration Meta API", "Subscriptions Meta API" and "Session
//! Testament".

mod answer;
mod arguments;
mod farewell;
mod history;
mod permission;
mod procedure;
mod query;
mod refused;
mod request;
mod revocation;
mod testament;

pub(crate) use answer::{Answer, encoded, own_format};
pub use farewell::Farewell;
pub(crate) use history::EventsWork;
pub use permission::MetaApi;
pub(crate) use procedure::Procedure;
pub(crate) use query::{Query, details, lists};
pub(crate) use refused::Refused;
pub(crate) use request::{Request, SessionQuery, Victims};
pub use revocation::Revocation;
pub(crate) use testament::{Scope, Testament, Testaments};
