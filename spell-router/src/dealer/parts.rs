//! Calls whose arguments come in parts.

use spell_message::{RequestId, SessionId, message::Call};

use super::{Dealer, open_call::OpenCall, party::Party, undeliverable};
use crate::{
    error::Violation,
    outgoing::Outputs,
    work::{Cause, InvocationWork, Prepared},
};

impl Dealer {
    /// Another part of the arguments of a call goes to the callee that has the first one.
    ///
    /// One for a call that is over is discarded, for the caller cannot know that yet. Nothing is
    /// remembered of such calls, so whatever has an id that was used passes for one.
    ///
    /// WAMP spec, "Continuations on Completed Calls" and "Verification of CALL Request IDs".
    pub(crate) fn go_on(
        &mut self,
        from: SessionId,
        mut message: Call,
        prepared: Option<Prepared>,
        out: &mut Outputs,
    ) -> Result<Option<Box<InvocationWork>>, Violation> {
        let call = message.request;
        if let Some(caller) = self.parties.get_mut(&from) {
            // The first part is not enough for another callee any more.
            caller.stay(call);
        }
        let caller = self.parties.get(&from);
        let Some(open) = caller.and_then(|caller| caller.calls.get(&call)) else {
            return Ok(None);
        };
        let Some(input) = open.input().filter(|input| input.open) else {
            return Err(Violation::CompleteCall(call));
        };
        if input.procedure != message.procedure {
            return Err(Violation::OtherProcedure(call));
        }
        if open.interrupted {
            // The callee is about to stop.
            return Ok(None);
        }
        let (invocation, callee) = (open.invocation, self.parties.get(&open.callee));
        match prepared.map(|prepared| prepared.into_parts(Some(invocation))) {
            Some(Ok((_, payload))) => message.payload = payload,
            Some(Err(why)) => {
                self.abandon(from, call, undeliverable(why), out);
                return Ok(None);
            }
            None if callee.is_some_and(|callee| {
                let assignment = &input.assignment;
                assignment.is_surely_carried(&callee.line, &message.payload)
            }) => {}
            None => {
                let draft = self.draft(input.assignment.clone(), Some(invocation), &message, 0);
                return Ok(draft.map(|draft| InvocationWork::new(Cause::Part(message), draft)));
            }
        }
        let open = self.open_call(from, call);
        if let Some(input) = open.and_then(OpenCall::input_mut) {
            // WAMP spec, "Freezing of Options in Progressive Call Invocations": of the options of
            // this part only `progress` counts; the callee is told what it was told with the first.
            input.open = message.options.progress() == Some(true);
            let assignment = &input.assignment;
            let part = assignment.invocation(invocation, &message.options, message.payload);
            out.send(assignment.callee, part);
        }
        Ok(None)
    }

    /// Whether a session may send the arguments of a call in parts.
    pub(crate) fn may_go_on(&self, from: SessionId) -> bool {
        let caller = self.parties.get(&from);
        caller.is_some_and(Party::may_send_progress)
    }

    /// A part of the arguments of a call with a procedure that is no URI. It is another one than the
    /// call began with, unless that is over.
    pub(crate) fn refuse_part(&self, from: SessionId, call: RequestId) -> Result<(), Violation> {
        let caller = self.parties.get(&from);
        if caller.is_some_and(|caller| caller.calls.contains_key(&call)) {
            Err(Violation::OtherProcedure(call))
        } else {
            Ok(())
        }
    }
}
