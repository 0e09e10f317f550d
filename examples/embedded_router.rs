//! The embedded router: several listeners, a realm with passwords, statistics.
//!
//! `cargo run --example embedded_router`, with `-- --stay` to let it run until Ctrl-C.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use spell::{
    auth::Ticket,
    prelude::*,
    router::{Realm, Router},
};
use spell_examples::Outcome;

#[tokio::main]
async fn main() -> Outcome {
    let router = Router::builder()
        .realm("public")
        .realm(
            Realm::new("private")
                .refuse_anonymous()
                .ticket("joe", "secret", "user"),
        )
        .build()?;
    // One port for WebSocket, one for RawSocket; the URLs tell the real ports.
    let web = router.listen("ws://127.0.0.1:0").await?;
    let raw = router.listen("rs://127.0.0.1:0").await?;
    println!("listening on {web} and {raw}");

    // Clients from elsewhere come by a URL …
    let anyone = spell::connect(&web, "public").await?;
    let joe = spell::client(&raw, "private")
        .authenticator(Ticket::new("joe", "secret"))
        .connect()
        .await?;
    println!("joe is {:?}", joe.joined().await?.authrole());
    // … and nobody without a ticket into the private realm.
    match spell::connect(&web, "private").await {
        Err(error) => println!("nobody else: {error}"),
        Ok(_) => return Err("joined without a ticket".into()),
    }

    if std::env::args().any(|argument| argument == "--stay") {
        tokio::signal::ctrl_c().await?;
    }
    anyone.leave().await?;
    joe.leave().await?;
    println!("{:?}", router.statistics());
    router.close().await;
    Ok(())
}
