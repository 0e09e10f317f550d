//! What the router tells of what happens in a realm.

use spell_message::{SessionId, Value};

use crate::realm::Principal;

/// An event of the router's own topics.
///
/// Nobody is excluded, not even the session that is the cause of it. Subscriptions to these topics
/// are subscriptions like any other, and are told of as well; that ends, as no event makes a
/// subscription.
///
/// WAMP spec, "Session Meta API", "Registration Meta API" and "Subscriptions Meta API".
#[derive(Debug)]
pub(crate) enum Notice<'a> {
    Joined(SessionId, &'a Principal),
    Left(SessionId, &'a Principal),
}

impl Notice<'_> {
    pub(crate) fn topic(&self) -> &'static str {
        match self {
            Self::Joined(..) => "wamp.session.on_join",
            Self::Left(..) => "wamp.session.on_leave",
        }
    }

    pub(crate) fn arguments(&self) -> Vec<Value> {
        match self {
            Self::Joined(session, principal) => vec![principal.details(*session).into()],
            Self::Left(session, principal) => vec![
                (*session).into(),
                principal.authid.as_str().into(),
                principal.authrole.as_str().into(),
            ],
        }
    }
}
