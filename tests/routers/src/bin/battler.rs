//! The router of the crate `battler-wamp`, on a free port of the loopback interface.
//!
//! Prints `websocket <url>` and then `ready`, and ends with its standard input.
#![forbid(unsafe_code)]

use battler_wamp::router::{
    EmptyConnectionPolicies, EmptyPubSubPolicies, EmptyRpcPolicies, RealmAuthenticationConfig,
    RealmConfig, RouterConfig, RouterLimitsConfig, new_web_socket_router,
};
use battler_wamp_uri::Uri;
use spell_test_routers::{Outcome, REALM, until_the_tests_end};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    // Ten messages a second, its default, is less than what the tests send.
    let limits = RouterLimitsConfig {
        rate_limit_burst: 0,
        rate_limit_refill_per_sec: 0,
        ..RouterLimitsConfig::default()
    };
    let realm = RealmConfig {
        name: REALM.to_owned(),
        uri: Uri::try_from(REALM)?,
        authentication: RealmAuthenticationConfig::default(),
    };
    let config = RouterConfig {
        realms: vec![realm],
        limits,
        ..RouterConfig::default()
    };
    let router = new_web_socket_router(
        config,
        Box::new(EmptyConnectionPolicies),
        Box::new(EmptyPubSubPolicies),
        Box::new(EmptyRpcPolicies),
    )?;
    let (handle, _task) = router.start().await?;
    println!("websocket ws://{}/", handle.local_addr());
    println!("ready");
    until_the_tests_end().await
}
