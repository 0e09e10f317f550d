//! The client roles of WAMP v2.
//!
//! Each role is a plain state machine over [`spell_peer`], a *handle* for user code, and an
//! extension trait that puts the role's verbs on [`Peer`](spell_peer::Peer):
//!
//! | role | does | on the peer |
//! |---|---|---|
//! | [`Session`] | joins a realm, authenticates, leaves | [`SessionExt`] |
//! | [`Publisher`] | publishes events | [`PublisherExt`] |
//! | [`Subscriber`] | subscribes to events | [`SubscriberExt`] |
//! | [`Tap`] | shows and sends raw messages | [`TapExt`] |
//!
//! A peer has the roles it was built with; the verb of a role that it does not have is a compile
//! error. `use spell_roles::prelude::*` brings the extension traits.
//!
//! Roles are not privileged: a role of your own uses the same API, [`spell_peer::Role`].
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod auth;
mod caller;
mod error;
#[cfg(test)]
mod harness;
mod pending;
pub mod prelude;
mod publisher;
mod queue;
mod request;
mod session;
mod started;
mod subscriber;
mod tap;

pub use caller::{Call, CallResult, Caller, CallerExt, CallerHandle, PendingCall};
pub use error::{
    CallError, PublishError, RegisterError, SubscribeError, UnregisterError, UnsubscribeError,
    WampError,
};
pub use publisher::{
    AcknowledgedPublish, PendingPublish, Publish, Publisher, PublisherExt, PublisherHandle,
};
pub use queue::Overflow;
pub use session::{Leave, LeaveError, Session, SessionExt, SessionHandle};
pub use subscriber::{
    Event, PendingSubscribe, Subscribe, Subscriber, SubscriberExt, SubscriberHandle, Subscription,
    SubscriptionEnd,
};
pub use tap::{Messages, NextMessage, SendMessage, Tap, TapError, TapExt, TapHandle};
