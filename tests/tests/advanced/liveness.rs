//! Whether the router is still there.

use std::time::Duration;

use spell_peer::Probe;
use spell_roles::{Session, prelude::*};
use spell_tests::{
    accounts::REALM,
    place::{Place, uri},
};
use spell_transport::KeepAlive;

pub(crate) async fn a_silent_router_is_asked_and_its_distance_known(place: &Place) {
    is_asked(place, Probe::Automatic).await;
}

pub(crate) async fn any_router_answers_a_round_trip(place: &Place) {
    is_asked(place, Probe::RoundTrip).await;
}

/// Asks often, and works in between.
async fn is_asked(place: &Place, probe: Probe) {
    let urls = place.router.anonymous();
    let often = KeepAlive::every(Duration::from_millis(10)).misses(1000);
    let client = place
        .join_with(Session::new(REALM), urls, |config| {
            config.keep_alive = Some(often);
            config.probe = probe;
        })
        .await
        .unwrap();
    let mut time = client.round_trip_time();
    for _ in 0..3 {
        time.wait_for(Option::is_some).await.unwrap();
        let subscription = client.subscribe(uri("topic")).await.unwrap();
        time.changed().await.unwrap();
        drop(subscription);
    }
    client.leave().await.unwrap();
}
