//! HELLO … GOODBYE as a role.

mod handle;
mod leave;
mod offers;
mod role;
mod state;

pub use handle::{SessionExt, SessionHandle};
pub use leave::{Leave, LeaveError};
pub use role::Session;

#[cfg(test)]
mod tests;
