//! Several workers behind one procedure: they take turns, and pass on what they cannot take.
//!
//! `cargo run --example shared_workers`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use spell::{
    Client,
    message::{options::InvocationPolicy, reason},
    prelude::*,
    roles::{Handled, Registration},
};
use spell_examples::{Outcome, place};

#[tokio::main]
async fn main() -> Outcome {
    let place = place().await?;
    let caller = spell::connect(&place.url, &place.realm).await?;

    // Each worker has a connection of its own, as if it were elsewhere.
    let mut workers = Vec::new();
    for name in ["Ann", "Bob", "Cem"] {
        let client = spell::connect(&place.url, &place.realm).await?;
        let registration = work(&client, name).await?;
        workers.push((client, registration));
    }
    for job in 0..6 {
        let call = caller.call("com.example.work").arg(job);
        println!("job {job}: {}", call.await?.value::<String>()?);
    }

    // One that leaves is not missed.
    if let Some((client, _)) = workers.pop() {
        client.leave().await?;
    }
    let done: String = caller.call("com.example.work").arg(7).await?.value()?;
    println!("job 7: {done}");
    Ok(())
}

async fn work(
    client: &Client,
    name: &'static str,
) -> Result<Registration<Handled>, spell::RegisterError> {
    let register = client.register("com.example.work");
    let register = register.invoke(InvocationPolicy::RoundRobin);
    let handler = move |(job,): (u32,)| async move {
        // Bob takes no job before the fourth: the router asks the next one.
        if name == "Bob" && job < 4 {
            return Err(InvocationError::new(reason::UNAVAILABLE));
        }
        Ok(format!("done by {name}"))
    };
    register.handler(handler).await
}
