//! Who may use the meta API.

use std::collections::BTreeSet;

use spell_message::options::PublishOptions;

/// Who may use the meta API of a realm, by their `authrole`.
///
/// By default everyone may look: ask which sessions, registrations and subscriptions there are, and
/// subscribe to the events about them. Nobody may intervene: kill sessions, or take registrations
/// and subscriptions from them. What concerns only the caller itself, its testaments, is everyone's.
///
/// A call that is not allowed fails with `wamp.error.not_authorized`. Events about what a session
/// may not look at do not reach it, whatever it subscribes to.
///
/// In [`Router::local`](crate::Router::local) everyone may do everything.
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
