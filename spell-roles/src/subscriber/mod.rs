//! The role that subscribes to events.

mod deduplicate;
mod end;
mod event;
mod handle;
mod handler;
mod role;
mod routes;
mod subscribe;
mod subscription;
#[cfg(test)]
mod tests;
mod wanted;

pub use deduplicate::{Deduplicated, PublicationFilter};
pub use end::SubscriptionEnd;
pub use event::Event;
pub use handle::{SubscriberExt, SubscriberHandle};
pub use handler::FromEvent;
pub use role::Subscriber;
pub use subscribe::{PendingSubscribe, Subscribe, SubscribeHandler};
pub use subscription::{Events, Subscription};
