use spell_peer::Peer;
use spell_roles::{Publisher, Session};

async fn publish(peer: Peer<(Session, Publisher)>) {
    peer.publish("com.example.topic").await.unwrap();
}

fn main() {}
