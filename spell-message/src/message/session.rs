#![expect(clippy::exhaustive_structs, reason = "fixed by the specification")]

use std::fmt;

use crate::{
    Dict, Payload, SessionId, Uri,
    options::{AbortDetails, GoodbyeDetails, HelloDetails, WelcomeDetails},
};

/// HELLO: the client asks to join a realm.
///
/// WAMP spec, "HELLO".
#[derive(Clone, Debug, PartialEq)]
pub struct Hello {
    /// The realm to join.
    pub realm: Uri,
    /// The roles of the client, and how it may authenticate.
    pub details: HelloDetails,
}

/// WELCOME: the router opens the session.
///
/// WAMP spec, "WELCOME".
#[derive(Clone, Debug, PartialEq)]
pub struct Welcome {
    /// The session.
    pub session: SessionId,
    /// What the router granted, and its roles.
    pub details: WelcomeDetails,
}

/// ABORT: the session does not come about, or is over at once. Never answered.
///
/// WAMP spec, "ABORT".
#[derive(Clone, Debug, PartialEq)]
pub struct Abort {
    /// A text for people, and what implementations add.
    pub details: AbortDetails,
    /// Why.
    pub reason: Uri,
    /// What the router wants to add.
    pub payload: Payload,
}

/// CHALLENGE: the router asks the client to authenticate.
///
/// WAMP spec, "CHALLENGE".
#[derive(Clone, Debug, PartialEq)]
pub struct Challenge {
    /// The authentication method the router chose.
    pub method: String,
    /// What the method needs.
    pub extra: Dict,
}

/// AUTHENTICATE: the answer to a [`Challenge`]. Its `Debug` shows no secret.
///
/// WAMP spec, "AUTHENTICATE".
#[derive(Clone, PartialEq)]
pub struct Authenticate {
    /// The signature, or the ticket itself.
    pub signature: String,
    /// What the method adds.
    pub extra: Dict,
}

impl fmt::Debug for Authenticate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticate").finish_non_exhaustive()
    }
}

/// GOODBYE: one side ends the session; the other answers with GOODBYE.
///
/// WAMP spec, "GOODBYE".
#[derive(Clone, Debug, PartialEq)]
pub struct Goodbye {
    /// A text for people, and what implementations add.
    pub details: GoodbyeDetails,
    /// Why.
    pub reason: Uri,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_of_authenticate_shows_no_secret() {
        let message = Authenticate {
            signature: "canary".into(),
            extra: Dict::from([("token", "canary")]),
        };
        assert!(!format!("{message:?}").contains("canary"));
    }
}
