//! What of a client's announcement the router goes by.

use spell_message::{Feature, RoleFeatures, RoleName};

/// The features that a client announced and that decide what the router sends it.
///
/// Of all that a client announces only this is kept: in HELLO it has proven nothing yet, so it must
/// not make the router remember much.
///
/// WAMP spec, "Feature Announcement".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Announced {
    /// As a callee: its invocations can be interrupted.
    pub(crate) call_canceling: bool,
}

impl Announced {
    pub(crate) fn new(roles: &RoleFeatures) -> Self {
        Self {
            call_canceling: roles.supports(RoleName::Callee, Feature::CallCanceling),
        }
    }
}
