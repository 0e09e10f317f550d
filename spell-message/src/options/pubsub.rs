use super::options;

options! {
    /// The options of PUBLISH.
    ///
    /// WAMP spec, "PUBLISH" and "Advanced PubSub Features".
    PublishOptions in "PUBLISH.Options" {
        /// Whether the broker answers with PUBLISHED or ERROR; default no.
        acknowledge / set_acknowledge: flag;
        /// Whether the publisher itself gets no event; default yes.
        exclude_me / set_exclude_me: flag;
        /// Sessions that get no event.
        exclude / set_exclude: sessions;
        /// `authid`s that get no event.
        exclude_authid / set_exclude_authid: texts;
        /// `authrole`s that get no event.
        exclude_authrole / set_exclude_authrole: texts;
        /// The only sessions that may get the event; an empty list means nobody.
        eligible / set_eligible: sessions;
        /// The only `authid`s that may get the event; an empty list means nobody.
        eligible_authid / set_eligible_authid: texts;
        /// The only `authrole`s that may get the event; an empty list means nobody.
        eligible_authrole / set_eligible_authrole: texts;
        /// Whether subscribers may learn who publishes; default no.
        disclose_me / set_disclose_me: flag;
        /// Whether the broker keeps the event for later subscribers; default no.
        retain / set_retain: flag;
        /// The resource key of sharded subscriptions.
        rkey / set_rkey: text;
        /// The scheme of a payload that passes through.
        ppt_scheme / set_ppt_scheme: text;
        /// The serializer of a payload that passes through.
        ppt_serializer / set_ppt_serializer: text;
        /// The cipher of a payload that passes through.
        ppt_cipher / set_ppt_cipher: text;
        /// The key of a payload that passes through.
        ppt_keyid / set_ppt_keyid: text;
        /// A hash that makes the publication unique; not in the specification.
        transaction_hash / set_transaction_hash: text;
        /// The routers a message came by; not in the specification.
        forward_for / set_forward_for: dicts;
        /// Autobahn's form of [`ppt_scheme`](Self::ppt_scheme); not in the specification.
        enc_algo / set_enc_algo: text;
        /// Autobahn's form of [`ppt_keyid`](Self::ppt_keyid); not in the specification.
        enc_key / set_enc_key: text;
        /// Autobahn's form of [`ppt_serializer`](Self::ppt_serializer); not in the specification.
        enc_serializer / set_enc_serializer: text;
    }
}

impl PublishOptions {
    /// The keys of the lists that say who may get the event.
    ///
    /// WAMP spec, "Subscriber Black- and Whitelisting".
    pub const LISTS: [&'static str; 6] = [
        "exclude",
        "exclude_authid",
        "exclude_authrole",
        "eligible",
        "eligible_authid",
        "eligible_authrole",
    ];
}

options! {
    /// The options of SUBSCRIBE.
    ///
    /// WAMP spec, "SUBSCRIBE" and "Advanced PubSub Features".
    SubscribeOptions in "SUBSCRIBE.Options" {
        /// How the topic matches; default exactly.
        match_policy / set_match_policy: matching as "match";
        /// Whether the broker sends what it retained; default no.
        get_retained / set_get_retained: flag;
        /// The node key of sharded subscriptions.
        nkey / set_nkey: text;
        /// The routers a message came by; not in the specification.
        forward_for / set_forward_for: dicts;
    }
}

options! {
    /// The details of an UNSUBSCRIBED that revokes a subscription.
    ///
    /// WAMP spec, "Subscription Revocation".
    UnsubscribedDetails in "UNSUBSCRIBED.Details" {
        /// The subscription that is revoked.
        subscription / set_subscription: subscription;
        /// Why.
        reason / set_reason: text;
    }
}

options! {
    /// The details of EVENT.
    ///
    /// WAMP spec, "EVENT" and "Advanced PubSub Features".
    EventDetails in "EVENT.Details" {
        /// The session that published, when it is disclosed.
        publisher / set_publisher: session;
        /// The `authid` of the publisher, when it is disclosed.
        publisher_authid / set_publisher_authid: text;
        /// The `authrole` of the publisher, when it is disclosed.
        publisher_authrole / set_publisher_authrole: text;
        /// How far the broker trusts the publication; 0 is lowest.
        trustlevel / set_trustlevel: integer;
        /// The topic, when the subscription is to a pattern.
        topic / set_topic: uri;
        /// Whether the event was published before the subscription was made.
        retained / set_retained: flag;
        /// Whether the broker left out a payload that is too long.
        payload_limit_exceeded / set_payload_limit_exceeded: flag;
        /// The scheme of a payload that passes through.
        ppt_scheme / set_ppt_scheme: text;
        /// The serializer of a payload that passes through.
        ppt_serializer / set_ppt_serializer: text;
        /// The cipher of a payload that passes through.
        ppt_cipher / set_ppt_cipher: text;
        /// The key of a payload that passes through.
        ppt_keyid / set_ppt_keyid: text;
        /// A hash that makes the publication unique; not in the specification.
        transaction_hash / set_transaction_hash: text;
        /// Whether the broker waits for `EVENT_RECEIVED`; not in the specification.
        x_acknowledged_delivery / set_x_acknowledged_delivery: flag;
        /// The routers a message came by; not in the specification.
        forward_for / set_forward_for: dicts;
        /// Autobahn's form of [`ppt_scheme`](Self::ppt_scheme); not in the specification.
        enc_algo / set_enc_algo: text;
        /// Autobahn's form of [`ppt_keyid`](Self::ppt_keyid); not in the specification.
        enc_key / set_enc_key: text;
        /// Autobahn's form of [`ppt_serializer`](Self::ppt_serializer); not in the specification.
        enc_serializer / set_enc_serializer: text;
    }
}
