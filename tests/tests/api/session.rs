//! Joining and leaving.

use spell_message::{RoleName, reason};
use spell_peer::{CloseReason, Delivery, JoinError};
use spell_roles::{CallError, Session, prelude::*};
use spell_tests::accounts::REALM;

use spell_tests::place::{Place, uri};

pub(crate) async fn a_session_tells_what_the_router_is(place: &Place) {
    let client = place.client().await;
    let session = client.session().unwrap();
    assert_eq!(session.realm().as_str(), REALM);
    assert!(session.roles().has(RoleName::Broker));
    assert!(session.roles().has(RoleName::Dealer));
    assert_eq!(session.authrole(), Some("anonymous"));

    let other = place.client().await;
    assert_ne!(session.id(), other.session().unwrap().id());
}

pub(crate) async fn leaving_is_answered(place: &Place) {
    let client = place.client().await;
    client.leave().await.unwrap();
    assert!(matches!(client.closed().await, CloseReason::Left));
}

pub(crate) async fn requests_after_leaving_are_not_sent(place: &Place) {
    let client = place.client().await;
    client.leave().await.unwrap();
    match client.call(uri("late")).await {
        Err(CallError::Closed {
            reason: CloseReason::Left,
            delivery: Delivery::NotSent,
            ..
        }) => {}
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn a_realm_that_is_not_there_is_refused(place: &Place) {
    let joined = place
        .join(
            Session::new("com.example.nowhere"),
            place.router.anonymous(),
        )
        .await;
    match joined {
        Err(JoinError::Refused(abort)) => assert_eq!(abort.reason.as_str(), reason::NO_SUCH_REALM),
        other => panic!("{other:?}"),
    }
}
