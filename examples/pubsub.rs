//! Publish & subscribe: streams, handlers, acknowledgement, patterns, keyword arguments.
//!
//! `cargo run --example pubsub`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use serde::{Deserialize, Serialize};
use spell::prelude::*;
use spell_examples::{Outcome, place};

/// Keyword arguments are a struct.
#[derive(Debug, Deserialize, Serialize)]
struct Reading {
    sensor: String,
    celsius: f64,
}

#[tokio::main]
async fn main() -> Outcome {
    let place = place().await?;
    let subscriber = spell::connect(&place.url, &place.realm).await?;
    let publisher = spell::connect(&place.url, &place.realm).await?;

    // A stream of events; dropping it unsubscribes.
    let mut readings = subscriber.subscribe("com.example.readings").await?;
    // One subscription for many topics.
    let mut all = subscriber.subscribe("com.example.").prefix().await?;

    let reading = Reading {
        sensor: "boiler".to_owned(),
        celsius: 71.5,
    };
    // Acknowledged: the router took it, and this is its id.
    let publication = publisher
        .publish("com.example.readings")
        .kwargs(&reading)
        .acknowledge()
        .await?;

    if let Some(event) = readings.next().await {
        assert_eq!(event.publication(), publication);
        println!("{:?}", event.kwargs::<Reading>()?);
    }
    if let Some(event) = all.next().await {
        println!("the same event by its prefix: {}", event.topic());
    }
    readings.unsubscribe().await?;

    subscriber.leave().await?;
    publisher.leave().await?;
    Ok(())
}
