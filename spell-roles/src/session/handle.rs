use std::{fmt, time::Duration};

use spell_message::message::{Authenticate, Goodbye};
use spell_peer::{Commands, Contains, Peer, Role};
use tokio::sync::oneshot;

use super::{Leave, LeaveError, Session};
use crate::auth::AuthError;

/// Leaves the session. Cheap to clone; get it by `peer.role::<Session, _>()`.
///
/// What the session *is* the peer tells: [`Peer::session`], [`Peer::joined`], [`Peer::state`].
#[derive(Clone)]
pub struct SessionHandle {
    commands: Commands<Command>,
}

impl SessionHandle {
    pub(super) fn new(commands: Commands<Command>) -> Self {
        Self { commands }
    }

    /// Leave the realm and end the peer; `.await` it. See [`Leave`].
    pub fn leave(&self) -> Leave<'_> {
        Leave::new(&self.commands)
    }
}

impl fmt::Debug for SessionHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionHandle").finish_non_exhaustive()
    }
}

/// Leaves the session of a peer that has the role [`Session`].
pub trait SessionExt {
    /// The roles of the peer.
    type Roles: Role;

    /// Leave the realm and end the peer; `.await` it. See [`Leave`].
    fn leave<I>(&self) -> Leave<'_>
    where
        Self::Roles: Contains<Session, I>;
}

impl<R: Role> SessionExt for Peer<R> {
    type Roles = R;

    fn leave<I>(&self) -> Leave<'_>
    where
        R: Contains<Session, I>,
    {
        self.role::<Session, I>().leave()
    }
}

/// What [`SessionHandle`], and the tasks of authenticators, ask of [`Session`].
#[expect(unnameable_types, reason = "private to the role and its handle")]
pub struct Command(pub(super) Ask);

pub(super) enum Ask {
    /// All authenticators are ready for HELLO; gives the `authextra`.
    Prepared(Result<spell_message::Dict, AuthError>),
    /// A challenge is answered.
    Answer(Result<Authenticate, AuthError>),
    /// The router's own proofs were checked.
    Checked(Result<(), AuthError>),
    Leave {
        goodbye: Goodbye,
        /// How long what is under way may take to finish; `None` if it is not waited for.
        drain: Option<Duration>,
        reply: oneshot::Sender<Result<(), LeaveError>>,
    },
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Command").finish_non_exhaustive()
    }
}
