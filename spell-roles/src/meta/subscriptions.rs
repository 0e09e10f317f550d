use spell_message::{
    Dict, Feature, IntoUri, MatchPolicy, RoleName, SessionId, SubscriptionId,
    options::SubscribeOptions,
};

use super::{IdsByMatch, Meta, MetaCall, Remove, details::details_methods};

const NEEDS: (RoleName, Feature) = (RoleName::Broker, Feature::SubscriptionMetaApi);

/// The subscription meta API. For the history of events see
/// [`subscription_get_events`](Self::subscription_get_events).
///
/// ```
/// # use spell_peer::PeerBuilder;
/// # use spell_roles::{Caller, Session, Subscriber};
/// use spell_roles::prelude::*;
/// use spell_message::MatchPolicy;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let router = spell_router::Router::local();
/// # let peer = PeerBuilder::new(Session::new("com.example.realm"));
/// # let peer = peer.role(Caller::new()).role(Subscriber::new());
/// # let peer = peer.connect(router.connector()).await?;
/// let prices = peer.subscribe("com.example.price.").prefix().await?;
///
/// let meta = peer.meta();
/// let lookup = meta.subscription_lookup("com.example.price.");
/// assert_eq!(lookup.match_policy(MatchPolicy::Prefix).await?, prices.id());
/// let matching = meta.subscription_match("com.example.price.tea").await?;
/// assert_eq!(matching, [prices.id().ok_or("no session")?]);
/// assert_eq!(meta.subscription_list_subscribers(matching[0]).await?.len(), 1);
/// # Ok(())
/// # }
/// ```
///
/// WAMP spec, "Subscription Meta API".
impl<'a> Meta<'a> {
    /// All subscriptions of the realm.
    ///
    /// `wamp.subscription.list`
    pub fn subscription_list(self) -> MetaCall<'a, IdsByMatch<SubscriptionId>> {
        self.call("wamp.subscription.list", NEEDS, [], |args| {
            IdsByMatch::read("subscription_ids", args)
        })
    }

    /// The subscription to exactly this topic or pattern, if there is one.
    ///
    /// `wamp.subscription.lookup`
    pub fn subscription_lookup(
        self,
        topic: impl Into<String>,
    ) -> MetaCall<'a, Option<SubscriptionId>, LookupSubscription> {
        let args = [topic.into().into()];
        self.call("wamp.subscription.lookup", NEEDS, args, |args| {
            args.next("subscription").optional_id()
        })
    }

    /// All subscriptions that a publication to the topic would be sent to.
    ///
    /// `wamp.subscription.match`
    pub fn subscription_match(self, topic: impl IntoUri) -> MetaCall<'a, Vec<SubscriptionId>> {
        let call = self.call("wamp.subscription.match", NEEDS, [], |args| {
            // Nothing that matches is null.
            args.next("subscription_ids").optional_ids()
        });
        call.uri_arg(topic.into_uri())
    }

    /// What the router tells of a subscription. One that is not there, here and below, is refused
    /// with [`NO_SUCH_SUBSCRIPTION`](spell_message::reason::NO_SUCH_SUBSCRIPTION).
    ///
    /// `wamp.subscription.get`
    pub fn subscription_get(
        self,
        subscription: SubscriptionId,
    ) -> MetaCall<'a, SubscriptionDetails> {
        let args = [subscription.into()];
        self.call("wamp.subscription.get", NEEDS, args, |args| {
            SubscriptionDetails::read("subscription", args)
        })
    }

    /// The sessions that have this subscription.
    ///
    /// `wamp.subscription.list_subscribers`
    pub fn subscription_list_subscribers(
        self,
        subscription: SubscriptionId,
    ) -> MetaCall<'a, Vec<SessionId>> {
        let args = [subscription.into()];
        self.call("wamp.subscription.list_subscribers", NEEDS, args, |args| {
            args.next("subscriber_ids").ids()
        })
    }

    /// How many sessions have this subscription.
    ///
    /// `wamp.subscription.count_subscribers`
    pub fn subscription_count_subscribers(self, subscription: SubscriptionId) -> MetaCall<'a, u64> {
        let args = [subscription.into()];
        self.call("wamp.subscription.count_subscribers", NEEDS, args, |args| {
            args.next("count").count()
        })
    }

    /// Take a subscription from a session that has it. A session that is not there, or does not
    /// have it, is refused.
    ///
    /// Not in the specification but in its catalog of the meta API; Crossbar.io has it.
    ///
    /// `wamp.subscription.remove_subscriber`
    pub fn subscription_remove_subscriber(
        self,
        subscription: SubscriptionId,
        subscriber: SessionId,
    ) -> MetaCall<'a, (), Remove> {
        let args = [subscription.into(), subscriber.into()];
        self.call("wamp.subscription.remove_subscriber", NEEDS, args, |_| {
            Ok(())
        })
    }
}

/// Marks a [`MetaCall`] that looks for a subscription.
#[derive(Debug)]
#[non_exhaustive]
pub struct LookupSubscription;

impl<T> MetaCall<'_, T, LookupSubscription> {
    /// How the subscription matches topics; default exactly.
    pub fn match_policy(self, policy: MatchPolicy) -> Self {
        self.lookup_option("match", policy.as_str())
    }

    /// The options that the subscription would be made with.
    pub fn options(self, options: SubscribeOptions) -> Self {
        self.lookup_options(options.into_dict())
    }
}

/// What a router tells of a subscription: by [`Meta::subscription_get`], and when it is created.
///
/// WAMP spec, "Subscription Meta API".
#[derive(Clone, Debug, PartialEq)]
pub struct SubscriptionDetails {
    id: SubscriptionId,
    uri: String,
    details: Dict,
}

impl SubscriptionDetails {
    details_methods!(SubscriptionId);
}
