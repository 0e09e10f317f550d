//! How a registration or a subscription is taken away.

use spell_message::SessionId;

/// From whom a registration or a subscription is taken away, and why.
///
/// Without anything set, it is taken from all who have it, and no reason is given. Those who
/// announced that they understand it are told; the others only notice that nothing comes any more.
///
/// ```
/// use spell_router::Revocation;
///
/// let revocation = Revocation::new().reason("no longer authorized");
/// # let _ = revocation;
/// ```
///
/// WAMP spec, "Registration Revocation" and "Subscription Revocation".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "nothing is taken away yet"]
pub struct Revocation {
    pub(crate) session: Option<SessionId>,
    pub(crate) reason: Option<String>,
}

impl Revocation {
    /// From all who have it, for no given reason.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes it from this session only.
    pub fn session(mut self, session: SessionId) -> Self {
        self.session = Some(session);
        self
    }

    /// Says why.
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }
}
