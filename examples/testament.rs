//! Last words: what the router publishes for a session when it ends, however that happens.
//!
//! `cargo run --example testament`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use spell::prelude::*;
use spell_examples::{Outcome, place};

#[tokio::main]
async fn main() -> Outcome {
    let place = place().await?;
    let watcher = spell::connect(&place.url, &place.realm).await?;
    let mut farewells = watcher.subscribe("com.example.offline").await?;

    for sensor in ["boiler", "roof"] {
        let client = spell::connect(&place.url, &place.realm).await?;
        let testament = client.meta().session_add_testament("com.example.offline");
        testament.arg(sensor).kwarg("state", "offline").await?;
        if sensor == "boiler" {
            // It breaks down: nothing is said, the connection is just gone.
            client.stop();
        } else {
            // One that leaves in good order may take its testament back, or not, as here.
            client.leave().await?;
        }
        if let Some(event) = farewells.next().await {
            println!("{} is offline", event.value::<String>()?);
        }
    }

    // Flushed, nothing is left to be published.
    let client = spell::connect(&place.url, &place.realm).await?;
    let meta = client.meta();
    meta.session_add_testament("com.example.offline")
        .arg("attic")
        .await?;
    meta.session_flush_testaments().await?;
    client.leave().await?;
    watcher
        .publish("com.example.offline")
        .exclude_me(false)
        .arg("nobody else")
        .await?;
    if let Some(event) = farewells.next().await {
        println!("{}", event.value::<String>()?);
    }
    Ok(())
}
