//! What of a client's announcement the router goes by.

use spell_message::{Feature, RoleFeatures, RoleName};

/// The features that a client announced and that decide what the router sends it, or takes of it.
///
/// Of all that a client announces only this is kept: in HELLO it has proven nothing yet, so it must
/// not make the router remember much.
///
/// WAMP spec, "Feature Announcement".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is announced for itself"
)]
pub(crate) struct Announced {
    /// As a callee: its invocations can be interrupted.
    pub(crate) call_canceling: bool,
    /// As a callee: it gives results as they come.
    pub(crate) progressive_results: bool,
    /// As a callee: it takes arguments as they come.
    pub(crate) progressive_invocations: bool,
    /// As a caller: it may send arguments as they come.
    pub(crate) progressive_calls: bool,
    /// As a callee: it can watch over time-outs itself.
    pub(crate) call_timeout: bool,
    /// As a callee: it can pass calls on to another callee.
    pub(crate) call_reroute: bool,
    /// As a callee: it understands that a registration is taken away.
    pub(crate) registration_revocation: bool,
}

impl Announced {
    pub(crate) fn new(roles: &RoleFeatures) -> Self {
        let callee = |feature| roles.supports(RoleName::Callee, feature);
        Self {
            call_canceling: callee(Feature::CallCanceling),
            progressive_results: callee(Feature::ProgressiveCallResults),
            progressive_invocations: callee(Feature::ProgressiveCallInvocations),
            progressive_calls: roles
                .supports(RoleName::Caller, Feature::ProgressiveCallInvocations),
            call_timeout: callee(Feature::CallTimeout),
            call_reroute: callee(Feature::CallReroute),
            registration_revocation: callee(Feature::RegistrationRevocation),
        }
    }

    /// Whether results may be asked for as they come.
    ///
    /// WAMP spec, "Progressive Call Results": a callee that cannot be interrupted does not count
    /// as one that has this feature.
    pub(crate) fn gives_progress(self) -> bool {
        self.progressive_results && self.call_canceling
    }

    /// Whether arguments may be sent as they come.
    ///
    /// WAMP spec, "Progressive Call Invocations": such a callee can be interrupted too.
    pub(crate) fn takes_progress(self) -> bool {
        self.progressive_invocations && self.call_canceling
    }
}
