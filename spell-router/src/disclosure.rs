//! Who learns who publishes and who calls.

use spell_message::reason;

/// Who learns who publishes and who calls: the session, its `authid` and its `authrole`.
///
/// ```
/// use spell_router::{Disclosure, Realm};
///
/// let realm = Realm::new("com.example.realm").disclosure(Disclosure::Always);
/// # let _ = realm;
/// ```
///
/// WAMP spec, "Publisher Identification" and "Caller Identification".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Disclosure {
    /// Receivers learn who it is where the publisher or caller wants it, by `disclose_me`, and
    /// callees where they want it themselves, by `disclose_caller`.
    #[default]
    OnRequest,
    /// Nobody is disclosed. Who wants to be is refused, with
    /// `wamp.error.option_disallowed.disclose_me`.
    Never,
    /// Everyone is disclosed, whatever they want.
    Always,
}

impl Disclosure {
    /// Whether someone is to be disclosed who has set `disclose_me` so, or has not set it.
    ///
    /// # Errors
    ///
    /// The URI of the error if that is not to be had.
    pub(crate) fn judge(self, disclose_me: Option<bool>) -> Result<bool, &'static str> {
        match (self, disclose_me) {
            (Self::Always, _) | (Self::OnRequest, Some(true)) => Ok(true),
            (Self::OnRequest, _) | (Self::Never, Some(false) | None) => Ok(false),
            (Self::Never, Some(true)) => Err(reason::DISCLOSE_ME_DISALLOWED),
        }
    }
}
