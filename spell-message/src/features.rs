//! Roles and their features, by name.

use std::fmt;

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
    /// Every role.
    pub const ALL: [Self; 6] = [
        Self::Publisher,
        Self::Subscriber,
        Self::Caller,
        Self::Callee,
        Self::Broker,
        Self::Dealer,
    ];

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

            /// Every alias, with the feature it stands for.
            pub(crate) const ALIASES: &'static [(Self, &'static str)] =
                &[$($((Self::$Variant, $alias),)*)*];

            /// The feature with this key; of an alias none.
            pub(crate) fn of_key(key: &str) -> Option<Self> {
                match key {
                    $($key => Some(Self::$Variant),)*
                    _ => None,
                }
            }

            /// Its place in [`ALL`](Self::ALL).
            #[expect(
                clippy::as_conversions,
                reason = "the variants are those of `ALL`, in its order"
            )]
            pub(crate) const fn index(self) -> usize {
                self as usize
            }

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
