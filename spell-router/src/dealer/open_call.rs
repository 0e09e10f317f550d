//! What the dealer remembers of a call that is under way.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use spell_message::{RegistrationId, RequestId, SessionId, Uri, message::Call};

use super::assignment::Assignment;

/// A call that is under way, and who works on it.
#[derive(Debug)]
pub(super) struct OpenCall {
    pub(super) callee: SessionId,
    pub(super) invocation: RequestId,
    pub(super) interrupted: bool,
    /// What only some calls need.
    pub(super) extra: Option<Box<Extra>>,
}

/// What the dealer remembers of a call only if it is timed, progressive or may be re-routed.
#[derive(Debug)]
pub(super) struct Extra {
    pub(super) timer: Option<Timer>,
    pub(super) input: Option<Input>,
    pub(super) retry: Option<Retry>,
}

/// When the dealer gives a call up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timer {
    pub(super) deadline: Instant,
    /// How long each result may take.
    pub(super) limit: Duration,
}

/// The arguments of a call that come in parts.
#[derive(Debug)]
pub(super) struct Input {
    pub(super) procedure: Uri,
    /// What the callee was told with the first part, and is told again with each other one.
    pub(super) assignment: Assignment,
    /// Whether there are more parts to come.
    pub(super) open: bool,
}

/// What it takes to call another callee.
#[derive(Clone, Debug)]
pub(super) struct Retry {
    pub(super) call: Call,
    pub(super) registration: RegistrationId,
    /// Who cannot serve the call.
    pub(super) unavailable: BTreeSet<SessionId>,
}

impl OpenCall {
    pub(super) fn input(&self) -> Option<&Input> {
        self.extra.as_ref()?.input.as_ref()
    }

    pub(super) fn input_mut(&mut self) -> Option<&mut Input> {
        self.extra.as_mut()?.input.as_mut()
    }

    pub(super) fn retry_mut(&mut self) -> Option<&mut Retry> {
        self.extra.as_mut()?.retry.as_mut()
    }

    pub(super) fn timer(&self) -> Option<Timer> {
        self.extra.as_ref()?.timer
    }

    /// How many bytes of arguments are kept to call another callee with.
    pub(super) fn kept(&self) -> usize {
        let retry = self.extra.as_ref().and_then(|extra| extra.retry.as_ref());
        retry.map_or(0, |retry| retry.call.payload.len())
    }
}

impl Extra {
    /// These, unless there are none.
    pub(super) fn of(
        timer: Option<Timer>,
        input: Option<Input>,
        retry: Option<Retry>,
    ) -> Option<Box<Self>> {
        let any = timer.is_some() || input.is_some() || retry.is_some();
        any.then(|| {
            Box::new(Self {
                timer,
                input,
                retry,
            })
        })
    }
}

/// How long a call may take; `None` if for ever.
///
/// WAMP spec, "Call Timeouts".
pub(super) fn limit(call: &Call) -> Option<Duration> {
    let limit = call.options.timeout().filter(|limit| *limit > 0);
    limit.map(Duration::from_millis)
}
