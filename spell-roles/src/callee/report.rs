use std::fmt;

use spell_message::Pattern;

use crate::RegisterError;

/// Among the [events](spell_peer::PeerEvent::Role) of a peer: a procedure could not be registered
/// again after a reconnect, and its registration is over.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RegistrationNotRestored {
    /// What was registered.
    pub procedure: Pattern,
    /// Why.
    pub error: RegisterError,
}

impl fmt::Display for RegistrationNotRestored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let procedure = self.procedure.as_str();
        write!(
            f,
            "the registration of {procedure:?} was not restored: {}",
            self.error
        )
    }
}
