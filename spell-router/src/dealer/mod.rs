//! Remote procedure calls, without IO.

mod answer;
mod assignment;
mod deadlines;
mod give_up;
mod invoke;
mod open_call;
mod parts;
mod party;
mod register;
mod registration;
mod registrations;
mod reroute;

use spell_message::{RequestId, SessionId, message::RequestKind, options::CancelMode, reason};

pub(crate) use self::assignment::Assignment;
use self::{
    deadlines::Deadlines,
    give_up::interrupt,
    open_call::OpenCall,
    party::{Origin, Party},
    registrations::Registrations,
};
use crate::{
    Disclosure, Reregistration,
    announced::Announced,
    carrier::{Line, Undeliverable},
    environment::Environment,
    id_map::IdMap,
    outgoing::Outputs,
    quotas::Quotas,
    realm::{Members, refusal},
};

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
/// WAMP spec, "Remote Procedure Calls" and "Advanced RPC Features".
#[derive(Debug)]
pub(crate) struct Dealer {
    quotas: Quotas,
    pub(crate) disclosure: Disclosure,
    pub(crate) reregistration: Reregistration,
    pub(crate) registrations: Registrations,
    parties: IdMap<SessionId, Party>,
    deadlines: Deadlines,
}

/// What the dealer is told of the realm around it.
pub(crate) struct Surroundings<'a> {
    pub(crate) members: &'a Members,
    pub(crate) environment: &'a mut Environment,
}

/// Why a request fails: an error, and an explanation for people.
type Refusal = (&'static str, Option<&'static str>);

impl Dealer {
    pub(crate) fn new(quotas: Quotas) -> Self {
        Self {
            quotas,
            disclosure: Disclosure::default(),
            reregistration: Reregistration::default(),
            registrations: Registrations::default(),
            parties: IdMap::default(),
            deadlines: Deadlines::default(),
        }
    }

    /// A new session.
    pub(crate) fn join(
        &mut self,
        session: SessionId,
        announced: Announced,
        trustlevel: Option<u64>,
        line: Line,
    ) {
        let party = Party::new(announced, trustlevel, line);
        self.parties.insert(session, party);
    }

    /// Forgets a session; ends the calls it made and those made to it.
    pub(crate) fn leave(&mut self, session: SessionId, out: &mut Outputs) {
        let Some(party) = self.parties.remove(&session) else {
            return;
        };
        self.registrations.remove_session(session);
        for (call, open) in &party.calls {
            if let Some(timer) = open.timer() {
                self.deadlines.remove(timer.deadline, session, *call);
            }
            // WAMP spec, "Call Canceling": a callee that can be interrupted learns that its
            // caller is gone.
            if let Some(callee) = self.parties.get_mut(&open.callee) {
                callee.invocations.remove(&open.invocation);
                if callee.is_interruptible() && !open.interrupted {
                    let mode = CancelMode::KillNoWait;
                    out.send(open.callee, interrupt(open.invocation, mode));
                }
            }
        }
        for Origin { caller, call, .. } in party.invocations.into_values() {
            if self.forget(caller, call).is_some() {
                let kind = RequestKind::Call;
                out.send(caller, refusal(kind, call, reason::CANCELED, None));
            }
        }
    }

    fn open_call(&mut self, caller: SessionId, call: RequestId) -> Option<&mut OpenCall> {
        self.parties.get_mut(&caller)?.calls.get_mut(&call)
    }

    fn origin(&self, callee: SessionId, invocation: RequestId) -> Option<Origin> {
        let callee = self.parties.get(&callee)?;
        callee.invocations.get(&invocation).copied()
    }

    /// Takes an invocation and its call out; `None` if it is over already.
    fn end(&mut self, callee: SessionId, invocation: RequestId) -> Option<Origin> {
        let callee = self.parties.get_mut(&callee)?;
        let origin = callee.invocations.remove(&invocation)?;
        self.forget(origin.caller, origin.call);
        Some(origin)
    }

    /// Takes a call out, but not its invocation; `None` if it is over already.
    fn forget(&mut self, caller: SessionId, call: RequestId) -> Option<OpenCall> {
        let party = self.parties.get_mut(&caller)?;
        let open = party.calls.remove(&call)?;
        party.kept = party.kept.saturating_sub(open.kept());
        if let Some(timer) = open.timer() {
            self.deadlines.remove(timer.deadline, caller, call);
        }
        Some(open)
    }

    #[cfg(test)]
    pub(crate) fn is_idle(&self) -> bool {
        let parties = || self.parties.values();
        parties().all(|party| party.calls.is_empty() && party.invocations.is_empty())
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.registrations.is_empty() && self.parties.is_empty() && self.deadlines.is_empty()
    }
}

fn undeliverable(why: Undeliverable) -> Refusal {
    (why.reason(), Some(why.explanation()))
}
