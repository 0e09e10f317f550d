//! What helps against the end of a session.

use spell_message::{Dict, Value, reason};
use spell_transport::ConnectError;

use crate::CloseReason;

/// What helps against the end of a session, or of an attempt to join one.
///
/// [`CloseReason::remedy`] has the table; a [`RetryPolicy`](crate::RetryPolicy) may decide
/// otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a policy decides between these")]
pub enum Remedy {
    /// Nothing: the same would happen again. The peer ends.
    Nothing,
    /// To try again later.
    Retry,
    /// To try another router at once, as this one is going, or is not there; without another, to
    /// try again later.
    Elsewhere,
}

impl CloseReason {
    /// What helps against this end.
    ///
    /// | end | remedy |
    /// |---|---|
    /// | by the peer's own wish; a role panicked; wrong credentials, or a router that failed to prove itself; no common serialization | [`Nothing`](Remedy::Nothing) |
    /// | no connection, a broken one, no answer in time, a router that fell silent or stopped reading; `wamp.close.system_shutdown` | [`Elsewhere`](Remedy::Elsewhere) |
    /// | `wamp.error.no_such_realm`, `no_such_role`, `no_such_principal`, `no_matching_auth_method`, `authentication_denied`, `authentication_required`, `authorization_denied`, `authorization_required`, `not_authorized`, `invalid_uri`; `wamp.close.killed` | [`Nothing`](Remedy::Nothing) |
    /// | any other GOODBYE or ABORT; a router that violated the protocol; credentials that could not be had just now | [`Retry`](Remedy::Retry) |
    ///
    /// Where the details of a GOODBYE or ABORT have a `nature`, as those of Bondy do, it counts
    /// before the table: `permanent` is [`Nothing`](Remedy::Nothing), `transient` never is.
    ///
    /// ```
    /// use spell_peer::{CloseReason, Remedy};
    ///
    /// assert_eq!(CloseReason::Left.remedy(), Remedy::Nothing);
    /// assert_eq!(CloseReason::Disconnected.remedy(), Remedy::Elsewhere);
    /// ```
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::Left | Self::Stopped | Self::Authentication(_) | Self::Panicked => {
                Remedy::Nothing
            }
            Self::Connect(error) => match **error {
                ConnectError::NothingToOffer | ConnectError::UnsupportedSerialization => {
                    Remedy::Nothing
                }
                _ => Remedy::Elsewhere,
            },
            Self::Disconnected
            | Self::Transport(_)
            | Self::JoinTimeout(_)
            | Self::Unresponsive { .. }
            | Self::Overflow => Remedy::Elsewhere,
            Self::Violation(_) | Self::CredentialsUnavailable(_) => Remedy::Retry,
            Self::Goodbye(_) | Self::Aborted(_) => self.told_remedy(),
        }
    }

    /// Whether trying again cannot help.
    pub fn is_final(&self) -> bool {
        self.remedy() == Remedy::Nothing
    }

    /// What helps, by what the router told.
    fn told_remedy(&self) -> Remedy {
        let uri = self.uri().unwrap_or_default();
        let by_uri = match uri {
            reason::SYSTEM_SHUTDOWN => Remedy::Elsewhere,
            _ if FINAL.contains(&uri) => Remedy::Nothing,
            _ => Remedy::Retry,
        };
        match (self.nature(), by_uri) {
            (Some("permanent"), _) => Remedy::Nothing,
            (Some("transient"), Remedy::Nothing) => Remedy::Retry,
            _ => by_uri,
        }
    }

    /// Whether the router itself said that this will pass: reason enough to wait for it even where
    /// it was never reached before.
    #[cfg_attr(not(feature = "driver"), expect(dead_code, reason = "for the driver"))]
    pub(crate) fn is_told_to_pass(&self) -> bool {
        let passing = self.uri().is_some_and(|uri| PASSING.contains(&uri));
        matches!(self, Self::Goodbye(_) | Self::Aborted(_))
            && (passing || self.nature() == Some("transient"))
            && !self.is_final()
    }

    /// `transient` or `permanent`, where the router says so. Not in the specification.
    fn nature(&self) -> Option<&str> {
        let details: &Dict = match self {
            Self::Goodbye(message) => message.details.as_dict(),
            Self::Aborted(message) => message.details.as_dict(),
            _ => return None,
        };
        details.get("nature").and_then(Value::as_str)
    }
}

