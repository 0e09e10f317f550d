//! Who may get an event.

use std::collections::HashSet;

use spell_message::{SessionId, options::PublishOptions};

use crate::realm::Principal;

/// Who may get an event: whoever is on each list of those eligible, and on none of those excluded.
///
/// A list that is there and empty makes nobody eligible; one that is absent does not restrict.
///
/// WAMP spec, "Subscriber Black- and Whitelisting" and "Publisher Exclusion".
#[derive(Debug)]
pub(crate) struct Audience<'a> {
    without: Option<SessionId>,
    /// Most publications have none.
    lists: Option<Lists<'a>>,
}

#[derive(Debug)]
struct Lists<'a> {
    exclude: HashSet<SessionId>,
    exclude_authid: HashSet<&'a str>,
    exclude_authrole: HashSet<&'a str>,
    eligible: Option<HashSet<SessionId>>,
    eligible_authid: Option<HashSet<&'a str>>,
    eligible_authrole: Option<HashSet<&'a str>>,
}

impl<'a> Audience<'a> {
    /// The audience that a publisher chose; without one, as for what the router publishes, there
    /// is nobody to be left out as such.
    pub(crate) fn new(publisher: Option<SessionId>, options: &'a PublishOptions) -> Self {
        Self {
            without: publisher.filter(|_| options.exclude_me() != Some(false)),
            lists: Lists::of(options),
        }
    }

    pub(crate) fn includes(&self, session: SessionId, principal: &Principal) -> bool {
        let lists = self.lists.as_ref();
        self.without != Some(session)
            && lists
                .is_none_or(|lists| lists.include(session) && lists.include_principal(principal))
    }

    /// Whether it includes such a client, whatever the lists of sessions say.
    pub(crate) fn includes_principal(&self, principal: &Principal) -> bool {
        let lists = self.lists.as_ref();
        lists.is_none_or(|lists| lists.include_principal(principal))
    }
}

impl<'a> Lists<'a> {
    /// `None` if there are none.
    fn of(options: &'a PublishOptions) -> Option<Self> {
        if !options
            .as_dict()
            .keys()
            .any(|key| PublishOptions::LISTS.contains(&key))
        {
            return None;
        }
        let texts = |list: Option<Vec<&'a str>>| list.map(HashSet::from_iter);
        let excluded = |list: Option<Vec<&'a str>>| HashSet::from_iter(list.unwrap_or_default());
        Some(Self {
            exclude: HashSet::from_iter(options.exclude().unwrap_or_default()),
            exclude_authid: excluded(options.exclude_authid()),
            exclude_authrole: excluded(options.exclude_authrole()),
            eligible: options.eligible().map(HashSet::from_iter),
            eligible_authid: texts(options.eligible_authid()),
            eligible_authrole: texts(options.eligible_authrole()),
        })
    }

    fn include(&self, session: SessionId) -> bool {
        let eligible = self.eligible.as_ref();
        !self.exclude.contains(&session) && eligible.is_none_or(|list| list.contains(&session))
    }

    fn include_principal(&self, principal: &Principal) -> bool {
        let (authid, authrole) = (principal.authid.as_str(), principal.authrole.as_str());
        !self.exclude_authid.contains(authid)
            && !self.exclude_authrole.contains(authrole)
            && self
                .eligible_authid
                .as_ref()
                .is_none_or(|list| list.contains(authid))
            && self
                .eligible_authrole
                .as_ref()
                .is_none_or(|list| list.contains(authrole))
    }
}
