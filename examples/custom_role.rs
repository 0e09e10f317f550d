//! A role of your own, beside the built-in ones: it counts messages by kind.
//!
//! `cargo run --example custom_role`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::collections::BTreeMap;

use spell::{
    message::Message,
    peer::{Commands, Context, PeerBuilder, Role},
    prelude::*,
    roles::{Publisher, Session, Subscriber},
    transport,
};
use spell_examples::{Outcome, place};
use tokio::sync::oneshot;

/// Counts the messages that come in. Claims none, so the other roles work as ever.
#[derive(Debug, Default)]
struct Meter(Counts);

type Counts = BTreeMap<&'static str, u64>;

/// Asks the role for its counts.
#[derive(Clone, Debug)]
struct MeterHandle(Commands<oneshot::Sender<Counts>>);

impl MeterHandle {
    async fn counts(&self) -> Option<Counts> {
        let (reply, counts) = oneshot::channel();
        self.0.send(reply).await.ok()?;
        counts.await.ok()
    }
}

impl Role for Meter {
    type Command = oneshot::Sender<Counts>;
    type Handle = MeterHandle;

    fn handle(commands: Commands<Self::Command>) -> MeterHandle {
        MeterHandle(commands)
    }

    fn observe(&mut self, message: &Message, _: &mut Context<'_, Self::Command>) {
        *self.0.entry(message.name()).or_default() += 1;
    }

    fn handle_call(&mut self, reply: Self::Command, _: &mut Context<'_, Self::Command>) {
        // Who asked may have gone.
        let _ = reply.send(self.0.clone());
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
    println!("{:?}", peer.role::<Meter, _>().counts().await);

    peer.leave().await?;
    Ok(())
}
