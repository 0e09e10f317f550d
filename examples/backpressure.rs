//! One reader that is too slow, under each policy for a queue that is full.
//!
//! `cargo run --example backpressure`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use spell::{PeerEvent, prelude::*, roles::Overflow, router::Router};
use spell_examples::Outcome;

const TOPIC: &str = "com.example.number";

#[tokio::main]
async fn main() -> Outcome {
    let router = Router::local();
    let url = router.listen("ws://127.0.0.1:0").await?;
    let publisher = spell::connect(&url, "com.example.realm").await?;

    for overflow in [
        Overflow::DropNewest,
        Overflow::DropOldest,
        Overflow::KeepLatest,
        Overflow::End,
        // Delays all that the router sends to this client, so it has one of its own.
        Overflow::Wait,
    ] {
        let client = spell::connect(&url, "com.example.realm").await?;
        let mut events = client.events();
        let numbers = client.subscribe(TOPIC).queue_count(3);
        let mut numbers = numbers.overflow(overflow).await?;

        for number in 1..=10 {
            publisher.publish(TOPIC).arg(number).acknowledge().await?;
        }
        // The answer comes behind the events, unless they keep it waiting.
        let answer = client.call("com.example.none").start().await?;
        if overflow != Overflow::Wait {
            answer.await.err();
        }

        print!("{overflow:?}: got");
        let mut got = 0;
        while let Some(event) = numbers.next().await {
            print!(" {}", event.value::<u32>()?);
            got += 1;
            if got + numbers.missed() == 10 {
                break;
            }
        }
        println!("; missed {}, {:?}", numbers.missed(), numbers.end());
        client.leave().await?;
        while let Some(event) = events.next().await {
            if let PeerEvent::Role(report) = event {
                println!("  reported: {report}");
            }
        }
    }
    Ok(())
}
