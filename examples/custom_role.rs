//! A role of your own, beside the built-in ones: it counts what comes in.
//!
//! `cargo run --example custom_role`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use spell::{
    message::Message,
    peer::{Commands, Context, PeerBuilder, Role},
    prelude::*,
    roles::{Publisher, Session, Subscriber},
    transport,
};
use spell_examples::{Outcome, place};
use tokio::sync::oneshot;

/// Counts messages. Claims none, so the other roles work as ever.
#[derive(Debug, Default)]
struct Meter(u64);

impl Role for Meter {
    /// Where to tell the count.
    type Command = oneshot::Sender<u64>;
    type Handle = Commands<Self::Command>;

    fn handle(commands: Commands<Self::Command>) -> Self::Handle {
        commands
    }

    fn observe(&mut self, _: &Message, _: &mut Context<'_, Self::Command>) {
        self.0 += 1;
    }

    fn handle_call(&mut self, reply: Self::Command, _: &mut Context<'_, Self::Command>) {
        // Who asked may have gone.
        let _ = reply.send(self.0);
    }
}

#[tokio::main]
async fn main() -> Outcome {
    let place = place().await?;
    let peer = PeerBuilder::new(Session::new(place.realm.as_str()))
        .role(Meter::default())
        .role(Publisher::default())
        .role(Subscriber::default())
        .connect(transport::connector(&place.url)?)
        .await?;
    let _subscription = peer.subscribe("com.example.topic").await?;
    peer.publish("com.example.topic").acknowledge().await?;

    let (reply, count) = oneshot::channel();
    peer.role::<Meter, _>().send(reply).await?;
    println!("{} messages came in", count.await?);
    peer.leave().await?;
    Ok(())
}
