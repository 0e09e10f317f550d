use spell_peer::{Contains, Peer, Role};

use super::{Callee, Register, role::Command};
use crate::request::Requests;

/// Registers procedures on a running peer. Cheap to clone.
#[derive(Clone, Debug)]
pub struct CalleeHandle {
    requests: Requests<Command>,
}

impl CalleeHandle {
    pub(super) fn new(requests: Requests<Command>) -> Self {
        Self { requests }
    }

    /// Register `procedure`; `.await` the returned builder to do so.
    pub fn register(&self, procedure: impl AsRef<str>) -> Register<'_> {
        Register::new(&self.requests, procedure.as_ref())
    }
}

/// `peer.register()` for every peer that has the [`Callee`] role.
pub trait CalleeExt {
    /// The peer's roles.
    type Roles: Role;

    /// Register `procedure`; see [`CalleeHandle::register`].
    fn register<I>(&self, procedure: impl AsRef<str>) -> Register<'_>
    where
        Self::Roles: Contains<Callee, I>;
}

impl<R: Role> CalleeExt for Peer<R> {
    type Roles = R;

    fn register<I>(&self, procedure: impl AsRef<str>) -> Register<'_>
    where
        R: Contains<Callee, I>,
    {
        self.role::<Callee, I>().register(procedure)
    }
}
