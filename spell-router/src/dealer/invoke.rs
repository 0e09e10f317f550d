//! Calls on their way to a callee.

use std::{collections::BTreeSet, mem};

use spell_message::{
    Payload, SessionId,
    message::{Call, RequestKind},
    reason,
};

use super::{
    Dealer, Refusal, Surroundings,
    assignment::{Assignment, Attempt, Carriage},
    open_call::{Extra, Input, OpenCall, Retry, Timer, limit},
    party::Origin,
};
use crate::{
    error::Violation,
    outgoing::Outputs,
    quotas::LIMIT_EXCEEDED,
    realm::refusal,
    work::{Cause, InvocationWork, Prepared},
};

impl Dealer {
    /// Invokes a callee, unless there is work to do before.
    pub(crate) fn call(
        &mut self,
        from: SessionId,
        message: Call,
        around: &mut Surroundings<'_>,
        out: &mut Outputs,
    ) -> Option<Box<InvocationWork>> {
        self.invoke(from, message, None, around, out)
    }

    /// Goes on once the work is done. There is more if it is another callee by now.
    pub(crate) fn resume(
        &mut self,
        from: SessionId,
        cause: Cause,
        prepared: Prepared,
        around: &mut Surroundings<'_>,
        out: &mut Outputs,
    ) -> Result<Option<Box<InvocationWork>>, Violation> {
        let prepared = Some(prepared);
        match cause {
            Cause::Call(message) => Ok(self.invoke(from, message, prepared, around, out)),
            Cause::Part(message) => self.go_on(from, message, prepared, out),
            Cause::Unavailable(invocation) => {
                Ok(self.reroute(from, invocation, prepared, around, out))
            }
        }
    }

    fn invoke(
        &mut self,
        from: SessionId,
        message: Call,
        prepared: Option<Prepared>,
        around: &mut Surroundings<'_>,
        out: &mut Outputs,
    ) -> Option<Box<InvocationWork>> {
        let call = message.request;
        let invoked = self.try_invoke(from, message, prepared, around, out);
        invoked.unwrap_or_else(|(error, explanation)| {
            out.send(from, refusal(RequestKind::Call, call, error, explanation));
            None
        })
    }

    fn try_invoke(
        &mut self,
        from: SessionId,
        message: Call,
        prepared: Option<Prepared>,
        around: &mut Surroundings<'_>,
        out: &mut Outputs,
    ) -> Result<Option<Box<InvocationWork>>, Refusal> {
        let best = self.registrations.best(&message.procedure);
        let registration = best.ok_or((reason::NO_SUCH_PROCEDURE, None))?;
        let Some(caller) = self.parties.get(&from) else {
            return Ok(None);
        };
        if caller.calls.len() >= self.quotas.calls {
            let explanation = "the session has as many open calls as it may";
            return Err((LIMIT_EXCEEDED, Some(explanation)));
        }
        let attempt = Attempt {
            caller: from,
            trustlevel: caller.trustlevel,
            call: &message,
            registration,
            unavailable: &BTreeSet::new(),
            left: limit(&message),
        };
        match self.carry(attempt, prepared, around)? {
            Carriage::Ready(assignment, made) => {
                self.place(from, message, assignment, made, BTreeSet::new(), out);
                Ok(None)
            }
            Carriage::After(assignment, done) => {
                let draft = self.draft(assignment, None, &message, done);
                Ok(draft.map(|draft| InvocationWork::new(Cause::Call(message), draft)))
            }
        }
    }

    /// Hands a call to its callee.
    pub(super) fn place(
        &mut self,
        from: SessionId,
        mut message: Call,
        assignment: Assignment,
        made: Option<Payload>,
        unavailable: BTreeSet<SessionId>,
        out: &mut Outputs,
    ) {
        let call = message.request;
        let keeps = assignment.shared && self.has_room_for(from, &message.payload);
        let payload = match made {
            Some(payload) => payload,
            None if keeps => message.payload.clone(),
            None => mem::take(&mut message.payload),
        };
        let callee = assignment.callee;
        let Some(party) = self.parties.get_mut(&callee) else {
            return;
        };
        let invocation = party.take_on(Origin {
            caller: from,
            call,
            receive_progress: assignment.receive_progress,
        });
        out.send(
            callee,
            assignment.invocation(invocation, &message.options, payload),
        );
        let Some(caller) = self.parties.get_mut(&from) else {
            return;
        };
        let timer = assignment.deadline.and_then(|deadline| {
            self.deadlines.insert(deadline, from, call);
            let limit = limit(&message)?;
            Some(Timer { deadline, limit })
        });
        let registration = assignment.registration;
        let input = (message.options.progress() == Some(true)).then(|| Input {
            procedure: message.procedure.clone(),
            assignment,
            open: true,
        });
        let retry = keeps.then_some(Retry {
            call: message,
            registration,
            unavailable,
        });
        let open = OpenCall {
            callee,
            invocation,
            interrupted: false,
            extra: Extra::of(timer, input, retry),
        };
        caller.kept = caller.kept.saturating_add(open.kept());
        caller.calls.insert(call, open);
    }

    /// Whether these arguments may be kept to call another callee with.
    fn has_room_for(&self, caller: SessionId, payload: &Payload) -> bool {
        let kept = self.parties.get(&caller).map(|caller| caller.kept);
        kept.is_some_and(|kept| kept.saturating_add(payload.len()) <= self.quotas.kept)
    }
}
