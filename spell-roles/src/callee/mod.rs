//! The role that is called.

mod answer;
mod conflict;
mod cut_off;
mod departures;
mod drain;
mod error;
mod extract;
mod handle;
mod handler;
mod info;
mod interrupt;
mod invocation;
mod line;
mod parts;
mod prepared;
mod progress;
mod register;
mod registration;
mod registrations;
mod report;
mod role;
mod running;
mod serving;
#[cfg(test)]
mod tests;
mod wanted;

pub use answer::Answer;
pub use conflict::Conflict;
pub use drain::{DrainRegistration, Drained};
pub use error::{AnswerError, InvocationError};
pub use extract::{Args, FromInvocation, IntoResult, Kwargs};
pub use handle::{CalleeExt, CalleeHandle};
pub use handler::InvocationHandler;
pub use info::InvocationInfo;
pub use interrupt::{Interrupt, Interruption};
pub use invocation::Invocation;
pub use parts::{Part, Parts};
pub use prepared::PendingRegister;
pub use progress::{Progress, ProgressiveResult};
pub use register::{Register, RegisterHandler};
pub use registration::{Handled, Invocations, Registration, RegistrationEnd};
pub use report::RegistrationNotRestored;
pub use role::Callee;
