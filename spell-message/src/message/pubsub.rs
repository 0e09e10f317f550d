#![expect(clippy::exhaustive_structs, reason = "fixed by the specification")]

use crate::{
    Pattern, Payload, PublicationId, RequestId, SubscriptionId, Uri,
    options::{EventDetails, PublishOptions, SubscribeOptions, UnsubscribedDetails},
};

/// PUBLISH: the publisher sends an event to the subscribers of a topic.
///
/// WAMP spec, "PUBLISH".
#[derive(Clone, Debug, PartialEq)]
pub struct Publish {
    /// The id of this request.
    pub request: RequestId,
    /// Acknowledgement, exclusion and more.
    pub options: PublishOptions,
    /// Where to.
    pub topic: Uri,
    /// What.
    pub payload: Payload,
}

/// PUBLISHED: the broker took a publication that asked to be acknowledged.
///
/// WAMP spec, "PUBLISHED".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Published {
    /// The PUBLISH this answers.
    pub request: RequestId,
    /// The id of the publication, the same in each subscriber's EVENT.
    pub publication: PublicationId,
}

/// SUBSCRIBE: the subscriber asks for the events of a topic.
///
/// WAMP spec, "SUBSCRIBE".
#[derive(Clone, Debug, PartialEq)]
pub struct Subscribe {
    /// The id of this request.
    pub request: RequestId,
    /// How the topic matches, and more. Its `match` is that of [`topic`](Self::topic).
    pub options: SubscribeOptions,
    /// Which topics.
    pub topic: Pattern,
}

/// SUBSCRIBED: the broker took a subscription.
///
/// WAMP spec, "SUBSCRIBED".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subscribed {
    /// The SUBSCRIBE this answers.
    pub request: RequestId,
    /// The subscription that the events will name.
    pub subscription: SubscriptionId,
}

/// UNSUBSCRIBE: the subscriber wants no more events of a subscription.
///
/// WAMP spec, "UNSUBSCRIBE".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsubscribe {
    /// The id of this request.
    pub request: RequestId,
    /// The subscription to end.
    pub subscription: SubscriptionId,
}

/// UNSUBSCRIBED: a subscription is over.
///
/// WAMP spec, "UNSUBSCRIBED" and "Subscription Revocation".
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "fixed by the specification")]
pub enum Unsubscribed {
    /// The answer to UNSUBSCRIBE.
    Reply {
        /// The UNSUBSCRIBE this answers.
        request: RequestId,
    },
    /// The broker took the subscription away. On the wire this has the request id 0.
    Revocation {
        /// Which subscription, and why.
        details: UnsubscribedDetails,
    },
}

/// EVENT: something was published to a topic the subscriber subscribed to.
///
/// WAMP spec, "EVENT".
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The subscription it is for.
    pub subscription: SubscriptionId,
    /// The publication: equal in all EVENTs of one PUBLISH.
    pub publication: PublicationId,
    /// Who published, to which topic, and more.
    pub details: EventDetails,
    /// What.
    pub payload: Payload,
}

/// `EVENT_RECEIVED`: the subscriber confirms an event.
///
/// Not in the specification's text; only in its test vectors, with a code of the extension range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventReceived {
    /// The publication of the event.
    pub publication: PublicationId,
}
