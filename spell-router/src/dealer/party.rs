//! A session, as caller and as callee.

use spell_message::{Feature, RequestId, RequestIds, RoleName, SessionId};

use super::open_call::OpenCall;
use crate::{announced::Announced, carrier::Line, id_map::IdMap, passthru};

/// One session, as caller and as callee.
#[derive(Debug)]
pub(super) struct Party {
    pub(super) line: Line,
    announced: Announced,
    /// How far its calls are trusted, as callees are to be told.
    pub(super) trustlevel: Option<u64>,
    pub(super) calls: IdMap<RequestId, OpenCall>,
    /// How many bytes of arguments are kept to call another callee with.
    pub(super) kept: usize,
    pub(super) invocations: IdMap<RequestId, Origin>,
    pub(super) invocation_ids: RequestIds,
}

/// Whose call an invocation serves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin {
    pub(super) caller: SessionId,
    pub(super) call: RequestId,
    /// Whether the caller gets results as they come.
    pub(super) receive_progress: bool,
}

impl Party {
    pub(super) fn new(announced: Announced, trustlevel: Option<u64>, line: Line) -> Self {
        Self {
            line,
            announced,
            trustlevel,
            calls: IdMap::default(),
            kept: 0,
            invocations: IdMap::default(),
            invocation_ids: RequestIds::default(),
        }
    }

    /// Gives an invocation its id.
    pub(super) fn take_on(&mut self, origin: Origin) -> RequestId {
        let invocation = self.invocation_ids.next();
        self.invocation_ids.advance();
        self.invocations.insert(invocation, origin);
        invocation
    }

    /// Lets a call stay with its callee: forgets what it would take to call another one.
    pub(super) fn stay(&mut self, call: RequestId) {
        if let Some(open) = self.calls.get_mut(&call) {
            self.kept = self.kept.saturating_sub(open.kept());
            if let Some(extra) = &mut open.extra {
                extra.retry = None;
            }
        }
    }

    /// Whether it is sent INTERRUPT. WAMP spec, "Call Canceling".
    pub(super) fn is_interruptible(&self) -> bool {
        self.is_callee_with(Feature::CallCanceling)
    }

    /// Whether it may give results as they come. WAMP spec, "Progressive Call Results": only a
    /// callee that can be interrupted.
    pub(super) fn yields_progress(&self) -> bool {
        self.is_interruptible() && self.is_callee_with(Feature::ProgressiveCallResults)
    }

    /// Whether it takes arguments as they come. WAMP spec, "Progressive Call Invocations": only a
    /// callee that can be interrupted.
    pub(super) fn takes_progress(&self) -> bool {
        self.is_interruptible() && self.is_callee_with(Feature::ProgressiveCallInvocations)
    }

    /// Whether it may watch over time-outs itself. WAMP spec, "Call Timeouts".
    pub(super) fn watches_timeouts(&self) -> bool {
        self.is_callee_with(Feature::CallTimeout)
    }

    /// WAMP spec, "Registration Revocation".
    pub(super) fn learns_of_revocations(&self) -> bool {
        self.is_callee_with(Feature::RegistrationRevocation)
    }

    /// WAMP spec, "Progressive Call Invocations".
    pub(super) fn may_send_progress(&self) -> bool {
        self.announced
            .supports(RoleName::Caller, Feature::ProgressiveCallInvocations)
    }

    /// Whether, as a callee, it takes payloads that pass through.
    pub(super) fn takes_passthru(&self) -> bool {
        passthru::is_announced(self.announced, RoleName::Callee)
    }

    /// Whether, as a caller, it reads results that pass through.
    pub(super) fn reads_passthru(&self) -> bool {
        passthru::is_announced(self.announced, RoleName::Caller)
    }

    fn is_callee_with(&self, feature: Feature) -> bool {
        self.announced.supports(RoleName::Callee, feature)
    }
}
