//! What a session is told that is killed.

use spell_message::{Uri, message::Goodbye, options::GoodbyeDetails, reason};

use crate::realm::static_uri;

/// What a session is told that is killed: the reason and the message of its GOODBYE.
///
/// Without anything set, the reason is `wamp.close.killed`, and there is no message.
///
/// ```
/// use spell_router::Farewell;
/// use spell_message::Uri;
///
/// let farewell = Farewell::new()
///     .reason(Uri::new("com.example.maintenance")?)
///     .message("back in an hour");
/// # let _ = farewell;
/// # Ok::<(), spell_message::InvalidUri>(())
/// ```
///
/// WAMP spec, "Session Meta API".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "it is told to nobody yet"]
pub struct Farewell {
    reason: Option<Uri>,
    message: Option<String>,
}

impl Farewell {
    /// The default reason, and no message.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets why; `wamp.close.killed` by default.
    pub fn reason(mut self, reason: Uri) -> Self {
        self.reason = Some(reason);
        self
    }

    /// Adds a text for people.
    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into());
        self
    }

    pub(crate) fn goodbye(&self) -> Goodbye {
        let mut details = GoodbyeDetails::new();
        if let Some(message) = &self.message {
            details.set_message(message);
        }
        let reason = self.reason.clone();
        Goodbye {
            details,
            reason: reason.unwrap_or_else(|| static_uri(reason::KILLED)),
        }
    }
}
