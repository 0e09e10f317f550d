//! What a realm is called, who may join it, and who may do what there.

use std::collections::HashMap;

use spell_message::{IntoUri, InvalidUri, Pattern, Uri};

use crate::{
    Disclosure, MetaApi, Reregistration,
    auth::{CraSecret, Credential, Method},
    quotas::Room,
    realm::Principal,
};

/// The settings of a realm: its name, and who may join it.
///
/// Anyone may join anonymously, until [`refuse_anonymous`](Self::refuse_anonymous) is called; who
/// has a ticket or a secret may prove who they are. Sessions of different realms never meet.
///
/// ```
/// use spell_router::Realm;
///
/// let realm = Realm::new("com.example.realm")
///     .refuse_anonymous()
///     .ticket("backend", "a long random text", "service")
///     .cra("joe", "secret123", "user");
/// # let _ = realm;
/// ```
///
/// WAMP spec, "Realms, Sessions and Transports" and "Authentication Methods".
#[derive(Clone, Debug)]
pub struct Realm {
    name: Result<Uri, InvalidUri>,
    access: Access,
}

/// Who may join, and who may do what.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    /// The role of anonymous sessions; `None` if there are to be none.
    anonymous: Option<String>,
    users: HashMap<String, User>,
    meta_api: MetaApi,
    /// How far the sessions of a role are trusted.
    trustlevels: HashMap<String, u64>,
    pub(crate) disclosure: Disclosure,
    pub(crate) reregistration: Reregistration,
    /// The patterns whose events are kept, and how many.
    pub(crate) histories: Vec<(Pattern, Room)>,
}

/// Someone who can prove who they are.
#[derive(Clone, Debug, Default)]
struct User {
    credentials: Vec<(String, Credential)>,
}

impl Realm {
    /// A realm that anyone may join anonymously.
    ///
    /// A name that is no URI is reported when the router is built.
    pub fn new(name: impl IntoUri) -> Self {
        Self {
            name: name.into_uri(),
            access: Access::default(),
        }
    }

    /// Let nobody join who does not prove who they are.
    #[must_use]
    pub fn refuse_anonymous(mut self) -> Self {
        self.access.anonymous = None;
        self
    }

    /// Let anyone join anonymously, with this `authrole`; by default with `anonymous`.
    #[must_use]
    pub fn anonymous_role(mut self, authrole: impl Into<String>) -> Self {
        self.access.anonymous = Some(authrole.into());
        self
    }

    /// Let `authid` join with this `authrole`, by the ticket.
    ///
    /// The ticket goes over the connection as it is, so it should go only over TLS or within one
    /// host. The ticket given last for one `authid` counts.
    ///
    /// WAMP spec, "Ticket-based Authentication".
    #[must_use]
    pub fn ticket(
        self,
        authid: impl Into<String>,
        ticket: impl Into<String>,
        authrole: impl Into<String>,
    ) -> Self {
        self.user(
            authid.into(),
            authrole.into(),
            Credential::ticket(ticket.into()),
        )
    }

    /// Let `authid` join with this `authrole`, by signing a challenge with the secret.
    ///
    /// A salted secret is derived here, which takes time in proportion to its iterations. The
    /// secret given last for one `authid` counts.
    ///
    /// WAMP spec, "Challenge Response Authentication".
    #[must_use]
    pub fn cra(
        self,
        authid: impl Into<String>,
        secret: impl Into<CraSecret>,
        authrole: impl Into<String>,
    ) -> Self {
        self.user(
            authid.into(),
            authrole.into(),
            Credential::cra(secret.into()),
        )
    }

    /// Sets who may use the meta API: by default everyone may look, and nobody may intervene.
    #[must_use]
    pub fn meta_api(mut self, meta_api: MetaApi) -> Self {
        self.access.meta_api = meta_api;
        self
    }

    /// Tell callees and subscribers with each call and publication of a session with this
    /// `authrole` how far the router trusts it: 0 is the lowest level, and what the others mean is
    /// the application's choice. By default they are told nothing. The level given last for one
    /// `authrole` counts.
    ///
    /// ```
    /// use spell_router::Realm;
    ///
    /// let realm = Realm::new("com.example.realm")
    ///     .trustlevel("anonymous", 0)
    ///     .ticket("backend", "a long random text", "service")
    ///     .trustlevel("service", 5);
    /// # let _ = realm;
    /// ```
    ///
    /// WAMP spec, "Call Trust Levels" and "Publication Trust Levels".
    #[must_use]
    pub fn trustlevel(mut self, authrole: impl Into<String>, level: u64) -> Self {
        self.access.trustlevels.insert(authrole.into(), level);
        self
    }

