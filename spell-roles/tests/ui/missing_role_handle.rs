use spell_peer::Peer;
use spell_roles::{Caller, Publisher, Session};

async fn publish(peer: Peer<(Session, Caller)>) {
    let publisher = peer.role::<Publisher, _>().clone();
    publisher.publish("com.example.topic").await.unwrap();
}

fn main() {}
