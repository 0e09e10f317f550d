use spell_peer::{Peer, Role};
use spell_roles::PublisherExt;

async fn publish<R: Role>(peer: &Peer<R>) {
    peer.publish("com.example.topic").await.unwrap();
}

fn main() {}
