//! Who is to work on a call.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use spell_message::{
    MatchPolicy, Payload, RegistrationId, RequestId, SessionId, Uri, Value,
    message::{Call, Invocation},
    options::{CallOptions, InvocationDetails},
    reason,
};

use super::{Dealer, Refusal, Surroundings, party::Party, undeliverable};
use crate::{
    Disclosure,
    carrier::Line,
    outgoing::Outgoing,
    passthru::{self, Attributed},
    quotas::LIMIT_EXCEEDED,
    traced::Traced,
    work::{Draft, Prepared},
};

/// Who is to work on a call, and what it is told beside the arguments.
#[derive(Clone, Debug)]
pub(crate) struct Assignment {
    pub(super) registration: RegistrationId,
    pub(super) callee: SessionId,
    /// All but the name, and `progress`, in which the parts of a call differ.
    details: InvocationDetails,
    /// The procedure, where the registration does not tell it.
    name: Option<Uri>,
    /// Whether the caller gets results as they come.
    pub(super) receive_progress: bool,
    /// When the dealer gives the call up, if it watches over that.
    pub(super) deadline: Option<Instant>,
    /// Whether there are other callees.
    pub(super) shared: bool,
}

/// A call that seeks its callee.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt<'a> {
    pub(super) caller: SessionId,
    pub(super) trustlevel: Option<u64>,
    pub(super) call: &'a Call,
    pub(super) registration: RegistrationId,
    pub(super) unavailable: &'a BTreeSet<SessionId>,
    /// How much time there is.
    pub(super) left: Option<Duration>,
}

/// How the arguments of a call get to its callee.
#[derive(Debug)]
pub(super) enum Carriage {
    /// As they are, or as the work has made them.
    Ready(Assignment, Option<Payload>),
    /// After some work, which was done so often before.
    After(Assignment, usize),
}

impl Assignment {
    /// The message to the callee, for one part of the call or the only one.
    pub(super) fn invocation(
        &self,
        request: RequestId,
        options: &CallOptions,
        payload: Payload,
    ) -> Outgoing {
        let mut details = self.details.clone();
        if options.progress() == Some(true) {
            details.set_progress(true);
        }
        let invocation = Invocation {
            request,
            registration: self.registration,
            details,
            payload,
        };
        Outgoing::invocation(invocation, self.name.clone())
    }

    /// Whether the message to the callee is surely carried as it is.
    pub(super) fn is_surely_carried(&self, line: &Line, payload: &Payload) -> bool {
        let texts = self.details.as_dict().values().filter_map(Value::as_str);
        line.surely_carries(payload, texts.chain(self.name.as_deref()))
    }
}

impl Dealer {
    /// Finds out who is to work on a call, and whether that takes work before.
    pub(super) fn carry(
        &mut self,
        attempt: Attempt<'_>,
        prepared: Option<Prepared>,
        around: &mut Surroundings<'_>,
    ) -> Result<Carriage, Refusal> {
        let done = match prepared {
            None => 0,
            Some(prepared) if self.stands(&prepared.assignment, attempt.unavailable) => {
                let callee = self.parties.get(&prepared.assignment.callee);
                let next = callee.map(|callee| callee.invocation_ids.next());
                let parts = prepared.into_parts(next);
                let (assignment, payload) = parts.map_err(undeliverable)?;
                return Ok(Carriage::Ready(assignment, Some(payload)));
            }
            Some(prepared) if prepared.done >= MOST_WORK => {
                let explanation = "the procedure changes its callee all the time";
                return Err((reason::NO_AVAILABLE_CALLEE, Some(explanation)));
            }
            Some(prepared) => prepared.done,
        };
        let (assignment, callee) = self.assign(attempt, around)?;
        if assignment.is_surely_carried(&callee.line, &attempt.call.payload) {
            Ok(Carriage::Ready(assignment, None))
        } else {
            Ok(Carriage::After(assignment, done))
        }
    }

