use spell_peer::Peer;
use spell_roles::{Callee, Caller, Publisher, Session, Subscriber};

/// A peer with all roles of a client, as [`connect`](crate::connect) gives it.
///
/// Cheap to clone; all clones are one peer with one session. Its verbs are in the
/// [`prelude`](crate::prelude).
pub type Client = Peer<ClientRoles>;

/// The roles of a [`Client`].
pub type ClientRoles = (Session, Publisher, Subscriber, Caller, Callee);
