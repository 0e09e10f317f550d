//! Arguments that only holders of a key can read: the router forwards them as they are.
//!
//! `cargo run --example encryption`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use spell::{
    passthru::{Cipher, Encryption, Key, Keys, Passthru},
    prelude::*,
};
use spell_examples::{Outcome, place};

/// How peers agree on a key is up to them; this one is known to everybody who reads this.
fn codec() -> Passthru {
    let key = Key::new("key-1", Cipher::Aes256Gcm, [42; 32]);
    Encryption::new(Keys::new().default_key(key)).into()
}

#[tokio::main]
async fn main() -> Outcome {
    let place = place().await?;
    let one = spell::connect(&place.url, &place.realm).await?;
    let other = spell::connect(&place.url, &place.realm).await?;

    // Events: who has the key reads them, anyone else sees one binary.
    let sealed = other.subscribe("com.example.secret").passthru(codec());
    let mut events = sealed.await?;
    let stranger = spell::connect(&place.url, &place.realm).await?;
    let mut binaries = stranger.subscribe("com.example.secret").await?;
    let publish = one.publish("com.example.secret").arg("the safe is open");
    publish.passthru(codec()).acknowledge().await?;
    if let Some(event) = events.next().await {
        println!("with the key: {}", event.value::<String>()?);
    }
    if let Some(event) = binaries.next().await {
        let binary: spell::Value = event.value()?;
        let size = binary.as_bytes().map_or(0, bytes::Bytes::len);
        println!("without: {size} bytes");
    }

    // Calls: arguments and results, errors too.
    let combination = other.register("com.example.combination").passthru(codec());
    let combination =
        combination.handler(|(name,): (String,)| async move { Ok(format!("{name}: 1-2-3")) });
    let _combination = combination.await?;
    let call = one.call("com.example.combination").arg("safe");
    let result = call.passthru(codec()).await?;
    println!("{}", result.value::<String>()?);
    Ok(())
}
