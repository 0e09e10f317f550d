//! What a callee may tell a caller beside its error.

use spell_message::options::ErrorDetails;

/// What the caller gets of the details of a callee's error: all that is the application's. The
/// rest only a router may say, so that nobody passes for another callee.
///
/// WAMP spec, "ERROR".
pub(crate) fn forwarded(details: ErrorDetails) -> ErrorDetails {
    if details.is_empty() {
        return details;
    }
    let details = details.into_dict().into_iter();
    let own = details.filter(|(key, _)| !NOT_FORWARDED.contains(&key.as_str()));
    // Nothing of this was wrong before.
    ErrorDetails::from_dict(own.collect()).unwrap_or_default()
}

const NOT_FORWARDED: [&str; 4] = ["callee", "callee_authid", "callee_authrole", "forward_for"];
