//! Remote procedure calls: handlers, streams of invocations, errors that keep their URI.
//!
//! `cargo run --example rpc`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use spell::prelude::*;
use spell_examples::{Outcome, place};

#[tokio::main]
async fn main() -> Outcome {
    let place = place().await?;
    let callee = spell::connect(&place.url, &place.realm).await?;
    let caller = spell::connect(&place.url, &place.realm).await?;

    // A closure with typed arguments, which may fail with an error of its own.
    let _divide = callee
        .register("com.example.divide")
        .handler(|(a, b): (i64, i64)| async move {
            a.checked_div(b)
                .ok_or_else(|| InvocationError::new("com.example.error.division_by_zero").arg(a))
        })
        .await?;
    // Or a stream of invocations, answered by hand.
    let mut echo = callee.register("com.example.echo").await?;
    tokio::spawn(async move {
        while let Some(invocation) = echo.next().await {
            let words: Vec<String> = invocation.args().unwrap_or_default();
            if let Err(error) = invocation.respond().args(words).await {
                eprintln!("{error}");
            }
        }
    });

    let (quotient,): (i64,) = caller
        .call("com.example.divide")
        .args((42, 6))
        .await?
        .args()?;
    println!("42 / 6 = {quotient}");

    match caller.call("com.example.divide").args((1, 0)).await {
        Err(CallError::Refused(error)) => {
            println!("1 / 0: {} {:?}", error.uri(), error.args::<(i64,)>()?);
        }
        other => println!("unexpected: {other:?}"),
    }

    let words: Vec<String> = caller
        .call("com.example.echo")
        .args(["a", "b"])
        .await?
        .args()?;
    println!("echo: {words:?}");

    caller.leave().await?;
    callee.leave().await?;
    Ok(())
}
