//! Calls that another callee has to serve.

use spell_message::{RequestId, SessionId, message::RequestKind, reason};

use super::{
    Dealer, Refusal, Surroundings,
    assignment::{Attempt, Carriage},
    open_call::limit,
    party::Origin,
};
use crate::{
    outgoing::Outputs,
    realm::refusal,
    work::{Cause, InvocationWork, Prepared},
};

impl Dealer {
    /// A callee said that it is unavailable: the call goes to another one, unless there is work to
    /// do before. Until that is done the invocation stays open.
    ///
    /// That is possible as long as the callee has got all the arguments at once and has given no
    /// result, and if the registration had other callees when it was chosen. Otherwise, and once
    /// all are unavailable, the call fails.
    ///
    /// WAMP spec, "Call Re-Routing".
    pub(super) fn reroute(
        &mut self,
        callee: SessionId,
        invocation: RequestId,
        prepared: Option<Prepared>,
        around: &mut Surroundings<'_>,
        out: &mut Outputs,
    ) -> Option<Box<InvocationWork>> {
        let origin = self.origin(callee, invocation)?;
        let rerouted = self.try_reroute(callee, invocation, prepared, around, out);
        rerouted.unwrap_or_else(|(error, explanation)| {
            self.end(callee, invocation);
            let error = refusal(RequestKind::Call, origin.call, error, explanation);
            out.send(origin.caller, error);
            None
        })
    }

    fn try_reroute(
        &mut self,
        callee: SessionId,
        invocation: RequestId,
        prepared: Option<Prepared>,
        around: &mut Surroundings<'_>,
        out: &mut Outputs,
    ) -> Result<Option<Box<InvocationWork>>, Refusal> {
        let none = (reason::NO_AVAILABLE_CALLEE, None);
        let origin = self.origin(callee, invocation).ok_or(none)?;
        let Origin { caller, call, .. } = origin;
        let party = self.parties.get_mut(&caller).ok_or(none)?;
        let trustlevel = party.trustlevel;
        let open = party.calls.get_mut(&call).ok_or(none)?;
        if open.interrupted {
            // The caller waits only for the callee to stop.
            return Err((reason::CANCELED, None));
        }
        let timer = open.timer();
        let retry = open.retry_mut().ok_or(none)?;
        retry.unavailable.insert(callee);
        let retry = retry.clone();
        let left = match timer {
            Some(timer) => {
                let now = (around.environment.clock)().instant;
                Some(timer.deadline.saturating_duration_since(now))
            }
            None => limit(&retry.call),
        };
        let attempt = Attempt {
            caller,
            trustlevel,
            call: &retry.call,
            registration: retry.registration,
            unavailable: &retry.unavailable,
            left,
        };
        match self.carry(attempt, prepared, around)? {
            Carriage::Ready(assignment, made) => {
                self.end(callee, invocation);
                self.place(caller, retry.call, assignment, made, retry.unavailable, out);
                Ok(None)
            }
            Carriage::After(assignment, done) => {
                let draft = self.draft(assignment, None, &retry.call, done);
                let cause = Cause::Unavailable(invocation);
                Ok(draft.map(|draft| InvocationWork::new(cause, draft)))
            }
        }
    }
}
