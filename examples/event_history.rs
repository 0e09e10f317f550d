//! Events of the past: the router keeps them, and tells who asks.
//!
//! `cargo run --example event_history`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use spell::{
    message::Pattern,
    prelude::*,
    router::{Realm, Router},
};
use spell_examples::Outcome;

#[tokio::main]
async fn main() -> Outcome {
    // The last hundred events below this topic, as far as they fit into a mebibyte.
    let log = Pattern::prefix("com.example.log")?;
    let realm = Realm::new("realm1").history(log, 100, 1 << 20);
    let router = Router::builder().realm(realm).build()?;
    let url = router.listen("ws://127.0.0.1:0").await?;

    let publisher = spell::connect(&url, "realm1").await?;
    for (topic, text) in [
        ("com.example.log.info", "started"),
        ("com.example.log.error", "the disk is full"),
        ("com.example.log.info", "stopped"),
    ] {
        publisher.publish(topic).arg(text).acknowledge().await?;
    }

    // Who comes later asks for the history of the subscription.
    let late = spell::connect(&url, "realm1").await?;
    let subscription = late.subscribe("com.example.log").prefix().await?;
    let id = subscription.id().ok_or("the connection is lost")?;
    let newest = late
        .meta()
        .subscription_get_events(id)
        .limit(2)
        .reverse(true);
    for event in newest.await? {
        println!(
            "{:?} {:?} {}",
            event.timestamp(),
            event.topic(),
            event.value::<String>()?
        );
    }
    let errors = late
        .meta()
        .subscription_get_events(id)
        .topic("com.example.log.error");
    println!("{} error", errors.await?.len());
    router.close().await;
    Ok(())
}
