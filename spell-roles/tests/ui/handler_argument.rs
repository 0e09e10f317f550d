use spell_peer::Peer;
use spell_roles::{Callee, CalleeExt, Session};

fn register(peer: &Peer<(Session, Callee)>) {
    let register = peer.register("com.example.procedure");
    let _ = register.handler(|_: std::time::Instant| async move { Ok(()) });
}

fn main() {}
