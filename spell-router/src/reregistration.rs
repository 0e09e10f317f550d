//! Who may take a procedure from the session that has it.

use crate::{auth::Method, realm::Principal};

/// Who may take a procedure from the session that has it, by the option `force_reregister` of
/// REGISTER, which Crossbar.io has brought in: most often a client that came back, while the router
/// still has its last session.
///
/// Where it may, the registration is revoked, also from all who share it, and the session gets a new
/// one: it is told REGISTERED once those callees are told of the revocation that announced that they
/// understand it, in both cases before anything else happens. What they were asked before, they may
/// still answer. Where it may not, with only one of those who share the registration, or where the
/// session is one of them itself, the option is ignored: REGISTER most often fails then, with
/// `wamp.error.procedure_already_exists`.
///
/// ```
/// use spell_router::{Realm, Reregistration};
///
/// let realm = Realm::new("com.example.realm").reregistration(Reregistration::Nobody);
/// # let _ = realm;
/// ```
///
/// WAMP spec, "Registration Revocation"; the option is not in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reregistration {
    /// Who has proven to be the same `authid` with the same `authrole`. The default; it lets no
    /// anonymous session do so, for nothing tells whose that is.
    #[default]
    SameIdentity,
    /// Everyone: for tests, and where all clients trust each other.
    /// [`Router::local`](crate::Router::local) has it.
    Everyone,
    /// Nobody: the option is always ignored.
    Nobody,
}

impl Reregistration {
    pub(crate) fn permits(self, asking: &Principal, holder: &Principal) -> bool {
        let is_proven = |principal: &Principal| principal.method != Method::Anonymous;
        match self {
            Self::SameIdentity => {
                is_proven(asking)
                    && is_proven(holder)
                    && asking.authid == holder.authid
                    && asking.authrole == holder.authrole
            }
            Self::Everyone => true,
            Self::Nobody => false,
        }
    }
}
