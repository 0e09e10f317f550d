//! The meta API of a router, typed: what it tells of sessions, registrations and subscriptions.
//!
//! No role of its own: the procedures are called by a [`Caller`](crate::Caller), the topics are
//! subscribed to by a [`Subscriber`](crate::Subscriber).

mod call;
mod decode;
mod details;
mod error;
mod events;
mod handle;
mod history;
mod registrations;
mod sessions;
mod subscribe;
mod subscriptions;
mod testaments;
#[cfg(test)]
mod tests;

pub use call::{IdsByMatch, MetaCall};
pub use error::{MetaDecodeError, MetaError};
pub use events::{
    MetaEvents, RegistrationChanged, RegistrationCreated, SessionLeft, SubscriptionChanged,
    SubscriptionCreated,
};
pub use handle::{Meta, MetaExt};
pub use history::{HistoricEvent, HistoryFilter, HistoryTime};
pub use registrations::{LookupRegistration, RegistrationDetails, Remove};
pub use sessions::{FilterAuthroles, Kill, Killed, SessionDetails};
pub use subscribe::{MetaSubscribe, MetaSubscription};
pub use subscriptions::{LookupSubscription, SubscriptionDetails};
pub use testaments::{AddTestament, FlushTestaments, TestamentScope};
