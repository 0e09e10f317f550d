//! The role that calls procedures.

mod arguments;
mod call;
mod handle;
mod ongoing;
mod pending_call;
mod progressive_call;
mod progressive_results;
mod result;
mod role;
#[cfg(test)]
mod tests;

pub use arguments::{CallArguments, SendArguments};
pub use call::Call;
pub use handle::{CallerExt, CallerHandle};
pub use pending_call::PendingCall;
pub use progressive_call::ProgressiveCall;
pub use progressive_results::ProgressiveResults;
pub use result::CallResult;
pub use role::Caller;
