//! The role that is called.

mod answer;
mod departures;
mod error;
mod handle;
mod handler;
mod invocation;
mod prepared;
mod register;
mod registration;
mod role;
mod running;
#[cfg(test)]
mod tests;
mod wanted;

pub use answer::Answer;
pub use error::{AnswerError, InvocationError};
pub use handle::{CalleeExt, CalleeHandle};
pub use handler::{Args, FromInvocation, IntoResult, Kwargs};
pub use invocation::{Invocation, InvocationInfo};
pub use prepared::PendingRegister;
pub use register::{Register, RegisterHandler};
pub use registration::{Handled, Invocations, Registration, RegistrationEnd};
pub use role::Callee;