/// The reasons of a router that another attempt would meet again.
const FINAL: [&str; 11] = [
    reason::NO_SUCH_REALM,
    reason::NO_SUCH_ROLE,
    reason::NO_SUCH_PRINCIPAL,
    reason::NO_MATCHING_AUTH_METHOD,
    reason::AUTHENTICATION_DENIED,
    reason::AUTHENTICATION_REQUIRED,
    reason::AUTHORIZATION_DENIED,
    reason::AUTHORIZATION_REQUIRED,
    reason::NOT_AUTHORIZED,
    reason::INVALID_URI,
    reason::KILLED,
];

/// The reasons of a router that is there, and cannot serve just now. `authentication_failed`,
/// though of technical failures by the specification, is not among them: routers also send it for
/// wrong credentials.
const PASSING: [&str; 4] = [
    reason::SYSTEM_SHUTDOWN,
    reason::NETWORK_FAILURE,
    reason::UNAVAILABLE,
    reason::TIMEOUT,
];

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use spell_message::{
        Payload, Uri,
        message::{Abort, Goodbye},
        options::{AbortDetails, GoodbyeDetails},
    };

    use super::*;

    fn abort(uri: &str, nature: Option<Value>) -> CloseReason {
        let mut details = AbortDetails::new();
        if let Some(nature) = nature {
            details.set("nature", nature).unwrap();
        }
        CloseReason::Aborted(Arc::new(Abort {
            details,
            reason: Uri::new(uri).unwrap(),
            payload: Payload::default(),
        }))
    }

    fn goodbye(uri: &str) -> CloseReason {
        CloseReason::Goodbye(Arc::new(Goodbye {
            details: GoodbyeDetails::new(),
            reason: Uri::new(uri).unwrap(),
        }))
    }

    #[test]
    fn the_uri_of_an_end_tells_what_helps() {
        for (uri, remedy) in [
            (reason::NO_SUCH_REALM, Remedy::Nothing),
            (reason::AUTHENTICATION_DENIED, Remedy::Nothing),
            (reason::KILLED, Remedy::Nothing),
            (reason::SYSTEM_SHUTDOWN, Remedy::Elsewhere),
            (reason::AUTHENTICATION_FAILED, Remedy::Retry),
            (reason::PROTOCOL_VIOLATION, Remedy::Retry),
            (reason::CLOSE_REALM, Remedy::Retry),
            ("com.example.reason", Remedy::Retry),
        ] {
            assert_eq!(abort(uri, None).remedy(), remedy, "{uri}");
            assert_eq!(goodbye(uri).remedy(), remedy, "{uri}");
        }
    }

    #[test]
    fn the_nature_of_an_end_counts_before_its_uri() {
        let remedy = |uri, nature: &str| abort(uri, Some(nature.into())).remedy();
        assert_eq!(remedy(reason::KILLED, "transient"), Remedy::Retry);
        assert_eq!(remedy(reason::NO_SUCH_REALM, "transient"), Remedy::Retry);
        let shutdown = remedy(reason::SYSTEM_SHUTDOWN, "transient");
        assert_eq!(shutdown, Remedy::Elsewhere);
        assert_eq!(remedy("com.example.no", "permanent"), Remedy::Nothing);
        assert_eq!(remedy("com.example.no", "strange"), Remedy::Retry);
        let wrong = abort("com.example.no", Some(5.into()));
        assert_eq!(wrong.remedy(), Remedy::Retry);
    }

    #[test]
    fn only_what_the_router_calls_passing_is_waited_for_where_it_was_never_reached() {
        assert!(abort(reason::SYSTEM_SHUTDOWN, None).is_told_to_pass());
        assert!(abort("com.example.no", Some("transient".into())).is_told_to_pass());
        assert!(!abort(reason::UNAVAILABLE, Some("permanent".into())).is_told_to_pass());
        assert!(!abort("com.example.no", None).is_told_to_pass());
        assert!(!CloseReason::Disconnected.is_told_to_pass());
    }
}
