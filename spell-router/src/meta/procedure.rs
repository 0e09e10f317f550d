//! The procedures of the router.

use spell_message::{
    Dict, MatchPolicy, Payload,
    options::{RegisterOptions, SubscribeOptions},
};

use crate::{
    broker::HistoryQuery,
    meta::{
        Query, Refused, Scope, Testament,
        arguments::Arguments,
        permission::Permission,
        request::{
            Request::{self, Registrations, Sessions, Subscriptions},
            SessionQuery, Victims, farewell,
        },
    },
};

/// A procedure that the realm answers itself.
///
/// They are no registrations: no list of those has them, and no application can take one over.
#[derive(Debug)]
pub(crate) struct Procedure {
    uri: &'static str,
    pub(crate) permission: Permission,
    read: Read,
}

type Read = fn(&mut Arguments) -> Result<Request, Refused>;

impl Procedure {
    pub(crate) fn find(uri: &str) -> Option<&'static Self> {
        PROCEDURES.iter().find(|procedure| procedure.uri == uri)
    }

    /// Understands the arguments. It takes as long as they are large.
    pub(crate) fn read(&self, arguments: &Payload) -> Result<Request, Refused> {
        let mut arguments = Arguments::read(arguments)?;
        let request = (self.read)(&mut arguments)?;
        arguments.end()?;
        Ok(request)
    }

    /// One that tells what others do.
    const fn look(uri: &'static str, read: Read) -> Self {
        let permission = Permission::Observe;
        Self {
            uri,
            permission,
            read,
        }
    }

    /// One that takes something from others.
    const fn intervene(uri: &'static str, read: Read) -> Self {
        let permission = Permission::Administer;
        Self {
            uri,
            permission,
            read,
        }
    }

    /// One that everyone may call.
    const fn open(uri: &'static str, read: Read) -> Self {
        let permission = Permission::Everyone;
        Self {
            uri,
            permission,
            read,
        }
    }
}

static PROCEDURES: &[Procedure] = &[
    // WAMP spec, "Session Meta API".
    Procedure::look("wamp.session.count", |it| {
        it.texts("filter_authroles")
            .map(SessionQuery::Count)
            .map(Sessions)
    }),
    Procedure::look("wamp.session.list", |it| {
        it.texts("filter_authroles")
            .map(SessionQuery::List)
            .map(Sessions)
    }),
    Procedure::look("wamp.session.get", |it| {
        it.id("session").map(SessionQuery::Get).map(Sessions)
    }),
    Procedure::intervene("wamp.session.kill", |it| {
        let victim = Victims::Session(it.id("session")?);
        Ok(Sessions(SessionQuery::Kill(victim, farewell(it)?)))
    }),
    Procedure::intervene("wamp.session.kill_by_authid", |it| {
        let victims = Victims::Authid(it.text("authid")?);
        Ok(Sessions(SessionQuery::Kill(victims, farewell(it)?)))
    }),
    Procedure::intervene("wamp.session.kill_by_authrole", |it| {
        let victims = Victims::Authrole(it.text("authrole")?);
        Ok(Sessions(SessionQuery::Kill(victims, farewell(it)?)))
    }),
    Procedure::intervene("wamp.session.kill_all", |it| {
        Ok(Sessions(SessionQuery::Kill(Victims::All, farewell(it)?)))
    }),
    // WAMP spec, "Session Testament".
    Procedure::open("wamp.session.add_testament", |it| {
        Testament::read(it)
            .map(SessionQuery::AddTestament)
            .map(Sessions)
    }),
    Procedure::open("wamp.session.flush_testaments", |it| {
        Scope::read(it)
            .map(SessionQuery::FlushTestaments)
            .map(Sessions)
    }),
    // WAMP spec, "Registration Meta API".
    Procedure::look("wamp.registration.list", |_| Ok(Registrations(Query::List))),
    Procedure::look("wamp.registration.lookup", |it| {
        Query::lookup(it, "procedure", procedure_policy).map(Registrations)
    }),
    Procedure::look("wamp.registration.match", |it| {
        Ok(Registrations(Query::Match(it.uri("procedure")?)))
    }),
    Procedure::look("wamp.registration.get", |it| {
        Ok(Registrations(Query::Get(it.id("registration")?)))
    }),
    Procedure::look("wamp.registration.list_callees", |it| {
        Ok(Registrations(Query::Sessions(it.id("registration")?)))
    }),
    Procedure::look("wamp.registration.count_callees", |it| {
        Ok(Registrations(Query::CountSessions(it.id("registration")?)))
    }),
    // Not in the specification but in its catalog of the meta API.
    Procedure::intervene("wamp.registration.remove_callee", |it| {
        Query::remove(it, "registration", "callee").map(Registrations)
    }),
    // WAMP spec, "Subscriptions Meta API".
    Procedure::look("wamp.subscription.list", |_| Ok(Subscriptions(Query::List))),
    Procedure::look("wamp.subscription.lookup", |it| {
        Query::lookup(it, "topic", topic_policy).map(Subscriptions)
    }),
    Procedure::look("wamp.subscription.match", |it| {
        Ok(Subscriptions(Query::Match(it.uri("topic")?)))
    }),
    Procedure::look("wamp.subscription.get", |it| {
        Ok(Subscriptions(Query::Get(it.id("subscription")?)))
    }),
    Procedure::look("wamp.subscription.list_subscribers", |it| {
        Ok(Subscriptions(Query::Sessions(it.id("subscription")?)))
    }),
    Procedure::look("wamp.subscription.count_subscribers", |it| {
        Ok(Subscriptions(Query::CountSessions(it.id("subscription")?)))
    }),
    // WAMP spec, "Event History": who may subscribe may look at what was before, and here everyone
    // may subscribe.
    Procedure::open("wamp.subscription.get_events", |it| {
        let subscription = it.id("subscription")?;
        Ok(Request::Events(subscription, HistoryQuery::read(it)?))
    }),
    // Not in the specification but in its catalog of the meta API.
    Procedure::intervene("wamp.subscription.remove_subscriber", |it| {
        Query::remove(it, "subscription", "subscriber").map(Subscriptions)
    }),
];

/// What the options of REGISTER say of the match.
fn procedure_policy(options: Dict) -> Result<Option<MatchPolicy>, Refused> {
    let options = RegisterOptions::from_dict(options).map_err(|error| Refused::option(&error))?;
    Ok(options.match_policy())
}

/// What the options of SUBSCRIBE say of the match.
fn topic_policy(options: Dict) -> Result<Option<MatchPolicy>, Refused> {
    let options = SubscribeOptions::from_dict(options).map_err(|error| Refused::option(&error))?;
    Ok(options.match_policy())
}
