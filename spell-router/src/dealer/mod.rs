//! Remote procedure calls, without IO.

mod register;
mod registration;
mod registrations;

use std::collections::{BTreeSet, HashMap};

use spell_message::{
    Feature, MatchPolicy, Payload, RequestId, RequestIds, RoleName, SessionId,
    message::{
        Call, Cancel, ErrorMessage, Interrupt, Invocation, RequestKind, ResultMessage, Yield,
    },
    options::{CancelMode, ErrorDetails, InterruptOptions, InvocationDetails, ResultDetails},
    reason,
};

use crate::{
    announced::Announced,
    carrier::Line,
    details::forwarded,
    error::Violation,
    ids::RandomBits,
    outbound::{Outgoing, Outputs},
    quotas::{LIMIT_EXCEEDED, Quotas},
    realm::{refusal, static_uri},
    work::{CallWork, PreparedCall},
};

use registrations::Registrations;

/// Why a request fails: an error, and an explanation for people.
type Refusal = (&'static str, Option<&'static str>);

/// The registrations and the calls under way of one realm.
///
/// ```text
/// caller ── CALL 5 ──► calls[5] ─────► invocations[2] ── INVOCATION 2 ──► callee
///                    of the caller ◄── of the callee
/// ```
///
/// A call is in both maps or in neither. What a callee sends for an invocation that is in none, as
/// its call was cancelled or its caller left, is discarded; only for an id that was never given is
/// it a violation, and for that the last id given suffices, so nothing is kept of calls that are
/// over.
///
/// WAMP spec, "Remote Procedure Calls" and "Call Canceling".
#[derive(Debug)]
pub(crate) struct Dealer {
    quotas: Quotas,
    pub(crate) registrations: Registrations,
    parties: HashMap<SessionId, Party>,
}

/// One session, as caller and as callee.
#[derive(Debug)]
struct Party {
    line: Line,
    announced: Announced,
    calls: HashMap<RequestId, Target>,
    invocations: HashMap<RequestId, Origin>,
    invocation_ids: RequestIds,
}

/// Who works on a call.
#[derive(Clone, Copy, Debug)]
struct Target {
    callee: SessionId,
    invocation: RequestId,
    interrupted: bool,
}

/// Whose call an invocation serves.
#[derive(Clone, Copy, Debug)]
struct Origin {
    caller: SessionId,
    call: RequestId,
}

impl Dealer {
    pub(crate) fn new(quotas: Quotas) -> Self {
        Self {
            quotas,
            registrations: Registrations::default(),
            parties: HashMap::new(),
        }
    }

    /// A new session.
    pub(crate) fn join(&mut self, session: SessionId, announced: Announced, line: Line) {
        let party = Party {
            line,
            announced,
            calls: HashMap::new(),
            invocations: HashMap::new(),
            invocation_ids: RequestIds::default(),
        };
        self.parties.insert(session, party);
    }

    /// Invokes the callee, unless there is work to do before.
    pub(crate) fn call(
        &mut self,
        from: SessionId,
        message: Call,
        random: &mut RandomBits,
        out: &mut Outputs,
    ) -> Result<Option<CallWork>, Violation> {
        if message.options.progress() == Some(true) {
            return Err(Violation::NotAnnounced("progressive call invocations"));
        }
        Ok(self.invoke(from, message, None, random, out))
    }

    /// Invokes the callee once the work is done. There is more if it is another callee by now.
    pub(crate) fn invoke(
        &mut self,
        from: SessionId,
        message: Call,
        prepared: Option<PreparedCall>,
        random: &mut RandomBits,
        out: &mut Outputs,
    ) -> Option<CallWork> {
        let call = message.request;
        let invoked = self.try_invoke(from, message, prepared, random, out);
        invoked.unwrap_or_else(|(error, explanation)| {
            out.send(from, refusal(RequestKind::Call, call, error, explanation));
            None
        })
    }

