use spell_peer::{Contains, Peer, Role};

use super::MetaEvents;
use crate::{Caller, CallerHandle, Subscriber, SubscriberHandle};

/// The meta procedures of a router. Each method is named for one of them; what it gives is awaited.
///
/// The router must have announced the API that a procedure belongs to, otherwise the call ends with
/// [`CallError::Unsupported`](crate::CallError::Unsupported) before anything is sent:
///
/// | procedures | feature | of its |
/// |---|---|---|
/// | `session_…` | `session_meta_api` | dealer |
/// | `session_add_testament`, `session_flush_testaments` | `testament_meta_api` | dealer |
/// | `registration_…` | `registration_meta_api` | dealer |
/// | `subscription_…` | `subscription_meta_api` | broker |
/// | `subscription_get_events` | `event_history` | broker |
///
/// Where a router serves what it does not announce, as Crossbar.io does with the history of events,
/// [`unannounced`](Self::unannounced) asks all the same.
///
/// Whoever may call these procedures the router decides; a refusal is a
/// [`CallError::Refused`](crate::CallError::Refused).
///
/// WAMP spec, "Session Meta API", "Registration Meta API", "Subscription Meta API", "Session
/// Testament" and "Event History".
#[derive(Clone, Copy, Debug)]
#[must_use = "it does nothing by itself"]
pub struct Meta<'a> {
    pub(crate) caller: &'a CallerHandle,
    pub(crate) is_checked: bool,
}

impl<'a> Meta<'a> {
    /// The meta procedures, called by this handle. A peer has them by [`MetaExt::meta`].
    pub fn new(caller: &'a CallerHandle) -> Self {
        Self {
            caller,
            is_checked: true,
        }
    }

    /// Call also what the router did not announce. A router that has no such procedure answers with
    /// [`NO_SUCH_PROCEDURE`](spell_message::reason::NO_SUCH_PROCEDURE).
    ///
    /// ```
    /// # use spell_peer::PeerBuilder;
    /// # use spell_roles::{Caller, Session};
    /// # use spell_message::{SubscriptionId, reason};
    /// use spell_roles::prelude::*;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let router = spell_router::Router::local();
    /// # let peer = PeerBuilder::new(Session::new("com.example.realm")).role(Caller::new());
    /// # let peer = peer.connect(router.connector()).await?;
    /// # let subscription = SubscriptionId::MIN;
    /// let meta = peer.meta().unannounced();
    /// if let Err(error) = meta.subscription_get_events(subscription).limit(10).await {
    ///     println!("no history: {error}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn unannounced(self) -> Self {
        Self {
            is_checked: false,
            ..self
        }
    }
}

/// `peer.meta()` for every peer that has the [`Caller`] role, `peer.meta_events()` for every one
/// that has the [`Subscriber`] role.
pub trait MetaExt {
    /// The peer's roles.
    type Roles: Role;

    /// The meta procedures of the router.
    fn meta<I>(&self) -> Meta<'_>
    where
        Self::Roles: Contains<Caller, I>;

    /// The meta topics of the router.
    fn meta_events<I>(&self) -> MetaEvents<'_>
    where
        Self::Roles: Contains<Subscriber, I>;
}

impl<R: Role> MetaExt for Peer<R> {
    type Roles = R;

    fn meta<I>(&self) -> Meta<'_>
    where
        R: Contains<Caller, I>,
    {
        Meta::new(self.role::<Caller, I>())
    }

    fn meta_events<I>(&self) -> MetaEvents<'_>
    where
        R: Contains<Subscriber, I>,
    {
        MetaEvents::new(self.role::<Subscriber, I>())
    }
}

impl<'a> MetaEvents<'a> {
    /// The meta topics, subscribed to by this handle. A peer has them by [`MetaExt::meta_events`].
    pub fn new(subscriber: &'a SubscriberHandle) -> Self {
        Self {
            subscriber,
            is_checked: true,
        }
    }

    /// Subscribe also to the topics of an API that the router did not announce. A router that has
    /// none takes the subscription all the same, and never publishes anything.
    pub fn unannounced(self) -> Self {
        Self {
            is_checked: false,
            ..self
        }
    }
}
