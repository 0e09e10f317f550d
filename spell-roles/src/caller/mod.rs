//! The role that calls procedures.

mod arguments;
mod call;
mod handle;
mod idempotent_call;
mod ongoing;
mod pending_call;
mod progressive_call;
mod result;
mod results;
mod role;
mod sealing;
#[cfg(test)]
mod tests;

pub use arguments::{CallArguments, SendArguments};
pub use call::Call;
pub use handle::{CallerExt, CallerHandle};
pub use idempotent_call::IdempotentCall;
pub use pending_call::PendingCall;
pub use progressive_call::ProgressiveCall;
pub use result::CallResult;
pub use results::CallResults;
pub use role::Caller;
