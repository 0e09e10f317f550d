//! Calls that are given up: by a time limit, by dropping them, and in the mode of one's choice.
//!
//! `cargo run --example canceling`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::time::Duration;

use spell::{Interrupt, message::options::CancelMode, prelude::*};
use spell_examples::{Outcome, place};
use tokio::sync::mpsc;

#[tokio::main]
async fn main() -> Outcome {
    let place = place().await?;
    let callee = spell::connect(&place.url, &place.realm).await?;
    let caller = spell::connect(&place.url, &place.realm).await?;

    // A handler that takes an `Interrupt` is told, and ends by itself; another one would be dropped.
    let (says, mut callee_says) = mpsc::unbounded_channel();
    let work = move |(): (), interrupt: Interrupt| {
        let says = says.clone();
        async move {
            // Nobody may listen any more.
            let _ = says.send("working".to_owned());
            let _ = says.send(interrupt.interrupted().await.to_string());
            Ok("half of it")
        }
    };
    let _work = callee.register("com.example.work").handler(work).await?;

    // The time limit is kept here, and by the router too.
    let call = caller.call("com.example.work");
    match call.timeout(Duration::from_millis(200)).await {
        Err(error) if error.is_timeout() => println!("too long: {error}"),
        other => println!("unexpected: {other:?}"),
    }
    println!(
        "{:?}, {:?}",
        callee_says.recv().await,
        callee_says.recv().await
    );

    // A call that is dropped is cancelled, without waiting for the callee.
    let call = caller.call("com.example.work").start().await?;
    println!("{:?}", callee_says.recv().await);
    drop(call);
    println!("{:?}", callee_says.recv().await);

    // In mode `kill` the callee has the last word.
    let call = caller.call("com.example.work").start().await?;
    println!("{:?}", callee_says.recv().await);
    call.cancel(CancelMode::Kill).await?;
    println!("{:?}", callee_says.recv().await);
    println!("its answer: {}", call.await?.value::<String>()?);
    Ok(())
}
