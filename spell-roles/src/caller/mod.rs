//! The role that calls procedures.

mod call;
mod handle;
mod result;
mod role;
#[cfg(test)]
mod tests;

pub use call::{Call, PendingCall};
pub use handle::{CallerExt, CallerHandle};
pub use result::CallResult;
pub use role::Caller;