    /// Sets who learns who publishes and who calls; by default those learn it whom the publisher or
    /// caller wants to.
    ///
    /// WAMP spec, "Publisher Identification" and "Caller Identification".
    #[must_use]
    pub fn disclosure(mut self, disclosure: Disclosure) -> Self {
        self.access.disclosure = disclosure;
        self
    }

    /// Sets who may take a procedure from the session that has it, by `force_reregister`; by default
    /// those who have authenticated as the same `authid` and `authrole`.
    #[must_use]
    pub fn reregistration(mut self, reregistration: Reregistration) -> Self {
        self.access.reregistration = reregistration;
        self
    }

    /// Keep the last `events` published to the topics that this pattern matches, as far as they take
    /// less than about so many `bytes` of memory; by default nothing is kept.
    ///
    /// There is a subscription to the pattern from the beginning, and clients ask for its events
    /// with `wamp.subscription.get_events`; a subscription to another pattern that matches the same
    /// topics has no history. Where there is no room for one more, the oldest go. One that has no
    /// room even alone is not kept, and counted in
    /// [`Statistics::events_not_kept`](crate::Statistics::events_not_kept). Events published with
    /// `exclude` or `eligible`, the lists of sessions, are not kept either; the lists of `authid`s and
    /// `authrole`s decide who gets an event out of the history. The history is in memory: it begins
    /// when the first session joins the realm, and ends with the router.
    ///
    /// ```
    /// use spell_message::Pattern;
    /// use spell_router::Realm;
    ///
    /// let realm = Realm::new("com.example.realm")
    ///     .history(Pattern::prefix("com.example.log")?, 10_000, 16 << 20);
    /// # let _ = realm;
    /// # Ok::<(), spell_message::InvalidUri>(())
    /// ```
    ///
    /// WAMP spec, "Event History".
    #[must_use]
    pub fn history(mut self, pattern: impl Into<Pattern>, events: usize, bytes: usize) -> Self {
        let pattern = pattern.into();
        let histories = &mut self.access.histories;
        histories.retain(|(other, _)| *other != pattern);
        histories.push((pattern, Room { events, bytes }));
        self
    }

    fn user(mut self, authid: String, authrole: String, credential: Credential) -> Self {
        let user = self.access.users.entry(authid).or_default();
        let method = credential.method();
        user.credentials
            .retain(|(_, other)| other.method() != method);
        user.credentials.push((authrole, credential));
        self
    }

    pub(crate) fn into_parts(self) -> Result<(Uri, Access), InvalidUri> {
        Ok((self.name?, self.access))
    }
}

impl From<&str> for Realm {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

impl From<String> for Realm {
    fn from(name: String) -> Self {
        Self::new(name)
    }
}

impl From<Uri> for Realm {
    fn from(name: Uri) -> Self {
        Self::new(name)
    }
}

impl Access {
    /// Who trusts everyone.
    pub(crate) fn trusting() -> Self {
        Self {
            meta_api: MetaApi::new().everyone_administers(),
            reregistration: Reregistration::Everyone,
            ..Self::default()
        }
    }

    pub(crate) fn meta_api(&self) -> &MetaApi {
        &self.meta_api
    }

    /// The role of anonymous sessions; `None` if there are to be none.
    pub(crate) fn anonymous(&self) -> Option<&str> {
        self.anonymous.as_deref()
    }

    pub(crate) fn knows(&self, authid: &str) -> bool {
        self.users.contains_key(authid)
    }

    /// Someone with this role.
    pub(crate) fn principal(&self, authid: String, authrole: &str, method: Method) -> Principal {
        Principal {
            authid,
            authrole: authrole.to_owned(),
            method,
            trustlevel: self.trustlevels.get(authrole).copied(),
        }
    }

    /// Whether anyone at all may join by this method.
    pub(crate) fn uses(&self, method: Method) -> bool {
        match method {
            Method::Anonymous => self.anonymous.is_some(),
            method => self.users.values().any(|user| user.by(method).is_some()),
        }
    }

    /// The role and the credential that `authid` has for this method.
    pub(crate) fn credential(&self, authid: &str, method: Method) -> Option<&(String, Credential)> {
        self.users.get(authid)?.by(method)
    }
}

/// Anonymous sessions only.
impl Default for Access {
    fn default() -> Self {
        Self {
            anonymous: Some("anonymous".to_owned()),
            users: HashMap::new(),
            meta_api: MetaApi::default(),
            disclosure: Disclosure::default(),
            reregistration: Reregistration::default(),
            histories: Vec::new(),
            trustlevels: HashMap::new(),
        }
    }
}

impl User {
    fn by(&self, method: Method) -> Option<&(String, Credential)> {
        let mut credentials = self.credentials.iter();
        credentials.find(|(_, credential)| credential.method() == method)
    }
}
