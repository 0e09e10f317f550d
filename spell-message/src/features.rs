//! Roles, their features, and how both are announced.

use std::fmt;

use crate::{Dict, Value};

/// A role of WAMP.
///
/// WAMP spec, "Client and Router Roles" (`HELLO.Details.roles`, `WELCOME.Details.roles`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "fixed by the specification")]
pub enum RoleName {
    /// A client that publishes.
    Publisher,
    /// A client that subscribes.
    Subscriber,
    /// A client that calls.
    Caller,
    /// A client that is called.
    Callee,
    /// A router of events.
    Broker,
    /// A router of calls.
    Dealer,
}

impl RoleName {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Publisher => "publisher",
            Self::Subscriber => "subscriber",
            Self::Caller => "caller",
            Self::Callee => "callee",
            Self::Broker => "broker",
            Self::Dealer => "dealer",
        }
    }
}

/// The name on the wire.
impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

macro_rules! features {
    ($($(#[$doc:meta])* $Variant:ident = $key:literal $(or $alias:literal)*,)*) => {
        /// A feature of the advanced profile, by the key under which it is announced.
        ///
        /// WAMP spec, "Feature Announcement".
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Feature {
            $($(#[$doc])* $Variant,)*
        }

        impl Feature {
            /// Every feature.
            pub const ALL: &'static [Self] = &[$(Self::$Variant),*];

            /// The key on the wire.
            pub const fn key(self) -> &'static str {
                match self {
                    $(Self::$Variant => $key,)*
                }
            }

            /// Other keys under which some peers, or other chapters of the specification, announce
            /// the same. Read, never sent.
            pub const fn aliases(self) -> &'static [&'static str] {
                match self {
                    $(Self::$Variant => &[$($alias),*],)*
                }
            }
        }
    };
}

features! {
    /// Results as they come.
    ProgressiveCallResults = "progressive_call_results",
    /// Arguments as they come.
    ProgressiveCallInvocations = "progressive_call_invocations" or "progressive_calls",
    /// The router, or the callee, ends calls that take too long.
    CallTimeout = "call_timeout",
    /// Calls can be cancelled.
    CallCanceling = "call_canceling" or "call_cancelling",
    /// The callee can learn who calls.
    CallerIdentification = "caller_identification",
    /// The callee learns how far the dealer trusts a call.
    CallTrustLevels = "call_trustlevels",
    /// Procedures that tell about registrations.
    RegistrationMetaApi = "registration_meta_api",
    /// Registrations of patterns.
    PatternBasedRegistration = "pattern_based_registration",
    /// Several callees for one procedure.
    SharedRegistration = "shared_registration",
    /// Registrations that are spread over callees by a key.
    ShardedRegistration = "sharded_registration",
    /// The dealer can take a registration away.
    RegistrationRevocation = "registration_revocation",
    /// A callee can pass a call on to another one.
    CallReroute = "call_reroute",
    /// Events for some subscribers only.
    SubscriberBlackWhiteListing = "subscriber_blackwhite_listing",
    /// Whether the publisher gets its own event.
    PublisherExclusion = "publisher_exclusion",
    /// The subscriber can learn who publishes.
    PublisherIdentification = "publisher_identification",
    /// The subscriber learns how far the broker trusts a publication.
    PublicationTrustLevels = "publication_trustlevels",
    /// Procedures that tell about subscriptions.
    SubscriptionMetaApi = "subscription_meta_api",
    /// Subscriptions to patterns.
    PatternBasedSubscription = "pattern_based_subscription",
    /// Subscriptions that are spread over subscribers by a key. The specification's own key is
    /// misspelt.
    ShardedSubscription = "shareded_subscriptions" or "sharded_subscription" or "sharded_subscriptions",
    /// Events of the past.
    EventHistory = "event_history",
    /// The last event for those who subscribe later.
    EventRetention = "event_retention",
    /// The broker can take a subscription away.
    SubscriptionRevocation = "subscription_revocation",
    /// Events that the router publishes when a session ends.
    TestamentMetaApi = "testament_meta_api",
    /// Procedures that tell about sessions.
    SessionMetaApi = "session_meta_api",
    /// Payloads the router does not look into.
    PayloadPassthruMode = "payload_passthru_mode" or "payload_transparency",
    /// Procedures that tell about procedures and topics.
    Reflection = "reflection",
}

/// The key on the wire.
impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

/// The roles a peer takes, each with its features: what HELLO and WELCOME announce.
///
/// Roles and features that the specification does not name are kept and ignored.
///
/// ```
/// use spell_message::{Feature, RoleFeatures, RoleName};
///
/// let mut announced = RoleFeatures::new();
/// announced.add(RoleName::Caller, [Feature::CallCanceling]);
/// assert!(announced.has(RoleName::Caller));
/// assert!(announced.supports(RoleName::Caller, Feature::CallCanceling));
/// assert!(!announced.supports(RoleName::Caller, Feature::CallTimeout));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RoleFeatures(Dict);

impl RoleFeatures {
    /// No roles.
    pub fn new() -> Self {
        Self::default()
    }

    /// Take the `roles` of a HELLO or WELCOME.
    pub fn from_dict(roles: Dict) -> Self {
        Self(roles)
    }

    /// As it stands in HELLO or WELCOME.
    pub fn as_dict(&self) -> &Dict {
        &self.0
    }

    /// Take the dictionary out.
    pub fn into_dict(self) -> Dict {
        self.0
    }

    /// Announce a role with these features; what was announced before stays.
    pub fn add(&mut self, role: RoleName, features: impl IntoIterator<Item = Feature>) {
        let keys = features
            .into_iter()
            .map(|feature| (feature.key().to_owned(), Value::Bool(true)));
        self.merge_role(role.as_str(), keys.collect());
    }

    /// Announce a role and a feature by their names on the wire, as for extensions, or withdraw the
    /// feature.
    pub fn set(&mut self, role: impl Into<String>, feature: impl Into<String>, supported: bool) {
        let feature = Dict::from([(feature.into(), Value::Bool(supported))]);
        self.merge_role(&role.into(), feature);
    }

    /// Announce all that `other` does; where both say something of a feature, `other` wins.
    pub fn merge(&mut self, other: &Self) {
        for (role, details) in &other.0 {
            let features = details.as_dict().and_then(|role| role.get("features"));
            let features = features.and_then(Value::as_dict);
            self.merge_role(role, features.cloned().unwrap_or_default());
        }
    }

    /// Whether the role is announced.
    pub fn has(&self, role: RoleName) -> bool {
        self.0.contains_key(role.as_str())
    }

    /// Whether no role is announced.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the role announced the feature, under its key or one of its aliases.
    pub fn supports(&self, role: RoleName, feature: Feature) -> bool {
        let mut keys = std::iter::once(feature.key()).chain(feature.aliases().iter().copied());
        keys.any(|key| self.announces(role, key))
            // WAMP spec, "Procedure and Topic Reflection": this one stands beside `features`.
            || feature == Feature::Reflection
                && self.role(role).is_some_and(|role| is_true(role, feature.key()))
    }

    /// Whether the role announced a feature under this very key, as to tell from which of its
    /// aliases it is known.
    pub fn announces(&self, role: RoleName, key: &str) -> bool {
        let features = self.role(role).and_then(|role| role.get("features"));
        let features = features.and_then(Value::as_dict);
        features.is_some_and(|features| is_true(features, key))
    }

    fn role(&self, role: RoleName) -> Option<&Dict> {
        self.0.get(role.as_str()).and_then(Value::as_dict)
    }

    fn merge_role(&mut self, role: &str, features: Dict) {
        if !matches!(self.0.get(role), Some(Value::Dict(_))) {
            self.0.insert(role, Dict::new());
        }
        if features.is_empty() {
            return;
        }
        let Some(Value::Dict(details)) = self.0.get_mut(role) else {
            return;
        };
        match details.get_mut("features") {
            Some(Value::Dict(known)) => known.extend(features),
            _ => _ = details.insert("features", features),
        }
    }
}

fn is_true(dict: &Dict, key: &str) -> bool {
    dict.get(key).and_then(Value::as_bool) == Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_merged_never_overwritten() {
        let mut announced = RoleFeatures::new();
        announced.add(RoleName::Callee, [Feature::CallCanceling]);
        announced.add(RoleName::Callee, [Feature::CallTimeout]);
        announced.add(RoleName::Callee, []);
        let mut other = RoleFeatures::new();
        other.set("callee", "x_own", true);
        other.add(RoleName::Publisher, []);
        announced.merge(&other);
        for feature in [Feature::CallCanceling, Feature::CallTimeout] {
            assert!(announced.supports(RoleName::Callee, feature), "{feature}");
        }
        assert!(announced.has(RoleName::Publisher));
        assert!(!announced.has(RoleName::Caller));
    }

    #[test]
    fn a_role_without_features_is_an_empty_dictionary() {
        let mut announced = RoleFeatures::new();
        announced.add(RoleName::Subscriber, []);
        assert_eq!(
            announced.into_dict(),
            Dict::from([("subscriber", Dict::new())])
        );
    }

    #[test]
    fn aliases_of_features_are_understood() {
        let mut announced = RoleFeatures::new();
        announced.set("dealer", "progressive_calls", true);
        announced.set("dealer", "call_cancelling", true);
        let supports = |feature| announced.supports(RoleName::Dealer, feature);
        assert!(supports(Feature::ProgressiveCallInvocations));
        assert!(supports(Feature::CallCanceling));
        assert!(!supports(Feature::ProgressiveCallResults));
        assert!(announced.announces(RoleName::Dealer, "call_cancelling"));
        assert!(!announced.announces(RoleName::Dealer, "call_canceling"));
    }

    #[test]
    fn null_roles_and_odd_features_are_tolerated() {
        let roles = Dict::from([("broker", Value::Null), ("dealer", Value::from(1))]);
        let mut announced = RoleFeatures::from_dict(roles);
        assert!(announced.has(RoleName::Broker));
        assert!(!announced.supports(RoleName::Dealer, Feature::CallTimeout));
        announced.add(RoleName::Broker, [Feature::EventHistory]);
        assert!(announced.supports(RoleName::Broker, Feature::EventHistory));
    }
}
