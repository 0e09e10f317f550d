use spell_message::{Feature, RegistrationId, RoleName, SessionId, SubscriptionId};

use super::{
    MetaDecodeError, MetaSubscribe, RegistrationDetails, SessionDetails, SubscriptionDetails,
    decode::Arguments,
};
use crate::SubscriberHandle;

/// The meta topics of a router. Each method is named for one of them and begins a subscription to
/// it, which gives its events typed.
///
/// The router must have announced the API that a topic belongs to, otherwise the subscription ends
/// with [`SubscribeError::Unsupported`](crate::SubscribeError::Unsupported) before anything is
/// sent:
///
/// | topics | feature | of its |
/// |---|---|---|
/// | `session_…` | `session_meta_api` | broker |
/// | `registration_…` | `registration_meta_api` | dealer |
/// | `subscription_…` | `subscription_meta_api` | broker |
///
/// # Examples
///
/// ```
/// # use spell_peer::PeerBuilder;
/// # use spell_roles::{Session, Subscriber};
/// use spell_roles::prelude::*;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let router = spell_router::Router::local();
/// # let connect = || async {
/// #     let peer = PeerBuilder::new(Session::new("com.example.realm")).role(Subscriber::new());
/// #     peer.connect(router.connector()).await
/// # };
/// # let peer = connect().await?;
/// let mut joined = peer.meta_events().session_on_join().await?;
/// let mut left = peer.meta_events().session_on_leave().await?;
///
/// let other = connect().await?;
/// let session = joined.next().await.ok_or("no event")??;
/// assert_eq!(session.session(), other.joined().await?.id());
/// assert_eq!(session.authrole(), other.joined().await?.authrole());
///
/// other.stop();
/// assert_eq!(left.next().await.ok_or("no event")??.session, session.session());
/// # Ok(())
/// # }
/// ```
///
/// WAMP spec, "Session Meta API", "Registration Meta API" and "Subscription Meta API".
#[derive(Clone, Copy, Debug)]
#[must_use = "it does nothing by itself"]
pub struct MetaEvents<'a> {
    pub(super) subscriber: &'a SubscriberHandle,
    pub(super) is_checked: bool,
}

const SESSION: (RoleName, Feature) = (RoleName::Broker, Feature::SessionMetaApi);
const REGISTRATION: (RoleName, Feature) = (RoleName::Dealer, Feature::RegistrationMetaApi);
const SUBSCRIPTION: (RoleName, Feature) = (RoleName::Broker, Feature::SubscriptionMetaApi);

impl<'a> MetaEvents<'a> {
    /// A session joined the realm.
    ///
    /// `wamp.session.on_join`
    pub fn session_on_join(self) -> MetaSubscribe<'a, SessionDetails> {
        self.topic("wamp.session.on_join", SESSION, SessionDetails::read)
    }

    /// A session left the realm.
    ///
    /// `wamp.session.on_leave`
    pub fn session_on_leave(self) -> MetaSubscribe<'a, SessionLeft> {
        self.topic("wamp.session.on_leave", SESSION, SessionLeft::read)
    }

    /// A registration was created, by the session that registered first. What
    /// [`registration_on_register`](Self::registration_on_register) tells comes after it.
    ///
    /// `wamp.registration.on_create`
    pub fn registration_on_create(self) -> MetaSubscribe<'a, RegistrationCreated> {
        let topic = "wamp.registration.on_create";
        self.topic(topic, REGISTRATION, RegistrationCreated::read)
    }

    /// A session was added to a registration.
    ///
    /// `wamp.registration.on_register`
    pub fn registration_on_register(self) -> MetaSubscribe<'a, RegistrationChanged> {
        let topic = "wamp.registration.on_register";
        self.topic(topic, REGISTRATION, RegistrationChanged::read)
    }

    /// A session was removed from a registration.
    ///
    /// `wamp.registration.on_unregister`
    pub fn registration_on_unregister(self) -> MetaSubscribe<'a, RegistrationChanged> {
        let topic = "wamp.registration.on_unregister";
        self.topic(topic, REGISTRATION, RegistrationChanged::read)
    }

    /// A registration was deleted: its last session went. What
    /// [`registration_on_unregister`](Self::registration_on_unregister) tells comes before it.
    ///
    /// `wamp.registration.on_delete`
    pub fn registration_on_delete(self) -> MetaSubscribe<'a, RegistrationChanged> {
        let topic = "wamp.registration.on_delete";
        self.topic(topic, REGISTRATION, RegistrationChanged::read)
    }

    /// A subscription was created, by the session that subscribed first. What
    /// [`subscription_on_subscribe`](Self::subscription_on_subscribe) tells comes after it.
    ///
    /// `wamp.subscription.on_create`
    pub fn subscription_on_create(self) -> MetaSubscribe<'a, SubscriptionCreated> {
        let topic = "wamp.subscription.on_create";
        self.topic(topic, SUBSCRIPTION, SubscriptionCreated::read)
    }

    /// A session was added to a subscription.
    ///
    /// `wamp.subscription.on_subscribe`
    pub fn subscription_on_subscribe(self) -> MetaSubscribe<'a, SubscriptionChanged> {
        let topic = "wamp.subscription.on_subscribe";
        self.topic(topic, SUBSCRIPTION, SubscriptionChanged::read)
    }

    /// A session was removed from a subscription.
    ///
    /// `wamp.subscription.on_unsubscribe`
    pub fn subscription_on_unsubscribe(self) -> MetaSubscribe<'a, SubscriptionChanged> {
        let topic = "wamp.subscription.on_unsubscribe";
        self.topic(topic, SUBSCRIPTION, SubscriptionChanged::read)
    }

    /// A subscription was deleted: its last session went. What
    /// [`subscription_on_unsubscribe`](Self::subscription_on_unsubscribe) tells comes before it.
    ///
    /// `wamp.subscription.on_delete`
    pub fn subscription_on_delete(self) -> MetaSubscribe<'a, SubscriptionChanged> {
        let topic = "wamp.subscription.on_delete";
        self.topic(topic, SUBSCRIPTION, SubscriptionChanged::read)
    }
}

