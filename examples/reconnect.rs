//! The router goes away and comes back; the client goes on, with all it had registered.
//!
//! `cargo run --example reconnect`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::time::Duration;

use spell::{Backoff, PeerEvent, prelude::*, router::Router};
use spell_examples::Outcome;

const REALM: &str = "com.example.realm";

#[tokio::main]
async fn main() -> Outcome {
    let router = Router::local();
    let url = router.listen("ws://127.0.0.1:0").await?;

    // Delays that double up to 30 s, drawn at random below that; ten minutes without a session that
    // holds are enough.
    let policy = Backoff::new()
        .first(Duration::from_millis(200))
        .budget(Duration::from_secs(600));
    let client = spell::client(&url, REALM).retry(policy).connect().await?;
    let double = client.register("com.example.double");
    let _double = double
        .handler(|(n,): (i64,)| async move { Ok(2 * n) })
        .await?;

    let mut events = client.events();
    router.close().await;
    println!("the router is gone");

    // A call ends at once, and says whether it was sent.
    if let Err(error) = client.call("com.example.double").arg(1).await {
        println!("a call meanwhile: {error}");
    }

    let router = Router::local();
    router.listen(&url).await?;
    println!("a new one is at the same port");

    while let Some(event) = events.next().await {
        println!("- {event}");
        if let PeerEvent::Joined(_) = event {
            break;
        }
    }
    let answer: i64 = client.call("com.example.double").arg(21).await?.value()?;
    println!("the same registration answers: {answer}");

    client.leave().await?;
    router.close().await;
    Ok(())
}
