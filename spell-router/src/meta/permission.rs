//! Who may use the meta API.

use std::collections::BTreeSet;

use spell_message::options::PublishOptions;

/// Who may use the meta API of a realm, by their `authrole`.
///
/// | | Default | Procedures and topics |
/// |---|---|---|
/// | observers | everyone | `wamp.session.count`, `list`, `get`; all `wamp.registration` and `wamp.subscription` that are not below; all topics below `wamp` |
/// | administrators | nobody | `wamp.session.kill`, `kill_by_authid`, `kill_by_authrole`, `kill_all`; `wamp.registration.remove_callee`, `wamp.subscription.remove_subscriber` |
/// | everyone | | `wamp.session.add_testament`, `flush_testaments`, for these concern only the caller; `wamp.subscription.get_events`, which gives no more than the caller could have subscribed to |
///
/// A call that is not allowed fails with `wamp.error.not_authorized`. Anyone may subscribe to the
/// topics, but their events reach only observers. In [`Router::local`](crate::Router::local)
/// everyone may do everything. The program around the router needs no permission, see
/// [`Administration`](crate::Administration).
///
/// `remove_callee` takes a registration and a session, `remove_subscriber` a subscription and a
/// session, both as keyword argument a `reason`: they are not in the specification itself, but in
/// its catalog of the meta API.
///
/// ```
/// use spell_router::{MetaApi, Realm};
///
/// let realm = Realm::new("realm1")
///     .ticket("joe", "secret", "operator")
///     .meta_api(MetaApi::new().observers(["operator", "backend"]).administrators(["operator"]));
/// # let _ = realm;
/// ```
///
/// WAMP spec, "Session Meta API", "Registration Meta API" and "Subscriptions Meta API", which leave
/// it to the router.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "it concerns no realm until it is given to one"]
pub struct MetaApi {
    observers: Roles,
    administrators: Roles,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Roles {
    All,
    Only(BTreeSet<String>),
}

/// What a procedure needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Permission {
    /// It concerns the caller alone, or what it could have seen anyway.
    Everyone,
    /// To look at what others do.
    Observe,
    /// To take something from others.
    Administer,
}

impl MetaApi {
    /// Everyone may look, nobody may intervene.
    pub fn new() -> Self {
        Self {
            observers: Roles::All,
            administrators: Roles::Only(BTreeSet::new()),
        }
    }

    /// Let only sessions with one of these roles look; with none of them, nobody.
    pub fn observers<T: Into<String>>(mut self, roles: impl IntoIterator<Item = T>) -> Self {
        self.observers = Roles::only(roles);
        self
    }

    /// Let sessions with one of these roles intervene.
    pub fn administrators<T: Into<String>>(mut self, roles: impl IntoIterator<Item = T>) -> Self {
        self.administrators = Roles::only(roles);
        self
    }

    /// Let everyone intervene: for tests, and where all clients trust each other.
    pub fn everyone_administers(mut self) -> Self {
        self.administrators = Roles::All;
        self
    }

    pub(crate) fn permits(&self, authrole: &str, permission: Permission) -> bool {
        match permission {
            Permission::Everyone => true,
            Permission::Observe => self.observers.include(authrole),
            Permission::Administer => self.administrators.include(authrole),
        }
    }

    /// How an event is published that only observers may have.
    pub(crate) fn options(&self) -> PublishOptions {
        let mut options = PublishOptions::new();
        if let Roles::Only(roles) = &self.observers {
            options.set_eligible_authrole(roles);
        }
        options
    }
}

/// Everyone may look, nobody may intervene.
impl Default for MetaApi {
    fn default() -> Self {
        Self::new()
    }
}

impl Roles {
    fn only<T: Into<String>>(roles: impl IntoIterator<Item = T>) -> Self {
        Self::Only(roles.into_iter().map(Into::into).collect())
    }

    fn include(&self, authrole: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(roles) => roles.contains(authrole),
        }
    }
}
