//! The role that subscribes to events.

mod backfill;
mod deduplicate;
mod drains;
mod end;
mod event;
mod gap;
mod handle;
mod handler;
mod prepared;
mod reader;
mod report;
mod role;
mod routes;
mod shared;
mod subscribe;
mod subscription;
#[cfg(test)]
mod tests;
mod wanted;

pub use deduplicate::{Deduplicated, PublicationFilter};
pub use end::SubscriptionEnd;
pub use event::Event;
pub use gap::{Gap, Notice};
pub use handle::{SubscriberExt, SubscriberHandle};
pub use handler::FromEvent;
pub use prepared::PendingSubscribe;
pub use report::{SubscriptionLagging, SubscriptionNotRestored};
pub use role::Subscriber;
pub use subscribe::{Subscribe, SubscribeHandler};
pub use subscription::{Events, Notices, Subscription};
