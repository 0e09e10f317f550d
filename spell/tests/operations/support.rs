//! A client in memory, so that the clock of a test may stand still.

use spell::{
    Client, ClientRoles, JoinError, PeerBuilder,
    roles::{Callee, Caller, Publisher, Session, Subscriber},
};
use spell_router::Router;

pub(crate) const REALM: &str = "com.example.realm";

pub(crate) fn settings() -> PeerBuilder<ClientRoles> {
    with_session(Session::new(REALM))
}

pub(crate) fn with_session(session: Session) -> PeerBuilder<ClientRoles> {
    PeerBuilder::new(session)
        .role(Publisher::new())
        .role(Subscriber::new())
        .role(Caller::new())
        .role(Callee::new())
}

pub(crate) async fn join(router: &Router) -> Result<Client, JoinError> {
    settings().connect(router.connector()).await
}
