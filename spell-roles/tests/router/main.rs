//! What the roles do together with the embedded router.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test")]

mod calls;
mod closing;
mod dropping;
mod history;
mod line;
mod load;
mod meta_events;
mod meta_procedures;
mod pubsub;
mod restarts;
mod restoring;

use spell_peer::{Peer, PeerBuilder};
use spell_roles::{Callee, Caller, Publisher, Session, Subscriber, auth::Ticket};
use spell_router::{MetaApi, Realm, Router};

type Client = Peer<(Session, Publisher, Subscriber, Caller, Callee)>;

const REALM: &str = "com.example.realm";

/// A router that knows ada, who may do everything, and the two users bob and eve.
fn router() -> Router {
    let realm = Realm::new(REALM)
        .ticket("ada", "ada", "admin")
        .ticket("bob", "bob", "user")
        .ticket("eve", "eve", "user")
        .meta_api(MetaApi::new().administrators(["admin"]));
    Router::builder().realm(realm).build().unwrap()
}

async fn join(router: &Router, authid: &str) -> Client {
    let session = Session::new(REALM).authenticator(Ticket::new(authid, authid));
    let peer = PeerBuilder::new(session)
        .role(Publisher::new())
        .role(Subscriber::new())
        .role(Caller::new())
        .role(Callee::new());
    peer.connect(router.connector()).await.unwrap()
}
