//! Everything at once: a router, a subscriber, a publisher, a callee and a caller, over sockets.
//!
//! `cargo run --example quickstart`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use spell::prelude::*;
use spell_examples::{Outcome, place};

#[tokio::main]
async fn main() -> Outcome {
    // An embedded router on a free port, unless SPELL_URL and SPELL_REALM name another one.
    let place = place().await?;

    // One peer listens and serves …
    let service = spell::connect(&place.url, &place.realm).await?;
    let mut hello = service.subscribe("com.example.hello").await?;
    let _add2 = service
        .register("com.example.add2")
        .handler(|(a, b): (i64, i64)| async move { Ok(a + b) })
        .await?;

    // … another one publishes and calls.
    let client = spell::connect(&place.url, &place.realm).await?;
    client
        .publish("com.example.hello")
        .arg("Hello, WAMP")
        .await?;
    if let Some(event) = hello.next().await {
        let args: Vec<String> = event.args()?;
        println!("event {} {args:?}", event.topic());
    }
    let (sum,): (i64,) = client.call("com.example.add2").args((2, 3)).await?.args()?;
    println!("com.example.add2(2, 3) = {sum}");

    client.leave().await?;
    service.leave().await?;
    Ok(())
}
