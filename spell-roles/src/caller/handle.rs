use spell_message::{Format, IntoUri};
use spell_peer::{Contains, Peer, Role};

use super::{Call, Caller, role::Command};
use crate::request::Requests;

/// Calls procedures on a running peer. Cheap to clone.
#[derive(Clone, Debug)]
pub struct CallerHandle {
    requests: Requests<Command>,
}

impl CallerHandle {
    pub(super) fn new(requests: Requests<Command>) -> Self {
        Self { requests }
    }

    /// The format of arguments now in force.
    pub(crate) fn format(&self) -> Format {
        self.requests.commands().wire().format()
    }

    /// Call `procedure`; `.await` the returned builder to send it.
    pub fn call(&self, procedure: impl IntoUri) -> Call<'_> {
        Call::new(&self.requests, procedure.into_uri())
    }
}

/// `peer.call()` for every peer that has the [`Caller`] role.
pub trait CallerExt {
    /// The peer's roles.
    type Roles: Role;

    /// Call `procedure`; see [`CallerHandle::call`].
    fn call<I>(&self, procedure: impl IntoUri) -> Call<'_>
    where
        Self::Roles: Contains<Caller, I>;
}

impl<R: Role> CallerExt for Peer<R> {
    type Roles = R;

    fn call<I>(&self, procedure: impl IntoUri) -> Call<'_>
    where
        R: Contains<Caller, I>,
    {
        self.role::<Caller, I>().call(procedure)
    }
}
