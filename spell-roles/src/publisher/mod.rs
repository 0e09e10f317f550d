//! The role that publishes events.

mod handle;
mod publish;
mod role;
#[cfg(test)]
mod tests;

pub use handle::{PublisherExt, PublisherHandle};
pub use publish::{AcknowledgedPublish, PendingPublish, Publish};
pub use role::Publisher;
