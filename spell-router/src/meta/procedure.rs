//! The procedures of the router.

use spell_message::Payload;

use crate::meta::{
    Refused, Scope, Testament,
    arguments::Arguments,
    permission::Permission::{self, Administer, Everyone, Observe},
    request::{Request, Victims, farewell},
};

/// A procedure that the realm answers itself.
///
/// They are no registrations: no list of those has them, and no application can take one over.
#[derive(Debug)]
pub(crate) struct Procedure {
    uri: &'static str,
    pub(crate) permission: Permission,
    read: fn(&mut Arguments) -> Result<Request, Refused>,
}

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
}

static PROCEDURES: &[Procedure] = &[
    // WAMP spec, "Session Meta API".
    Procedure {
        uri: "wamp.session.count",
        permission: Observe,
        read: |arguments| Ok(Request::CountSessions(arguments.texts("filter_authroles")?)),
    },
    Procedure {
        uri: "wamp.session.list",
        permission: Observe,
        read: |arguments| Ok(Request::ListSessions(arguments.texts("filter_authroles")?)),
    },
    Procedure {
        uri: "wamp.session.get",
        permission: Observe,
        read: |arguments| Ok(Request::Session(arguments.id("session")?)),
    },
    Procedure {
        uri: "wamp.session.kill",
        permission: Administer,
        read: |arguments| {
            let victim = Victims::Session(arguments.id("session")?);
            Ok(Request::Kill(victim, farewell(arguments)?))
        },
    },
    Procedure {
        uri: "wamp.session.kill_by_authid",
        permission: Administer,
        read: |arguments| {
            let victims = Victims::Authid(arguments.text("authid")?);
            Ok(Request::Kill(victims, farewell(arguments)?))
        },
    },
    Procedure {
        uri: "wamp.session.kill_by_authrole",
        permission: Administer,
        read: |arguments| {
            let victims = Victims::Authrole(arguments.text("authrole")?);
            Ok(Request::Kill(victims, farewell(arguments)?))
        },
    },
    Procedure {
        uri: "wamp.session.kill_all",
        permission: Administer,
        read: |arguments| Ok(Request::Kill(Victims::All, farewell(arguments)?)),
    },
    // WAMP spec, "Session Testament".
    Procedure {
        uri: "wamp.session.add_testament",
        permission: Everyone,
        read: |arguments| Ok(Request::AddTestament(Testament::read(arguments)?)),
    },
    Procedure {
        uri: "wamp.session.flush_testaments",
        permission: Everyone,
        read: |arguments| Ok(Request::FlushTestaments(Scope::read(arguments)?)),
    },
];