/// A session that left the realm.
///
/// WAMP spec, "Session Meta API".
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionLeft {
    /// The session.
    pub session: SessionId,
    /// Who it was; some routers do not tell.
    pub authid: Option<String>,
    /// The role that the router gave it; some routers do not tell.
    pub authrole: Option<String>,
}

impl SessionLeft {
    fn read(arguments: &mut Arguments) -> Result<Self, MetaDecodeError> {
        Ok(Self {
            session: arguments.next("session").id()?,
            authid: arguments.next("authid").optional_text(),
            authrole: arguments.next("authrole").optional_text(),
        })
    }
}

/// A registration that was created.
///
/// WAMP spec, "Registration Meta API".
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RegistrationCreated {
    /// The session that registered.
    pub session: SessionId,
    /// The registration.
    pub registration: RegistrationDetails,
}

impl RegistrationCreated {
    fn read(arguments: &mut Arguments) -> Result<Self, MetaDecodeError> {
        Ok(Self {
            session: arguments.next("session").id()?,
            registration: RegistrationDetails::read("registration", arguments)?,
        })
    }
}

/// A session and a registration that it was added to or removed from, or that went with it.
///
/// WAMP spec, "Registration Meta API".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RegistrationChanged {
    /// The session.
    pub session: SessionId,
    /// The registration.
    pub registration: RegistrationId,
}

impl RegistrationChanged {
    fn read(arguments: &mut Arguments) -> Result<Self, MetaDecodeError> {
        Ok(Self {
            session: arguments.next("session").id()?,
            registration: arguments.next("registration").id()?,
        })
    }
}

/// A subscription that was created.
///
/// WAMP spec, "Subscription Meta API".
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SubscriptionCreated {
    /// The session that subscribed.
    pub session: SessionId,
    /// The subscription.
    pub subscription: SubscriptionDetails,
}

impl SubscriptionCreated {
    fn read(arguments: &mut Arguments) -> Result<Self, MetaDecodeError> {
        Ok(Self {
            session: arguments.next("session").id()?,
            subscription: SubscriptionDetails::read("subscription", arguments)?,
        })
    }
}

/// A session and a subscription that it was added to or removed from, or that went with it.
///
/// WAMP spec, "Subscription Meta API".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SubscriptionChanged {
    /// The session.
    pub session: SessionId,
    /// The subscription.
    pub subscription: SubscriptionId,
}

impl SubscriptionChanged {
    fn read(arguments: &mut Arguments) -> Result<Self, MetaDecodeError> {
        Ok(Self {
            session: arguments.next("session").id()?,
            subscription: arguments.next("subscription").id()?,
        })
    }
}
