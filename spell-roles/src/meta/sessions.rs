use spell_message::{Dict, Feature, IntoUri, RoleName, SessionId, Value};

use super::{Meta, MetaCall, MetaDecodeError, decode::Arguments};

const NEEDS: (RoleName, Feature) = (RoleName::Dealer, Feature::SessionMetaApi);

/// The session meta API.
///
/// ```
/// # use spell_peer::PeerBuilder;
/// # use spell_roles::{Caller, Session};
/// use spell_roles::prelude::*;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let router = spell_router::Router::local();
/// # let connect = || async {
/// #     let peer = PeerBuilder::new(Session::new("com.example.realm")).role(Caller::new());
/// #     peer.connect(router.connector()).await
/// # };
/// # let (peer, other) = (connect().await?, connect().await?);
/// let meta = peer.meta();
/// assert_eq!(meta.session_count().await?, 2);
/// for session in meta.session_list().await? {
///     let details = meta.session_get(session).await?;
///     println!("{} {:?} {:?}", details.session(), details.authid(), details.authrole());
/// }
///
/// let session = other.joined().await?.id();
/// meta.session_kill(session).reason("com.example.bye").message("no hard feelings").await?;
/// other.closed().await;
/// assert_eq!(meta.session_count().await?, 1);
/// # Ok(())
/// # }
/// ```
///
/// WAMP spec, "Session Meta API".
impl<'a> Meta<'a> {
    /// How many sessions there are in the realm.
    ///
    /// `wamp.session.count`
    pub fn session_count(self) -> MetaCall<'a, u64, FilterAuthroles> {
        self.call("wamp.session.count", NEEDS, [], |args| {
            args.next("count").count()
        })
    }

    /// The sessions in the realm.
    ///
    /// `wamp.session.list`
    pub fn session_list(self) -> MetaCall<'a, Vec<SessionId>, FilterAuthroles> {
        self.call("wamp.session.list", NEEDS, [], |args| {
            args.next("session_ids").ids()
        })
    }

    /// What the router tells of a session. One that is not there is refused with
    /// [`NO_SUCH_SESSION`](spell_message::reason::NO_SUCH_SESSION).
    ///
    /// `wamp.session.get`
    pub fn session_get(self, session: SessionId) -> MetaCall<'a, SessionDetails> {
        let args = [session.into()];
        self.call("wamp.session.get", NEEDS, args, SessionDetails::read)
    }

    /// End a session. One that is not there, and this one, is refused with
    /// [`NO_SUCH_SESSION`](spell_message::reason::NO_SUCH_SESSION).
    ///
    /// `wamp.session.kill`
    pub fn session_kill(self, session: SessionId) -> MetaCall<'a, (), Kill> {
        let args = [session.into()];
        self.call("wamp.session.kill", NEEDS, args, |_| Ok(()))
    }

    /// End all sessions with this `authid`, except this one.
    ///
    /// `wamp.session.kill_by_authid`
    pub fn session_kill_by_authid(self, authid: impl Into<String>) -> MetaCall<'a, Killed, Kill> {
        let args = [authid.into().into()];
        self.call("wamp.session.kill_by_authid", NEEDS, args, |args| {
            Killed::read("sessions", args)
        })
    }

    /// End all sessions with this `authrole`, except this one.
    ///
    /// `wamp.session.kill_by_authrole`
    pub fn session_kill_by_authrole(
        self,
        authrole: impl Into<String>,
    ) -> MetaCall<'a, Killed, Kill> {
        let args = [authrole.into().into()];
        self.call("wamp.session.kill_by_authrole", NEEDS, args, |args| {
            Killed::read("count", args)
        })
    }

    /// End all sessions of the realm, except this one. No meta event tells of it, and no testament
    /// is published.
    ///
    /// `wamp.session.kill_all`
    pub fn session_kill_all(self) -> MetaCall<'a, Killed, Kill> {
        self.call("wamp.session.kill_all", NEEDS, [], |args| {
            Killed::read("count", args)
        })
    }
}

/// Marks a [`MetaCall`] that can be limited to some sessions.
#[derive(Debug)]
#[non_exhaustive]
pub struct FilterAuthroles;

impl<T> MetaCall<'_, T, FilterAuthroles> {
    /// Only sessions with one of these `authrole`s; default all.
    pub fn authroles<R: Into<String>>(mut self, authroles: impl IntoIterator<Item = R>) -> Self {
        let authroles = authroles.into_iter().map(|role| Value::String(role.into()));
        self.set_arg(0, Ok(authroles.collect()));
        self
    }
}

/// Marks a [`MetaCall`] that ends sessions.
#[derive(Debug)]
#[non_exhaustive]
pub struct Kill;

impl<T> MetaCall<'_, T, Kill> {
    /// The reason of the GOODBYE that the sessions get; default
    /// [`KILLED`](spell_message::reason::KILLED).
    pub fn reason(self, reason: impl IntoUri) -> Self {
        self.uri_option("reason", reason.into_uri())
    }

    /// A text for the GOODBYE that the sessions get; default none.
    pub fn message(self, message: impl Into<String>) -> Self {
        self.option("message", message.into())
    }
}

/// Which sessions were ended.
///
/// The specification says for some procedures that they give the ids, and for others that they give
/// how many; routers differ, so both is taken of all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Killed {
    count: u64,
    sessions: Option<Vec<SessionId>>,
}

impl Killed {
    fn read(name: &'static str, arguments: &mut Arguments) -> Result<Self, MetaDecodeError> {
        let killed = arguments.next(name);
        if let Value::List(_) = killed.value() {
            let sessions = killed.ids()?;
            return Ok(Self {
                count: u64::try_from(sessions.len()).unwrap_or(u64::MAX),
                sessions: Some(sessions),
            });
        }
        Ok(Self {
            count: killed.count()?,
            sessions: None,
        })
    }

    /// How many.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Their ids, if the router tells.
    pub fn sessions(&self) -> Option<&[SessionId]> {
        self.sessions.as_deref()
    }
}

/// What a router tells of a session: by [`Meta::session_get`], and when it joins.
///
/// WAMP spec, "Session Meta API".
#[derive(Clone, Debug, PartialEq)]
pub struct SessionDetails {
    session: SessionId,
    details: Dict,
}

impl SessionDetails {
    pub(super) fn read(arguments: &mut Arguments) -> Result<Self, MetaDecodeError> {
        let details = arguments.next("details").dict()?;
        Ok(Self {
            session: arguments.entry(&details, "session").id()?,
            details,
        })
    }

    /// The session.
    pub fn session(&self) -> SessionId {
        self.session
    }

    /// Who it is.
    pub fn authid(&self) -> Option<&str> {
        self.text("authid")
    }

    /// The role that the router gave it.
    pub fn authrole(&self) -> Option<&str> {
        self.text("authrole")
    }

    /// How it was authenticated.
    pub fn authmethod(&self) -> Option<&str> {
        self.text("authmethod")
    }

    /// Who authenticated it.
    pub fn authprovider(&self) -> Option<&str> {
        self.text("authprovider")
    }

    /// How it is connected, in the router's own words.
    pub fn transport(&self) -> Option<&Dict> {
        self.details.get("transport")?.as_dict()
    }

    /// All of it, what has no method here among it.
    pub fn as_dict(&self) -> &Dict {
        &self.details
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.details.get(key)?.as_str()
    }
}
