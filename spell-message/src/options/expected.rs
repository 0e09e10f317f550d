use std::fmt;

use crate::{
    Dict, MatchPolicy, SessionId, Uri, Value,
    options::{
        CancelMode, InvocationPolicy,
        trace::{is_traceparent, is_tracestate},
    },
};

/// A known key of some options or details has a wrong type or value.
///
/// WAMP spec, "Protocol Errors": a message with such a key violates the protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidOption {
    place: &'static str,
    key: &'static str,
    expected: Expected,
    found: &'static str,
}

impl InvalidOption {
    /// Message and field, such as `PUBLISH.Options`.
    pub fn place(&self) -> &'static str {
        self.place
    }

    /// The key with the wrong value.
    pub fn key(&self) -> &'static str {
        self.key
    }
}

impl fmt::Display for InvalidOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: `{}` must be {}, not {}",
            self.place,
            self.key,
            self.expected.describe(),
            self.found
        )
    }
}

impl std::error::Error for InvalidOption {}

/// What the specification says of the value of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    Flag,
    Integer,
    Text,
    Uri,
    Id,
    Ids,
    Texts,
    Dict,
    Dicts,
    Roles,
    MatchPolicy,
    InvocationPolicy,
    CancelMode,
    TraceParent,
    TraceState,
}

impl Expected {
    /// Null counts as absent: some peers send it for what they do not know.
    fn accepts(self, value: &Value) -> bool {
        let all = |of: fn(&Value) -> bool| value.as_list().is_some_and(|list| list.iter().all(of));
        value.is_null()
            || match self {
                Self::Flag => value.as_bool().is_some(),
                Self::Integer => value.as_u64().is_some(),
                Self::Text => is_text(value),
                Self::Uri => value.as_str().is_some_and(|text| Uri::new(text).is_ok()),
                Self::Id => is_id(value),
                Self::Ids => all(is_id),
                Self::Texts => all(is_text),
                Self::Dict => value.as_dict().is_some(),
                Self::Dicts => all(|value| value.as_dict().is_some()),
                Self::Roles => value.as_dict().is_some_and(|roles| {
                    roles
                        .values()
                        .all(|role| role.is_null() || role.as_dict().is_some())
                }),
                Self::MatchPolicy => is_one_of::<MatchPolicy>(value),
                Self::InvocationPolicy => is_one_of::<InvocationPolicy>(value),
                Self::CancelMode => is_one_of::<CancelMode>(value),
                Self::TraceParent => value.as_str().is_some_and(is_traceparent),
                Self::TraceState => value.as_str().is_some_and(is_tracestate),
            }
    }

    fn describe(self) -> &'static str {
        match self {
            Self::Flag => "a boolean",
            Self::Integer => "a non-negative integer",
            Self::Text => "a string",
            Self::Uri => "a URI",
            Self::Id => "an id from 1 to 2^53",
            Self::Ids => "a list of ids from 1 to 2^53",
            Self::Texts => "a list of strings",
            Self::Dict => "a dictionary",
            Self::Dicts => "a list of dictionaries",
            Self::Roles => "a dictionary of roles",
            Self::MatchPolicy => r#""exact", "prefix" or "wildcard""#,
            Self::InvocationPolicy => r#""single", "roundrobin", "random", "first" or "last""#,
            Self::CancelMode => r#""skip", "kill" or "killnowait""#,
            Self::TraceParent => "a traceparent as in W3C Trace Context",
            Self::TraceState => "a tracestate as in W3C Trace Context",
        }
    }

    /// What was found, for the message of an error; never the value itself, it may be secret.
    fn found(self, value: &Value) -> &'static str {
        match (self, value) {
            (
                Self::Uri
                | Self::MatchPolicy
                | Self::InvocationPolicy
                | Self::CancelMode
                | Self::TraceParent
                | Self::TraceState,
                Value::String(_),
            ) => "another string",
            (Self::Id | Self::Integer, Value::Unsigned(_) | Value::Signed(_)) => "another integer",
            (Self::Ids | Self::Texts | Self::Dicts, Value::List(_)) => "a list of something else",
            (_, Value::Null) => "null",
            (_, Value::Bool(_)) => "a boolean",
            (_, Value::Unsigned(_) | Value::Signed(_)) => "an integer",
            (_, Value::Float(_)) => "a float",
            (_, Value::String(_)) => "a string",
            (_, Value::Bytes(_)) => "bytes",
            (_, Value::List(_)) => "a list",
            (_, Value::Dict(_)) => "a dictionary",
        }
    }
}

fn is_text(value: &Value) -> bool {
    value.as_str().is_some()
}

fn is_id(value: &Value) -> bool {
    // All scopes of ids have the same range.
    value.as_u64().is_some_and(|id| SessionId::new(id).is_ok())
}

fn is_one_of<T: std::str::FromStr>(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.parse::<T>().is_ok())
}

/// Check the known keys of a whole dictionary.
pub(crate) fn check(
    place: &'static str,
    expected: &[(&'static str, Expected)],
    dict: &Dict,
) -> Result<(), InvalidOption> {
    dict.iter()
        .try_for_each(|(key, value)| check_one(place, expected, key, value))
}

/// Check one key.
pub(crate) fn check_one(
    place: &'static str,
    expected: &[(&'static str, Expected)],
    key: &str,
    value: &Value,
) -> Result<(), InvalidOption> {
    match expected.iter().find(|(known, _)| *known == key) {
        Some((key, expected)) if !expected.accepts(value) => Err(InvalidOption {
            place,
            key,
            expected: *expected,
            found: expected.found(value),
        }),
        _ => Ok(()),
    }
}
