//! A file, piece by piece: progressive results, with a progress bar.
//!
//! `cargo run --example file_transfer`, with `-- <file>` for another one than this program's source.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use bytes::Bytes;
use spell::{Progress, Value, prelude::*};
use spell_examples::{Outcome, place};

const PIECE: usize = 256;

#[tokio::main]
async fn main() -> Outcome {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/file_transfer.rs");
    let path = std::env::args().nth(1).unwrap_or_else(|| source.to_owned());
    let content = Bytes::from(tokio::fs::read(&path).await?);

    let place = place().await?;
    let sender = spell::connect(&place.url, &place.realm).await?;
    let receiver = spell::connect(&place.url, &place.realm).await?;

    let size = content.len();
    let send = move |(): (), progress: Progress| {
        let mut rest = content.clone();
        async move {
            while !rest.is_empty() {
                let piece = rest.split_to(rest.len().min(PIECE));
                // None if the caller did not ask for results as they come.
                if let Some(result) = progress.result() {
                    result.args((Value::bytes(piece), size)).await?;
                }
            }
            Ok(size)
        }
    };
    let _file = sender.register("com.example.file").handler(send).await?;

    let mut received = Vec::new();
    let call = receiver.call("com.example.file").receive_progress();
    // A stream of results; dropping it before its end cancels the call.
    let mut results = call.await?;
    while let Some(result) = results.next().await {
        let result = result?;
        if result.is_progress() {
            let (piece, size): (Value, usize) = result.args()?;
            received.extend_from_slice(piece.as_bytes().ok_or("a piece that is no binary")?);
            let done = received.len() * 40 / size;
            println!(
                "[{:<40}] {} of {size} bytes",
                "#".repeat(done),
                received.len()
            );
        } else {
            println!("all of {} bytes", result.value::<usize>()?);
        }
    }
    assert_eq!(received, tokio::fs::read(&path).await?);
    Ok(())
}
