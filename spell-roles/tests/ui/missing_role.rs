use spell_peer::Peer;
use spell_roles::{Caller, PublisherExt, Session};

async fn publish(peer: Peer<(Session, Caller)>) {
    peer.publish("com.example.topic").await.unwrap();
}

fn main() {}
