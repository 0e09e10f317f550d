//! Raw messages, in and out.

mod handle;
mod messages;
mod role;

pub use handle::{NextMessage, SendMessage, TapError, TapExt, TapHandle};
pub use messages::Messages;
pub use role::Tap;

#[cfg(test)]
mod tests;