    fn try_invoke(
        &mut self,
        from: SessionId,
        message: Call,
        prepared: Option<PreparedCall>,
        random: &mut RandomBits,
        out: &mut Outputs,
    ) -> Result<Option<CallWork>, Refusal> {
        let procedure = &message.procedure;
        // What the protocol reserves for the router no application may answer, not even one that
        // registered a pattern for everything.
        let best = if procedure.is_reserved() {
            None
        } else {
            self.registrations.best(procedure)
        };
        let unknown = (reason::NO_SUCH_PROCEDURE, None);
        let registration = best.ok_or(unknown)?;
        let registered = self.registrations.get_mut(registration).ok_or(unknown)?;
        // Whom the work was done for, if it was, is called: it was its turn.
        let before = prepared.as_ref().map(|prepared| prepared.callee);
        let before = before.and_then(|callee| registered.callee(callee).copied());
        let chosen = before.or_else(|| registered.choose(&BTreeSet::new(), random));
        let callee = chosen.ok_or(unknown)?.session;
        let named = registered.pattern.policy() != MatchPolicy::Exact;
        let name = named.then(|| procedure.clone());
        let open = self.parties.get(&from).map_or(0, |party| party.calls.len());
        if open >= self.quotas.calls {
            let explanation = "the session has as many open calls as it may";
            return Err((LIMIT_EXCEEDED, Some(explanation)));
        }
        let party = self.parties.get_mut(&callee).ok_or(unknown)?;
        if party.invocations.len() >= self.quotas.invocations {
            let explanation = "the callee has as many open invocations as it may";
            return Err((LIMIT_EXCEEDED, Some(explanation)));
        }
        let invocation = party.invocation_ids.next();
        let draft = |payload| {
            let draft = Invocation {
                request: invocation,
                registration,
                details: InvocationDetails::new(),
                payload,
            };
            Outgoing::invocation(draft, name.clone())
        };
        let payload =
            match prepared {
                _ if party.line.surely_carries(&message.payload, name.as_ref()) => message.payload,
                Some(prepared) if prepared.is_for(&party.line, named) => prepared
                    .payload(invocation)
                    .map_err(|why| (why.reason(), Some(why.explanation())))?,
                Some(prepared) if prepared.done >= MOST_WORK => {
                    let explanation = "the procedure changes its callee all the time";
                    return Err((reason::NO_AVAILABLE_CALLEE, Some(explanation)));
                }
                before => {
                    let draft = draft(message.payload.clone());
                    return Ok(Some(CallWork {
                        call: message,
                        callee,
                        line: party.line.clone(),
                        invocation,
                        named,
                        draft,
                        done: before.map_or(0, |before| before.done),
                    }));
                }
            };
        party.invocation_ids.advance();
        let call = message.request;
        let origin = Origin { caller: from, call };
        party.invocations.insert(invocation, origin);
        out.send(callee, draft(payload));
        if let Some(caller) = self.parties.get_mut(&from) {
            let target = Target {
                callee,
                invocation,
                interrupted: false,
            };
            caller.calls.insert(call, target);
        }
        Ok(None)
    }

    /// A call that is over, or never was, cannot be cancelled; that is no violation.
    pub(crate) fn cancel(&mut self, from: SessionId, message: &Cancel, out: &mut Outputs) {
        let call = message.request;
        let known = self
            .parties
            .get(&from)
            .and_then(|caller| caller.calls.get(&call));
        let Some(target) = known.copied() else {
            return;
        };
        let interruptible = self.is_interruptible(target.callee);
        // WAMP spec, "Call Canceling": with a callee that cannot be interrupted, every mode is
        // `skip`. It names no default; `killnowait` is what other routers take.
        let mode = match message.options.mode() {
            _ if !interruptible => CancelMode::Skip,
            None => CancelMode::KillNoWait,
            Some(mode) => mode,
        };
        if mode != CancelMode::Skip && !target.interrupted {
            out.send(target.callee, interrupt(target.invocation, mode));
        }
        if mode == CancelMode::Kill {
            // The caller gets what the callee answers.
            let caller = self.parties.get_mut(&from);
            if let Some(target) = caller.and_then(|caller| caller.calls.get_mut(&call)) {
                target.interrupted = true;
            }
        } else {
            self.end(target.callee, target.invocation);
            out.send(
                from,
                refusal(RequestKind::Call, call, reason::CANCELED, None),
            );
        }
    }

