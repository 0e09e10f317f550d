//! Below the roles: see every message, and send messages of your own making.
//!
//! `cargo run --example raw_messages`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::time::Duration;

use spell::message::message::{Kind, Publish, Subscribe};
use spell::message::options::{PublishOptions, SubscribeOptions};
use spell::message::{Feature, Format, Pattern, RequestId, RoleFeatures, RoleName, Uri};
use spell::roles::{Session, Tap};
use spell::{peer::PeerBuilder, prelude::*, serializer::payload, transport};
use spell_examples::{Outcome, place};

const LIMIT: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() -> Outcome {
    let place = place().await?;
    // A session, and a tap that shows what goes by. No other roles.
    let mut announced = RoleFeatures::new();
    announced.add(RoleName::Subscriber, []);
    announced.add(RoleName::Publisher, [Feature::PublisherExclusion]);
    let peer = PeerBuilder::new(Session::new(place.realm.as_str()))
        .role(Tap::default())
        .features(&announced)
        .connect(transport::connector(&place.url)?)
        .await?;

    let topic = Uri::new("com.example.raw")?;
    // The driver numbers requests, whatever id they come with.
    peer.send_message(Subscribe {
        request: RequestId::MIN,
        options: SubscribeOptions::new(),
        topic: Pattern::from(topic.clone()),
    })
    .await?;
    println!("{:?}", peer.next_message(Kind::Subscribed, LIMIT).await?);

    let mut options = PublishOptions::new();
    options.set_exclude_me(false);
    peer.send_message(Publish {
        request: RequestId::MIN,
        options,
        topic,
        // Encoded anew if the session has another format.
        payload: payload::encode(Format::Json, &("raw", 1), None::<&()>)?,
    })
    .await?;
    println!("{:?}", peer.next_message(Kind::Event, LIMIT).await?);

    peer.leave().await?;
    Ok(())
}