    /// The message to the callee as it would be now, to be prepared; with the id of an invocation
    /// under way, or the next one.
    pub(super) fn draft(
        &self,
        assignment: Assignment,
        invocation: Option<RequestId>,
        call: &Call,
        done: usize,
    ) -> Option<Draft> {
        let callee = self.parties.get(&assignment.callee)?;
        let invocation = invocation.unwrap_or_else(|| callee.invocation_ids.next());
        let message = assignment.invocation(invocation, &call.options, call.payload.clone());
        Some(Draft {
            assignment,
            line: callee.line.clone(),
            invocation,
            message,
            done,
        })
    }

    /// Chooses a callee by the policy of the registration.
    fn assign(
        &mut self,
        attempt: Attempt<'_>,
        around: &mut Surroundings<'_>,
    ) -> Result<(Assignment, &Party), Refusal> {
        let none = (reason::NO_AVAILABLE_CALLEE, None);
        let registered = self.registrations.get_mut(attempt.registration);
        let registered = registered.ok_or(none)?;
        let shared = registered.callees().len() > 1;
        let named = registered.pattern.policy() != MatchPolicy::Exact;
        let chosen = registered.choose(attempt.unavailable, &mut around.environment.random);
        let chosen = chosen.ok_or(none)?;
        let callee = self.parties.get(&chosen.session).ok_or(none)?;
        if callee.invocations.len() >= self.quotas.invocations {
            let explanation = "the callee has as many open invocations as it may";
            return Err((LIMIT_EXCEEDED, Some(explanation)));
        }
        let options = &attempt.call.options;
        if options.progress() == Some(true) && !callee.takes_progress() {
            let explanation = "the callee does not take its arguments in parts";
            return Err((reason::FEATURE_NOT_SUPPORTED, Some(explanation)));
        }
        let is_passthru = passthru::is_used(options.as_dict());
        if is_passthru && !callee.takes_passthru() {
            let explanation = "the callee does not take payloads that pass through";
            return Err((reason::FEATURE_NOT_SUPPORTED, Some(explanation)));
        }
        let mut details = InvocationDetails::new();
        details.describe(options.as_dict());
        details.trace(options.traceparent(), options.tracestate());
        details = details.told_to(callee.takes_passthru());
        let disclosed = self.disclosure.judge(options.disclose_me());
        let disclosed = disclosed.map_err(|error| (error, Some("this realm discloses nobody")))?
            || chosen.disclose_caller && self.disclosure != Disclosure::Never;
        if disclosed && let Some(caller) = around.members.get(&attempt.caller) {
            let principal = &caller.principal;
            details
                .set_caller(attempt.caller)
                .set_caller_authid(principal.authid.as_str())
                .set_caller_authrole(principal.authrole.as_str());
        }
        if let Some(level) = attempt.trustlevel {
            details.set_trustlevel(level);
        }
        let receive_progress = options.receive_progress() == Some(true) && callee.yields_progress();
        if receive_progress {
            details.set_receive_progress(true);
        }
        let mut deadline = None;
        if let Some(left) = attempt.left {
            // WAMP spec, "Call Timeouts": one of the two watches over it.
            if chosen.forward_timeout && callee.watches_timeouts() {
                details.set_timeout(u64::try_from(left.as_millis()).unwrap_or(u64::MAX).max(1));
            } else {
                deadline = (around.environment.clock)().instant.checked_add(left);
            }
        }
        let assignment = Assignment {
            registration: attempt.registration,
            callee: chosen.session,
            details,
            name: named.then(|| attempt.call.procedure.clone()),
            receive_progress,
            deadline,
            shared,
        };
        Ok((assignment, callee))
    }

    /// Whether the callee may still be given a call that was prepared for it.
    fn stands(&self, assignment: &Assignment, unavailable: &BTreeSet<SessionId>) -> bool {
        let callee = assignment.callee;
        let registered = self.registrations.get(assignment.registration);
        let party = self.parties.get(&callee);
        !unavailable.contains(&callee)
            && registered.is_some_and(|registered| registered.has(callee))
            && party.is_some_and(|party| party.invocations.len() < self.quotas.invocations)
    }
}

/// How often a call is prepared anew because its callee changed meanwhile.
const MOST_WORK: usize = 3;
