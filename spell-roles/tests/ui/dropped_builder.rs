#![deny(unused_must_use)]
use spell_peer::Peer;
use spell_roles::{Publisher, PublisherExt, Session};

fn publish(peer: &Peer<(Session, Publisher)>) {
    peer.publish("com.example.topic");
}

fn main() {}
