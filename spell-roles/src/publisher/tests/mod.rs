//! What the publisher does, seen from its user and from the wire.

mod ahead;
mod outbox;

use std::{error::Error as _, time::Duration};

use proptest::prelude::*;
use spell_message::{Feature, InvalidUri, RoleFeatures, RoleName, SessionId};
use spell_peer::{CloseReason, Delivery, PeerConfig, Role};

use super::*;
use crate::{
    PublishError,
    harness::{Harness, pending, ready},
};

/// What the publisher announces.
const OWN: &[Feature] = &[
    Feature::PayloadPassthruMode,
    Feature::PublisherExclusion,
    Feature::PublisherIdentification,
    Feature::SubscriberBlackWhiteListing,
];

/// What the broker announces.
const ALL: &[Feature] = &[
    Feature::EventRetention,
    Feature::PublisherExclusion,
    Feature::PublisherIdentification,
    Feature::SubscriberBlackWhiteListing,
];

fn joined() -> (Harness<Publisher>, PublisherHandle) {
    let peer = Harness::joined(Publisher::new(), ALL);
    let handle = peer.handle.clone();
    (peer, handle)
}

#[tokio::test(start_paused = true)]
async fn a_publication_is_done_when_it_is_committed() {
    let (mut peer, handle) = joined();
    let publish = handle.publish("com.example.hello").args(("Hello", 42));
    let mut publish = publish.kwarg("to", "all").into_future();
    pending(&mut publish);
    assert_eq!(
        peer.sent(),
        [r#"[16,1,{},"com.example.hello",["Hello",42],{"to":"all"}]"#]
    );
    ready(&mut publish).unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_acknowledged_publication_waits_for_its_own_answer() {
    let (mut peer, handle) = joined();
    let acknowledged = |topic| handle.publish(topic).acknowledge().into_future();
    let mut first = acknowledged("com.example.a");
    let mut second = acknowledged("com.example.b");
    pending(&mut first);
    pending(&mut second);
    assert_eq!(
        peer.sent(),
        [
            r#"[16,1,{"acknowledge":true},"com.example.a"]"#,
            r#"[16,2,{"acknowledge":true},"com.example.b"]"#
        ]
    );
    // Neither another request's answer nor an ERROR for another kind of request is taken for it.
    peer.receive("[17,9,77]");
    peer.receive(r#"[8,48,1,{},"com.example.no"]"#);
    pending(&mut first);
    peer.receive("[17,2,70]");
    assert_eq!(ready(&mut second).unwrap().get(), 70);
    pending(&mut first);
    peer.receive("[17,1,71]");
    assert_eq!(ready(&mut first).unwrap().get(), 71);
    // An answer that comes twice is dropped.
    peer.receive("[17,1,72]");
}

#[tokio::test(start_paused = true)]
async fn a_refused_publication_tells_why() {
    let (mut peer, handle) = joined();
    let mut publish = handle.publish("com.example.a").acknowledge().into_future();
    pending(&mut publish);
    peer.sent();
    peer.receive(r#"[8,16,1,{},"wamp.error.not_authorized",["no"]]"#);
    let error = ready(&mut publish).unwrap_err();
    assert_eq!(error.uri().unwrap().as_str(), "wamp.error.not_authorized");
    let PublishError::Refused(error) = error else {
        panic!("{error:?}");
    };
    assert_eq!(error.args::<(String,)>().unwrap().0, "no");
}

#[tokio::test(start_paused = true)]
async fn a_pending_publication_has_an_id() {
    let (mut peer, handle) = joined();
    let mut started = Box::pin(handle.publish("com.example.a").acknowledge().start());
    pending(&mut started);
    peer.sent();
    let mut publish = ready(&mut started).unwrap();
    assert_eq!(publish.id().get(), 1);
    pending(&mut publish);
    peer.receive("[17,1,71]");
    assert_eq!(ready(&mut publish).unwrap().get(), 71);
}

#[tokio::test(start_paused = true)]
async fn options_are_sent_as_they_were_set() {
    let (mut peer, handle) = joined();
    let session = |id| SessionId::new(id).unwrap();
    let publish = handle.publish("com.example.a").exclude_me(false);
    let publish = publish.exclude([session(7)]).eligible([session(8)]);
    let publish = publish.exclude_authid(["ada"]).eligible_authid(["eve"]);
    let publish = publish.exclude_authrole(["a"]).eligible_authrole(["b"]);
    let publish = publish.disclose_me(true).retain(true).rkey("r");
    // The option is not what `acknowledge()` is for: nobody would wait for the answer.
    let publish = publish.option("x_own", "text").option("acknowledge", true);
    let mut publish = publish.into_future();
    pending(&mut publish);
    assert_eq!(
        peer.sent(),
        [concat!(
            r#"[16,1,{"exclude_me":false,"exclude":[7],"eligible":[8],"exclude_authid":["ada"],"#,
            r#""eligible_authid":["eve"],"exclude_authrole":["a"],"eligible_authrole":["b"],"#,
            r#""disclose_me":true,"retain":true,"rkey":"r","x_own":"text","acknowledge":false},"#,
            r#""com.example.a"]"#
        )]
    );
}

#[tokio::test(start_paused = true)]
async fn an_empty_list_of_those_eligible_is_sent_for_it_means_nobody() {
    let (mut peer, handle) = joined();
    let publish = handle.publish("com.example.a").eligible([]);
    let publish = publish.eligible_authid::<&str>([]);
    let mut publish = publish.eligible_authrole::<&str>([]).into_future();
    pending(&mut publish);
    assert_eq!(
        peer.sent(),
        [concat!(
            r#"[16,1,{"eligible":[],"eligible_authid":[],"eligible_authrole":[]},"#,
            r#""com.example.a"]"#
        )]
    );
}

#[tokio::test(start_paused = true)]
async fn what_the_broker_did_not_announce_is_not_asked_of_it() {
    let mut peer = Harness::joined(Publisher::new(), &[]);
    let handle = peer.handle.clone();
    let publish = || handle.publish("com.example.a");
    let limited = [
        (publish().eligible([]), Feature::SubscriberBlackWhiteListing),
        (
            publish().exclude_authrole(["a"]),
            Feature::SubscriberBlackWhiteListing,
        ),
        (
            publish().option("exclude_authid", Vec::<&str>::new()),
            Feature::SubscriberBlackWhiteListing,
        ),
        (publish().exclude_me(false), Feature::PublisherExclusion),
        (
            publish().disclose_me(true),
            Feature::PublisherIdentification,
        ),
        (publish().retain(true), Feature::EventRetention),
    ];
    for (publish, needed) in limited {
        let mut publish = publish.into_future();
        pending(&mut publish);
        assert!(peer.sent().is_empty());
        let error = ready(&mut publish).unwrap_err();
        let PublishError::Unsupported { role, feature, .. } = error else {
            panic!("{error:?}");
        };
        assert_eq!((role, feature), (RoleName::Broker, Some(needed)));
    }
    let publish = publish().exclude_me(true).retain(false).rkey("r");
    let mut publish = publish.into_future();
    pending(&mut publish);
    assert_eq!(
        peer.sent().len(),
        1,
        "what is the default, or only carried, needs no feature"
    );
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_sent_spends_no_id() {
    let (mut peer, handle) = joined();
    let mut bad_topic = handle.publish("com..a").into_future();
    assert!(matches!(
        ready(&mut bad_topic),
        Err(PublishError::Uri(InvalidUri { .. }))
    ));
    let odd = std::collections::BTreeMap::from([((1, 2), 3)]);
    let mut no_json = handle.publish("com.example.a").arg(odd).into_future();
    let error = ready(&mut no_json).unwrap_err();
    assert!(matches!(error, PublishError::Encode(_)) && error.source().is_some());
    let option = handle.publish("com.example.a").option("retain", 1);
    assert!(matches!(
        ready(&mut option.into_future()),
        Err(PublishError::Option(_))
    ));
    let mut good = handle.publish("com.example.a").into_future();
    pending(&mut good);
    assert_eq!(peer.sent(), [r#"[16,1,{},"com.example.a"]"#]);
}

#[tokio::test(start_paused = true)]
async fn what_is_too_large_fails_alone() {
    let mut peer = Harness::unjoined(Publisher::new(), ALL);
    peer.open(Some(64));
    let handle = peer.handle.clone();
    // The arguments alone are too large, known at once; or only together with the rest.
    let mut large = handle
        .publish("com.example.a")
        .arg("x".repeat(100))
        .into_future();
    let error = ready(&mut large).unwrap_err();
    assert!(matches!(error, PublishError::TooLarge { limit: 64, .. }));
    let mut large = handle
        .publish("com.example.a")
        .arg("x".repeat(50))
        .into_future();
    pending(&mut large);
    let mut small = handle.publish("com.example.a").arg("x").into_future();
    pending(&mut small);
    assert_eq!(peer.sent(), [r#"[16,1,{},"com.example.a",["x"]]"#]);
    let error = ready(&mut large).unwrap_err();
    assert!(
        matches!(
            error,
            PublishError::TooLarge {
                size: 79..,
                limit: 64
            }
        ),
        "{error:?}"
    );
    ready(&mut small).unwrap();
}

#[tokio::test(start_paused = true)]
async fn without_a_session_a_publication_fails_at_once() {
    let mut peer = Harness::unjoined(Publisher::new(), ALL);
    let handle = peer.handle.clone();
    let mut publish = handle.publish("com.example.a").into_future();
    let mut acknowledged = handle.publish("com.example.a").acknowledge().into_future();
    pending(&mut publish);
    pending(&mut acknowledged);
    peer.handle_commands();
    for error in [
        ready(&mut publish).unwrap_err(),
        ready(&mut acknowledged).unwrap_err(),
    ] {
        assert_eq!(error.delivery(), Some(Delivery::NotSent));
        assert!(matches!(error, PublishError::Closed { .. }));
    }
    peer.open(None);
    assert!(
        peer.sent().is_empty(),
        "nothing is published later, unasked"
    );
}

#[tokio::test(start_paused = true)]
async fn a_lost_session_tells_whether_it_was_sent() {
    let (mut peer, handle) = joined();
    let mut sent = handle.publish("com.example.a").acknowledge().into_future();
    pending(&mut sent);
    peer.sent();
    let mut queued = handle.publish("com.example.b").acknowledge().into_future();
    pending(&mut queued);
    peer.handle_commands();
    peer.lose();
    let sent = ready(&mut sent).unwrap_err();
    assert_eq!(sent.delivery(), Some(Delivery::OutcomeUnknown));
    let queued = ready(&mut queued).unwrap_err();
    assert_eq!(queued.delivery(), Some(Delivery::NotSent));
    // The next session counts from 1, and an answer to the old one means nothing.
    peer.open(None);
    let mut again = handle.publish("com.example.b").acknowledge().into_future();
    pending(&mut again);
    assert_eq!(
        peer.sent(),
        [r#"[16,1,{"acknowledge":true},"com.example.b"]"#]
    );
    peer.receive("[17,2,70]");
    pending(&mut again);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_come_ends_in_time() {
    let (mut peer, handle) = joined();
    let limit = Duration::from_secs(3);
    let publish = handle.publish("com.example.a").acknowledge().timeout(limit);
    let mut publish = publish.into_future();
    pending(&mut publish);
    peer.sent();
    tokio::time::advance(limit).await;
    let error = ready(&mut publish).unwrap_err();
    assert!(matches!(
        error,
        PublishError::Timeout(Delivery::OutcomeUnknown)
    ));
    peer.receive("[17,1,70]");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_ended_says_why() {
    let (peer, handle) = joined();
    let mut waiting = handle.publish("com.example.a").acknowledge().into_future();
    pending(&mut waiting);
    peer.end();
    let mut late = handle.publish("com.example.a").into_future();
    for error in [
        ready(&mut waiting).unwrap_err(),
        ready(&mut late).unwrap_err(),
    ] {
        let PublishError::Closed { reason, delivery } = error else {
            panic!("{error:?}");
        };
        assert!(matches!(reason, CloseReason::Stopped));
        assert_eq!(delivery, Delivery::NotSent);
    }
}

#[test]
fn what_works_is_announced() {
    let mut announced = RoleFeatures::new();
    Publisher::new().features(&mut announced);
    for feature in OWN {
        assert!(announced.supports(RoleName::Publisher, *feature));
    }
    let announced = announced.to_dict();
    let features = announced
        .get("publisher")
        .and_then(|role| role.as_dict()?.get("features"));
    assert_eq!(features.unwrap().as_dict().unwrap().len(), OWN.len());
}

#[derive(Clone, Copy, Debug)]
enum Fate {
    Sent,
    DroppedBefore,
    DroppedAfter,
    TooLarge,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn ids_have_no_gap_whatever_becomes_of_the_futures(
        fates in proptest::collection::vec(
            (
                prop_oneof![
                    Just(Fate::Sent),
                    Just(Fate::DroppedBefore),
                    Just(Fate::DroppedAfter),
                    Just(Fate::TooLarge),
                ],
                any::<bool>(),
            ),
            0..40,
        )
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let _entered = runtime.enter();
        let mut peer = Harness::unjoined(Publisher::new(), ALL);
        peer.open(Some(80));
        let handle = peer.handle.clone();
        let mut expected = 0;
        let mut ids = Vec::new();
        for (fate, acknowledge) in fates {
            let size = if matches!(fate, Fate::TooLarge) { 70 } else { 1 };
            let publish = handle.publish("com.example.a").arg("x".repeat(size));
            let mut future: std::pin::Pin<Box<dyn Future<Output = ()>>> = if acknowledge {
                let publish = publish.acknowledge();
                Box::pin(async { drop(publish.await) })
            } else {
                Box::pin(async { drop(publish.await) })
            };
            pending(&mut future);
            match fate {
                Fate::DroppedBefore => drop(future),
                Fate::DroppedAfter => {
                    peer.handle_commands();
                    drop(future);
                    expected += 1;
                }
                Fate::Sent => expected += 1,
                Fate::TooLarge => {}
            }
            let sent = peer.sent();
            ids.extend(sent.iter().map(|frame| -> u64 {
                frame.split(',').nth(1).unwrap().parse().unwrap()
            }));
        }
        prop_assert_eq!(ids, (1..=expected).collect::<Vec<_>>());
    }
}
