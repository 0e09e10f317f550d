//! The role that publishes events.

mod answer;
mod handle;
mod idempotent_publish;
mod outbox;
mod publish;
mod role;
#[cfg(test)]
mod tests;

pub use answer::Posted;
pub use handle::{PublisherExt, PublisherHandle};
pub use idempotent_publish::IdempotentPublish;
pub use outbox::{Outbox, OutboxStatistics};
pub use publish::{AcknowledgedPublish, PendingPublish, Publish};
pub use role::Publisher;
