//! The client roles of WAMP v2.
//!
//! Use this crate for a peer with only the roles it needs; `spell-wamp` has all of them behind one
//! call. Each role is a plain state machine over [`spell_peer`], a *handle* for user code, and an
//! extension trait that puts the role's verbs on [`Peer`](spell_peer::Peer):
//!
//! | role | does | on the peer |
//! |---|---|---|
//! | [`Session`] | joins a realm, authenticates ([`auth`]), leaves | [`SessionExt`] |
//! | [`Publisher`] | publishes events | [`PublisherExt`] |
//! | [`Subscriber`] | receives events | [`SubscriberExt`] |
//! | [`Caller`] | calls procedures | [`CallerExt`] |
//! | [`Callee`] | serves procedures | [`CalleeExt`] |
//! | [`Tap`] | shows and sends raw messages | [`TapExt`] |
//!
//! What a router tells of itself, its sessions, registrations and subscriptions, is called and
//! subscribed to by these roles, typed, with [`MetaExt`].
//!
//! A peer has the roles it was built with; the verb of a role that it does not have is a compile
//! error. `use spell_roles::prelude::*` brings the extension traits.
//!
//! ```
//! use spell_peer::{JoinError, Peer, PeerBuilder};
//! use spell_roles::{Publisher, Session, auth::Ticket, prelude::*};
//! use spell_transport::Connector;
//!
//! /// A peer that can publish, and nothing else.
//! async fn sensor(router: impl Connector) -> Result<Peer<(Session, Publisher)>, JoinError> {
//!     let session = Session::new("com.example.realm").authenticator(Ticket::new("boiler", "…"));
//!     let peer = PeerBuilder::new(session).role(Publisher::new());
//!     peer.connect(router).await
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! # let (router, _) = spell_transport::memory::listener([spell_transport::Serialization::JSON]);
//! // Nobody listens here.
//! assert!(matches!(sensor(router).await, Err(JoinError::Connect(_))));
//! # });
//! ```
//!
//! Arguments can pass the router as one binary that it does not look into, encrypted end to end or
//! not: [`passthru`].
//!
//! Roles are not privileged: a role of your own uses the same API, [`spell_peer::Role`].
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod auth;
mod callee;
mod caller;
mod error;
#[cfg(test)]
mod harness;
mod id_map;
mod meta;
mod methods;
pub mod passthru;
mod pending;
pub mod prelude;
mod publisher;
mod queue;
mod repeat;
mod request;
mod session;
mod slot;
mod span;
mod started;
mod subscriber;
mod tap;
mod weight;

pub use callee::{
    Answer, AnswerError, Args, Callee, CalleeExt, CalleeHandle, Conflict, DrainRegistration,
    Drained, FromInvocation, Handled, Interrupt, Interruption, IntoResult, Invocation,
    InvocationError, InvocationHandler, InvocationInfo, Invocations, Kwargs, Part, Parts,
    PendingRegister, Progress, ProgressiveResult, Register, RegisterHandler, Registration,
    RegistrationEnd, RegistrationNotRestored,
};
pub use caller::{
    Call, CallArguments, CallResult, CallResults, Caller, CallerExt, CallerHandle, IdempotentCall,
    PendingCall, ProgressiveCall, SendArguments,
};
pub use error::{
    CallError, PublishError, RegisterError, SubscribeError, UnregisterError, UnsubscribeError,
    WampError,
};
pub use meta::{
    AddTestament, FilterAuthroles, FlushTestaments, HistoricEvent, HistoryFilter, HistoryTime,
    IdsByMatch, Kill, Killed, LookupRegistration, LookupSubscription, Meta, MetaCall,
    MetaDecodeError, MetaError, MetaEvents, MetaExt, MetaSubscribe, MetaSubscription,
    RegistrationChanged, RegistrationCreated, RegistrationDetails, Remove, SessionDetails,
    SessionLeft, SubscriptionChanged, SubscriptionCreated, SubscriptionDetails, TestamentScope,
};
pub use publisher::{
    AcknowledgedPublish, IdempotentPublish, Outbox, OutboxStatistics, PendingPublish, Posted,
    Publish, Publisher, PublisherExt, PublisherHandle,
};
pub use queue::Overflow;
pub use session::{Leave, LeaveError, Session, SessionExt, SessionHandle};
pub use subscriber::{
    Deduplicated, Event, Events, FromEvent, Gap, Notice, Notices, PendingSubscribe,
    PublicationFilter, Subscribe, SubscribeHandler, Subscriber, SubscriberExt, SubscriberHandle,
    Subscription, SubscriptionEnd, SubscriptionLagging, SubscriptionNotRestored,
};
pub use tap::{Messages, NextMessage, SendMessage, Tap, TapError, TapExt, TapHandle};
