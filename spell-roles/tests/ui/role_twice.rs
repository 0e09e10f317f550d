use spell_peer::Peer;
use spell_roles::{Publisher, PublisherExt, Session};

async fn publish(peer: Peer<(Session, Publisher, Publisher)>) {
    peer.publish("com.example.topic").await.unwrap();
}

fn main() {}
