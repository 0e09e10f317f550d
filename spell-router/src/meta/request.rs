//! What a procedure of the router is asked to do.

use std::collections::HashSet;

use spell_message::{RegistrationId, SessionId, SubscriptionId, Value};

use crate::{
    broker::HistoryQuery,
    meta::{
        Farewell, Query, Refused, Scope, Testament,
        arguments::{Arguments, checked_uri, no_uri},
    },
    realm::Principal,
};

/// What a procedure of the router is asked to do, understood.
#[derive(Debug)]
pub(crate) enum Request {
    Sessions(SessionQuery),
    Registrations(Query<RegistrationId>),
    Subscriptions(Query<SubscriptionId>),
    Events(SubscriptionId, HistoryQuery),
}

/// What is asked of sessions, or for the one that asks.
///
/// WAMP spec, "Session Meta API" and "Session Testament".
#[derive(Debug)]
pub(crate) enum SessionQuery {
    /// How many there are, with one of these roles if any are given.
    Count(Option<HashSet<String>>),
    List(Option<HashSet<String>>),
    Get(SessionId),
    Kill(Victims, Farewell),
    AddTestament(Testament),
    FlushTestaments(Scope),
}

/// Which sessions are to be killed.
#[derive(Debug)]
pub(crate) enum Victims {
    Session(SessionId),
    Authid(String),
    Authrole(String),
    All,
}

impl Victims {
    pub(crate) fn include(&self, session: SessionId, principal: &Principal) -> bool {
        match self {
            Self::Session(victim) => session == *victim,
            Self::Authid(authid) => principal.authid == *authid,
            Self::Authrole(authrole) => principal.authrole == *authrole,
            Self::All => true,
        }
    }
}

/// What the keyword arguments say to whom is killed.
///
/// WAMP spec, "wamp.session.kill": a reason that is no URI, whatever else it is, has an error of
/// its own.
pub(crate) fn farewell(arguments: &mut Arguments) -> Result<Farewell, Refused> {
    let mut farewell = Farewell::new();
    match arguments.keyword("reason") {
        None => {}
        Some(Value::String(reason)) => {
            farewell = farewell.reason(checked_uri(&reason, "reason")?);
        }
        Some(_) => return Err(no_uri("reason")),
    }
    if let Some(message) = arguments.text_keyword("message")? {
        if message.len() > LONGEST_MESSAGE {
            let explanation = "`message` is longer than this router takes";
            return Err(Refused::argument(explanation));
        }
        farewell = farewell.message(message);
    }
    Ok(farewell)
}

/// The longest message to whom is killed, in bytes: each of them gets it.
const LONGEST_MESSAGE: usize = 8 << 10;
