//! Calls that are given up before their callee has answered.

use std::time::Instant;

use spell_message::{
    RequestId, SessionId,
    message::{Cancel, Interrupt, RequestKind},
    options::{CancelMode, InterruptOptions},
    reason,
};

use super::{Dealer, Refusal, party::Party};
use crate::{environment::Clock, outgoing::Outputs, realm::refusal};

impl Dealer {
    /// A call that is over, or never was, cannot be cancelled; that is no violation.
    pub(crate) fn cancel(&mut self, from: SessionId, message: &Cancel, out: &mut Outputs) {
        let call = message.request;
        let Some(open) = self.open_call(from, call) else {
            return;
        };
        let (callee, invocation, interrupted) = (open.callee, open.invocation, open.interrupted);
        // WAMP spec, "Call Canceling": with a callee that cannot be interrupted, every mode is
        // `skip`. It names no default; `killnowait` is what other routers take.
        let mode = match message.options.mode() {
            _ if !self.is_interruptible(callee) => CancelMode::Skip,
            None => CancelMode::KillNoWait,
            Some(mode) => mode,
        };
        let canceled = (reason::CANCELED, None);
        match mode {
            // The caller gets what the callee answers.
            CancelMode::Kill if interrupted => {}
            CancelMode::Kill => {
                out.send(callee, interrupt(invocation, mode));
                if let Some(open) = self.open_call(from, call) {
                    open.interrupted = true;
                }
            }
            CancelMode::Skip => {
                self.end(callee, invocation);
                let (error, explanation) = canceled;
                out.send(from, refusal(RequestKind::Call, call, error, explanation));
            }
            _ => _ = self.abandon(from, call, canceled, out),
        }
    }

    /// When [`expire`](Self::expire) has something to do.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    /// Gives up the calls whose time is over.
    ///
    /// WAMP spec, "Call Timeouts": the mode is `killnowait`, or `skip` for a callee that cannot be
    /// interrupted.
    pub(crate) fn expire(&mut self, now: Instant, out: &mut Outputs) {
        while let Some((caller, call)) = self.deadlines.pop(now) {
            self.abandon(caller, call, (reason::TIMEOUT, None), out);
        }
    }

    /// A result came in time; the next one has as long.
    ///
    /// WAMP spec, "Progressive Call Results".
    pub(super) fn extend(&mut self, caller: SessionId, call: RequestId, clock: &Clock) {
        let Some(party) = self.parties.get_mut(&caller) else {
            return;
        };
        let open = party.calls.get_mut(&call);
        if let Some(timer) = open.and_then(|open| open.extra.as_mut()?.timer.as_mut())
            && let Some(deadline) = clock().instant.checked_add(timer.limit)
        {
            self.deadlines.remove(timer.deadline, caller, call);
            self.deadlines.insert(deadline, caller, call);
            timer.deadline = deadline;
        }
    }

    /// Fails a call and interrupts its callee; `false` if it is over already.
    pub(super) fn abandon(
        &mut self,
        caller: SessionId,
        call: RequestId,
        (error, explanation): Refusal,
        out: &mut Outputs,
    ) -> bool {
        let Some(open) = self.forget(caller, call) else {
            return false;
        };
        if let Some(callee) = self.parties.get_mut(&open.callee) {
            callee.invocations.remove(&open.invocation);
            if callee.is_interruptible() && !open.interrupted {
                let mode = CancelMode::KillNoWait;
                out.send(open.callee, interrupt(open.invocation, mode));
            }
        }
        out.send(caller, refusal(RequestKind::Call, call, error, explanation));
        true
    }

    fn is_interruptible(&self, session: SessionId) -> bool {
        let party = self.parties.get(&session);
        party.is_some_and(Party::is_interruptible)
    }
}

pub(super) fn interrupt(invocation: RequestId, mode: CancelMode) -> Interrupt {
    let mut options = InterruptOptions::new();
    options.set_mode(mode);
    Interrupt {
        request: invocation,
        options,
    }
}
