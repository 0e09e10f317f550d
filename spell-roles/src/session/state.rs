use std::time::{Duration, Instant};

use spell_message::message::{Goodbye, Welcome};

/// Where a session stands.
///
/// WAMP spec, "Session State Chart".
#[derive(Debug)]
pub(super) enum State {
    Closed,
    /// Authenticators say what HELLO must have.
    Preparing,
    HelloSent,
    /// An authenticator answers a challenge.
    Challenged,
    /// AUTHENTICATE is sent.
    Authenticating,
    /// Authenticators check the router's own proof.
    Checking(Box<Welcome>),
    Established,
    /// GOODBYE is to be sent once what is under way is finished.
    Draining {
        goodbye: Box<Goodbye>,
        /// How long that may take.
        limit: Duration,
        /// The same as a time; `None` when that is beyond all time.
        by: Option<Instant>,
        is_overdue: bool,
    },
    /// GOODBYE is sent.
    Leaving {
        /// By when the router must answer; `None` when that is beyond all time.
        by: Option<Instant>,
        /// In which time what was under way was not finished, if so.
        overdue: Option<Duration>,
    },
}

impl State {
    /// For the text of a violation.
    pub(super) fn when(&self) -> &'static str {
        match self {
            Self::Closed | Self::Preparing => "before HELLO",
            Self::HelloSent => "after HELLO",
            Self::Challenged => "before AUTHENTICATE",
            Self::Authenticating => "after AUTHENTICATE",
            Self::Checking(_) | Self::Established | Self::Draining { .. } => "in a session",
            Self::Leaving { .. } => "after GOODBYE",
        }
    }
}
