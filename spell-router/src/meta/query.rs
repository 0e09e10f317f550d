//! What is asked of registrations and of subscriptions: the same of both.

use spell_message::{Dict, InvalidId, MatchPolicy, Pattern, Uri, Value};

use crate::{
    environment::Moment,
    meta::{
        Refused, Revocation,
        arguments::{Arguments, checked_pattern},
    },
    timestamp::Timestamp,
};

/// What is asked of the registrations of a realm, or of its subscriptions, which these ids name.
///
/// WAMP spec, "Registration Meta API" and "Subscriptions Meta API".
#[derive(Debug)]
pub(crate) enum Query<I> {
    /// Which there are.
    List,
    /// The one to this very pattern.
    Lookup(Pattern),
    /// The best one that matches, or all of them.
    Match(Uri),
    /// What is known of it.
    Get(I),
    /// Whose it is.
    Sessions(I),
    CountSessions(I),
    /// It is to be taken from this session.
    Remove(I, Revocation),
}

impl<I: TryFrom<u64, Error = InvalidId>> Query<I> {
    pub(crate) fn lookup(
        arguments: &mut Arguments,
        name: &str,
        policy: fn(Dict) -> Result<Option<MatchPolicy>, Refused>,
    ) -> Result<Self, Refused> {
        let text = arguments.text(name)?;
        let options = arguments.optional_dict("options")?;
        let policy = policy(options.unwrap_or_default())?;
        let pattern = checked_pattern(&text, policy.unwrap_or_default(), name)?;
        Ok(Self::Lookup(pattern))
    }

    /// That one is to be taken from a session.
    pub(crate) fn remove(
        arguments: &mut Arguments,
        name: &str,
        session: &str,
    ) -> Result<Self, Refused> {
        let id = arguments.id(name)?;
        let mut revocation = Revocation::new().session(arguments.id(session)?);
        if let Some(reason) = arguments.text_keyword("reason")? {
            revocation = revocation.reason(reason);
        }
        Ok(Self::Remove(id, revocation))
    }
}

/// Those of each kind.
pub(crate) fn lists<I: Into<Value>>(such: impl Fn(MatchPolicy) -> Vec<I>) -> Dict {
    let policies = [
        MatchPolicy::Exact,
        MatchPolicy::Prefix,
        MatchPolicy::Wildcard,
    ];
    let lists = policies.map(|policy| (policy.as_str(), Value::from(such(policy))));
    Dict::from(lists)
}

/// What is known of one of them.
pub(crate) fn details(id: impl Into<Value>, created: Moment, pattern: &Pattern) -> Dict {
    Dict::from([
        ("id", id.into()),
        (
            "created",
            Timestamp::from(created.system).to_string().into(),
        ),
        ("uri", pattern.as_str().into()),
        ("match", pattern.policy().as_str().into()),
    ])
}
