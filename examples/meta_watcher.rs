//! Who is there, and who comes and goes: the meta API of the router, typed.
//!
//! `cargo run --example meta_watcher`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use spell::prelude::*;
use spell_examples::{Outcome, place};

#[tokio::main]
async fn main() -> Outcome {
    let place = place().await?;
    let watcher = spell::connect(&place.url, &place.realm).await?;
    let events = watcher.meta_events();
    let mut joined = events.session_on_join().await?;
    let mut left = events.session_on_leave().await?;
    let mut registered = events.registration_on_create().await?;

    let other = spell::connect(&place.url, &place.realm).await?;
    let id = other.joined().await?.id();
    if let Some(session) = joined.next().await {
        let session = session?;
        assert_eq!(session.session(), id);
        println!("somebody joined as {:?}", session.authrole());
    }
    let _add = other
        .register("com.example.add")
        .handler(|(a, b): (i64, i64)| async move { Ok(a + b) })
        .await?;
    if let Some(created) = registered.next().await {
        println!("a new procedure: {}", created?.registration.uri());
    }

    let meta = watcher.meta();
    println!("{} sessions", meta.session_count().await?);
    if let Some(registration) = meta.registration_match("com.example.add").await? {
        let callees = meta.registration_list_callees(registration).await?;
        println!("its callee is the new session: {}", callees == [id]);
    }

    // Whoever may do that in this realm can end a session.
    meta.session_kill(id).message("enough").await?;
    println!("it ended: {}", other.closed().await);
    if let Some(session) = left.next().await {
        println!("the router told so: {}", session?.session == id);
    }
    Ok(())
}
