//! One registration for many procedures, one subscription for many topics.
//!
//! `cargo run --example patterns`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use spell::{
    prelude::*,
    roles::{InvocationInfo, PublicationFilter},
};
use spell_examples::{Outcome, place};

#[tokio::main]
async fn main() -> Outcome {
    let place = place().await?;
    let house = spell::connect(&place.url, &place.realm).await?;
    let visitor = spell::connect(&place.url, &place.realm).await?;

    // All procedures below this one, and one of them in every room.
    let below = house.register("com.example.house").prefix();
    let _below = below
        .handler(|call: InvocationInfo| async move { Ok(format!("at home: {}", call.procedure())) })
        .await?;
    let light = house.register("com.example.room..light").wildcard();
    let _light = light
        .handler(|call: InvocationInfo| async move {
            let room = call.procedure().split('.').nth(3).unwrap_or_default();
            Ok(format!("light in the {room}"))
        })
        .await?;
    for procedure in ["com.example.house.door", "com.example.room.kitchen.light"] {
        let answer: String = visitor.call(procedure).await?.value()?;
        println!("{procedure}: {answer}");
    }

    // An event that matches both comes twice, with one publication id; the filter lets one pass.
    let filter = PublicationFilter::new(1024);
    let temperatures = visitor.subscribe("com.example..temperature").wildcard();
    let mut temperatures = filter.deduplicate(temperatures.await?);
    let everything = visitor.subscribe("com.example.").prefix().await?;
    let mut everything = filter.deduplicate(everything);
    for topic in [
        "com.example.kitchen.temperature",
        "com.example.kitchen.humidity",
    ] {
        house.publish(topic).acknowledge().await?;
    }
    if let Some(event) = temperatures.next().await {
        println!("a temperature: {}", event.topic());
    }
    if let Some(event) = everything.next().await {
        println!("anything else: {}", event.topic());
    }
    Ok(())
}
