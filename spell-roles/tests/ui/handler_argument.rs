use std::time::Instant;

use spell_peer::Peer;
use spell_roles::{Callee, CalleeExt, InvocationError, Session};

// A function, as the compiler names closures by their path, which is another one in each checkout.
async fn procedure(_: Instant) -> Result<(), InvocationError> {
    Ok(())
}

fn register(peer: &Peer<(Session, Callee)>) {
    let register = peer.register("com.example.procedure");
    let _ = register.handler(procedure);
}

fn main() {}
