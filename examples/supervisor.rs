//! Peers under supervision: what ends is made anew from the ground, and found by its name.
//!
//! `cargo run --example supervisor`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use spell::{
    Client,
    prelude::*,
    supervision::{Child, Report, Supervision},
};
use spell_examples::{Outcome, place};

#[tokio::main]
async fn main() -> Outcome {
    let place = place().await?;
    let supervision = Supervision::new();
    let mut reports = supervision.reports();

    // The closure runs each time the child is started: it makes all that the peer is.
    let (url, realm) = (place.url.clone(), place.realm.clone());
    let greeter = Child::new("greeter", move || {
        let joining = spell::client(&url, &realm).connect();
        async move {
            let client = joining.await?;
            let greet = client.register("com.example.greet");
            let greeting = |(name,): (String,)| async move { Ok(format!("Hello, {name}")) };
            greet.handler(greeting).await?.detach();
            Ok(client)
        }
    });
    supervision.start(greeter).await?;

    // It ends, for whatever reason: a child is permanent unless it is told otherwise.
    let greeter: Client = supervision.peer("greeter").ok_or("it is not running")?;
    greeter.stop();
    while let Some(report) = reports.next().await {
        match report {
            Report::Ended { name, end, .. } => println!("{name} ended: {end}"),
            Report::Started {
                name, incarnation, ..
            } => {
                println!("{name} started, incarnation {incarnation}");
                if incarnation == 2 {
                    break;
                }
            }
            other => println!("{other:?}"),
        }
    }

    let guest = spell::connect(&place.url, &place.realm).await?;
    let greeting = guest.call("com.example.greet").arg("WAMP").await?;
    println!("{}", greeting.value::<String>()?);
    supervision.stop().await;
    Ok(())
}