    pub(crate) fn yielded(
        &mut self,
        from: SessionId,
        message: Yield,
        out: &mut Outputs,
    ) -> Result<(), Violation> {
        self.check_issued(from, message.request)?;
        if message.options.progress() == Some(true) {
            // Nobody asked for it: invocations never say that the caller wants progress.
            return Ok(());
        }
        if let Some(Origin { caller, call }) = self.end(from, message.request) {
            out.send(
                caller,
                ResultMessage {
                    request: call,
                    details: ResultDetails::new(),
                    payload: message.payload,
                },
            );
        }
        Ok(())
    }

    pub(crate) fn failed(
        &mut self,
        from: SessionId,
        message: ErrorMessage,
        out: &mut Outputs,
    ) -> Result<(), Violation> {
        self.check_issued(from, message.request)?;
        if let Some(Origin { caller, call }) = self.end(from, message.request) {
            out.send(
                caller,
                ErrorMessage {
                    request_kind: RequestKind::Call,
                    request: call,
                    details: forwarded(message.details),
                    error: message.error,
                    payload: message.payload,
                },
            );
        }
        Ok(())
    }

    /// The callee's answer, or the invocation on its way to it, could not be understood or sent.
    pub(crate) fn fail(
        &mut self,
        callee: SessionId,
        invocation: RequestId,
        error: &'static str,
        explanation: &'static str,
        out: &mut Outputs,
    ) -> Result<(), Violation> {
        self.check_issued(callee, invocation)?;
        if let Some(Origin { caller, call }) = self.end(callee, invocation) {
            let kind = RequestKind::Call;
            out.send(caller, refusal(kind, call, error, Some(explanation)));
        }
        Ok(())
    }

    /// Forgets a session; ends the calls it made and those made to it.
    pub(crate) fn leave(&mut self, session: SessionId, out: &mut Outputs) {
        let Some(party) = self.parties.remove(&session) else {
            return;
        };
        self.registrations.remove_session(session);
        for target in party.calls.values() {
            // WAMP spec, "Call Canceling": a callee that can be interrupted learns that its
            // caller is gone.
            let callee = self.parties.get_mut(&target.callee);
            if let Some(callee) = callee {
                callee.invocations.remove(&target.invocation);
                if is_interruptible(callee.announced) && !target.interrupted {
                    let mode = CancelMode::KillNoWait;
                    out.send(target.callee, interrupt(target.invocation, mode));
                }
            }
        }
        for origin in party.invocations.values() {
            if let Some(caller) = self.parties.get_mut(&origin.caller) {
                caller.calls.remove(&origin.call);
                let error = ErrorMessage {
                    request_kind: RequestKind::Call,
                    request: origin.call,
                    details: ErrorDetails::default(),
                    error: static_uri(reason::CANCELED),
                    payload: Payload::default(),
                };
                out.send(origin.caller, error);
            }
        }
    }

    /// Takes an invocation and its call out; `None` if it is over already.
    fn end(&mut self, callee: SessionId, invocation: RequestId) -> Option<Origin> {
        let origin = self
            .parties
            .get_mut(&callee)?
            .invocations
            .remove(&invocation)?;
        if let Some(caller) = self.parties.get_mut(&origin.caller) {
            caller.calls.remove(&origin.call);
        }
        Some(origin)
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

    fn is_interruptible(&self, session: SessionId) -> bool {
        self.parties
            .get(&session)
            .is_some_and(|party| is_interruptible(party.announced))
    }

    #[cfg(test)]
    pub(crate) fn is_idle(&self) -> bool {
        let parties = || self.parties.values();
        parties().all(|party| party.calls.is_empty() && party.invocations.is_empty())
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.registrations.is_empty() && self.parties.is_empty()
    }
}

/// How often a call is prepared anew because its callee changed meanwhile.
const MOST_WORK: usize = 3;

/// Whether a callee is sent INTERRUPT. WAMP spec, "Call Canceling".
fn is_interruptible(announced: Announced) -> bool {
    announced.supports(RoleName::Callee, Feature::CallCanceling)
}

fn interrupt(invocation: RequestId, mode: CancelMode) -> Interrupt {
    let mut options = InterruptOptions::new();
    options.set_mode(mode);
    Interrupt {
        request: invocation,
        options,
    }
}
