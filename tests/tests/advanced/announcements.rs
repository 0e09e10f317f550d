//! What each router says that it has. The pinned ones say exactly this: a new version that says something else shows
//! here, and what the other tests rely on is written down.

use std::collections::BTreeSet;

use spell_message::{Feature, Value};
use spell_roles::{CallError, PublishError, SubscribeError, prelude::*};
use spell_tests::{
    place::{Place, uri},
    router::Make,
};

pub(crate) async fn the_router_announces_what_the_tests_rely_on(place: &Place) {
    let client = place.client().await;
    let session = client.session().unwrap();
    let announced = session.roles().to_dict();
    for (role, expected) in [
        ("broker", broker(place.router.make())),
        ("dealer", dealer(place.router.make())),
    ] {
        let features = announced
            .get(role)
            .unwrap()
            .as_dict()
            .unwrap()
            .get("features");
        let announced: BTreeSet<_> = features
            .and_then(Value::as_dict)
            .into_iter()
            .flatten()
            .map(|(key, value)| {
                assert_eq!(value, &Value::Bool(true), "{key}");
                key
            })
            .collect();
        let expected: BTreeSet<_> = expected.iter().copied().collect();
        assert_eq!(announced, expected, "{role}");
    }
}

/// To ask for it would have ended the session.
pub(crate) async fn what_a_router_lacks_is_not_asked_of_it(place: &Place) {
    let client = place.client().await;
    let lacks = match place.router.make() {
        Make::Embedded => panic!("it lacks nothing"),
        Make::Crossbar => {
            let call = client.call(uri("lacking")).progressive();
            match call.await.map(drop) {
                Err(CallError::Unsupported { feature, .. }) => feature,
                other => panic!("{other:?}"),
            }
        }
        Make::Xconn => match client.publish(uri("lacking")).retain(true).await {
            Err(PublishError::Unsupported { feature, .. }) => feature,
            other => panic!("{other:?}"),
        },
        Make::Battler => match client.subscribe(uri("lacking")).prefix().await {
            Err(SubscribeError::Unsupported {
                feature, router, ..
            }) => {
                assert_eq!(router.as_deref(), Some("battler-wamp-0.6.1"));
                feature
            }
            other => panic!("{other:?}"),
        },
    };
    let expected = match place.router.make() {
        Make::Crossbar => Feature::ProgressiveCallInvocations,
        Make::Xconn => Feature::EventRetention,
        _ => Feature::PatternBasedSubscription,
    };
    assert_eq!(lacks, Some(expected));
    // The session goes on.
    client.publish(uri("going.on")).acknowledge().await.unwrap();
}

fn broker(make: Make) -> &'static [&'static str] {
    match make {
        Make::Embedded => &[
            "event_history",
            "event_retention",
            "pattern_based_subscription",
            "payload_passthru_mode",
            "publication_trustlevels",
            "publisher_exclusion",
            "publisher_identification",
            "session_meta_api",
            "subscriber_blackwhite_listing",
            "subscription_meta_api",
            "subscription_revocation",
        ],
        Make::Crossbar => &[
            "event_retention",
            "pattern_based_subscription",
            "payload_encryption_cryptobox",
            "payload_transparency",
            "publisher_exclusion",
            "publisher_identification",
            "session_meta_api",
            "subscriber_blackwhite_listing",
            "subscription_meta_api",
            "subscription_revocation",
        ],
        Make::Xconn => &[
            "pattern_based_subscription",
            "publisher_exclusion",
            "publisher_identification",
            "session_meta_api",
            "subscriber_blackwhite_listing",
        ],
        // It has patterns and lists of receivers too.
        Make::Battler => &[],
    }
}

fn dealer(make: Make) -> &'static [&'static str] {
    match make {
        Make::Embedded => &[
            "call_canceling",
            "call_reroute",
            "call_timeout",
            "call_trustlevels",
            "caller_identification",
            "pattern_based_registration",
            "payload_passthru_mode",
            "progressive_call_invocations",
            "progressive_call_results",
            "registration_meta_api",
            "registration_revocation",
            "session_meta_api",
            "shared_registration",
            "testament_meta_api",
        ],
        Make::Crossbar => &[
            "call_canceling",
            "caller_identification",
            "pattern_based_registration",
            "payload_encryption_cryptobox",
            "payload_transparency",
            "progressive_call_results",
            "registration_meta_api",
            "registration_revocation",
            "session_meta_api",
            "shared_registration",
            "testament_meta_api",
        ],
        Make::Xconn => &[
            "call_canceling",
            "caller_identification",
            "pattern_based_registration",
            "progressive_call_invocations",
            "progressive_call_results",
            "session_meta_api",
            "shared_registration",
        ],
        Make::Battler => &[
            "call_canceling",
            "call_timeout",
            "caller_identification",
            "progressive_call_results",
            "shared_registration",
        ],
    }
}
