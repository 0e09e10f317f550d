//! Two routers: when the first shuts down, the client goes on at the second.
//!
//! `cargo run --example failover`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use spell::{Backoff, PeerEvent, prelude::*, router::Router};
use spell_examples::Outcome;

const REALM: &str = "com.example.realm";

#[tokio::main]
async fn main() -> Outcome {
    let (first, second) = (Router::local(), Router::local());
    let urls = [
        first.listen("ws://127.0.0.1:0").await?,
        second.listen("rs://127.0.0.1:0").await?,
    ];

    // Best first; `shuffle` spreads many clients. The policy says how long to wait once all of them
    // have failed.
    let client = spell::client(&urls, REALM)
        .retry(Backoff::new())
        .connect()
        .await?;
    println!("joined at {:?}", client.joined().await?.endpoint());
    let mut news = client.subscribe("com.example.news").await?;

    let mut events = client.events();
    first.close().await;
    while let Some(event) = events.next().await {
        println!("- {event}");
        if let PeerEvent::Joined(_) = event {
            break;
        }
    }

    // A publisher who cannot reach the first router finds the second one by itself, too.
    let publisher = spell::connect(&urls, REALM).await?;
    publisher
        .publish("com.example.news")
        .arg("still here")
        .await?;
    if let Some(event) = news.next().await {
        println!("the same subscription: {:?}", event.args::<(String,)>()?);
    }

    publisher.leave().await?;
    client.leave().await?;
    second.close().await;
    Ok(())
}
