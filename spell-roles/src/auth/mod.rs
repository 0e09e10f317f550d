//! Authentication: how a session proves who it is.
//!
//! | method | type | the secret |
//! |---|---|---|
//! | `anonymous` | [`Anonymous`] | none |
//! | `ticket` | [`Ticket`] | crosses the wire as it is |
//! | `wampcra` | [`Cra`] | never leaves the peer; signs the router's challenge |
//! | your own | [`Authenticator`] | |
//!
//! Give them to [`Session::authenticator`](crate::Session::authenticator); several are offered in
//! the order they were given.
//!
//! # Secrets
//!
//! Secrets are kept in [`SecretString`], which is wiped when it is dropped. They show in no
//! `Debug`, no error and no log.
//!
//! A ticket, and what an eavesdropper could guess from a weak CRA secret, need a confidential
//! transport: TLS, a Unix socket, or one in memory. Roles know nothing of transports and cannot
//! check that.
//!
//! WAMP spec, "Authentication Methods".

mod anonymous;
mod authenticator;
mod cra;
mod error;
mod ticket;

pub use anonymous::Anonymous;
pub use authenticator::Authenticator;
pub use cra::Cra;
pub use error::AuthError;
pub use secrecy::SecretString;
pub use ticket::Ticket;
