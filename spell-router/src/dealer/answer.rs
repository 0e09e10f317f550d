//! What callees answer.

use spell_message::{
    RequestId, SessionId,
    message::{ErrorMessage, RequestKind, ResultMessage, Yield},
    options::ResultDetails,
    reason,
};

use super::{
    Dealer, Surroundings,
    party::{Origin, Party},
    undeliverable,
};
use crate::{
    carrier::Undeliverable,
    details::forwarded,
    environment::Clock,
    error::Violation,
    outgoing::Outputs,
    passthru::{self, Attributed},
    realm::refusal,
    work::InvocationWork,
};

impl Dealer {
    pub(crate) fn yielded(
        &mut self,
        from: SessionId,
        message: Yield,
        clock: &Clock,
        out: &mut Outputs,
    ) -> Result<(), Violation> {
        self.check_issued(from, message.request)?;
        if passthru::is_used(message.options.as_dict()) && !self.reaches_reader(from, &message) {
            self.refuse_passthru(from, message.request, out);
        } else if message.options.progress() == Some(true) {
            self.progressed(from, message, clock, out);
        } else if let Some(Origin { caller, call, .. }) = self.end(from, message.request) {
            let result = self.result(caller, call, ResultDetails::new(), message);
            out.send(caller, result);
        }
        Ok(())
    }

    /// The RESULT that a YIELD becomes.
    fn result(
        &self,
        caller: SessionId,
        call: RequestId,
        mut details: ResultDetails,
        message: Yield,
    ) -> ResultMessage {
        details.describe(message.options.as_dict());
        ResultMessage {
            request: call,
            details: details.told_to(self.reads_passthru(caller)),
            payload: message.payload,
        }
    }

    fn reads_passthru(&self, caller: SessionId) -> bool {
        let caller = self.parties.get(&caller);
        caller.is_some_and(Party::reads_passthru)
    }

    /// Whether the caller reads results that pass through; also if there is none any more.
    fn reaches_reader(&self, from: SessionId, message: &Yield) -> bool {
        let origin = self.origin(from, message.request);
        origin.is_none_or(|origin| self.reads_passthru(origin.caller))
    }

    /// The caller cannot read the result, and so gets an error.
    ///
    /// WAMP spec, "Payload Passthru Mode", wants it for the callee, for which there is no message.
    fn refuse_passthru(&mut self, callee: SessionId, invocation: RequestId, out: &mut Outputs) {
        if let Some(Origin { caller, call, .. }) = self.origin(callee, invocation) {
            let explanation = "the result passes through, and the caller does not take such";
            let why = (reason::FEATURE_NOT_SUPPORTED, Some(explanation));
            self.abandon(caller, call, why, out);
        }
    }

    /// A part of the result. It is dropped if nobody asked for it: the callee should know, but the
    /// specification does not call it a violation.
    ///
    /// WAMP spec, "Progressive Call Results".
    fn progressed(&mut self, from: SessionId, message: Yield, clock: &Clock, out: &mut Outputs) {
        let origin = self.origin(from, message.request);
        let Some(origin) = origin.filter(|origin| origin.receive_progress) else {
            return;
        };
        let Origin { caller, call, .. } = origin;
        if let Some(party) = self.parties.get_mut(&caller) {
            // What the caller has got already another callee must not give it again.
            party.stay(call);
        }
        self.extend(caller, call, clock);
        let mut details = ResultDetails::new();
        details.set_progress(true);
        let result = self.result(caller, call, details, message);
        out.send(caller, result);
    }

    /// There is more once the work is done, if the call goes to another callee.
    pub(crate) fn failed(
        &mut self,
        from: SessionId,
        message: ErrorMessage,
        around: &mut Surroundings<'_>,
        out: &mut Outputs,
    ) -> Result<Option<Box<InvocationWork>>, Violation> {
        self.check_issued(from, message.request)?;
        if message.error == *reason::UNAVAILABLE {
            return Ok(self.reroute(from, message.request, None, around, out));
        }
        if let Some(Origin { caller, call, .. }) = self.end(from, message.request) {
            let error = ErrorMessage {
                request_kind: RequestKind::Call,
                request: call,
                details: forwarded(message.details).told_to(self.reads_passthru(caller)),
                error: message.error,
                payload: message.payload,
            };
            out.send(caller, error);
        }
        Ok(None)
    }

    /// The callee's answer could not be understood.
    pub(crate) fn fail(
        &mut self,
        callee: SessionId,
        invocation: RequestId,
        error: &'static str,
        explanation: &'static str,
        out: &mut Outputs,
    ) -> Result<(), Violation> {
        self.check_issued(callee, invocation)?;
        if let Some(Origin { caller, call, .. }) = self.end(callee, invocation) {
            let kind = RequestKind::Call;
            out.send(caller, refusal(kind, call, error, Some(explanation)));
        }
        Ok(())
    }

    /// An INVOCATION could not be sent.
    pub(crate) fn undelivered(
        &mut self,
        callee: SessionId,
        invocation: RequestId,
        why: Undeliverable,
        out: &mut Outputs,
    ) {
        let Some(Origin { caller, call, .. }) = self.origin(callee, invocation) else {
            return;
        };
        let open = self.open_call(caller, call);
        if open.is_some_and(|open| open.input().is_some()) {
            // The callee may wait for this part.
            self.abandon(caller, call, undeliverable(why), out);
        } else {
            self.end(callee, invocation);
            let (error, explanation) = undeliverable(why);
            out.send(caller, refusal(RequestKind::Call, call, error, explanation));
        }
    }

    /// A part of a result could not be sent: the call fails, unless it is over already.
    pub(crate) fn undelivered_progress(
        &mut self,
        caller: SessionId,
        call: RequestId,
        why: Undeliverable,
        out: &mut Outputs,
    ) {
        self.abandon(caller, call, undeliverable(why), out);
    }

    /// WAMP spec, "Protocol Errors": an answer to an invocation that never was is one. That it is
    /// over is not: the answer and the cancellation may have crossed.
    fn check_issued(&self, callee: SessionId, invocation: RequestId) -> Result<(), Violation> {
        let callee = self.parties.get(&callee);
        let last = callee.and_then(|callee| callee.invocation_ids.last());
        if last.is_some_and(|last| invocation <= last) {
            Ok(())
        } else {
            Err(Violation::UnknownInvocation(invocation))
        }
    }
}
